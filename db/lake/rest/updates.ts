/**
 * A commit's updates applied in their order: from one metadata, or none for a new table, to the next. Pure.
 * Source: https://iceberg.apache.org/spec/ and the semantics of Iceberg's own catalogs (TableMetadata.Builder).
 */
import { setProperties } from '../metadata/changes.ts'
import { noHistory } from '../metadata/create.ts'
import type { TableMetadata } from '../metadata/table-metadata.ts'
import { UNPARTITIONED } from '../types/partition-spec.ts'
import { amend, type Draft } from './draft.ts'
import { badRequest } from './refused.ts'
import type { Update } from './requests.ts'
import {
  addSchema,
  addSortOrder,
  addSpec,
  setCurrentSchema,
  setDefaultSortOrder,
  setDefaultSpec,
} from './shape-updates.ts'
import { addSnapshot, dropSnapshots, removeRef, removeStatistics, setRef, setStatistics } from './snapshot-updates.ts'

/** The versions a table may have here. */
export const FORMAT_VERSION = 2

/** What a new table is before its first update. */
const nothing = (nowMs: number): TableMetadata => ({
  'format-version': FORMAT_VERSION,
  'table-uuid': '',
  location: '',
  'last-sequence-number': 0,
  'last-updated-ms': nowMs,
  'last-column-id': 0,
  'current-schema-id': -1,
  schemas: [],
  'default-spec-id': -1,
  'partition-specs': [],
  'last-partition-id': 999,
  'default-sort-order-id': -1,
  'sort-orders': [],
  properties: {},
  ...noHistory(),
})

/**
 * @param base null: the table is made
 * @returns `base` itself when the updates change nothing
 * @throws CatalogRefused
 */
export function applyUpdates(base: TableMetadata | null, updates: readonly Update[], nowMs: number): TableMetadata {
  const start = base ?? nothing(nowMs)
  const added = { schema: null, spec: null, sortOrder: null, snapshots: new Set<never>() }
  // Beforehand, so that what the log tells of this commit is not earlier than what is in it.
  const touched = { ...start, 'last-updated-ms': Math.max(nowMs, start['last-updated-ms'] ?? 0) }
  let draft: Draft = { metadata: touched, added }
  for (const update of updates) draft = apply(draft, update, base === null)
  if (base === null) return completed(draft)
  return draft.metadata === touched ? base : draft.metadata
}

function apply(draft: Draft, update: Update, isNew: boolean): Draft {
  const { metadata } = draft
  switch (update.action) {
    case 'assign-uuid':
      if (update.uuid.toLowerCase() === metadata['table-uuid'].toLowerCase()) return draft
      if (!isNew) throw badRequest('The UUID of a table never changes.')
      return amend(draft, { 'table-uuid': update.uuid })
    case 'upgrade-format-version':
      checkFormatVersion(String(update['format-version']))
      return draft
    case 'add-schema':
      return addSchema(draft, update)
    case 'set-current-schema':
      return setCurrentSchema(draft, update)
    case 'add-spec':
      return addSpec(draft, update)
    case 'set-default-spec':
      return setDefaultSpec(draft, update)
    case 'add-sort-order':
      return addSortOrder(draft, update)
    case 'set-default-sort-order':
      return setDefaultSortOrder(draft, update)
    case 'add-snapshot':
      return addSnapshot(draft, update)
    case 'set-snapshot-ref':
      return setRef(draft, update)
    case 'remove-snapshots':
      return dropSnapshots(draft, update)
    case 'remove-snapshot-ref':
      return removeRef(draft, update)
    case 'set-location':
      return amend(draft, { location: update.location.replace(/\/+$/, '') })
    case 'set-properties':
      return amend(draft, changedProperties(metadata, update.updates))
    case 'remove-properties':
      return amend(draft, changedProperties(metadata, Object.fromEntries(update.removals.map((key) => [key, null]))))
    case 'set-statistics':
      return setStatistics(draft, 'statistics', update.statistics)
    case 'remove-statistics':
      return removeStatistics(draft, 'statistics', update['snapshot-id'])
    case 'set-partition-statistics':
      return setStatistics(draft, 'partition-statistics', update['partition-statistics'])
    case 'remove-partition-statistics':
      return removeStatistics(draft, 'partition-statistics', update['snapshot-id'])
  }
}

/** A property of that name is a wish for the version, which is kept elsewhere. */
function changedProperties(
  metadata: TableMetadata,
  { 'format-version': version, ...changes }: Readonly<Record<string, string | null>>,
): TableMetadata {
  if (version != null) checkFormatVersion(version)
  return setProperties(metadata, changes, metadata['last-updated-ms'])
}

export function checkFormatVersion(version: string): void {
  if (version !== String(FORMAT_VERSION))
    throw badRequest(
      `Tables have the Iceberg format version ${FORMAT_VERSION} here, not ${version.slice(0, 20)}. Leave the version out.`,
    )
}

/** @throws CatalogRefused where a new table lacks what can't be made up */
function completed({ metadata }: Draft): TableMetadata {
  if (metadata['table-uuid'] === '') throw badRequest('A new table needs a UUID: assign-uuid.')
  if (metadata.location === '') throw badRequest('A new table needs a place: set-location.')
  if (metadata['current-schema-id'] === -1)
    throw badRequest('A new table needs a schema: add-schema and set-current-schema.')
  if (metadata['default-spec-id'] === -1 && metadata['partition-specs'].length > 0)
    throw badRequest('A new table with a partition spec needs it as its default: set-default-spec.')
  if (metadata['default-sort-order-id'] === -1 && metadata['sort-orders'].length > 0)
    throw badRequest('A new table with a sort order needs it as its default: set-default-sort-order.')
  return {
    ...metadata,
    ...(metadata['default-spec-id'] === -1 && { 'partition-specs': [UNPARTITIONED], 'default-spec-id': 0 }),
    ...(metadata['default-sort-order-id'] === -1 && {
      'sort-orders': [{ 'order-id': 0, fields: [] }],
      'default-sort-order-id': 0,
    }),
  }
}

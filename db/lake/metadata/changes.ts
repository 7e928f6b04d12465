/**
 * Changes of a table's metadata, each a pure function from one metadata to the next.
 *
 * Invariants: `last-sequence-number`, `last-column-id` and `last-updated-ms` never fall; `refs.main` is the current snapshot; keys of other engines stay.
 */
import { evolveSchema, type SchemaChange } from '../types/evolution.ts'
import type { Long } from '../types/json.ts'
import { fieldIds } from '../types/types.ts'
import { currentSchema, type Snapshot, type TableMetadata } from './table-metadata.ts'

/** Later than now where another writer's clock is ahead: readers insist on times that don't go back. */
export const notBefore = (metadata: TableMetadata, nowMs: number): number =>
  Math.max(nowMs, metadata['last-updated-ms'] ?? 0)

/** Makes the snapshot the current one of `main`. Its sequence number must be the next. */
export function addSnapshot(metadata: TableMetadata, snapshot: Snapshot): TableMetadata {
  const id = snapshot['snapshot-id']
  const sequence = snapshot['sequence-number']
  if (sequence <= metadata['last-sequence-number'])
    throw new Error(`The snapshot ${id} has the sequence number ${sequence}, which is not a new one.`)
  return {
    ...metadata,
    'last-sequence-number': sequence,
    'last-updated-ms': snapshot['timestamp-ms'],
    'current-snapshot-id': id,
    snapshots: [...metadata.snapshots, snapshot],
    'snapshot-log': [...metadata['snapshot-log'], { 'timestamp-ms': snapshot['timestamp-ms'], 'snapshot-id': id }],
    refs: { ...metadata.refs, main: { ...metadata.refs.main, 'snapshot-id': id, type: 'branch' } },
  }
}

/** null removes a property. */
export function setProperties(
  metadata: TableMetadata,
  changes: Readonly<Record<string, string | null>>,
  nowMs: number,
): TableMetadata {
  const properties: Record<string, string> = { ...metadata.properties }
  for (const [key, value] of Object.entries(changes)) {
    if (value === null) delete properties[key]
    else properties[key] = value
  }
  return { ...metadata, properties, 'last-updated-ms': notBefore(metadata, nowMs) }
}

/** Adds the evolved schema and makes it the current one. */
export function changeSchema(metadata: TableMetadata, changes: readonly SchemaChange[], nowMs: number): TableMetadata {
  const used = [
    ...metadata['partition-specs'].flatMap((spec) => spec.fields.map((field) => field['source-id'])),
    ...metadata['sort-orders'].flatMap((order) =>
      (order.fields as { 'source-id': number }[]).map((f) => f['source-id']),
    ),
  ]
  const schemaId = Math.max(...metadata.schemas.map((schema) => schema['schema-id'])) + 1
  const lastColumnId = Math.max(
    metadata['last-column-id'],
    ...metadata.schemas.flatMap((schema) => fieldIds({ type: 'struct', fields: schema.fields })),
  )
  const evolved = evolveSchema(currentSchema(metadata), changes, { lastColumnId, schemaId, keep: new Set(used) })
  return {
    ...metadata,
    schemas: [...metadata.schemas, evolved.schema],
    'current-schema-id': schemaId,
    'last-column-id': evolved.lastColumnId,
    'last-updated-ms': notBefore(metadata, nowMs),
  }
}

/** Takes snapshots out of the list, the log, and with their statistics. The caller has chosen them by `snapshotsToExpire`. */
export function removeSnapshots(metadata: TableMetadata, ids: ReadonlySet<Long>, nowMs: number): TableMetadata {
  const kept = <T extends { readonly 'snapshot-id': Long }>(list: readonly T[] | undefined) =>
    (list ?? []).filter((each) => !ids.has(each['snapshot-id']))
  // What comes before a gap in the log would pretend to have been current for longer than it was.
  const log = metadata['snapshot-log']
  const lastGone = log.findLastIndex((each) => ids.has(each['snapshot-id']))
  return {
    ...metadata,
    snapshots: kept(metadata.snapshots),
    'snapshot-log': log.slice(lastGone + 1),
    ...(metadata.statistics ? { statistics: kept(metadata.statistics) } : {}),
    ...(metadata['partition-statistics'] ? { 'partition-statistics': kept(metadata['partition-statistics']) } : {}),
    'last-updated-ms': notBefore(metadata, nowMs),
  }
}

const DEFAULT_PREVIOUS_VERSIONS = 100

/**
 * Notes where the metadata that this one replaces lies. As Iceberg does, at most `write.metadata.previous-versions-max` of them.
 * @returns also the files that fell out of the log
 */
export function logPrevious(
  metadata: TableMetadata,
  previous: { location: string; metadata: TableMetadata },
): { metadata: TableMetadata; dropped: string[] } {
  const limit = Number(metadata.properties['write.metadata.previous-versions-max'] ?? DEFAULT_PREVIOUS_VERSIONS)
  const log = [
    ...metadata['metadata-log'],
    { 'timestamp-ms': previous.metadata['last-updated-ms'], 'metadata-file': previous.location },
  ]
  const keep = Math.max(1, Number.isFinite(limit) ? limit : DEFAULT_PREVIOUS_VERSIONS)
  return {
    metadata: { ...metadata, 'metadata-log': log.slice(-keep) },
    dropped: log.slice(0, -keep).map((each) => each['metadata-file']),
  }
}

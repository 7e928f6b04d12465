/**
 * A table's metadata, format version 2, in the form its JSON has: reading and writing it change nothing, and keys unknown to us stay.
 *
 * Invariant: objects are never changed in place; every change is a function from one metadata to the next.
 * Source: https://iceberg.apache.org/spec/#table-metadata-and-snapshots
 */
import { type Long, parseJson, stringifyJson } from '../types/json.ts'
import type { PartitionSpec } from '../types/partition-spec.ts'
import type { Schema } from '../types/schema.ts'

export interface Snapshot {
  readonly 'snapshot-id': Long
  readonly 'parent-snapshot-id'?: Long | null
  readonly 'sequence-number': Long
  readonly 'timestamp-ms': number
  readonly 'manifest-list': string
  readonly summary: Readonly<Record<string, string>> & { readonly operation: string }
  readonly 'schema-id'?: number
  readonly [key: string]: unknown
}

export interface SnapshotRef {
  readonly 'snapshot-id': Long
  readonly type: 'branch' | 'tag'
  readonly 'min-snapshots-to-keep'?: number
  readonly 'max-snapshot-age-ms'?: number
  readonly 'max-ref-age-ms'?: number
  readonly [key: string]: unknown
}

/** Statistics of a snapshot in a Puffin file, as Trino writes them. */
export interface StatisticsFile {
  readonly 'snapshot-id': Long
  readonly 'statistics-path': string
  readonly [key: string]: unknown
}

export interface TableMetadata {
  readonly 'format-version': 2
  readonly 'table-uuid': string
  readonly location: string
  readonly 'last-sequence-number': Long
  readonly 'last-updated-ms': number
  readonly 'last-column-id': number
  readonly schemas: readonly Schema[]
  readonly 'current-schema-id': number
  readonly 'partition-specs': readonly PartitionSpec[]
  readonly 'default-spec-id': number
  readonly 'last-partition-id': number
  readonly properties: Readonly<Record<string, string>>
  /** -1, null or absent while the table is empty. */
  readonly 'current-snapshot-id'?: Long | null
  readonly snapshots: readonly Snapshot[]
  readonly 'snapshot-log': readonly { readonly 'timestamp-ms': number; readonly 'snapshot-id': Long }[]
  readonly 'metadata-log': readonly { readonly 'timestamp-ms': number; readonly 'metadata-file': string }[]
  readonly 'sort-orders': readonly { readonly 'order-id': number; readonly fields: readonly unknown[] }[]
  readonly 'default-sort-order-id': number
  readonly refs: Readonly<Record<string, SnapshotRef>>
  readonly statistics?: readonly StatisticsFile[]
  readonly 'partition-statistics'?: readonly StatisticsFile[]
  readonly [key: string]: unknown
}

/** Keys that the specification lets a v2 writer leave out, and what their absence means. */
const DEFAULTS = {
  properties: {},
  snapshots: [],
  'snapshot-log': [],
  'metadata-log': [],
  'sort-orders': [{ 'order-id': 0, fields: [] }],
  'default-sort-order-id': 0,
}
const REQUIRED = [
  'table-uuid',
  'location',
  'last-sequence-number',
  'last-column-id',
  'schemas',
  'current-schema-id',
  'partition-specs',
  'default-spec-id',
]

/** What to do when the file is gone or damaged. */
export const METADATA_REMEDY =
  'Bring it back from a copy, or have the catalog name the file before it again (previous_metadata_location), which loses the last commit.'

/** @throws Error in a sentence that names the file */
export function parseMetadata(text: string, file: string): TableMetadata {
  let json: Record<string, unknown>
  try {
    json = parseJson(text) as Record<string, unknown>
  } catch (cause) {
    throw new Error(`The table metadata ${file} is damaged: it is not JSON. ${METADATA_REMEDY}`, { cause })
  }
  const version = json?.['format-version']
  if (version !== 2)
    throw new Error(
      `The table metadata ${file} has the Iceberg format version ${JSON.stringify(version)}; only version 2 is read and written here.`,
    )
  const missing = REQUIRED.filter((key) => json[key] === undefined)
  if (missing.length > 0)
    throw new Error(`The table metadata ${file} is damaged: it lacks ${missing.join(', ')}. ${METADATA_REMEDY}`)
  const current = json['current-snapshot-id'] as Long | null | undefined
  const refs =
    json.refs ?? (current == null || current === -1 ? {} : { main: { 'snapshot-id': current, type: 'branch' } })
  const metadata = { ...DEFAULTS, ...json, refs } as unknown as TableMetadata // checked above, key by key
  currentSchema(metadata)
  defaultSpec(metadata)
  return metadata
}

export const writeMetadata = (metadata: TableMetadata): Buffer => Buffer.from(stringifyJson(metadata))

export function currentSchema(metadata: TableMetadata): Schema {
  return schemaById(metadata, metadata['current-schema-id'])
}

export function schemaById(metadata: TableMetadata, id: number): Schema {
  const schema = metadata.schemas.find((each) => each['schema-id'] === id)
  if (!schema) throw new Error(`The table at ${metadata.location} names the schema ${id}, and does not have it.`)
  return schema
}

export function defaultSpec(metadata: TableMetadata): PartitionSpec {
  return specById(metadata, metadata['default-spec-id'])
}

export function specById(metadata: TableMetadata, id: number): PartitionSpec {
  const spec = metadata['partition-specs'].find((each) => each['spec-id'] === id)
  if (!spec) throw new Error(`The table at ${metadata.location} names the partition spec ${id}, and does not have it.`)
  return spec
}

export const snapshotById = (metadata: TableMetadata, id: Long): Snapshot | undefined =>
  metadata.snapshots.find((snapshot) => snapshot['snapshot-id'] === id)

/** null: the table has never been written. */
export function currentSnapshot(metadata: TableMetadata): Snapshot | null {
  const id = metadata['current-snapshot-id']
  if (id === undefined || id === null || id === -1) return null
  const snapshot = snapshotById(metadata, id)
  if (!snapshot) throw new Error(`The table at ${metadata.location} names the snapshot ${id}, and does not have it.`)
  return snapshot
}

/** From the snapshot back to the oldest one that is still there. */
export function* ancestors(metadata: TableMetadata, from: Long | null | undefined): Generator<Snapshot> {
  let id = from
  for (let steps = 0; id !== null && id !== undefined && steps <= metadata.snapshots.length; steps++) {
    const snapshot = snapshotById(metadata, id)
    if (!snapshot) return
    yield snapshot
    id = snapshot['parent-snapshot-id']
  }
}

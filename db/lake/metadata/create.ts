/** The first metadata of a table. Pure: time and ids are parameters. */
import { lastPartitionId, type PartitionSpec, UNPARTITIONED } from '../types/partition-spec.ts'
import { checkSchema, highestId, type Schema } from '../types/schema.ts'
import type { TableMetadata } from './table-metadata.ts'

export interface NewTable {
  schema: Schema
  /** From `partitionBy`; default: not partitioned. */
  spec?: PartitionSpec
  properties?: Readonly<Record<string, string>>
}

/** @param location the table's folder as a URI, without a slash at its end */
export function createMetadata(
  { schema, spec = UNPARTITIONED, properties = {} }: NewTable,
  { location, uuid, nowMs }: { location: string; uuid: string; nowMs: number },
): TableMetadata {
  checkSchema(schema)
  return {
    'format-version': 2,
    'table-uuid': uuid,
    location,
    'last-sequence-number': 0,
    'last-updated-ms': nowMs,
    'last-column-id': highestId(schema),
    'current-schema-id': schema['schema-id'],
    schemas: [schema],
    'default-spec-id': spec['spec-id'],
    'partition-specs': [spec],
    'last-partition-id': lastPartitionId(spec),
    'default-sort-order-id': 0,
    'sort-orders': [{ 'order-id': 0, fields: [] }],
    properties: { 'write.parquet.compression-codec': 'zstd', ...properties },
    ...noHistory(),
  }
}

/** What a table says of its past before its first commit. */
export const noHistory = () =>
  ({
    'current-snapshot-id': -1,
    refs: {},
    snapshots: [],
    statistics: [],
    'partition-statistics': [],
    'snapshot-log': [],
    'metadata-log': [],
  }) satisfies Partial<TableMetadata>

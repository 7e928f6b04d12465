/**
 * Manifests: Avro files that list data files (or delete files) with partition and statistics.
 *
 * Written in Iceberg v2's form; read from any engine, fields found by id. Invariant: what is read and written again says the same.
 */
import { readAvro, typeOf, writeAvro } from '../avro/container.ts'
import { branchOf, fieldsById } from '../avro/field-ids.ts'
import { type Long, stringifyJson } from '../types/json.ts'
import type { Partition, PartitionSpec } from '../types/partition-spec.ts'
import type { Schema } from '../types/schema.ts'
import { decimalFromBytes, decimalToFixed, uuidFromBytes, uuidToBytes } from '../types/single-value.ts'
import { primitiveOf, type Value } from '../types/types.ts'
import type { Content, DataFile, ManifestEntry, Status } from './data-file.ts'
import { avroName, decimalBytes, manifestSchema } from './manifest-schema.ts'

/** What entries are written and read with: the spec and the types of its partition values. */
export interface PartitionedBy {
  spec: PartitionSpec
  types: readonly string[]
}

/** @param entries all of one content (data or deletes) and of `by.spec` */
export function writeManifest(
  entries: readonly ManifestEntry[],
  by: PartitionedBy,
  schema: Schema,
  content: 'data' | 'deletes',
): Buffer {
  const avro = manifestSchema(by.spec, by.types)
  return writeAvro(
    avro,
    typeOf(avro),
    entries.map((entry) => toRecord(entry, by)),
    {
      schema: stringifyJson(schema),
      'schema-id': String(schema['schema-id']),
      'partition-spec': stringifyJson(by.spec.fields),
      'partition-spec-id': String(by.spec['spec-id']),
      'format-version': '2',
      content,
    },
  )
}

const pairs = <T>(map: ReadonlyMap<number, T>): { key: number; value: T }[] =>
  [...map].map(([key, value]) => ({ key, value }))
const bytePairs = (map: ReadonlyMap<number, Uint8Array>) =>
  [...map].map(([key, value]) => ({ key, value: Buffer.from(value) }))

const toRecord = (
  { status, snapshotId, sequenceNumber, fileSequenceNumber, file }: ManifestEntry,
  by: PartitionedBy,
) => ({
  status,
  snapshot_id: snapshotId,
  sequence_number: sequenceNumber,
  file_sequence_number: fileSequenceNumber,
  data_file: {
    content: file.content,
    file_path: file.path,
    file_format: file.format,
    partition: Object.fromEntries(
      by.spec.fields.map((field, i) => [avroName(field.name), toAvro(by.types[i]!, file.partition[i] ?? null)]),
    ),
    record_count: file.recordCount,
    file_size_in_bytes: file.bytes,
    column_sizes: pairs(file.columnSizes),
    value_counts: pairs(file.valueCounts),
    null_value_counts: pairs(file.nullCounts),
    nan_value_counts: pairs(file.nanCounts),
    lower_bounds: bytePairs(file.lowerBounds),
    upper_bounds: bytePairs(file.upperBounds),
    key_metadata: file.keyMetadata && Buffer.from(file.keyMetadata),
    split_offsets: file.splitOffsets,
    equality_ids: file.equalityIds,
    sort_order_id: file.sortOrderId,
    referenced_data_file: file.referencedDataFile,
  },
})

function toAvro(type: string, value: Value | null): unknown {
  if (value === null) return null
  const primitive = primitiveOf(type)
  if (primitive.kind === 'uuid') return uuidToBytes(String(value))
  if (primitive.kind === 'decimal') return decimalToFixed(BigInt(value as bigint), decimalBytes(primitive.precision))
  return value instanceof Uint8Array ? Buffer.from(value) : value
}

function fromAvro(type: string, value: unknown): Value | null {
  if (value === null || value === undefined) return null
  const { kind } = primitiveOf(type)
  if (kind === 'uuid') return typeof value === 'string' ? value : uuidFromBytes(value as Uint8Array)
  if (kind === 'decimal') return decimalFromBytes(value as Uint8Array)
  if (kind === 'long' || kind === 'time' || kind === 'timestamp' || kind === 'timestamptz') return BigInt(value as Long)
  return value as Value
}

/** @throws Error in a sentence without the file's name, which the caller knows */
export function readManifest(file: Buffer, by: PartitionedBy): ManifestEntry[] {
  const { schema, records } = readAvro(file)
  const entry = fieldsById(schema)
  const data = fieldsById(entry.schemas.get(2))
  const partition = fieldsById(data.schemas.get(102))
  const reader = <T>(names: Map<number, string>, from: unknown) => {
    const values = from as Record<string, T | null | undefined>
    return (id: number): T | null => values[names.get(id) ?? ''] ?? null
  }
  return records.map((record) => {
    const get = reader<unknown>(entry.names, record)
    const file = reader<unknown>(data.names, get(2))
    const values = reader<unknown>(partition.names, file(102))
    return {
      status: get(0) as Status,
      snapshotId: get(1) as Long | null,
      sequenceNumber: get(3) as Long | null,
      fileSequenceNumber: get(4) as Long | null,
      file: readDataFile(
        file,
        data.schemas,
        by.spec['spec-id'],
        by.spec.fields.map((field, i) => fromAvro(by.types[i]!, values(field['field-id']))),
      ),
    }
  })
}

function readDataFile(
  get: (id: number) => unknown,
  schemas: Map<number, unknown>,
  specId: number,
  partition: Partition,
): DataFile {
  const map = <T>(id: number): ReadonlyMap<number, T> => readMap<T>(get(id), schemas.get(id))
  return {
    content: (get(134) ?? 0) as Content,
    path: String(get(100)),
    format: String(get(101)).toUpperCase(),
    specId,
    partition,
    recordCount: Number(get(103)),
    bytes: Number(get(104)),
    columnSizes: map<Long>(108),
    valueCounts: map<Long>(109),
    nullCounts: map<Long>(110),
    nanCounts: map<Long>(137),
    lowerBounds: map<Uint8Array>(125),
    upperBounds: map<Uint8Array>(128),
    keyMetadata: get(131) as Uint8Array | null,
    splitOffsets: get(132) as Long[] | null,
    equalityIds: get(135) as number[] | null,
    sortOrderId: get(140) as number | null,
    referencedDataFile: get(143) as string | null,
  }
}

/** The pair's fields are `key` and `value` in every engine's files; the schema says so anyway. */
function readMap<T>(value: unknown, schema: unknown): ReadonlyMap<number, T> {
  if (!Array.isArray(value)) return new Map()
  const pair = branchOf((branchOf(schema) as { items?: unknown }).items) as { fields?: { name: string }[] }
  const [key, item] = [pair.fields?.[0]?.name ?? 'key', pair.fields?.[1]?.name ?? 'value']
  return new Map((value as Record<string, unknown>[]).map((each) => [each[key] as number, each[item] as T]))
}

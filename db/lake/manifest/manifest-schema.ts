/** The Avro schemas of manifests and manifest lists, with the field ids that readers go by. Source: https://iceberg.apache.org/spec/#manifests */
import type { AvroSchema } from '../avro/container.ts'
import type { PartitionSpec } from '../types/partition-spec.ts'
import { primitiveOf } from '../types/types.ts'

const field = (id: number, name: string, type: AvroSchema) => ({ name, type, 'field-id': id })
const optional = (id: number, name: string, type: AvroSchema) => ({
  name,
  type: ['null', type] as AvroSchema,
  default: null,
  'field-id': id,
})
const record = (name: string, fields: readonly unknown[]): AvroSchema => ({ type: 'record', name, fields })
/** Avro's maps have text keys, so Iceberg's are arrays of pairs. */
const mapOf = (keyId: number, valueId: number, value: AvroSchema): AvroSchema => ({
  type: 'array',
  items: record(`k${keyId}_v${valueId}`, [field(keyId, 'key', 'int'), field(valueId, 'value', value)]),
  logicalType: 'map',
})
const listOf = (elementId: number, items: AvroSchema): AvroSchema => ({
  type: 'array',
  items,
  'element-id': elementId,
})

export const manifestSchema = (spec: PartitionSpec, types: readonly string[]): AvroSchema =>
  record('manifest_entry', [
    field(0, 'status', 'int'),
    optional(1, 'snapshot_id', 'long'),
    optional(3, 'sequence_number', 'long'),
    optional(4, 'file_sequence_number', 'long'),
    field(
      2,
      'data_file',
      record('r2', [
        field(134, 'content', 'int'),
        field(100, 'file_path', 'string'),
        field(101, 'file_format', 'string'),
        field(
          102,
          'partition',
          record(
            'r102',
            spec.fields.map((each, i) => partitionField(each['field-id'], each.name, avroTypeOf(types[i]!))),
          ),
        ),
        field(103, 'record_count', 'long'),
        field(104, 'file_size_in_bytes', 'long'),
        optional(108, 'column_sizes', mapOf(117, 118, 'long')),
        optional(109, 'value_counts', mapOf(119, 120, 'long')),
        optional(110, 'null_value_counts', mapOf(121, 122, 'long')),
        optional(137, 'nan_value_counts', mapOf(138, 139, 'long')),
        optional(125, 'lower_bounds', mapOf(126, 127, 'bytes')),
        optional(128, 'upper_bounds', mapOf(129, 130, 'bytes')),
        optional(131, 'key_metadata', 'bytes'),
        optional(132, 'split_offsets', listOf(133, 'long')),
        optional(135, 'equality_ids', listOf(136, 'int')),
        optional(140, 'sort_order_id', 'int'),
        optional(143, 'referenced_data_file', 'string'),
      ]),
    ),
  ])

/** Avro names are narrower than Iceberg's: other characters become `_x2D`, and a leading digit gets an underscore, as Java does it. */
export function avroName(name: string): string {
  const safe = [...name].map((c) => (/[A-Za-z0-9_]/.test(c) ? c : `_x${c.codePointAt(0)!.toString(16).toUpperCase()}`))
  return /^\d/.test(name) ? `_${safe.join('')}` : safe.join('')
}

function partitionField(id: number, name: string, type: AvroSchema) {
  const safe = avroName(name)
  return { ...optional(id, safe, type), ...(safe === name ? {} : { 'iceberg-field-name': name }) }
}

/** Bytes of the fixed type that holds so many decimal digits. */
export const decimalBytes = (precision: number): number => {
  let bytes = 1
  while (2n ** BigInt(bytes * 8 - 1) < 10n ** BigInt(precision)) bytes++
  return bytes
}

function avroTypeOf(type: string): AvroSchema {
  const primitive = primitiveOf(type)
  switch (primitive.kind) {
    case 'date':
      return { type: 'int', logicalType: 'date' }
    case 'time':
      return { type: 'long', logicalType: 'time-micros' }
    case 'timestamp':
    case 'timestamptz':
      return { type: 'long', logicalType: 'timestamp-micros', 'adjust-to-utc': primitive.kind === 'timestamptz' }
    case 'uuid':
      return { type: 'fixed', name: 'uuid_fixed', size: 16, logicalType: 'uuid' }
    case 'fixed':
      return { type: 'fixed', name: `fixed_${primitive.length}`, size: primitive.length }
    case 'decimal': {
      const { precision, scale } = primitive
      const size = decimalBytes(precision)
      return { type: 'fixed', name: `decimal_${precision}_${scale}`, size, logicalType: 'decimal', precision, scale }
    }
    case 'binary':
      return 'bytes'
    default:
      return primitive.kind
  }
}

export const MANIFEST_LIST_SCHEMA: AvroSchema = record('manifest_file', [
  field(500, 'manifest_path', 'string'),
  field(501, 'manifest_length', 'long'),
  field(502, 'partition_spec_id', 'int'),
  field(517, 'content', 'int'),
  field(515, 'sequence_number', 'long'),
  field(516, 'min_sequence_number', 'long'),
  field(503, 'added_snapshot_id', 'long'),
  field(504, 'added_files_count', 'int'),
  field(505, 'existing_files_count', 'int'),
  field(506, 'deleted_files_count', 'int'),
  field(512, 'added_rows_count', 'long'),
  field(513, 'existing_rows_count', 'long'),
  field(514, 'deleted_rows_count', 'long'),
  optional(
    507,
    'partitions',
    listOf(
      508,
      record('r508', [
        field(509, 'contains_null', 'boolean'),
        optional(518, 'contains_nan', 'boolean'),
        optional(510, 'lower_bound', 'bytes'),
        optional(511, 'upper_bound', 'bytes'),
      ]),
    ),
  ),
  optional(519, 'key_metadata', 'bytes'),
])

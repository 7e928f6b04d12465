/**
 * A partition spec: which transforms of which columns name a data file's partition. In its JSON form, like schemas.
 *
 * Invariant: a partition is an array of values in the order of the spec's fields; field ids begin with 1000 and are never given twice within a table.
 */
import { fieldById, fieldNamed, type Schema } from './schema.ts'
import { applyTransform, parseTransform, resultType } from './transforms.ts'
import { primitiveOf, type Value } from './types.ts'

export interface PartitionField {
  readonly 'source-id': number
  readonly 'field-id': number
  readonly name: string
  readonly transform: string
  readonly [key: string]: unknown
}

export interface PartitionSpec {
  readonly 'spec-id': number
  readonly fields: readonly PartitionField[]
  readonly [key: string]: unknown
}

export type Partition = readonly (Value | null)[]

const FIRST_ID = 1000
export const UNPARTITIONED: PartitionSpec = { 'spec-id': 0, fields: [] }
export const lastPartitionId = (spec: PartitionSpec): number =>
  Math.max(FIRST_ID - 1, ...spec.fields.map((field) => field['field-id']))

/** E.g. `partitionBy(schema, [{ column: 'event_time', transform: 'day' }])`; the field is then called `event_time_day`. */
export function partitionBy(
  schema: Schema,
  fields: readonly { column: string; transform: string; name?: string }[],
): PartitionSpec {
  return {
    'spec-id': 0,
    fields: fields.map(({ column, transform, name }, i) => {
      const source = fieldNamed(schema, column)
      const parsed = parseTransform(transform)
      if (parsed.kind === 'unknown') throw new Error(`"${transform}" is not a partition transform.`)
      resultType(parsed, source.type)
      return {
        'source-id': source.id,
        'field-id': FIRST_ID + i,
        name: name ?? (parsed.kind === 'identity' ? column : `${column}_${parsed.kind}`),
        transform,
      }
    }),
  }
}

/** Types of a partition's values, in the order of the fields. A source column that has since been dropped leaves `string`. */
export const partitionTypes = (spec: PartitionSpec, schemas: readonly Schema[]): string[] =>
  spec.fields.map((field) => {
    for (const schema of schemas) {
      const source = fieldById(schema, field['source-id'])
      if (source) return resultType(parseTransform(field.transform), source.type)
    }
    return 'string'
  })

/** The partition of a row, given the values of the source columns by field id. */
export const partitionOf = (
  spec: PartitionSpec,
  schema: Schema,
  valueById: (fieldId: number) => Value | null,
): Partition =>
  spec.fields.map((field) => {
    const source = fieldById(schema, field['source-id'])
    if (!source)
      throw new Error(`The table is partitioned by a column (id ${field['source-id']}) that its schema lacks.`)
    return applyTransform(parseTransform(field.transform), source.type, valueById(source.id))
  })

/** The folder of a partition, `event_time_day=2026-01-31/region=7`, for people's eyes: readers take partitions from manifests. '' when unpartitioned. */
export const partitionPath = (spec: PartitionSpec, types: readonly string[], partition: Partition): string =>
  spec.fields
    .map(
      (field, i) => `${encodeURIComponent(field.name)}=${pathValue(field.transform, types[i]!, partition[i] ?? null)}`,
    )
    .join('/')

function pathValue(transform: string, type: string, value: Value | null): string {
  if (value === null) return 'null'
  if (value instanceof Uint8Array) return encodeURIComponent(Buffer.from(value).toString('base64url')).slice(0, 100)
  if (transform === 'month') {
    const months = Number(value)
    return `${1970 + Math.floor(months / 12)}-${String((((months % 12) + 12) % 12) + 1).padStart(2, '0')}`
  }
  if (transform === 'year') return String(1970 + Number(value))
  if (transform === 'hour') return new Date(Number(value) * 3_600_000).toISOString().slice(0, 13).replace('T', '-')
  if (primitiveOf(type).kind === 'date') return new Date(Number(value) * 86_400_000).toISOString().slice(0, 10)
  return pathText(String(value))
}

const MAX_PATH_TEXT = 100

/** S3 keys and file names are bounded, and dots alone would name another folder. Half a surrogate pair is what it is in the file: a replacement character. */
function pathText(value: string): string {
  let text = ''
  for (const point of Buffer.from(value).toString()) {
    const escaped = encodeURIComponent(point).replace(
      /[.*'()!~]/g,
      (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
    )
    if (text.length + escaped.length > MAX_PATH_TEXT) break
    text += escaped
  }
  return text
}

/** A text that is equal for equal partitions of one spec. */
export const partitionKey = (specId: number, partition: Partition): string =>
  `${specId}:${JSON.stringify(partition.map((value) => (value === null ? null : value instanceof Uint8Array ? `x${Buffer.from(value).toString('hex')}` : `${typeof value === 'string' ? 's' : 'v'}${value}`)))}`

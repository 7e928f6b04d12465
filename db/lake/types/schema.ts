/**
 * A table's schema in its JSON form: fields with ids that never change, whatever their names do.
 *
 * Invariant: ids are unique within a schema and never given twice within a table (`last-column-id` only grows).
 */
import { checkType, type Field, fieldIds, type IcebergType } from './types.ts'

export interface Schema {
  readonly type: 'struct'
  readonly 'schema-id': number
  readonly 'identifier-field-ids'?: readonly number[]
  readonly fields: readonly Field[]
  readonly [key: string]: unknown
}

/** A column as a person declares it; ids are given in this order, beginning with 1. */
export interface Column {
  name: string
  type: IcebergType
  /** Default: false, the column may be null. */
  required?: boolean
  doc?: string
}

/** @throws Error when a name is empty or given twice, or a type unknown. Nested types bring ids of their own, above the number of columns. */
export function schemaOf(columns: readonly Column[], id = 0): Schema {
  const fields = columns.map(({ name, type, required = false, doc }, i) => ({
    id: i + 1,
    name,
    required,
    type,
    ...(doc === undefined ? {} : { doc }),
  }))
  const schema: Schema = { type: 'struct', 'schema-id': id, fields }
  checkSchema(schema)
  return schema
}

/** @throws Error that names what is wrong */
export function checkSchema(schema: Schema): void {
  const names = new Set<string>()
  for (const { name, type } of schema.fields) {
    if (typeof name !== 'string' || name === '') throw new Error('A column has no name.')
    if (names.has(name)) throw new Error(`Two columns are called "${name}".`)
    names.add(name)
    checkType(type)
  }
  const ids = allIds(schema)
  if (new Set(ids).size !== ids.length)
    throw new Error(`The schema uses a field id twice: ${ids.sort((a, b) => a - b)}.`)
}

export const allIds = (schema: Schema): number[] => fieldIds({ type: 'struct', fields: schema.fields })
export const highestId = (schema: Schema): number => Math.max(0, ...allIds(schema))

export const fieldById = (schema: Schema, id: number): Field | undefined =>
  schema.fields.find((field) => field.id === id)

/** @throws Error that lists the columns there are */
export function fieldNamed(schema: Schema, name: string): Field {
  const field = schema.fields.find((field) => field.name === name)
  if (field) return field
  throw new Error(
    `There is no column "${name}". The columns are ${schema.fields.map((field) => field.name).join(', ') || '(none)'}.`,
  )
}

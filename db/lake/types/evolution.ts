/**
 * Schema evolution: a schema and a list of changes give the next schema. Pure; data files are never touched, since columns are found by id.
 *
 * Invariant: what was written under the old schema can be read under the new one, so types only widen, nothing becomes required, and a dropped column's id is never used again.
 * Source: https://iceberg.apache.org/spec/#schema-evolution
 */
import { type Column, checkSchema, fieldNamed, type Schema } from './schema.ts'
import { type Field, type IcebergType, primitiveOf } from './types.ts'

export type SchemaChange =
  | { change: 'add'; column: Column }
  | { change: 'rename'; column: string; to: string }
  | { change: 'widen'; column: string; type: IcebergType }
  | { change: 'drop'; column: string }
  | { change: 'make-optional'; column: string }

export interface Evolved {
  schema: Schema
  lastColumnId: number
}

/**
 * @param keep ids that may not be dropped: those that the table's partition spec or sort order uses
 * @throws Error in a sentence when a change would make old data unreadable
 */
export function evolveSchema(
  from: Schema,
  changes: readonly SchemaChange[],
  { lastColumnId, schemaId, keep }: { lastColumnId: number; schemaId: number; keep: ReadonlySet<number> },
): Evolved {
  let schema: Schema = { ...from, 'schema-id': schemaId }
  let last = lastColumnId
  for (const change of changes) {
    if (change.change === 'add') schema = { ...schema, fields: [...schema.fields, newField(change.column, ++last)] }
    else schema = { ...schema, fields: changeField(schema, change, keep) }
    checkSchema(schema)
  }
  return { schema, lastColumnId: last }
}

function newField({ name, type, required, doc }: Column, id: number): Field {
  if (required)
    throw new Error(
      `The new column "${name}" can't be required: the rows there are have no value for it. Add it as optional.`,
    )
  if (typeof type !== 'string') throw new Error(`The new column "${name}" is nested; only single values can be added.`)
  return { id, name, required: false, type, ...(doc === undefined ? {} : { doc }) }
}

function changeField(schema: Schema, change: Exclude<SchemaChange, { change: 'add' }>, keep: ReadonlySet<number>) {
  const field = fieldNamed(schema, change.column)
  const put = (changed: Field) => schema.fields.map((each) => (each === field ? changed : each))
  switch (change.change) {
    case 'rename':
      return put({ ...field, name: change.to })
    case 'make-optional':
      return put({ ...field, required: false })
    case 'widen':
      if (!isWider(field.type, change.type))
        throw new Error(
          `"${field.name}" can't become ${JSON.stringify(change.type)}, it is ${JSON.stringify(field.type)}. int widens to long, float to double, a decimal to more digits of the same scale.`,
        )
      return put({ ...field, type: change.type })
    case 'drop':
      if (keep.has(field.id) || schema['identifier-field-ids']?.includes(field.id))
        throw new Error(`"${field.name}" can't be dropped: the table is partitioned, sorted or identified by it.`)
      return schema.fields.filter((each) => each !== field)
  }
}

/** Whether what was written as `from` reads as `to`. Not so for equal types. */
export function isWider(from: IcebergType, to: IcebergType): boolean {
  if (typeof from !== 'string' || typeof to !== 'string') return false
  const [a, b] = [primitiveOf(from), primitiveOf(to)]
  if (a.kind === 'decimal') return b.kind === 'decimal' && a.scale === b.scale && b.precision >= a.precision
  return (a.kind === 'int' && b.kind === 'long') || (a.kind === 'float' && b.kind === 'double')
}

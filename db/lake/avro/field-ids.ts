/**
 * Records of other engines, by field id: names differ between engines and their versions (`added_data_files_count` became `added_files_count`), ids do not.
 */
import type { AvroSchema } from './container.ts'

type Json = { readonly [key: string]: unknown }

/** Leaves out `null` of a union, and goes into nothing else. */
export const branchOf = (schema: unknown): unknown =>
  Array.isArray(schema) ? schema.find((branch) => branch !== 'null') : schema

/**
 * @returns a function that gives a record's field by Iceberg's id; undefined where the writer had no such field
 * @throws Error when the schema is no record
 */
export function fieldsById(schema: AvroSchema | unknown): {
  names: Map<number, string>
  schemas: Map<number, unknown>
} {
  const record = branchOf(schema) as Json
  if (record?.type !== 'record' || !Array.isArray(record.fields)) throw new Error('its Avro schema is not a record')
  const names = new Map<number, string>()
  const schemas = new Map<number, unknown>()
  for (const field of record.fields as Json[]) {
    const id = field['field-id']
    if (typeof id !== 'number') continue
    names.set(id, String(field.name))
    schemas.set(id, field.type)
  }
  return { names, schemas }
}

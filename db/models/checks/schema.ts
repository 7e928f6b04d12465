/** A table as it is against its model: which columns are missing, of another type, or may be null where they must not. Pure. */
import type { Schema } from '../../lake/index.ts'
import type { Model } from '../models.ts'

export interface SchemaDifference {
  column: string
  expected: string
  /** null: there is no such column. */
  found: string | null
}

/** @param schema null: there is no such table, and so none of its columns */
export function schemaDifferences({ columns }: Model, schema: Schema | null): SchemaDifference[] {
  const there = new Map((schema?.fields ?? []).map((field) => [field.name, field]))
  return columns.flatMap(({ name, type, required = false }) => {
    const field = there.get(name)
    const sameType = field !== undefined && JSON.stringify(field.type) === JSON.stringify(type)
    if (field && sameType && field.required === required) return []
    return [
      {
        column: name,
        expected: described(type, required),
        found: field ? described(field.type, field.required) : null,
      },
    ]
  })
}

const described = (type: unknown, required: boolean): string =>
  `${typeof type === 'string' ? type : JSON.stringify(type)}${required ? ', required' : ''}`

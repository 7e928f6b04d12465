/**
 * A table as it is wanted: made when it is missing, and given the columns that it lacks. What others have added stays; nothing is ever dropped, renamed or narrowed.
 */
import { NoSuchTable, type TableName, tableText } from '../catalog/catalog.ts'
import { currentSchema, type TableMetadata } from '../metadata/table-metadata.ts'
import type { SchemaChange } from '../types/evolution.ts'
import { partitionBy } from '../types/partition-spec.ts'
import { type Column, schemaOf } from '../types/schema.ts'
import { alterSchema } from './alter.ts'
import { createTable, type Lake, loadTable, type Table } from './lake.ts'

export interface WantedTable {
  columns: readonly Column[]
  /** Of a table that is made; default: not partitioned. */
  partitionedBy?: readonly { column: string; transform: string }[]
  /** Of a table that is made. */
  properties?: Readonly<Record<string, string>>
}

const ATTEMPTS = 3

/** @throws Error in a sentence when a column has a type that the rows don't fit */
export async function ensureTable(lake: Lake, name: TableName, wanted: WantedTable): Promise<Table> {
  for (let attempt = 1; ; attempt++) {
    try {
      const table = await loadTable(lake, name).catch((error) => {
        if (!(error instanceof NoSuchTable)) throw error
        const schema = schemaOf(wanted.columns)
        const { partitionedBy = [], properties = {} } = wanted
        return createTable(lake, name, { schema, spec: partitionBy(schema, partitionedBy), properties })
      })
      const changes = missing(table.metadata, tableText(name), wanted.columns)
      return changes.length === 0 ? table : await alterSchema(lake, name, changes)
    } catch (error) {
      // Another writer may have made or changed it between our two steps.
      if (attempt === ATTEMPTS) throw error
    }
  }
}

function missing(metadata: TableMetadata, table: string, columns: readonly Column[]): SchemaChange[] {
  const { fields } = currentSchema(metadata)
  return columns.flatMap((column): SchemaChange[] => {
    const field = fields.find((each) => each.name === column.name)
    if (field === undefined) return [{ change: 'add', column: { ...column, required: false } }]
    if (field.type === column.type || (field.type === 'long' && column.type === 'int')) return []
    if (field.type === 'int' && column.type === 'long') return [{ change: 'widen', column: column.name, type: 'long' }]
    throw new Error(
      `The column "${column.name}" of ${table} is ${JSON.stringify(field.type)}, and what is to be written is ${JSON.stringify(column.type)}. Rename that column; a new one is then added.`,
    )
  })
}

/**
 * The table of a contract: made when it is missing, and given the columns that it lacks. What others have added stays; nothing is ever dropped, renamed or narrowed.
 */
import {
  alterSchema,
  createTable,
  currentSchema,
  type Lake,
  loadTable,
  NoSuchTable,
  partitionBy,
  type SchemaChange,
  schemaOf,
  type Table,
  type TableMetadata,
  tableName,
} from '../../db/lake/index.ts'
import type { LakeTable } from '../contract/lake-tables.ts'

const PROPERTIES = {
  // A commit every few seconds: old metadata files would soon be thousands. Time travel is by snapshots, which are in every one of them.
  'write.metadata.delete-after-commit.enabled': 'true',
  'write.metadata.previous-versions-max': '20',
}
const ATTEMPTS = 3

/** @throws Error in a sentence when a column has a type that the rows don't fit */
export async function ensureTable(lake: Lake, wanted: LakeTable): Promise<Table> {
  const name = tableName(wanted.name)
  for (let attempt = 1; ; attempt++) {
    try {
      const table = await loadTable(lake, name).catch((error) => {
        if (!(error instanceof NoSuchTable)) throw error
        const schema = schemaOf(wanted.columns)
        const spec = partitionBy(schema, [{ column: wanted.partitionedBy, transform: 'day' }])
        return createTable(lake, name, { schema, spec, properties: PROPERTIES })
      })
      const changes = missing(table.metadata, wanted)
      return changes.length === 0 ? table : await alterSchema(lake, name, changes)
    } catch (error) {
      // Another writer may have made or changed it between our two steps.
      if (attempt === ATTEMPTS) throw error
    }
  }
}

function missing(metadata: TableMetadata, { name, columns }: LakeTable): SchemaChange[] {
  const { fields } = currentSchema(metadata)
  return columns.flatMap((column): SchemaChange[] => {
    const field = fields.find((each) => each.name === column.name)
    if (field === undefined) return [{ change: 'add', column: { ...column, required: false } }]
    if (field.type === column.type || (field.type === 'long' && column.type === 'int')) return []
    if (field.type === 'int' && column.type === 'long') return [{ change: 'widen', column: column.name, type: 'long' }]
    throw new Error(
      `The column "${column.name}" of ${name} is ${JSON.stringify(field.type)}, and what is to be written is ${column.type}. Rename that column; a new one is then added.`,
    )
  })
}

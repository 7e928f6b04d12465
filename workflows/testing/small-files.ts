/** Tables of small files, for workflows of upkeep to work on. */
import {
  appendFiles,
  createTable,
  type Lake,
  openWriter,
  partitionBy,
  schemaOf,
  tableName,
} from '../../db/lake/index.ts'

/** Per partition. */
export const FILES = 5
export const PARTITIONS = 2
export const ROWS = FILES * PARTITIONS

/** Two partitions of small files, of a row each: a compaction has two groups, and makes a commit for each. */
export async function smallFilesTable(lake: Lake, name: string): Promise<void> {
  const schema = schemaOf([
    { name: 'id', type: 'long' },
    { name: 'part', type: 'int' },
  ])
  const spec = partitionBy(schema, [{ column: 'part', transform: 'identity' }])
  const table = await createTable(lake, tableName(name), { schema, spec })
  const files = []
  for (let i = 0; i < FILES; i++) {
    const writer = await openWriter(lake, table.metadata)
    for (let part = 0; part < PARTITIONS; part++) await writer.append({ id: [BigInt(i)], part: [part] }, 1)
    files.push(...(await writer.finish()))
  }
  await appendFiles(lake, table.name, files)
}

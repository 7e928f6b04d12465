/** Every table of PostgreSQL's schema has been thought about. That a real database has no others is in `erase-from-lake.system.test.ts`. */
import { join } from 'node:path'
import { getTableConfig, PgTable } from 'drizzle-orm/pg-core'
import { beforeAll, expect, test } from 'vitest'
import config from '../postgres/drizzle.config.ts'
import { NAMING, TELLING } from './lake-tables.ts'
import { PERSONS_IN_POSTGRES } from './postgres-tables.ts'

let columns: Map<string, string[]>
beforeAll(async () => {
  const files = [config.schema ?? []].flat()
  const schemas = await Promise.all(files.map((file) => import(join(process.cwd(), file)) as Promise<object>))
  const tables = schemas.flatMap((schema) => Object.values(schema)).filter((each) => each instanceof PgTable)
  columns = new Map(
    tables.map((table) => {
      const { name, columns } = getTableConfig(table)
      return [name, columns.map((column) => column.name)]
    }),
  )
})

const MADE_ELSEWHERE = ['iceberg_tables', 'iceberg_namespace_properties', '__drizzle_migrations']

test('every table is registered, and no other is', () => {
  expect([...columns.keys()]).toContain('sessions')
  expect(Object.keys(PERSONS_IN_POSTGRES).sort()).toEqual([...columns.keys(), ...MADE_ELSEWHERE].sort())
})

test('columns that tell of a person are there', () => {
  for (const [table, persons] of Object.entries(PERSONS_IN_POSTGRES))
    if (typeof persons !== 'string') expect(columns.get(table), table).toEqual(expect.arrayContaining([...persons]))
})

test('a column that names or tells of somebody is nowhere else', () => {
  // `headers`, `extra` and the like hold whatever others have written.
  const suspicious = [...NAMING, ...TELLING, 'entry_page', 'exit_page', 'evidence', 'sample', 'headers', 'note']
  for (const [table, names] of columns) {
    const persons = PERSONS_IN_POSTGRES[table]
    const known = [...(typeof persons === 'string' ? [] : (persons ?? [])), ...(EXCEPT[table] ?? [])]
    expect(
      names.filter((name) => suspicious.includes(name) && !known.includes(name)),
      table,
    ).toEqual([])
  }
})
/** A sentence of the code's, and places of records in the log. */
const EXCEPT: Readonly<Record<string, readonly string[]>> = {
  pipeline_schedules: ['note'],
  reconciliation_differences: ['sample'],
}

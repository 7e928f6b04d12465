/** The lake on the real catalog in PostgreSQL: eight writers at once, compaction among them, and the catalog's own promises. */
import { describe, expect, test } from 'vitest'
import { connect } from '../postgres/connect.ts'
import { withPostgres } from '../testing/postgres.ts'
import {
  appendFiles,
  CommitRefused,
  compact,
  createTable,
  currentSnapshot,
  loadTable,
  NoSuchTable,
  openJdbcCatalog,
  openWriter,
  partitionBy,
  schemaOf,
  tableName,
} from './index.ts'
import { allRows, temporaryLakes } from './testing/temporary-lake.ts'

const postgres = withPostgres()
const lakeIn = temporaryLakes()
const name = tableName('raw.events')
const schema = schemaOf([
  { name: 'id', type: 'long', required: true },
  { name: 'event_time', type: 'timestamptz', required: true },
  { name: 'user', type: 'string' },
])
const spec = partitionBy(schema, [{ column: 'event_time', transform: 'day' }])
const row = (id: number) => ({ id, event_time: (id % 3) * 86_400_000_000, user: `u${id}` })

describe('the JDBC catalog', () => {
  test('makes its tables when many open it at once, and keeps what is there', async () => {
    const { sql } = await postgres.database({ max: 8 })
    const catalogs = await Promise.all(Array.from({ length: 8 }, () => openJdbcCatalog(sql)))
    const [catalog] = catalogs
    expect(await catalog!.createNamespace('raw', { owner: 'data' })).toBe(true)
    expect(await catalog!.createNamespace('raw')).toBe(false)
    expect(await catalog!.namespaceProperties('raw')).toEqual({ exists: 'true', owner: 'data' })
    expect(await catalog!.namespaceProperties('nowhere')).toBe(null)
    expect(await catalog!.create(name, 'a')).toBe(true)
    expect(await catalog!.create(name, 'b')).toBe(false)
    const won = await Promise.all(catalogs.map((each, i) => each.swap(name, 'a', `b${i}`)))
    expect(won.filter(Boolean)).toHaveLength(1)
    expect(await catalog!.metadataLocation(name)).toBe(`b${won.indexOf(true)}`)
    expect(await catalog!.tables('raw')).toEqual([name])
    expect(await (await openJdbcCatalog(sql, 'another')).tables('raw')).toEqual([])
    expect(await catalog!.drop(name)).toBe(true)
    expect(await catalog!.drop(name)).toBe(false)
  })

  test('takes over one of schema V0, and treats names as text', async () => {
    const url = await postgres.emptyDatabase()
    const database = connect(url, { max: 1 })
    try {
      const { sql } = database
      await sql`CREATE TABLE iceberg_tables (catalog_name VARCHAR(255) NOT NULL, table_namespace VARCHAR(255) NOT NULL,
        table_name VARCHAR(255) NOT NULL, metadata_location VARCHAR(1000), previous_metadata_location VARCHAR(1000),
        PRIMARY KEY (catalog_name, table_namespace, table_name))`
      await sql`INSERT INTO iceberg_tables VALUES ('lake', 'raw', 'old', 'somewhere', NULL)`
      const catalog = await openJdbcCatalog(sql)
      expect(await catalog.metadataLocation(tableName('raw.old'))).toBe('somewhere')
      const odd = { namespace: "a'; DROP TABLE iceberg_tables; --", name: 'ü"%' }
      expect(await catalog.create(odd, 'x')).toBe(true)
      expect(await catalog.tables(odd.namespace)).toEqual([odd])
    } finally {
      await database.close()
    }
  })
})

test('a table that is not there, or there already, is said so', async () => {
  const lake = await lakeIn({ catalog: await openJdbcCatalog((await postgres.database()).sql) })
  await expect(loadTable(lake, name)).rejects.toThrow(NoSuchTable)
  await createTable(lake, name, { schema })
  await expect(createTable(lake, name, { schema })).rejects.toThrow('The table raw.events exists already.')
})

test('eight writers at once, and a compaction that goes on among them: every row, once', async () => {
  const { sql } = await postgres.database({ max: 10 })
  const lake = await lakeIn({ catalog: await openJdbcCatalog(sql) })
  await createTable(lake, name, { schema, spec, properties: { 'commit.manifest.min-count-to-merge': '5' } })
  const WRITERS = 8
  const COMMITS = 5
  const ROWS = 30
  let writing = WRITERS
  const write = async (writer: number) => {
    for (let i = 0; i < COMMITS; i++) {
      const { metadata } = await loadTable(lake, name)
      const data = await openWriter(lake, metadata, { memoryMb: 64, threads: 1 })
      const first = (writer * COMMITS + i) * ROWS
      await data.appendRows(Array.from({ length: ROWS }, (_, j) => row(first + j)))
      await appendFiles(lake, name, await data.finish(), { summary: { writer: `${writer}:${i}` } })
    }
    writing--
  }
  const compactions = { groups: 0, refused: 0 }
  const compactOften = async () => {
    for (let last = false; !last; ) {
      last = writing === 0
      const done = await compact(lake, name, { minFiles: 2, memoryMb: 128, threads: 1, sortBy: ['user'] })
      compactions.groups += done.groups.length - done.refused.length
      compactions.refused += done.refused.length
    }
  }
  await Promise.all([...Array.from({ length: WRITERS }, (_, i) => write(i)), compactOften()])

  const ids = (await allRows(lake, name)).map((each) => Number(each.id))
  expect(ids).toEqual(Array.from({ length: WRITERS * COMMITS * ROWS }, (_, i) => i))
  const { metadata } = await loadTable(lake, name)
  const writers = metadata.snapshots.flatMap(({ summary }) => summary.writer ?? [])
  expect(new Set(writers).size).toBe(WRITERS * COMMITS)
  expect(writers).toHaveLength(WRITERS * COMMITS)
  expect(metadata.snapshots.map((each) => each['sequence-number'])).toEqual(metadata.snapshots.map((_, i) => i + 1))
  expect(currentSnapshot(metadata)?.summary['total-records']).toBe(String(ids.length))
  expect(compactions.groups).toBeGreaterThan(0)
})

test('two that compact the same files: one is refused, no row is lost or doubled', async () => {
  const { sql } = await postgres.database()
  const lake = await lakeIn({ catalog: await openJdbcCatalog(sql) })
  await createTable(lake, name, { schema })
  for (let i = 0; i < 6; i++) {
    const data = await openWriter(lake, (await loadTable(lake, name)).metadata)
    await data.appendRows([row(i)])
    await appendFiles(lake, name, await data.finish())
  }
  const both = await Promise.all([compact(lake, name), compact(lake, name)])
  const refused = both.flatMap((each) => each.refused)
  expect(refused.length).toBeLessThanOrEqual(1)
  for (const { why } of refused) expect(why).toMatch(/plan again/)
  expect((await allRows(lake, name)).map((each) => Number(each.id))).toEqual([0, 1, 2, 3, 4, 5])
})

test('a refusal by the writer itself leaves the table as it is', async () => {
  const { sql } = await postgres.database()
  const lake = await lakeIn({ catalog: await openJdbcCatalog(sql) })
  const { metadata } = await createTable(lake, name, { schema })
  const data = await openWriter(lake, metadata)
  await data.appendRows([row(1)])
  const refuse = () => {
    throw new CommitRefused('fenced')
  }
  await expect(appendFiles(lake, name, await data.finish(), { check: refuse })).rejects.toThrow('fenced')
  expect((await loadTable(lake, name)).metadata.snapshots).toEqual([])
})

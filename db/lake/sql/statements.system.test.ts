/** SQL over pinned snapshots by DuckDB, on lakes in folders of their own. */
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { VirtualClock } from '../../../streams/testing/virtual-clock.ts'
import {
  alterSchema,
  appendFiles,
  createTable,
  type Lake,
  loadTable,
  type NewTable,
  openWriter,
  partitionBy,
  type Row,
  schemaOf,
  tableName,
} from '../index.ts'
import { queryRows, SqlError, type SqlOptions } from '../sql-engine.ts'
import { everyRow, everyType } from '../testing/every-type.ts'
import { temporaryLakes } from '../testing/temporary-lake.ts'
import { createDuckdbEngine } from './duckdb-engine.ts'

const lakeIn = temporaryLakes()
const HOUR_MICROS = 3_600_000_000
const schema = schemaOf([
  { name: 'id', type: 'long', required: true },
  { name: 'event_time', type: 'timestamptz', required: true },
  { name: 'user', type: 'string' },
])
const spec = partitionBy(schema, [{ column: 'event_time', transform: 'day' }])
const row = (id: number): Row => ({ id, event_time: id * 24 * HOUR_MICROS, user: `u${id % 2}` })

async function append(lake: Lake, name: string, rows: Row[]) {
  const table = tableName(name)
  const writer = await openWriter(lake, (await loadTable(lake, table)).metadata)
  await writer.appendRows(rows)
  return appendFiles(lake, table, await writer.finish())
}

async function lakeWith(tables: Record<string, Row[][]>, table: NewTable = { schema, spec }): Promise<Lake> {
  const lake = await lakeIn()
  for (const [name, commits] of Object.entries(tables)) {
    await createTable(lake, tableName(name), table)
    for (const rows of commits) await append(lake, name, rows)
  }
  return lake
}

const rowsOf = async (lake: Lake, sql: string, options: SqlOptions = {}) =>
  (await queryRows(createDuckdbEngine(lake), sql, options)).rows
const errorOf = async (lake: Lake, sql: string, options: SqlOptions = {}): Promise<SqlError> => {
  const error = await rowsOf(lake, sql, options).then(
    () => null,
    (error) => error,
  )
  expect(error).toBeInstanceOf(SqlError)
  return error
}

let simple: Lake
beforeAll(async () => {
  simple = await lakeWith({ 'raw.orders': [[row(1)]] })
})

test('a statement reads tables by the names that people write', async () => {
  const lake = await lakeWith({ 'raw.orders': [[row(0), row(1)], [row(2)]], 'raw.trips': [[row(7)]] })
  expect(await rowsOf(lake, 'SELECT count(*), max(id) FROM raw.orders')).toEqual([[3n, 2n]])
  for (const name of ['lake.raw.orders', '"raw"."orders"', 'RAW.Orders', 'orders'])
    expect(await rowsOf(lake, `SELECT count(*) FROM ${name}`)).toEqual([[3n]])
  const joined = `WITH mine AS (SELECT id FROM orders WHERE id > 0)
    SELECT m.id, t.id FROM mine m, raw.trips t WHERE m.id IN (SELECT id FROM raw.orders) ORDER BY 1`
  expect(await rowsOf(lake, joined)).toEqual([
    [1n, 7n],
    [2n, 7n],
  ])
  expect(await rowsOf(lake, 'FROM raw.orders SELECT sum(id);')).toEqual([[3n]])
  expect(await rowsOf(lake, 'VALUES (1, NULL)')).toEqual([[1, null]])
})

test('names may be odd, and levels of a namespace are one name', async () => {
  const odd = { namespace: 'a.b', name: "Od\"d 'x' ü%[*]" }
  const lake = await lakeIn()
  await createTable(lake, odd, { schema })
  const writer = await openWriter(lake, (await loadTable(lake, odd)).metadata)
  await writer.appendRows([row(5)])
  await appendFiles(lake, odd, await writer.finish())
  expect(await rowsOf(lake, `SELECT id FROM "a.b"."Od""d 'x' ü%[*]"`)).toEqual([[5n]])
  const { message } = await errorOf(lake, 'SELECT * FROM a.b.t')
  expect(message).toBe(`There is no table a.b.t in the lake. There is "a.b"."Od""d 'x' ü%[*]".`)
})

test('a name that fits two tables is asked back, unless one is spelt just so', async () => {
  const lake = await lakeWith({ 'raw.orders': [[row(1)]], 'old.orders': [[row(2)]] })
  const error = await errorOf(lake, 'SELECT * FROM orders')
  expect(error.code).toBe('UNKNOWN_TABLE')
  expect(error.message).toMatch(/^"orders" could be any of .*raw\.orders.* Write the one that is meant\.$/)
  await createTable(lake, tableName('raw.Orders'), { schema })
  expect(await rowsOf(lake, 'SELECT id FROM raw.orders')).toEqual([[1n]])
  expect(await rowsOf(lake, 'SELECT count(*) FROM raw."Orders"')).toEqual([[0n]])
  expect((await errorOf(lake, 'SELECT * FROM raw.orders, raw."Orders"')).message).toMatch(/differ by case alone/)
})

test('empty tables have their columns and no rows', async () => {
  const lake = await lakeWith({ 'raw.orders': [] }, { schema: everyType })
  const { columns, rows, pinned } = await queryRows(createDuckdbEngine(lake), 'SELECT * FROM raw.orders')
  expect(columns.map((column) => column.name)).toEqual(everyType.fields.map((field) => field.name))
  expect(columns[11]).toEqual({ name: 'event_time', type: 'TIMESTAMP WITH TIME ZONE' })
  expect(rows).toEqual([])
  expect(pinned).toEqual([{ table: 'raw.orders', snapshotId: null, committedMs: null }])
})

test('every type comes as what it is, to the microsecond and the last digit', async () => {
  const lake = await lakeWith({ 'raw.every': [everyRow] }, { schema: everyType })
  const rows = await rowsOf(lake, 'SELECT * FROM raw.every ORDER BY id')
  expect(rows[0]).toEqual([0n, ...Array(14).fill(null)])
  expect(rows[1]).toEqual([
    1n,
    true,
    2_147_483_647,
    9_223_372_036_854_775_807n,
    1.5,
    Number.MAX_VALUE,
    '9999999999999999.99',
    '9999999999999999999999999999.9999999999',
    '2022-01-08',
    '23:59:59.999999',
    '2100-01-01T00:00:00.000001',
    '2023-11-14T22:13:20.123456Z',
    everyRow[1]!.text,
    'f79c3e09-677c-4bbd-a479-3f349cb785e7',
    Buffer.alloc(40, 255),
  ])
  expect(rows[2]!.slice(8, 12)).toEqual([
    '1969-12-31',
    '00:00:00.000000',
    '1969-12-31T23:59:59.999999',
    '1969-12-30T23:59:59.999999Z',
  ])
  expect(rows[3]!.slice(4, 6)).toEqual([Number.POSITIVE_INFINITY, Number.NaN])
  const made =
    "SELECT 0.1::FLOAT, [1, NULL], {'a': DATE '2026-01-02', 'b': [0.1::FLOAT]}, MAP {'k': 1.50::DECIMAL(9,2)}, INTERVAL '1 day 2 hours', 2::HUGEINT ** 70 > 1"
  expect(await rowsOf(lake, made)).toEqual([
    [0.1, [1, null], { a: '2026-01-02', b: [0.1] }, new Map([['k', '1.50']]), '1 day 02:00:00', true],
  ])
})

test('many rows come page by page, and breaking off ends the query', async () => {
  const engine = createDuckdbEngine(await lakeIn(), { memoryMb: 64, threads: 1 })
  let rows = 0
  for await (const page of engine.stream('SELECT range, range::VARCHAR FROM range(1000000)')) {
    expect(page.rows.length).toBeLessThanOrEqual(2_048)
    rows += page.rows.length
    if (rows > 10_000) break
  }
  expect(rows).toBeGreaterThan(10_000)
  await expect(queryRows(engine, 'FROM range(1001)', { rowsMax: 1_000 })).rejects.toMatchObject({
    code: 'TOO_MANY_ROWS',
  })
})

test('time travel: by a snapshot, and by a time for all tables, with the columns of then', async () => {
  const clock = new VirtualClock(Date.parse('2026-01-01T00:00:00Z'))
  const lake = await lakeIn({ clock })
  for (const name of ['raw.orders', 'raw.trips']) await createTable(lake, tableName(name), { schema, spec })
  const first = await append(lake, 'raw.orders', [row(1)])
  await append(lake, 'raw.trips', [row(1), row(2)])
  await clock.advance(24 * 3_600_000)
  await alterSchema(lake, tableName('raw.orders'), [{ change: 'rename', column: 'user', to: 'customer' }])
  await append(lake, 'raw.orders', [{ id: 2, event_time: 0, customer: 'x' }])
  await append(lake, 'raw.trips', [row(3)])

  const snapshotId = first.metadata['current-snapshot-id'] ?? 0
  expect(await rowsOf(lake, 'SELECT id, "user" FROM raw.orders', { snapshotId })).toEqual([[1n, 'u1']])
  expect(await rowsOf(lake, 'SELECT id, customer FROM raw.orders ORDER BY id')).toEqual([
    [1n, 'u1'],
    [2n, 'x'],
  ])
  const both = 'SELECT (SELECT count(*) FROM raw.orders), (SELECT count(*) FROM raw.trips)'
  expect(await rowsOf(lake, both, { asOfMs: Date.parse('2026-01-01T12:00:00Z') })).toEqual([[1n, 2n]])
  expect(await rowsOf(lake, both)).toEqual([[2n, 3n]])
  const { pinned } = await queryRows(createDuckdbEngine(lake), 'FROM raw.orders', { snapshotId })
  expect(pinned).toEqual([{ table: 'raw.orders', snapshotId, committedMs: Date.parse('2026-01-01T00:00:00Z') }])

  expect((await errorOf(lake, both, { snapshotId })).message).toMatch(
    /^A snapshot is one of a single table, and the statement names raw\.orders and raw\.trips\./,
  )
  const none = await errorOf(lake, 'FROM raw.orders', { snapshotId: 7 })
  expect(none.code).toBe('NO_SNAPSHOT')
  expect(none.message).toMatch(
    new RegExp(`^The table raw\\.orders has no snapshot 7\\. There are \\d+, ${snapshotId}\\.$`),
  )
  expect((await errorOf(lake, 'FROM raw.orders', { asOfMs: 0 })).message).toBe(
    'The table raw.orders has no snapshot as of 1970-01-01T00:00:00.000Z. Its oldest is of 2026-01-01T00:00:00.000Z.',
  )
})

test('SHOW and the information schema know every table, DESCRIBE the columns', async () => {
  const lake = await lakeWith({ 'raw.orders': [[row(1)]], 'marts.kpis': [] })
  expect(await rowsOf(lake, 'SHOW TABLES')).toEqual([
    ['raw', 'orders'],
    ['marts', 'kpis'],
  ])
  expect(await rowsOf(lake, 'show tables from marts;')).toEqual([['marts', 'kpis']])
  expect(await rowsOf(lake, 'SHOW SCHEMAS')).toEqual([['raw'], ['marts']])
  expect(await rowsOf(await lakeIn(), 'SHOW TABLES')).toEqual([])
  expect((await rowsOf(lake, 'DESCRIBE raw.orders')).map((each) => each.slice(0, 2))).toEqual([
    ['id', 'BIGINT'],
    ['event_time', 'TIMESTAMP WITH TIME ZONE'],
    ['user', 'VARCHAR'],
  ])
  const names = "SELECT table_schema || '.' || table_name FROM information_schema.tables ORDER BY 1"
  expect(await rowsOf(lake, names)).toEqual([['marts.kpis'], ['raw.orders']])
  expect(await rowsOf(lake, 'SELECT count(*) FROM duckdb_columns() WHERE NOT internal')).toEqual([[6n]])
  expect((await rowsOf(lake, 'SUMMARIZE raw.orders'))[0]!.slice(0, 3)).toEqual(['id', 'BIGINT', '1'])
})

test.each([
  ['EXPLAIN SELECT * FROM raw.orders'],
  ['/* why */ explain analyze -- how\n SELECT * FROM raw.orders WHERE id > 1'],
  ['EXPLAIN (FORMAT json) SELECT * FROM raw.orders'],
  ['EXPLAIN (SELECT * FROM raw.orders)'],
])('%s', async (sql) => {
  expect(await rowsOf(simple, sql)).toHaveLength(1)
})

test.each([
  ['SELECT id FROM raw.nope', 'There is no table raw.nope in the lake. There is raw.orders.'],
  ["SELECT * FROM '/etc/passwd'", 'There is no table /etc/passwd in the lake. There is raw.orders.'],
  ['SELECT * FROM other.raw.orders', 'There is no table other.raw.orders in the lake. There is raw.orders.'],
  [
    'SELECT id FROM raw.orders WHERE',
    'Syntax error at end of input, in line 1, column 32.\n  SELECT id FROM raw.orders WHERE\n                                 ^',
  ],
  ["SELECT 'ü'\n\tFRO raw.orders", 'Syntax error at or near "raw", in line 2, column 6.\n   FRO raw.orders\n       ^'],
  ['EXPLAIN SELEC 1', 'Syntax error at or near "SELEC", in line 1, column 9.\n  EXPLAIN SELEC 1\n          ^'],
  ['', 'There is no statement.'],
  [' -- nothing', 'There is no statement.'],
  ['SELECT 1; SELECT 2', 'One statement at a time, please; there are 2.'],
  ['SELECT nope FROM raw.orders', /^Binder Error: Referenced column "nope" not found .*\nLINE 1: SELECT nope/s],
  ["SELECT CAST('x' AS INTEGER)", /^Conversion Error: /],
  ['SELECT $1', /has parameters/],
  ['FROM raw.orders AT (VERSION => 3)', /--snapshot/],
])('%s is refused in a sentence', async (sql, message) => {
  const error = await errorOf(simple, sql)
  if (typeof message === 'string') expect(error.message).toBe(message)
  else expect(error.message).toMatch(message)
})

test.each([
  'INSERT INTO raw.orders VALUES (1)',
  'DELETE FROM raw.orders',
  'CREATE TABLE raw.x AS SELECT 1',
  "COPY raw.orders TO '/tmp/streamforge-must-not-be'",
  "SET memory_limit = '100GB'",
  "ATTACH '/tmp/x.db'",
  'INSTALL httpfs',
  'PRAGMA database_list',
  'CALL pragma_version()',
  'EXPLAIN ANALYZE DELETE FROM raw.orders',
  'DROP VIEW raw.orders',
  'PIVOT raw.orders ON "user" USING sum(id)',
])('%s is no query', async (sql) => {
  const error = await errorOf(simple, sql)
  expect(error.code).toBe('NOT_A_QUERY')
  expect(error.message).toMatch(/^Only queries are run here/)
})

test('nothing but the files of the named snapshots can be read', async () => {
  const lake = await lakeWith({ 'raw.orders': [[row(1)]], 'raw.secrets': [[row(2)]] })
  const { metadata } = await loadTable(lake, tableName('raw.secrets'))
  const hidden = `${metadata.location.slice('file://'.length)}/data/**`
  for (const source of [
    `read_parquet('${hidden}')`,
    "read_text('/etc/hostname')",
    "read_csv('/etc/passwd')",
    "glob('/tmp/*')",
  ])
    expect((await errorOf(lake, `SELECT * FROM ${source}, raw.orders`)).message).toMatch(/Permission Error/)
  // Hidden in a text, a name is none that was asked for.
  expect((await errorOf(lake, "SELECT * FROM query('SELECT * FROM raw.secrets')")).message).toMatch(/does not exist/)
})

test('conditions leave out files that can not have matching rows, and never others', async () => {
  const days = Array.from({ length: 10 }, (_, id) => [row(id)])
  const lake = await lakeWith({ 'raw.orders': days })
  const { metadata } = await loadTable(lake, tableName('raw.orders'))
  const filesOf = async (sql: string) => {
    const read: string[] = []
    const local = (uri: string, to: string) => {
      read.push(uri)
      return lake.files.local(uri, to)
    }
    const files = { ...lake.files, local }
    const rows = await rowsOf({ ...lake, files }, sql)
    return { files: read.length, ids: rows.map(([id]) => Number(id)) }
  }
  const where = (condition: string) => filesOf(`SELECT id FROM raw.orders o WHERE ${condition} ORDER BY id`)
  expect(metadata.snapshots).toHaveLength(10)
  expect(await where("event_time >= '1970-01-09'")).toEqual({ files: 2, ids: [8, 9] })
  expect(await where("o.event_time > TIMESTAMP '1970-01-08' AND \"user\" = 'u0'")).toEqual({ files: 1, ids: [8] })
  expect(await where("event_time BETWEEN DATE '1970-01-02' AND DATE '1970-01-03' + INTERVAL 1 DAY")).toEqual({
    files: 3,
    ids: [1, 2, 3],
  })
  expect(await where('id IN (3, 5)')).toEqual({ files: 2, ids: [3, 5] })
  expect(await where('7 <= ID')).toEqual({ files: 3, ids: [7, 8, 9] })
  expect(await where('event_time > now() - INTERVAL 1 DAY')).toEqual({ files: 0, ids: [] })
  expect(await where('event_time < current_timestamp AND id = 4')).toEqual({ files: 1, ids: [4] })
  expect(await where('"user" IS NULL')).toEqual({ files: 0, ids: [] })
  // What is no condition on a file: others' columns, either-or, computed columns, chance, fractions.
  const all = { files: 10, ids: [8, 9] }
  expect(await where('id = 8 OR id = 9')).toEqual(all)
  expect(await where('id + 0 >= 8')).toEqual(all)
  expect(await where('id > 7.5')).toEqual(all)
  expect(await where("event_time::DATE > DATE '1970-01-08'")).toEqual(all)
  expect(await where('id >= 8 + CAST(random() * 0 AS INTEGER)')).toEqual(all)
  const twice = 'SELECT a.id FROM raw.orders a JOIN raw.orders b ON a.id = b.id + 1 WHERE b.id >= 7 ORDER BY 1'
  expect(await filesOf(twice)).toEqual(all)
  const inner = 'SELECT id FROM (SELECT id, event_time FROM raw.orders WHERE id >= 8) ORDER BY 1'
  expect(await filesOf(inner)).toEqual({ files: 2, ids: [8, 9] })
  const outer = 'SELECT (SELECT max(id) FROM raw.orders WHERE x >= 8) FROM (VALUES (8), (7)) v(x) ORDER BY 1'
  expect(await filesOf(outer)).toEqual({ files: 10, ids: [9, 0] })
})

test('a query that is cancelled, or takes too long, ends at once', async () => {
  const engine = createDuckdbEngine(await lakeIn(), { threads: 1 })
  const endless = 'SELECT count(*) FROM range(10000000000) a, range(10000) b WHERE a.range + b.range = 7'
  const stop = new AbortController()
  const running = queryRows(engine, endless, { signal: stop.signal })
  setTimeout(() => stop.abort(), 100)
  await expect(running).rejects.toMatchObject({ code: 'CANCELLED', message: 'The query was cancelled.' })
  await expect(queryRows(engine, endless, { timeoutMs: 100 })).rejects.toMatchObject({ code: 'TIMED_OUT' })
})

test('a missing or damaged file is named', async () => {
  const lake = await lakeWith({ 'raw.orders': [[row(1)]], 'raw.trips': [[row(1)]] })
  const { metadata, metadataLocation } = await loadTable(lake, tableName('raw.orders'))
  const local = (uri: string) => uri.slice('file://'.length)
  const data = join(local(metadata.location), 'data')
  await rm(data, { recursive: true })
  await expect(rowsOf(lake, 'FROM raw.orders')).rejects.toThrow(/^The lake's file file:\/\/.*\.parquet is missing/)
  await mkdir(data)
  await writeFile(local(metadataLocation), '{')
  await expect(rowsOf(lake, 'FROM raw.orders')).rejects.toThrow(`The table metadata ${metadataLocation} is damaged`)
  await rm(local(metadataLocation))
  await expect(rowsOf(lake, 'FROM raw.orders')).rejects.toThrow(metadataLocation)
  // Other tables are read all the same.
  expect(await rowsOf(lake, 'SELECT count(*) FROM raw.trips')).toEqual([[1n]])
})

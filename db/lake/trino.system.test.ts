/**
 * Trino as the judge, by the JDBC catalog, with files in a folder and in S3, and by the edge's REST catalog: it selects from, inserts into, deletes from and optimizes our tables; we
 * read what it left, and commit, compact and expire on top of it.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { withS3 } from '../../cli/servers/testing/with-s3.ts'
import { withTrino } from '../../cli/servers/testing/with-trino.ts'
import { icebergCatalog } from '../../cli/servers/trino.ts'
import { hashPassword } from '../../edge/auth/password.ts'
import { createTokens } from '../../edge/auth/tokens.ts'
import { type Served, serve } from '../../edge/runtime/node.ts'
import { createHarness, memoryUsers } from '../../edge/testing/harness.ts'
import { systemClock } from '../../streams/time/clock.ts'
import { openFolderObjects } from '../objects/folder.ts'
import { openS3Objects } from '../objects/s3.ts'
import { connect, type Database } from '../postgres/connect.ts'
import { withPostgres } from '../testing/postgres.ts'
import {
  appendFiles,
  compact,
  createTable,
  currentSnapshot,
  expireSnapshots,
  type Lake,
  loadTable,
  openJdbcCatalog,
  openLake,
  openLakeFiles,
  openWriter,
  partitionBy,
  planScan,
  type Row,
  replaceFiles,
  schemaOf,
  tableName,
} from './index.ts'
import { openRestCatalog } from './rest/index.ts'
import { everyRow, everyType } from './testing/every-type.ts'
import { equalityDeletes } from './testing/foreign-deletes.ts'
import { allRows } from './testing/temporary-lake.ts'

let folder: string
let database: Database | undefined
let edge: Served | undefined
const lakes: Record<string, Lake> = {}
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'streamforge-lake-'))
})
afterAll(async () => {
  await edge?.close()
  await database?.close()
  await rm(folder, { recursive: true, force: true })
})

const postgres = withPostgres()
const s3 = withS3()
const trino = withTrino(async () => {
  const postgresUrl = await postgres.emptyDatabase()
  database = connect(postgresUrl, { max: 4 })
  const target = s3.target()
  const files = { lake: openLakeFiles(await openFolderObjects(folder)), bucket: openLakeFiles(openS3Objects(target)) }
  const { sql } = database
  for (const [name, each] of Object.entries(files)) lakes[name] = openLake(await openJdbcCatalog(sql, name), each)
  const settings = (catalogName: 'lake' | 'bucket') => ({
    postgresUrl,
    catalogName,
    warehouse: files[catalogName].warehouse,
  })
  const { endpoint, region, accessKeyId, secretAccessKey } = s3.server
  edge = await serveByRest(lakes.lake!)
  const { 'fs.native-local.enabled': local, 'local.location': location } = icebergCatalog(settings('lake'))
  return {
    rest: {
      'connector.name': 'iceberg',
      'iceberg.catalog.type': 'rest',
      'iceberg.rest-catalog.uri': `${edge.url}/iceberg`,
      'iceberg.rest-catalog.security': 'OAUTH2',
      'iceberg.rest-catalog.oauth2.credential': 'ada:a long horse',
      'iceberg.rest-catalog.nested-namespace-enabled': true,
      'fs.native-local.enabled': local!,
      'local.location': location!,
    },
    lake: icebergCatalog(settings('lake')),
    bucket: icebergCatalog({ ...settings('bucket'), s3: { endpoint, region, accessKeyId, secretAccessKey } }),
  }
})

/** An edge without events, with an account. */
async function serveByRest(lake: Lake): Promise<Served> {
  const { app } = await createHarness({
    lake: { catalog: openRestCatalog(lake), clientDefaults: {} },
    users: memoryUsers({ username: 'ada', password_hash: await hashPassword('a long horse'), role: 'admin' }),
    access: { tokens: createTokens('a secret of at least thirty-two bytes', systemClock) },
  })
  return serve({ fetch: app.fetch, host: '127.0.0.1', port: 0 })
}

const name = tableName('raw.every')
async function append(lake: Lake, rows: Row[]) {
  const writer = await openWriter(lake, (await loadTable(lake, name)).metadata)
  await writer.appendRows(rows)
  return appendFiles(lake, name, await writer.finish())
}
const idsOf = async (lake: Lake) => (await allRows(lake, name, { columns: ['id'] })).map((row) => Number(row.id))

test.each(['lake', 'bucket'])('files of the catalog %s', { timeout: 180_000 }, async (catalog) => {
  const lake = lakes[catalog]!
  const client = trino.client({ catalog, schema: 'raw' })
  const narrow = (value: unknown): unknown =>
    typeof value === 'bigint' ? Number(value) : Array.isArray(value) ? value.map(narrow) : value
  const rowsOf = async (sql: string) => narrow((await client.query(sql)).rows) as unknown[][]
  await createTable(lake, name, {
    schema: everyType,
    spec: partitionBy(everyType, [{ column: 'event_time', transform: 'day' }]),
  })
  expect(await rowsOf('SELECT count(*) FROM every')).toEqual([[0]])
  await append(lake, everyRow.slice(0, 2))
  await append(lake, everyRow.slice(2))

  expect(await rowsOf('SELECT count(*), min(id), max(id) FROM every')).toEqual([[4, 0, 3]])
  const select =
    'SELECT CAST(big AS varchar), CAST(money AS varchar), CAST(huge AS varchar), CAST(day AS varchar), CAST(clock AS varchar), CAST(naive AS varchar), to_iso8601(event_time), CAST(key AS varchar), to_hex(raw), text FROM every WHERE id ='
  expect(await rowsOf(`${select} 1`)).toEqual([
    [
      '9223372036854775807',
      '9999999999999999.99',
      '9999999999999999999999999999.9999999999',
      '2022-01-08',
      '23:59:59.999999',
      '2100-01-01 00:00:00.000001',
      '2023-11-14T22:13:20.123456Z',
      'f79c3e09-677c-4bbd-a479-3f349cb785e7',
      'FF'.repeat(40),
      everyRow[1]!.text,
    ],
  ])
  expect((await rowsOf(`${select} 2`))[0]?.slice(3, 7)).toEqual([
    '1969-12-31',
    '00:00:00.000000',
    '1969-12-31 23:59:59.999999',
    '1969-12-30T23:59:59.999999Z',
  ])
  // By partition and by bounds: what they exclude wrongly would be missing.
  expect(await rowsOf("SELECT count(*) FROM every WHERE event_time < TIMESTAMP '1970-01-01 00:00:00 UTC'")).toEqual([
    [1],
  ])
  expect(await rowsOf(`SELECT count(*) FROM every WHERE text = '${everyRow[1]!.text}'`)).toEqual([[1]])

  await client.query(
    "INSERT INTO every (id, text, event_time, small) VALUES (10, 'from Trino', TIMESTAMP '2026-01-01 10:00:00 UTC', 5), (11, NULL, NULL, NULL)",
  )
  await append(lake, [
    { id: 12n, event_time: 1_767_225_600_000_000n },
    { id: 13n, event_time: 1_767_225_600_000_001n },
  ])
  expect(await idsOf(lake)).toEqual([0, 1, 2, 3, 10, 11, 12, 13])
  expect((await allRows(lake, name))[4]).toMatchObject({
    text: 'from Trino',
    small: 5,
    event_time: 1_767_261_600_000_000n,
  })

  // Rows that it deletes by position: gone here as well, and for good once compacted.
  await client.query('DELETE FROM every WHERE id IN (10, 13)')
  const before = await planScan(lake, (await loadTable(lake, name)).metadata)
  expect(before.files.some((file) => file.deletes.length > 0)).toBe(true)
  expect(await idsOf(lake)).toEqual([0, 1, 2, 3, 11, 12])
  await append(lake, [{ id: 14n, event_time: 1_767_225_600_000_002n }])
  const compacted = await compact(lake, name, { minFiles: 2, sortBy: ['id'] })
  expect(compacted.refused).toEqual([])
  expect(
    (await planScan(lake, (await loadTable(lake, name)).metadata)).files.every((f) => f.deletes.length === 0),
  ).toBe(true)
  expect(await idsOf(lake)).toEqual([0, 1, 2, 3, 11, 12, 14])
  expect(await rowsOf('SELECT array_sort(array_agg(id)) FROM every')).toEqual([[[0, 1, 2, 3, 11, 12, 14]]])

  await append(lake, [{ id: 15n, event_time: 1_767_225_600_000_003n }])
  await client.query('ALTER TABLE every EXECUTE optimize')
  expect(await idsOf(lake)).toEqual([0, 1, 2, 3, 11, 12, 14, 15])
  await expireSnapshots(lake, name, { olderThanMs: Date.now() + 1 })
  const { metadata } = await append(lake, [{ id: 16n }])
  expect(metadata.snapshots).toHaveLength(2)
  for (const { 'statistics-path': path } of metadata.statistics ?? []) await lake.files.read(path)
  expect(currentSnapshot(metadata)?.summary['total-records']).toBe('9')
  expect(await rowsOf('SELECT count(*) FROM every')).toEqual([[9]])
  await client.query('ALTER TABLE every ADD COLUMN extra varchar')
  await client.query("INSERT INTO every (id, extra) VALUES (17, 'x')")
  expect((await allRows(lake, name)).at(-1)).toMatchObject({ id: 17n, extra: 'x', text: null })
})

test('by REST, with a password of the edge and none of the database', { timeout: 180_000 }, async () => {
  const lake = lakes.lake!
  const client = trino.client({ catalog: 'rest', schema: 'byrest' })
  const rowsOf = async (sql: string) => (await client.query(sql)).rows.map((row) => row.map(String))
  const table = tableName('byrest.events')
  const rowsHere = async () => (await allRows(lake, table)).map(({ id, text }) => [String(id), String(text)])
  await client.query('CREATE SCHEMA byrest')
  await client.query(
    "CREATE TABLE events (id, at, text) WITH (partitioning = ARRAY['day(at)'], sorted_by = ARRAY['id']) AS SELECT * FROM (VALUES (BIGINT '1', TIMESTAMP '2026-01-01 10:00:00.000000 UTC', 'ü'), (BIGINT '2', TIMESTAMP '2026-01-02 10:00:00.000000 UTC', 'b'))",
  )
  expect(await rowsHere()).toEqual([
    ['1', 'ü'],
    ['2', 'b'],
  ])
  const writer = await openWriter(lake, (await loadTable(lake, table)).metadata)
  await writer.appendRows([{ id: 3n, text: 'ours' }])
  await appendFiles(lake, table, await writer.finish())
  await client.query("INSERT INTO events (id, text) VALUES (4, 'd')")
  await client.query("UPDATE events SET text = 'B' WHERE id = 2")
  await client.query('DELETE FROM events WHERE id = 1')
  await client.query('ALTER TABLE events ADD COLUMN extra integer')
  await client.query('ALTER TABLE events RENAME COLUMN text TO words')
  await client.query('ALTER TABLE events EXECUTE optimize')
  expect(await rowsOf('SELECT id, words, extra FROM events ORDER BY id')).toEqual([
    ['2', 'B', 'null'],
    ['3', 'ours', 'null'],
    ['4', 'd', 'null'],
  ])
  expect((await allRows(lake, table)).map(({ id, words }) => [id, words])).toEqual([
    [2n, 'B'],
    [3n, 'ours'],
    [4n, 'd'],
  ])
  expect(await rowsOf('SELECT count(*) FROM "events$snapshots"')).toEqual([
    [String((await loadTable(lake, table)).metadata.snapshots.length)],
  ])
  await client.query('ALTER TABLE events RENAME TO moved')
  expect(await rowsOf('SHOW TABLES')).toEqual([['moved']])
  await expect(client.query('DROP SCHEMA byrest')).rejects.toThrow()
  await client.query('DROP TABLE moved')
  await client.query('DROP SCHEMA byrest')
  expect(await lake.catalog.namespaces()).not.toContain('byrest')
})

test('rows deleted by equality, by position and by updates: the same rows here and there, before and after compaction', {
  timeout: 180_000,
}, async () => {
  const lake = lakes.lake!
  const client = trino.client({ catalog: 'lake', schema: 'raw' })
  const table = tableName('raw.upserts')
  const schema = schemaOf([
    { name: 'id', type: 'long', required: true },
    { name: 'key', type: 'string' },
    { name: 'score', type: 'double' },
  ])
  await createTable(lake, table, { schema })
  const add = async (rows: Row[]) => {
    const writer = await openWriter(lake, (await loadTable(lake, table)).metadata)
    await writer.appendRows(rows)
    await appendFiles(lake, table, await writer.finish())
  }
  const agree = async (rows: unknown[][]) => {
    const there = (await client.query('SELECT id, key, score FROM upserts ORDER BY id')).rows
    const here = (await allRows(lake, table)).map(({ id, key, score }) => [id, key, score])
    const plain = (all: unknown[][]) => all.map((row) => row.map(String))
    expect(plain(here)).toEqual(plain(rows))
    expect(plain(there)).toEqual(plain(rows))
  }
  await add([
    { id: 1n, key: 'a', score: 1 },
    { id: 2n, key: null, score: 2 },
    { id: 3n, key: 'c', score: null },
    { id: 4n, key: 'd', score: 4 },
  ])
  // As Flink's upserts: rows of a key are deleted, and come again with the next commit.
  const { metadata } = await loadTable(lake, table)
  const deletes = [
    await equalityDeletes(lake, metadata, ['key'], [{ key: 'a' }, { key: null }]),
    await equalityDeletes(
      lake,
      metadata,
      ['id', 'score'],
      [
        { id: 3n, score: null },
        { id: 4n, score: 5 },
      ],
    ),
  ]
  const plannedAt = metadata['last-sequence-number']
  await replaceFiles(lake, table, { operation: 'overwrite', removed: [], added: deletes, plannedAt })
  await add([{ id: 5n, key: 'a', score: 5 }])
  await agree([
    [4n, 'd', 4],
    [5n, 'a', 5],
  ])
  await add([{ id: 6n, key: 'f', score: 6 }])
  await client.query("UPDATE upserts SET key = 'D', score = 4.5 WHERE id = 4")
  await client.query('DELETE FROM upserts WHERE id = 6')
  const rows = [
    [4n, 'D', 4.5],
    [5n, 'a', 5],
  ]
  await agree(rows)
  expect((await compact(lake, table, { minFiles: 2 })).refused).toEqual([])
  const after = (await loadTable(lake, table)).metadata
  expect(currentSnapshot(after)?.summary).toMatchObject({ 'total-delete-files': '0', 'total-records': '2' })
  await agree(rows)
  await client.query('ALTER TABLE upserts EXECUTE optimize')
  await agree(rows)
})

test('a table whose partitions and order Trino changes is read, filtered, written and compacted on', {
  timeout: 180_000,
}, async () => {
  const lake = lakes.lake!
  const client = trino.client({ catalog: 'lake', schema: 'raw' })
  const table = tableName('raw.evolving')
  const schema = schemaOf([
    { name: 'id', type: 'long', required: true },
    { name: 'at', type: 'timestamptz' },
    { name: 'city', type: 'string' },
  ])
  await createTable(lake, table, { schema, spec: partitionBy(schema, [{ column: 'at', transform: 'day' }]) })
  const DAY = 86_400_000_000n
  const add = async (ids: number[]) => {
    const writer = await openWriter(lake, (await loadTable(lake, table)).metadata)
    await writer.appendRows(ids.map((id) => ({ id: BigInt(id), at: BigInt(id % 60) * DAY, city: `c${id % 3}` })))
    return appendFiles(lake, table, await writer.finish())
  }
  const here = async (options = {}) => (await allRows(lake, table, options)).map((row) => Number(row.id))
  const there = async (where = 'true') =>
    (await client.query(`SELECT id FROM evolving WHERE ${where} ORDER BY id`)).rows.map(([id]) => Number(id))
  await add([1, 2])
  await add([1 + 60, 2 + 60])
  await client.query(
    "ALTER TABLE evolving SET PROPERTIES partitioning = ARRAY['month(at)', 'bucket(city, 4)', 'truncate(city, 1)'], sorted_by = ARRAY['city']",
  )
  await client.query("INSERT INTO evolving VALUES (40, TIMESTAMP '1970-02-10 00:00:00 UTC', 'c1'), (41, NULL, NULL)")
  for (const id of [42, 102, 1000]) await add([id, id + 3])
  const all = [1, 2, 40, 41, 42, 45, 61, 62, 102, 105, 1000, 1003]
  expect(await here()).toEqual(all)
  expect(await there()).toEqual(all)
  // Specs of both kinds prune, each by its own transforms.
  const { metadata } = await loadTable(lake, table)
  expect(metadata['partition-specs']).toHaveLength(2)
  const where = [
    { column: 'at', op: '<' as const, value: 3n * DAY },
    { column: 'city', op: '=' as const, value: 'c1' },
  ]
  expect(await here({ where })).toEqual([1, 61])
  expect(await there("at < TIMESTAMP '1970-01-04 00:00:00 UTC' AND city = 'c1'")).toEqual([1, 61])
  expect(await here({ where: [{ column: 'at', op: 'is-null' }] })).toEqual([41])

  await client.query('DELETE FROM evolving WHERE id IN (2, 45)')
  const left = all.filter((id) => id !== 2 && id !== 45)
  expect(await here()).toEqual(left)
  const compacted = await compact(lake, table, { minFiles: 2, sortBy: ['city'] })
  expect(compacted.refused).toEqual([])
  expect(compacted.groups.length).toBeGreaterThan(0)
  for (const { specId } of compacted.groups) expect(specId).toBe(metadata['default-spec-id'])
  expect(await here()).toEqual(left)
  expect(await there()).toEqual(left)
  expect(await there("at < TIMESTAMP '1970-01-04 00:00:00 UTC' AND city = 'c1'")).toEqual([1, 61])
  await client.query('ALTER TABLE evolving EXECUTE optimize')
  await expireSnapshots(lake, table, { olderThanMs: Date.now() + 1 })
  await add([7])
  expect(await here()).toEqual([1, 7, ...left.slice(1)])
  expect(await there()).toEqual([1, 7, ...left.slice(1)])
})

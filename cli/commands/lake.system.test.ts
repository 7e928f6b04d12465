/** `streamforge lake` and `streamforge sql` against a real catalog in PostgreSQL, as for a platform that runs on a data folder. */
import { access, mkdtemp, rename, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  appendFiles,
  createTable,
  type Lake,
  loadTable,
  openJdbcCatalog,
  openLake,
  openLakeFiles,
  openWriter,
  partitionBy,
  type Row,
  schemaOf,
  type Table,
  type TableName,
  tableName,
} from '../../db/lake/index.ts'
import { openFolderObjects } from '../../db/objects/folder.ts'
import type { Sql } from '../../db/postgres/connect.ts'
import { withPostgres } from '../../db/testing/postgres.ts'
import { VirtualClock } from '../../streams/testing/virtual-clock.ts'
import { RUNNING_FILE } from '../platform.ts'
import { runCommand } from '../testing/run-command.ts'
import { lake as lakeCommand } from './lake.ts'
import { sql as sqlCommand } from './sql.ts'

const DAY_MS = 86_400_000
const START_MS = Date.parse('2026-01-01T00:00:00Z')
const schema = schemaOf([
  { name: 'order_id', type: 'string', required: true, doc: 'Of the shop' },
  { name: 'event_time', type: 'timestamptz', required: true },
  { name: 'amount', type: 'decimal(12, 2)' },
])
const spec = partitionBy(schema, [{ column: 'event_time', transform: 'day' }])
const orders = tableName('raw.orders')
const odd: TableName = { namespace: 'a.b', name: 'Odd "name"' }
const order = (id: number, dayMs = START_MS): Row => ({
  order_id: `o-${id}`,
  event_time: dayMs * 1_000,
  amount: id * 100,
})

const postgres = withPostgres()
const clock = new VirtualClock(START_MS)
let dataDir: string
let lake: Lake
let lakeSql: Sql
let written: Table[]
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'streamforge-lake-commands-'))
  const { url, sql } = await postgres.database()
  lakeSql = sql
  const running = {
    pid: process.pid,
    started_at: 'now',
    edge_url: 'http://127.0.0.1:1',
    postgres_url: url,
    data_dir: dataDir,
  }
  await writeFile(join(dataDir, RUNNING_FILE), JSON.stringify(running))
  const files = openLakeFiles(await openFolderObjects(join(dataDir, 'objects')))
  lake = openLake(await openJdbcCatalog(sql), files, { clock })
  await createTable(lake, orders, { schema, spec, properties: { owner: 'shop' } })
  written = [await append(orders, [order(1), order(2)])]
  await clock.advance(DAY_MS)
  written.push(await append(orders, [order(3), order(4, START_MS + DAY_MS)]))
  await createTable(lake, tableName('raw.empty'), { schema })
  await createTable(lake, odd, { schema })
  await append(odd, [order(5)])
  await clock.advance(3_600_000)
})
afterAll(() => rm(dataDir, { recursive: true, force: true }))

async function append(name: TableName, rows: Row[]): Promise<Table> {
  const writer = await openWriter(lake, (await loadTable(lake, name)).metadata)
  await writer.appendRows(rows)
  return appendFiles(lake, name, await writer.finish())
}

const run = (args: string[], more: Parameters<typeof runCommand>[2] = {}) =>
  runCommand(lakeCommand, [...args, '--data', dataDir], { clock, ...more })
const sql = (args: string[], more: Parameters<typeof runCommand>[2] = {}) =>
  runCommand(sqlCommand, [...args, '--data', dataDir], { clock, ...more })
const idOf = (table: Table): string => String(table.metadata['current-snapshot-id'])

describe('lake', () => {
  it('ls lists tables with rows, files, size and last commit', async () => {
    const { code, out, err } = await run(['ls'])
    expect([code, err]).toEqual([0, ''])
    const lines = out.split('\n')
    expect(lines[0]).toMatch(/^TABLE +ROWS +FILES +SIZE +SNAPSHOTS +LAST COMMIT$/)
    expect(lines[1]).toMatch(/^"a\.b"\."Odd ""name""" +1 +1 +[\d.]+ k?B +1 {2}1 h ago \(append\)$/)
    expect(lines[2]).toMatch(/^raw\.empty +0 +0 +0 B +0 {2}never written$/)
    expect(lines[3]).toMatch(/^raw\.orders +4 +3 +[\d.]+ kB +2 {2}1 h ago \(append\)$/)
    expect(lines[5]).toMatch(/^3 tables, 5 rows, 4 files, [\d.]+ kB$/)
    expect(JSON.parse((await run(['ls', '--json'])).out)[2]).toMatchObject({
      namespace: 'raw',
      name: 'orders',
      rows: 4,
      data_files: 3,
      delete_files: 0,
      snapshots: 2,
      last_commit: '2026-01-02T00:00:00.000Z',
      operation: 'append',
    })
  })

  it('describe tells columns with ids, partitions, properties and the current snapshot', async () => {
    const { out } = await run(['describe', 'raw.orders'])
    expect(out).toMatch(/^raw\.orders\n/)
    expect(out).toMatch(/ {2}Partitions {2}day\(event_time\)\n/)
    expect(out).toContain(
      `  Snapshot    ${idOf(written[1]!)} (append), 2026-01-02 00:00:00Z, 1 h ago; 2 snapshots in all\n`,
    )
    expect(out).toMatch(
      /\nID {2}COLUMN +TYPE +MEANING\n 1 {2}order_id +string +required {2}Of the shop\n 2 {2}event_time +timestamptz +required\n 3 {2}amount +decimal\(12, 2\)\n/,
    )
    expect(out).toMatch(/\nowner +shop\n/)
    const told = JSON.parse((await run(['describe', 'orders', '--json'])).out)
    expect(told).toMatchObject({ name: 'orders', partitioned_by: ['day(event_time)'], rows: 4, snapshots: 2 })
    expect(told.schema.fields[2]).toEqual({ id: 3, name: 'amount', required: false, type: 'decimal(12, 2)' })
    expect((await run(['describe', '"a.b"."Odd ""name"""'])).code).toBe(0)
    expect((await run(['describe', 'a.b.Odd "name"'])).code).toBe(0)
    expect((await run(['describe', 'raw.empty'])).out).toContain('none: the table has never been written')
    expect(await run(['describe', 'raw.nope'])).toEqual({
      code: 1,
      out: '',
      err: 'There is no table raw.nope: there are "a.b"."Odd ""name""", raw.empty, raw.orders.\n',
    })
  })

  it('snapshots come newest first', async () => {
    const [first, second] = written.map(idOf)
    const { out } = await run(['snapshots', 'raw.orders'])
    const lines = out.trimEnd().split('\n')
    expect(lines).toHaveLength(3)
    expect(lines[1]).toMatch(
      new RegExp(`^\\* +${second} +2026-01-02 00:00:00Z +1 h ago +append +\\+2 +\\+2 +4 +3 .* ${first}$`),
    )
    expect(lines[2]).toMatch(new RegExp(`^ +${first} +2026-01-01 00:00:00Z +1 d ago +append +\\+2 +\\+1 +2 +1 .* -$`))
    const limited = await run(['snapshots', 'raw.orders', '--limit', '1'])
    expect(limited.err).toBe('1 older one not shown; --limit 0 shows all.\n')
    const told = JSON.parse((await run(['snapshots', 'raw.orders', '--json'])).out)
    expect(told[1]).toMatchObject({ snapshot_id: first, parent_id: null, added_rows: 2, total_rows: 2, current: false })
    expect((await run(['snapshots', 'raw.empty'])).out).toMatch(/^The table has no snapshots yet/)
  })

  it('files come with partition and bounds, of any snapshot', async () => {
    const { out, err } = await run(['files', 'raw.orders'])
    expect(out).toMatch(/^PARTITION +ROWS +SIZE +EVENT_TIME +ORDER_ID +FILE\n/)
    expect(out).toMatch(
      /\n2026-01-01 +2 +[\d.]+ k?B +2026-01-01T00:00:00Z +o-1 \.\. o-2 +data\/event_time_day=2026-01-01\/\S+\.parquet\n/,
    )
    expect(err).toMatch(new RegExp(`^3 files, [\\d.]+ kB, snapshot ${idOf(written[1]!)}\n$`))
    const then = await run(['files', 'raw.orders', '--snapshot', idOf(written[0]!), '--json'])
    expect(JSON.parse(then.out)).toMatchObject({
      snapshot_id: idOf(written[0]!),
      files: [
        { rows: 2, partition: { event_time_day: '2026-01-01' }, lower_bounds: { amount: '1.00' }, delete_files: 0 },
      ],
    })
    expect(JSON.parse((await run(['files', 'raw.orders', '--as-of', '12h', '--json'])).out).files).toHaveLength(1)
    expect((await run(['files', 'raw.orders', '--columns', 'amount'])).out).toMatch(/AMOUNT[\s\S]*1\.00 \.\. 2\.00/)
    expect((await run(['files', 'raw.orders', '--snapshot', '7'])).err).toBe(
      `The table raw.orders has no snapshot 7: there are ${idOf(written[1]!)}, ${idOf(written[0]!)}.\n`,
    )
    expect((await run(['files', 'raw.orders', '--columns', 'nope'])).err).toMatch(
      /^There is no column "nope" with bounds/,
    )
    expect((await run(['files', 'raw.empty'])).out).toBe('The table has no files: it has never been written.\n')
  })

  it('a missing metadata file is named, and hides no other table', async () => {
    await createTable(lake, tableName('raw.broken'), { schema })
    const location = (await lake.catalog.metadataLocation(tableName('raw.broken')))!
    const path = location.slice('file://'.length)
    await rename(path, `${path}.aside`)
    const listed = await run(['ls'])
    expect(listed.code).toBe(1)
    expect(listed.out).toMatch(/\nraw\.broken +\? +\? +\? +\? {2}can not be read\n[\s\S]*\nraw\.orders +4 /)
    expect(listed.err).toMatch(new RegExp(`^raw\\.broken: The lake's file ${location} is missing`))
    for (const args of [['describe'], ['snapshots'], ['files']])
      expect(await run([...args, 'raw.broken'])).toMatchObject({
        code: 1,
        out: '',
        err: expect.stringContaining(location),
      })
    expect((await sql(['FROM raw.broken'])).err).toContain(location)
    expect((await sql(['SELECT count(*) FROM raw.orders'])).code).toBe(0)
    await lake.catalog.drop(tableName('raw.broken'))
  })

  it('says where there is no platform, no database, no objects', async () => {
    const nowhere = { env: {}, cwd: tmpdir() }
    const none = await runCommand(lakeCommand, ['ls', '--data', 'nowhere'], nowhere)
    expect(none).toMatchObject({ code: 1, out: '' })
    expect(none.err).toMatch(/^No platform is running on .*nowhere\. Start one with "npm start"/)
    const { url } = await postgres.database()
    const away = { DATABASE_URL: Object.assign(new URL(url), { port: '9', password: 'geheim' }).href }
    const unreachable = await run(['ls'], { env: away })
    expect(unreachable.err).toMatch(
      /^The database at .*:9 can't be used: .*ECONNREFUSED.* DATABASE_URL says which it is, .*\n$/,
    )
    expect(unreachable.err).not.toContain('geheim')
    const folder = await runCommand(lakeCommand, ['ls', '--data', 'nowhere'], {
      env: { DATABASE_URL: url },
      cwd: tmpdir(),
    })
    expect(folder.err).toMatch(/^There are no objects in .*nowhere/)
    // An empty database has a lake without tables.
    expect((await run(['ls'], { env: { DATABASE_URL: url } })).out).toBe('The lake has no tables yet.\n')
  })
})

it('needs no more than the right to read', async () => {
  const { sql: admin } = await postgres.database({ max: 1 })
  const [{ name } = { name: '' }] = await lakeSql<{ name: string }[]>`SELECT current_database() AS name`
  const url = Object.assign(new URL(postgres.server.url), {
    pathname: `/${name}`,
    username: 'analyst',
    password: 'reads',
  })
  await admin`CREATE ROLE analyst LOGIN PASSWORD 'reads'`
  await lakeSql`GRANT SELECT ON iceberg_tables, iceberg_namespace_properties TO analyst`
  const env = { DATABASE_URL: url.href }
  expect(await run(['ls'], { env })).toMatchObject({ code: 0, out: expect.stringContaining('raw.orders') })
  expect((await sql(['SELECT count(*) AS n FROM raw.orders', '--format', 'csv'], { env })).out).toBe('n\n4\n')
})

describe('sql', () => {
  it('prints a table, the count and the time apart from it', async () => {
    const { code, out, err } = await sql(['SELECT order_id, amount, event_time FROM orders ORDER BY 1 LIMIT 2'])
    expect(code).toBe(0)
    expect(out).toBe(
      ' order_id | amount | event_time\n' +
        '----------+--------+----------------------\n' +
        ' o-1      |   1.00 | 2026-01-01T00:00:00Z\n' +
        ' o-2      |   2.00 | 2026-01-01T00:00:00Z\n',
    )
    expect(err).toBe('2 rows, 0.00 s\n')
  })

  it('reads the statement from standard input or a file, and writes JSON and CSV', async () => {
    const input = Readable.from(['SELECT order_id, ', 'amount FROM raw.orders ORDER BY 1 DESC LIMIT 1;\n'])
    expect((await sql(['-', '--format', 'json'], { input })).out).toBe('[\n{"order_id":"o-4","amount":"4.00"}\n]\n')
    await writeFile(join(dataDir, 'query.sql'), '-- how many\nSELECT count(*) AS n FROM raw.orders')
    expect((await sql(['--file', 'query.sql', '--format', 'csv'], { cwd: dataDir })).out).toBe('n\n4\n')
    expect((await sql(['--file', 'nope.sql'])).err).toMatch(/^nope\.sql can't be read: ENOENT/)
  })

  it('shows the first rows where there are many, and says so', async () => {
    const { out, err } = await sql(['FROM range(5000)'])
    expect(out.trimEnd().split('\n')).toHaveLength(1_002)
    expect(err).toMatch(/^1,000 rows, .* s\nThere are more rows; --limit 0 shows all\.\n$/)
    expect((await sql(['FROM range(5000)', '--limit', '0'])).out.trimEnd().split('\n')).toHaveLength(5_002)
    expect((await sql(['FROM range(5000)', '--format', 'csv'])).out.trimEnd().split('\n')).toHaveLength(5_001)
    expect((await sql(['FROM range(2)', '--limit', '2'])).err).not.toContain('more')
  })

  it('goes back in time', async () => {
    const count = 'SELECT count(*) AS n FROM raw.orders'
    const first = idOf(written[0]!)
    const then = await sql([count, '--snapshot', first, '--format', 'csv'])
    expect(then.out).toBe('n\n2\n')
    expect(then.err).toContain(`raw.orders as of snapshot ${first}, 2026-01-01 00:00:00Z.\n`)
    expect((await sql([count, '--as-of', '2026-01-01T12:00', '--format', 'csv'])).out).toBe('n\n2\n')
    expect((await sql([count, '--as-of', '30m', '--format', 'csv'])).out).toBe('n\n4\n')
    expect((await sql([count, '--snapshot', '7'])).err).toBe(
      `The table raw.orders has no snapshot 7. There are ${idOf(written[1]!)}, ${first}.\n`,
    )
    expect((await sql([count, '--as-of', '2020-01-01'])).err).toMatch(
      /^The table raw\.orders has no snapshot as of 2020-01-01/,
    )
  })

  it('tells mistakes in a sentence', async () => {
    const told = async (statement: string) => {
      const { code, out, err } = await sql([statement])
      expect([code, out]).toEqual([1, ''])
      return err
    }
    expect(await told('SELECT * FROM raw.nope')).toMatch(
      /^There is no table raw\.nope in the lake\. There are .*raw\.orders\.\n$/,
    )
    expect(await told('SELECT * FRM raw.orders')).toMatch(/^Syntax error at or near .*, in line 1, column 14\.\n/)
    expect(await told('DELETE FROM raw.orders')).toMatch(/^Only queries are run here/)
    expect(await told('SELECT nope FROM raw.orders')).toMatch(/^Binder Error: .*nope/)
  })

  it('ends as interrupted when it is told to', async () => {
    const stop = new AbortController()
    const running = sql(['SELECT count(*) FROM range(10000000000) a, range(10000) b WHERE a.range + b.range = 7'], {
      signal: stop.signal,
    })
    setTimeout(() => stop.abort(), 200)
    expect((await running).code).toBe(130)
  })

  it('asks for TRINO_URL, and says when nobody answers there', async () => {
    expect((await sql(['SELECT 1', '--engine', 'trino'])).err).toMatch(/^Trino is found by TRINO_URL/)
    const nobody = await sql(['SELECT 1', '--engine', 'trino'], { env: { TRINO_URL: 'http://127.0.0.1:9' } })
    expect(nobody).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^Trino at http:\/\/127\.0\.0\.1:9 can't be reached/),
    })
    const travel = ['SELECT 1', '--engine', 'trino', '--snapshot', '7']
    expect((await sql(travel, { env: { TRINO_URL: 'http://127.0.0.1:9' } })).err).toContain('FOR VERSION AS OF 7')
  })
})

describe('upkeep of a table', () => {
  const name = tableName('raw.upkeep')
  const rows = () => sql(['SELECT order_id FROM raw.upkeep ORDER BY 1', '--format', 'json'])

  it('compacts, expires and removes orphans, and tells before what it would do', async () => {
    const { metadata } = await createTable(lake, name, { schema, spec })
    for (let id = 1; id <= 5; id++) await append(name, [order(id)])
    const before = (await rows()).out

    expect((await run(['compact', 'raw.upkeep', '--dry-run'])).out).toMatch(
      /^5 files, [\d.]+ kB, would be rewritten in 1 group\.\n$/,
    )
    expect((await run(['compact', 'raw.upkeep', '--sort-by', 'nope'])).err).toBe(
      'The table has no column nope. It has order_id, event_time, amount.\n',
    )
    expect((await run(['snapshots', 'raw.upkeep', '--json'])).out.match(/"snapshot_id"/g)).toHaveLength(5)
    expect(JSON.parse((await run(['compact', 'raw.upkeep', '--json'])).out)).toMatchObject({
      dry_run: false,
      sorted_by: ['event_time'],
      files_before: 5,
      files_after: 1,
      rows: 5,
      refused: [],
    })
    expect((await run(['compact', 'raw.upkeep'])).out).toBe('There is nothing to compact.\n')

    await clock.advance(8 * DAY_MS)
    expect((await run(['expire', 'raw.upkeep', '--older-than', '30d'])).out).toBe('No snapshot is that old.\n')
    expect((await run(['expire', 'raw.upkeep', '--dry-run'])).out).toMatch(
      /^5 snapshots would be removed, with \d+ files that only they need\.\n {2}file:/,
    )
    expect((await run(['expire', 'raw.upkeep', '--keep', '3'])).out).toMatch(/^3 snapshots removed/)
    expect((await run(['expire', 'raw.upkeep'])).out).toMatch(
      /^2 snapshots removed, with \d+ files that only they needed\.\n$/,
    )

    const left = join(fileURLToPath(metadata.location), 'data', 'left-behind.parquet')
    await writeFile(left, 'half a file')
    const longAgo = (clock.now() - 4 * DAY_MS) / 1_000
    await utimes(left, longAgo, longAgo)
    expect((await run(['orphans', 'raw.upkeep', '--older-than', '5d'])).out).toBe('There are no orphans.\n')
    expect((await run(['orphans', 'raw.upkeep', '--dry-run'])).out).toMatch(
      /^1 orphan, 11 B, would be removed\.\n {2}file:.*left-behind\.parquet\n$/,
    )
    expect(JSON.parse((await run(['orphans', 'raw.upkeep', '--json'])).out)).toMatchObject({
      dry_run: false,
      files: [{ file: expect.stringMatching(/left-behind\.parquet$/), bytes: 11 }],
    })
    await expect(access(left)).rejects.toThrow('ENOENT')
    expect((await rows()).out).toBe(before)
  })
})

/**
 * A person erased from a lake as it really is: raw tables, dead letters, conversions and a star schema, with its catalog in PostgreSQL. Judges are PyIceberg, which reads every snapshot that is left, a
 * search through every file below the warehouse, and the figures: they are what they were, also when every day is built anew.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { withPyIceberg } from '../../cli/servers/testing/with-pyiceberg.ts'
import { withS3 } from '../../cli/servers/testing/with-s3.ts'
import { CONVERSIONS_TABLE, DEAD_LETTERS_TABLE, type LakeTable } from '../../streams/contract/lake-tables.ts'
import { CLICKSTREAM, ORDERS } from '../../streams/contract/topics.ts'
import {
  appendFiles,
  compact,
  createTable,
  ensureTable,
  type Lake,
  openJdbcCatalog,
  openLake,
  openLakeFiles,
  openWriter,
  type Row,
  schemaOf,
  tableName,
} from '../lake/index.ts'
import { filesNaming } from '../lake/testing/files-naming.ts'
import { allRows } from '../lake/testing/temporary-lake.ts'
import { buildDay } from '../models/day.ts'
import { createDuckdbModels } from '../models/duckdb.ts'
import { dayNumber, dayText } from '../models/render.ts'
import { built, expected } from '../models/testing/built-rows.ts'
import { appendRaw, type RawRows, randomRows } from '../models/testing/raw-rows.ts'
import { openFolderObjects } from '../objects/folder.ts'
import { withPostgres } from '../testing/postgres.ts'
import { eraseFromLake } from './erase-from-lake.ts'
import { PERSONS_IN_POSTGRES } from './postgres-tables.ts'

const postgres = withPostgres()
const { python } = withPyIceberg()
const folders: string[] = []
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true })
})

const USER = 'ada@lovelace'
const DEVICE = 'device-of-ada'
const EMAIL = 'ada.lovelace@example.org'
const NAMES = [USER, DEVICE, EMAIL]
const pseudonyms = new Map([
  [USER, 'erased-4f6e-0'],
  [DEVICE, 'erased-4f6e-1'],
])

const FIRST = dayNumber('2026-02-01')
const DAYS = [FIRST]
/** Of the random rows' people, u1 with the device a2 is the person; others have used the device as well. */
function rowsOf(events: number): RawRows {
  const rows = randomRows({ seed: 11, from: FIRST * 86_400_000, days: DAYS.length, events })
  const named = (id: string | null) => (id === 'u1' ? USER : id)
  const properties = JSON.stringify({ traits: { email: EMAIL } })
  return {
    clicks: rows.clicks.map((row) => {
      const [user_id, anonymous_id] = [named(row.user_id), row.anonymous_id === 'a2' ? DEVICE : row.anonymous_id]
      const isTheirs = (user_id ?? anonymous_id) === USER || (user_id ?? anonymous_id) === DEVICE
      const told = { page_url: `/me?mail=${EMAIL}`, session_id: `${USER}@1`, referrer: EMAIL, properties }
      return { ...row, user_id, anonymous_id, ...(isTheirs && told) }
    }),
    orders: rows.orders.map((row) => ({
      ...row,
      user_id: named(row.user_id)!,
      ...(row.user_id === 'u1' && { properties }),
    })),
    trips: rows.trips.map((row, i) => (i === 3 ? { ...row, properties: JSON.stringify({ rider: USER }) } : row)),
  }
}
/** What the raw tables must say afterwards, by the rules and not by the code. */
function without(rows: RawRows): RawRows {
  const pseudonym = <T extends string | null>(id: T): T => ((id && pseudonyms.get(id)) ?? id) as T
  return {
    clicks: rows.clicks.map((row) => ({
      ...row,
      user_id: pseudonym(row.user_id),
      anonymous_id: pseudonym(row.anonymous_id),
      ...(pseudonyms.has(row.user_id ?? row.anonymous_id ?? '') && {
        page_url: null,
        session_id: null,
        referrer: null,
        device: null,
        properties: null,
      }),
    })),
    orders: rows.orders.map((row) => ({
      ...row,
      user_id: pseudonym(row.user_id),
      ...(row.user_id === USER && { properties: null }),
    })),
    trips: rows.trips.map((row) => (row.properties === null ? row : { ...row, properties: null })),
  }
}

async function put(lake: Lake, { name, columns, partitionedBy }: LakeTable, rows: Row[]) {
  const { metadata } = await ensureTable(lake, tableName(name), {
    columns,
    partitionedBy: [{ column: partitionedBy, transform: 'day' }],
  })
  const writer = await openWriter(lake, metadata)
  const micros = BigInt(FIRST) * 86_400_000_000n
  const trace = {
    log_partition: 0,
    log_appended_at: micros,
    ingested_at: micros,
    event_time: micros,
    received_at: micros,
    died_at: micros,
  }
  await writer.appendRows(
    rows.map((row, log_offset) => {
      const all: Row = { ...trace, log_offset, ...row }
      return Object.fromEntries(
        columns.flatMap((column) => (column.name in all ? [[column.name, all[column.name]!]] : [])),
      )
    }),
  )
  await appendFiles(lake, tableName(name), await writer.finish())
}
const letter = (more: Row): Row => ({
  kind: 'letter',
  cause: 'dead/transactions.orders/0/7',
  log_topic: 'dlq.transactions.orders',
  ...more,
})
const LETTERS = [
  letter({ key: USER, value: Buffer.from('?'), message: 'no event', headers: '{}' }),
  letter({ key: 'other', value: Buffer.from(`{"who":"${DEVICE}"}`), message: 'no event', headers: '{}' }),
  letter({ key: 'other', value: Buffer.from('{"who":"other"}'), message: 'no event', headers: '{}' }),
]

async function fill(lake: Lake, raw: RawRows) {
  const half = (rows: RawRows, of: 0 | 1): RawRows => {
    const some = <T>(all: T[]): T[] => all.filter((_, i) => i % 2 === of)
    return { clicks: some(rows.clicks), orders: some(rows.orders), trips: some(rows.trips) }
  }
  await appendRaw(lake, half(raw, 0))
  await appendRaw(lake, half(raw, 1))
  // So that older snapshots have files of their own.
  await compact(lake, tableName('raw.orders'), { minFiles: 2, sortBy: ['user_id', 'event_time'] })
  await put(lake, DEAD_LETTERS_TABLE, LETTERS)
  const conversion = (user_id: string) => ({ order_id: 'o', user_id, revenue_minor: 5_001, currency: 'TRY' })
  await put(lake, CONVERSIONS_TABLE, [conversion(USER), conversion('other')])
  // Somebody's own, of which nobody has said what it tells.
  await createTable(lake, tableName('analysis.own'), { schema: schemaOf([{ name: 'n', type: 'long' }]) })
}

type Settings = Record<string, string>
/** Every row of every snapshot of every table, by the names that it has somewhere. */
const namedBy = (settings: Settings) =>
  python<{ snapshots: number; rows: number; named: string[] }>(
    `
from pyiceberg.catalog.sql import SqlCatalog
catalog = SqlCatalog('lake', **args['settings'])
snapshots, rows, named = 0, 0, []
for namespace in catalog.list_namespaces():
    for identifier in catalog.list_tables(namespace):
        table = catalog.load_table(identifier)
        for snapshot in table.snapshots():
            found = table.scan(snapshot_id=snapshot.snapshot_id).to_arrow().to_pylist()
            snapshots += 1
            rows += len(found)
            text = str(found)
            named += ['.'.join(identifier) for name in args['names'] if name in text]
answer({'snapshots': snapshots, 'rows': rows, 'named': sorted(set(named))})`,
    { settings, names: NAMES },
  )

const catalogOf = async () => {
  const { sql, url } = await postgres.database()
  return { catalog: await openJdbcCatalog(sql), uri: url.replace('postgres://', 'postgresql+psycopg2://') }
}
const rawOf = async (lake: Lake) => ({
  clicks: await allRows(lake, tableName('raw.clickstream_events')),
  orders: await allRows(lake, tableName('raw.orders')),
  trips: await allRows(lake, tableName('raw.trips')),
})

test('from a lake in a folder, its star schema included', async () => {
  const { catalog, uri } = await catalogOf()
  const folder = await mkdtemp(join(tmpdir(), 'streamforge-lake-'))
  folders.push(folder)
  const lake = openLake(catalog, openLakeFiles(await openFolderObjects(folder)))
  const settings = { uri, warehouse: lake.files.warehouse }
  const raw = rowsOf(60)
  await fill(lake, raw)
  const engine = createDuckdbModels(lake)
  const build = async () => {
    for (const day of DAYS) await buildDay(lake, engine, dayText(day))
  }
  await build()
  const before = await built(lake, DAYS)
  expect(before).toEqual(expected(raw, DAYS))
  const seenBefore = await namedBy(settings)
  expect(seenBefore.named).toEqual([
    'analytics.dim_users',
    'analytics.fact_events',
    'analytics.fact_transactions',
    'analytics.int_sessions',
    'analytics.int_user_days',
    'analytics.stg_clickstream_events',
    'analytics.stg_orders',
    'analytics.stg_trips',
    'marketing_events.processed_conversions',
    'raw.clickstream_events',
    'raw.dead_letters',
    'raw.orders',
    'raw.trips',
  ])

  const said: string[] = []
  const done = await eraseFromLake(lake, { pseudonyms, told: null }, { onProgress: (what) => said.push(what) })
  expect(done.unknown).toEqual(['analysis.own'])
  const rowsIn = Object.fromEntries(Object.entries(done.tables).map(([table, { rows }]) => [table, rows]))
  const named = (row: { user_id?: string | null; anonymous_id?: string | null }) =>
    pseudonyms.has(row.user_id ?? '') || pseudonyms.has(row.anonymous_id ?? '')
  expect(rowsIn).toMatchObject({
    'raw.clickstream_events': raw.clicks.filter(named).length,
    'raw.orders': raw.orders.filter(named).length,
    'raw.trips': raw.trips.filter((row) => row.properties !== null).length,
    'raw.dead_letters': 2,
    'marketing_events.processed_conversions': 1,
  })
  expect(Object.values(rowsIn).every((rows) => rows > 0)).toBe(true)
  expect(said.length).toBeGreaterThan(20)
  expect(NAMES.filter((name) => JSON.stringify([done, said]).includes(name))).toEqual([])

  const seen = await namedBy(settings)
  expect(seen.named).toEqual([])
  expect(seen.snapshots).toBeLessThan(seenBefore.snapshots)
  expect(seen.rows).toBeGreaterThan(0)
  expect(await filesNaming(lake, lake.files.warehouse, NAMES)).toEqual([])
  expect(await allRows(lake, tableName(DEAD_LETTERS_TABLE.name))).toMatchObject([
    { cause: LETTERS[0]!.cause, log_offset: 0n, key: pseudonyms.get(USER), value: null, message: null },
    { cause: LETTERS[0]!.cause, log_offset: 1n, key: null, value: null, message: null },
    { log_offset: 2n, key: 'other', message: 'no event' },
  ])

  // Figures are what they were, now and when they are made again of what is left.
  const figures = (all: typeof before) =>
    Object.fromEntries(Object.entries(all).filter(([model]) => model.startsWith('metrics_')))
  const wanted = expected(without(raw), DAYS)
  expect(figures(wanted)).toEqual(figures(before))
  const after = await built(lake, DAYS)
  expect({ ...after, dim_users: null }).toEqual({ ...wanted, dim_users: null })
  await build()
  expect(await built(lake, DAYS)).toEqual(wanted)

  const again = await eraseFromLake(lake, { pseudonyms, told: null })
  for (const { snapshotId, ...nothing } of Object.values(again.tables)) {
    expect(snapshotId).not.toBeNull()
    expect(nothing).toEqual({
      ...{ rows: 0, files: 0, partitions: [], snapshotsExpired: 0, refsDropped: [], filesRemoved: 0, bytesRemoved: 0 },
    })
  }
})

test('what the person does after that is new, and stays; what was still on its way is erased', async () => {
  const { catalog } = await catalogOf()
  const folder = await mkdtemp(join(tmpdir(), 'streamforge-lake-'))
  folders.push(folder)
  const lake = openLake(catalog, openLakeFiles(await openFolderObjects(folder)))
  const requestedMs = FIRST * 86_400_000 + 12 * 3_600_000
  const clickAt = (log_offset: number, ms: number, more: object = {}): RawRows['clicks'][number] => ({
    ...randomRows({ seed: 3, from: FIRST * 86_400_000, days: 1, events: 4 }).clicks[0]!,
    ...{ event_id: `e-${log_offset}`, user_id: USER, anonymous_id: DEVICE, event_type: 'page_view' },
    ...{ page_url: `/page-${log_offset}`, session_id: null, properties: null, bot: null },
    ...{ log_partition: 1, log_offset, event_time: ms, log_appended_at: ms, ...more },
  })
  const orderAt = (log_offset: number, ms: number): RawRows['orders'][number] => ({
    ...randomRows({ seed: 3, from: FIRST * 86_400_000, days: 1, events: 40 }).orders[0]!,
    ...{ order_id: `o-${log_offset}`, user_id: USER, status: 'success', amount_minor: 9_000, currency: 'TRY' },
    ...{ log_partition: 0, log_offset, event_time: ms, log_appended_at: ms },
  })
  const told = {
    requestedMs,
    toldMs: requestedMs + 2_000,
    places: [
      { topic: CLICKSTREAM, partition: 1, offset: 10 },
      { topic: ORDERS, partition: 0, offset: 5 },
    ],
  }
  // Before; behind the request and before the records; behind those; of a log that there was before this one; imported from a file.
  const [before, between, after] = [requestedMs - 1_000, requestedMs + 1_000, requestedMs + 3_000]
  const clicks = [
    clickAt(8, before),
    clickAt(9, between),
    clickAt(11, after),
    clickAt(12, before),
    clickAt(13, after, { log_partition: -1 }),
  ]
  const orders = [orderAt(4, before), orderAt(6, after)]
  await appendRaw(lake, { clicks, orders, trips: [] })
  await put(lake, DEAD_LETTERS_TABLE, [
    letter({
      key: USER,
      source_topic: ORDERS,
      source_partition: 0,
      source_offset: 3,
      source_appended_at: BigInt(before) * 1_000n,
    }),
    letter({
      key: USER,
      source_topic: ORDERS,
      source_partition: 0,
      source_offset: 7,
      source_appended_at: BigInt(after) * 1_000n,
    }),
  ])
  const build = () => buildDay(lake, createDuckdbModels(lake), dayText(FIRST))
  await build()

  const namedIn = async (table: string, by: string) =>
    (await allRows(lake, tableName(table)))
      .filter((row) => row.user_id === USER || row.key === USER)
      .map((row) => row[by])
      .sort()
  const whatStays = async () => ({
    clicks: await namedIn('raw.clickstream_events', 'event_id'),
    orders: await namedIn('raw.orders', 'order_id'),
    letters: await namedIn('raw.dead_letters', 'source_offset'),
    staged: await namedIn('analytics.stg_clickstream_events', 'event_id'),
    transactions: await namedIn('analytics.fact_transactions', 'order_id'),
  })
  const wanted = { clicks: ['e-11'], orders: ['o-6'], letters: [7n], staged: ['e-11'], transactions: ['o-6'] }
  expect(await whatStays()).not.toEqual(wanted)
  const first = await eraseFromLake(lake, { pseudonyms, told })
  expect(first.tables['raw.clickstream_events']).toMatchObject({ rows: 4 })
  expect(await whatStays()).toEqual(wanted)
  const [stays] = (await allRows(lake, tableName('raw.clickstream_events'))).filter((row) => row.user_id === USER)
  expect(stays).toMatchObject({ anonymous_id: DEVICE, page_url: '/page-11' })

  // Facts say the same when they are made anew, and a second pass finds nothing more.
  await build()
  expect(await whatStays()).toEqual(wanted)
  expect(await namedIn('analytics.fact_events', 'event_id')).toEqual(['e-11'])
  const second = await eraseFromLake(lake, { pseudonyms, told })
  const { 'analytics.dim_users': users, ...others } = second.tables
  expect(Object.values(others).map(({ rows }) => rows)).toEqual(Object.values(others).map(() => 0))
  // It knows days only.
  expect(users).toMatchObject({ rows: 1 })
})

test('a real database has no table that nobody has thought about', async () => {
  const { sql } = await postgres.database()
  await openJdbcCatalog(sql)
  const tables = await sql<{ name: string }[]>`
    SELECT table_name AS name FROM information_schema.tables
    WHERE table_schema NOT IN ('pg_catalog', 'information_schema') AND table_type = 'BASE TABLE'`
  expect(tables.map(({ name }) => name).sort()).toEqual(Object.keys(PERSONS_IN_POSTGRES).sort())
})

describe('in S3', () => {
  const s3 = withS3()

  test('from a lake in a bucket', async () => {
    const { catalog, uri } = await catalogOf()
    const lake = openLake(catalog, openLakeFiles(s3.store()))
    const { endpoint, accessKeyId, secretAccessKey, region } = s3.server
    const settings = {
      uri,
      warehouse: lake.files.warehouse,
      's3.endpoint': endpoint,
      's3.access-key-id': accessKeyId,
      's3.secret-access-key': secretAccessKey,
      's3.region': region,
    }
    const raw = rowsOf(20)
    await fill(lake, raw)
    const before = await rawOf(lake)
    expect((await filesNaming(lake, lake.files.warehouse, NAMES)).length).toBeGreaterThan(5)
    const done = await eraseFromLake(lake, { pseudonyms, told: null })
    expect(Object.values(done.tables).every(({ rows, filesRemoved }) => rows > 0 && filesRemoved > 3)).toBe(true)
    expect(await filesNaming(lake, lake.files.warehouse, NAMES)).toEqual([])
    expect((await namedBy(settings)).named).toEqual([])
    const after = await rawOf(lake)
    const sum = (rows: Row[]) => rows.reduce((total, row) => total + BigInt((row.amount_minor ?? 0) as bigint), 0n)
    expect([after.clicks.length, after.trips.length, sum(after.orders)]).toEqual([
      before.clicks.length,
      before.trips.length,
      sum(before.orders),
    ])
  })
})

/** Reconciliation on a real PostgreSQL and a lake in a folder, filled by the streams and the lake-writer themselves: it finds every fault that is planted, and nothing where there is none. */
import { rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { beforeAll, expect, it } from 'vitest'
import {
  appendFiles,
  createDuckdbEngine,
  type DataFile,
  loadTable,
  openWriter,
  planScan,
  type Row,
  readRows,
  replaceFiles,
  type TableMetadata,
  tableName,
} from '../../db/lake/index.ts'
import { type TestDatabase, withPostgres } from '../../db/testing/postgres.ts'
import { type ShadowWorld, START_MS, shadowWorlds, troubledHours } from '../../streams/shadow/testing/shadow-world.ts'
import { type Report, reconcile } from './reconcile.ts'

const postgres = withPostgres()
const worlds = shadowWorlds()
const HOUR_MS = 3_600_000
const [FROM_MS, TO_MS] = [START_MS + 4 * HOUR_MS, START_MS + 6 * HOUR_MS]
const orders = tableName('raw.orders')
const iso = (ms: number): string => new Date(ms).toISOString()

let database: TestDatabase
let world: ShadowWorld
beforeAll(async () => {
  database = await postgres.database()
  world = await worlds(database, troubledHours(23, 9))
})

async function reconciled(range: { fromMs?: number; toMs?: number } = {}): Promise<Report> {
  const { lake, folder } = world
  const sort = { memoryMb: 256, threads: 1, parent: folder }
  return reconcile(
    { database, databaseUrl: database.url, lake, engine: createDuckdbEngine(lake, sort), sort, now: Date.now },
    { fromMs: FROM_MS, toMs: TO_MS, schema: 'shadow_test_1', ...range },
  )
}
const wrong = ({ differences }: Report) => differences.filter(({ explained }) => !explained)

it('explains every difference from the exact truth, to the last minor unit', async () => {
  const report = await reconciled()
  expect(wrong(report)).toEqual([])
  expect(report).toMatchObject({ outcome: 'passed', unexplained: 0, unexplained_minor: {} })
  for (const table of ['revenue_by_minute', 'sessions', 'fraud_alerts', 'traffic_by_minute', 'trips_by_region'])
    expect(report.compared[table]!.rows, table).toBeGreaterThan(5)
  expect(report.explained.late!.records).toBeGreaterThan(5)
  expect(report.explained.duplicate!.records).toBeGreaterThan(2)
  expect(report.explained.dead_letter!.records).toBeGreaterThan(0)
  expect(report.message).toMatch(/what they lack of the exact truth comes from \d+ late/)

  // The money of the range, counted by hand: every order once, the first of its kind, against what is live.
  const seen = new Set<string>()
  const truth: Record<string, number> = {}
  // Of partitions that nothing came to any more, the last rows are not final, and not judged.
  const open = report.open_partitions.map((key) => Number(/^transactions.orders-(\d+)$/.exec(key)?.[1] ?? -1))
  const all = (await rowsOf()).sort(
    (a, b) =>
      Number(a.log_appended_at) - Number(b.log_appended_at) ||
      Number(a.log_partition) - Number(b.log_partition) ||
      Number(a.log_offset) - Number(b.log_offset),
  )
  for (const row of all) {
    const identity = `${row.order_id}#${row.status}`
    if (seen.has(identity)) continue
    seen.add(identity)
    const timeMs = Number(row.event_time) / 1_000
    if (timeMs < FROM_MS || timeMs >= TO_MS || row.status === 'failed') continue
    if (open.includes(Number(row.log_partition))) continue
    const currency = String(row.currency)
    truth[currency] = (truth[currency] ?? 0) + Number(row.amount_minor) * (row.status === 'refunded' ? -1 : 1)
  }
  const live = await database.sql<{ currency: string; minor: number }[]>`
    SELECT currency, sum(revenue_minor - refunded_minor)::bigint AS minor FROM revenue_by_minute
    WHERE window_start >= ${iso(FROM_MS)} AND window_start < ${iso(TO_MS)} AND partition <> ALL (${`{${open}}`}::text::integer[]) GROUP BY currency`
  const explained: Record<string, number> = {}
  for (const { table_name, explained: isExplained, minor } of report.differences)
    if (isExplained && table_name === 'revenue_by_minute')
      for (const [currency, amount] of Object.entries(minor)) explained[currency] = (explained[currency] ?? 0) + amount
  for (const { currency, minor } of live) expect(minor + (explained[currency] ?? 0), currency).toBe(truth[currency])
  expect(await schemas()).toEqual([])
})

it('finds a deleted row, a doubled one, and an amount that is off by one in PostgreSQL', async () => {
  const { sql } = database
  const [deleted] = await sql`DELETE FROM revenue_by_minute WHERE ctid = (
    SELECT ctid FROM revenue_by_minute WHERE window_start >= ${iso(FROM_MS)} AND window_start < ${iso(TO_MS)} AND revenue_minor > 0 LIMIT 1) RETURNING *`
  const [doubled] = await sql`INSERT INTO sessions
    SELECT session_id || '-again', user_id, started_at, ended_at, events, page_views, product_views, carts, checkouts, purchases, revenue_minor, funnel_stage,
      entry_page, exit_page, final, merged_into, partition, position
    FROM sessions WHERE ended_at >= ${iso(FROM_MS)} AND ended_at < ${iso(TO_MS)} AND merged_into IS NULL LIMIT 1 RETURNING *`
  const [changed] = await sql`UPDATE trips_by_region SET fare_minor = fare_minor + 1 WHERE ctid = (
    SELECT ctid FROM trips_by_region WHERE "window" = '1m' AND window_start >= ${iso(FROM_MS)} AND window_start < ${iso(TO_MS)} LIMIT 1) RETURNING *`
  const [alert] = await sql`DELETE FROM fraud_alerts WHERE ctid = (
    SELECT ctid FROM fraud_alerts WHERE last_at >= ${iso(FROM_MS)} AND last_at < ${iso(TO_MS)} AND state = 'active' LIMIT 1) RETURNING *`
  try {
    const report = await reconciled()
    expect(report).toMatchObject({ outcome: 'incident' })
    const found = wrong(report).map(({ table_name, cause, key }) => ({ table_name, cause, key }))
    expect(found).toEqual([
      { table_name: 'sessions', cause: 'extra', key: { session_id: doubled!.session_id } },
      {
        table_name: 'revenue_by_minute',
        cause: 'missing',
        key: {
          window_start: deleted!.window_start,
          category: deleted!.category,
          currency: deleted!.currency,
          partition: deleted!.partition,
        },
      },
      {
        table_name: 'trips_by_region',
        cause: 'changed',
        key: {
          region_id: changed!.region_id,
          window: '1m',
          window_start: changed!.window_start,
          currency: changed!.currency,
          partition: changed!.partition,
        },
      },
      { table_name: 'fraud_alerts', cause: 'missing', key: { alert_id: alert!.alert_id } },
    ])
    expect(report.unexplained).toBe(4)
    expect(report.message).toMatch(/4 differences have no explanation \(\d+ minor units of /)
    const sum = Object.values(report.unexplained_minor).reduce((a, b) => a + b, 0)
    const session = Object.values(doubled!.revenue_minor as Record<string, number>).reduce((a, b) => a + b, 0)
    expect(sum).toBe(deleted!.revenue_minor + deleted!.refunded_minor + 1 + alert!.total_minor + session)
  } finally {
    await sql`DELETE FROM sessions WHERE session_id = ${doubled!.session_id}`
    await sql`UPDATE trips_by_region SET fare_minor = fare_minor - 1 WHERE region_id = ${changed!.region_id} AND "window" = '1m' AND window_start = ${iso(changed!.window_start)} AND partition = ${changed!.partition}`
    await sql`INSERT INTO revenue_by_minute SELECT * FROM jsonb_populate_record(NULL::revenue_by_minute, ${JSON.stringify({ ...deleted, window_start: iso(deleted!.window_start) })}::text::jsonb)`
    const times = Object.fromEntries(
      ['first_at', 'last_at', 'triggered_at', 'watermark'].map((name) => [name, iso(alert![name])]),
    )
    await sql`INSERT INTO fraud_alerts SELECT * FROM jsonb_populate_record(NULL::fraud_alerts, ${JSON.stringify({ ...alert, ...times })}::text::jsonb)`
  }
})

it('says when a range is not final yet, and until when it is', async () => {
  await expect(reconciled({ toMs: START_MS + 10 * HOUR_MS })).rejects.toThrow(
    /are not final yet: the streams' watermark is at .* Ask again then, or for a range that ends at /,
  )
  expect(await schemas()).toEqual([])
})

// From here on the lake is broken, more and more.

it('finds an amount of the lake that is off by one, and a record that it has twice', async () => {
  const { lake } = world
  const all = await rowsOf()
  const inRange = ({ event_time }: Row) => Number(event_time) / 1_000 >= FROM_MS && Number(event_time) / 1_000 < TO_MS
  const again = all.find((row) => inRange(row) && row.status === 'success')!
  await append([again])
  const { metadata } = await loadTable(lake, orders)
  const isVictim = (row: Row) => inRange(row) && row.status === 'success' && row.log_offset !== again.log_offset
  const victim = all.find(isVictim)!
  let [file, rows, changed]: [DataFile | undefined, Row[], Row | undefined] = [undefined, [], undefined]
  for (const each of (await planScan(lake, metadata)).files) {
    rows = await rowsOf([each.file.path])
    changed = rows.find((row) => row.log_offset === victim.log_offset && row.log_partition === victim.log_partition)
    file = each.file
    if (changed) break
  }
  const writer = await openWriter(lake, metadata)
  await writer.append(
    columnsOf(
      rows.map((row) => (row === changed ? { ...row, amount_minor: BigInt(row.amount_minor as bigint) + 1n } : row)),
    ),
    rows.length,
  )
  await replaceFiles(lake, orders, { ...overwrite(metadata), removed: [file!], added: await writer.finish() })

  const report = await reconciled()
  const found = wrong(report)
  expect(found).toContainEqual(
    expect.objectContaining({
      table_name: 'transactions.orders',
      cause: 'doubled',
      sample: [`transactions.orders:${again.log_partition}:${again.log_offset}`],
    }),
  )
  const minute = Math.floor(Number(victim.event_time) / 60_000_000) * 60_000
  expect(found).toContainEqual(
    expect.objectContaining({
      table_name: 'revenue_by_minute',
      cause: 'changed',
      key: expect.objectContaining({ window_start: minute, partition: victim.log_partition }),
      minor: { [String(victim.currency)]: 1 },
    }),
  )
})

it('finds a file that is gone from the metadata, by the offsets that are missing', async () => {
  const { lake } = world
  const { metadata } = await loadTable(lake, orders)
  const [file] = (await planScan(lake, metadata)).files.filter(({ file }) => file.recordCount > 20)
  const rows = await rowsOf([file!.file.path])
  await replaceFiles(lake, orders, { ...overwrite(metadata), removed: [file!.file], added: [] })
  const report = await reconciled()
  const gaps = wrong(report).filter(({ cause }) => cause === 'gap')
  expect(gaps.length).toBeGreaterThan(0)
  expect(gaps[0]!.message).toMatch(
    /^The lake has no rows of transactions.orders-\d from offset \d+ to \d+, and they are no dead letters/,
  )
  expect(rows.length).toBeGreaterThan(0)
})

it('names a file that is gone from the disk', async () => {
  const { lake } = world
  const { metadata } = await loadTable(lake, orders)
  const path = (await planScan(lake, metadata)).files.at(-1)!.file.path
  await rm(fileURLToPath(lake.files.normalise(path)))
  const report = await reconciled()
  expect(report).toMatchObject({ outcome: 'incident', unexplained: 1 })
  expect(wrong(report)).toMatchObject([
    { table_name: 'lake', cause: 'damaged', message: expect.stringContaining(path) },
  ])
  expect(await schemas()).toEqual([])
})

const overwrite = (metadata: TableMetadata) => ({
  operation: 'overwrite' as const,
  plannedAt: metadata['last-sequence-number'],
})

async function rowsOf(paths?: readonly string[]): Promise<Row[]> {
  const { lake } = world
  const plan = await planScan(lake, (await loadTable(lake, orders)).metadata)
  const files = plan.files.filter(({ file }) => paths?.includes(file.path) ?? true)
  const rows: Row[] = []
  for await (const batch of readRows(lake, { ...plan, files })) rows.push(...batch)
  return rows
}

async function append(rows: readonly Row[]): Promise<void> {
  const { lake } = world
  const writer = await openWriter(lake, (await loadTable(lake, orders)).metadata)
  await writer.append(columnsOf(rows), rows.length)
  await appendFiles(lake, orders, await writer.finish())
}

const columnsOf = (rows: readonly Row[]) =>
  Object.fromEntries(Object.keys(rows[0]!).map((name) => [name, rows.map((row) => row[name]!)]))

async function schemas(): Promise<string[]> {
  const found = await database.sql<{ nspname: string }[]>`SELECT nspname FROM pg_namespace WHERE nspname LIKE 'shadow%'`
  return found.map(({ nspname }) => nspname)
}

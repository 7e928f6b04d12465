import fc from 'fast-check'
import { expect, it } from 'vitest'
import { FUNNEL_STAGES, type ResultRows, type ResultTable } from '../../../streams/contract/results.ts'
import { withPostgres } from '../../testing/postgres.ts'
import { resultRow, SAMPLE_TIME as T } from '../../testing/result-rows.ts'
import type { Sql } from '../connect.ts'
import { createResultStore } from '../result-store.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, type TimeRange } from './numbers.ts'
import { topProducts } from './products.ts'
import { topRegions } from './regions.ts'

const postgres = withPostgres()
/** More than two whole weeks, wherever these begin. */
const HOURS = 22 * 24

interface Rollup {
  table: string
  of: string
  window: string
  time?: string
  keys: string[]
  /** By column, what it is the sum of. */
  sums: Record<string, string>
  where?: string
}

const MONEY = { orders: 'orders', revenue_minor: 'revenue_minor', refunds: 'refunds', refunded_minor: 'refunded_minor' }
const TRIPS = { trips: 'trips', fare_minor: 'fare_minor', duration_s: 'duration_s', distance_m: 'distance_m' }
const OPEN = { open: '(NOT final)::int' }
const ROLLUPS: Rollup[] = [
  {
    table: 'traffic_by_hour',
    of: 'traffic_by_minute',
    window: '1 hour',
    keys: ['event_type', 'partition'],
    sums: { events: 'events', ...OPEN },
  },
  {
    table: 'revenue_by_hour',
    of: 'revenue_by_minute',
    window: '1 hour',
    keys: ['category', 'currency', 'partition'],
    sums: { ...MONEY, ...OPEN },
  },
  {
    table: 'sessions_by_hour',
    of: 'sessions',
    window: '1 hour',
    time: 'started_at',
    keys: ['funnel_stage', 'partition'],
    sums: { sessions: '1', converted: '(purchases > 0)::int' },
    where: 'merged_into IS NULL',
  },
  {
    table: 'products_by_week',
    of: 'products_by_hour',
    window: '7 days',
    keys: ['topic', 'product_id', 'currency', 'partition'],
    sums: { views: 'views', carts: 'carts', purchases: 'purchases', revenue_minor: 'revenue_minor' },
  },
  {
    table: 'trips_by_day',
    of: 'trips_by_region',
    window: '1 day',
    keys: ['region_id', 'currency', 'partition'],
    sums: TRIPS,
    where: `"window" = '1h'`,
  },
]

const hour = fc.integer({ min: 0, max: HOURS - 1 }).map((h) => T + h * HOUR_MS)
/** Few, so that rows meet others of their key; and two to a day. */
const rowHour = fc
  .tuple(fc.integer({ min: 0, max: 8 }), fc.constantFrom(0, 5))
  .map(([n, h]) => T + (n * 64 + h) * HOUR_MS)
const minute = fc.integer({ min: 0, max: 90 }).map((m) => T + m * MINUTE_MS)
const amount = fc.integer({ min: 1, max: 9 })
/** Low, so that rows are replaced, and zombies' rows are not taken. */
const version = { partition: fc.integer({ min: 0, max: 1 }), position: amount, final: fc.boolean() }

const many = <Row>(shape: { [Column in keyof Row]: fc.Arbitrary<Row[Column]> }) =>
  fc.array(fc.record(shape), { maxLength: 25 })

const ROWS = {
  traffic_by_minute: many({
    window_start: minute,
    event_type: fc.constantFrom('purchase', 'page_view'),
    events: amount,
    ...version,
  }),
  revenue_by_minute: many({
    window_start: minute,
    category: fc.constantFrom('books', 'home'),
    currency: fc.constantFrom('TRY', 'EUR'),
    orders: amount,
    revenue_minor: amount,
    refunds: amount,
    refunded_minor: amount,
    ...version,
  }),
  sessions: many({
    session_id: fc.constantFrom('s1', 's2', 's3', 's4'),
    started_at: minute,
    funnel_stage: fc.constantFrom(...FUNNEL_STAGES),
    purchases: fc.integer({ min: 0, max: 1 }),
    merged_into: fc.constantFrom(null, null, 's1'),
    ...version,
  }),
  products_by_hour: many({
    topic: fc.constantFrom('clickstream.events', 'transactions.orders'),
    window_start: rowHour,
    product_id: fc.constantFrom('p1', 'p2'),
    currency: fc.constantFrom('', 'TRY'),
    views: amount,
    carts: amount,
    purchases: amount,
    revenue_minor: amount,
    ...version,
  }),
  trips_by_region: many({
    region_id: fc.constantFrom('1', '2'),
    window: fc.constantFrom('1m' as const, '1h' as const),
    window_start: rowHour,
    currency: fc.constantFrom('USD', 'EUR'),
    trips: amount,
    fare_minor: amount,
    duration_s: amount,
    distance_m: amount,
    ...version,
  }),
}
type Summed = keyof typeof ROWS
const TABLES = Object.keys(ROWS) as Summed[]

/** Rows come in, or those of a partition from some time on are taken away, as a replay does it. */
type Step =
  | { add: { [Table in Summed]?: Partial<ResultRows[Table]>[] } }
  | { remove: Summed; partition: number; from: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ add: fc.record(ROWS, { requiredKeys: [] }) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      remove: fc.constantFrom(...TABLES),
      partition: version.partition,
      from: fc.oneof(rowHour, minute),
    }),
  },
)

it('sums are those of their rows, however these were added, replaced and removed, and questions are answered as from the rows', async () => {
  const { sql } = await postgres.database()
  const range = fc.tuple(hour, hour).map(([a, b]) => ({ from: Math.min(a, b), to: Math.max(a, b) + HOUR_MS }))
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), range, async (steps, asked) => {
      await sql.unsafe(`TRUNCATE ${[...TABLES, ...ROLLUPS.map(({ table }) => table)].join(', ')}`)
      for (const each of steps) await take(sql, each)
      for (const rollup of ROLLUPS) expect(await kept(sql, rollup), rollup.table).toEqual(await summed(sql, rollup))
      const everything = { from: T - DAY_MS, to: T + (HOURS + 24) * HOUR_MS }
      for (const time of [asked, everything]) {
        const question = { ...time, limit: 10, by: 'purchases', currency: 'TRY' } as const
        expect((await topProducts(sql, question)).items).toEqual(await productsOf(sql, time))
        expect((await topRegions(sql, { ...time, limit: 10 })).items).toEqual(await regionsOf(sql, time))
      }
    }),
    { numRuns: 40 },
  )
})

async function take(sql: Sql, each: Step): Promise<void> {
  if ('remove' in each) {
    const time = each.remove === 'sessions' ? 'started_at' : 'window_start'
    await sql`
      DELETE FROM ${sql(each.remove)} WHERE partition = ${each.partition} AND ${sql(time)} >= to_timestamp(${each.from / 1000}::float8)`
    return
  }
  const rows = Object.fromEntries(
    Object.entries(each.add).map(([table, changes]) => [
      table,
      changes.map((change) => resultRow(table as ResultTable, change)),
    ]),
  )
  await createResultStore(sql).apply({ rows, outbox: [], progress: [] })
}

const names = (columns: readonly string[]): string => columns.map((column) => `"${column}"`).join(', ')

/** What the triggers have kept, but for what is all zeros: its rows were removed. */
function kept(sql: Sql, { table, keys, sums }: Rollup) {
  const columns = Object.keys(sums)
  const zeros = columns.map(() => '0').join(', ')
  return rowsOf(
    sql,
    `SELECT window_start, ${names(keys)}, ${names(columns)} FROM ${table} WHERE (${names(columns)}) <> (${zeros}) ORDER BY window_start, ${names(keys)}`,
  )
}

function summed(sql: Sql, { of, window, time = 'window_start', keys, sums, where = 'true' }: Rollup) {
  const columns = Object.entries(sums).map(([name, what]) => `sum(${what})::bigint AS ${name}`)
  return rowsOf(
    sql,
    `SELECT date_bin('${window}', ${time}, 'epoch') AS window_start, ${names(keys)}, ${columns.join(', ')} FROM ${of} WHERE ${where}
    GROUP BY 1, ${names(keys)} ORDER BY 1, ${names(keys)}`,
  )
}

async function rowsOf(sql: Sql, text: string): Promise<object[]> {
  return (await sql.unsafe(text)).map((row) => ({ ...row }))
}

/** The answer of `topProducts` by purchases, from the hours alone. */
function productsOf(sql: Sql, { from, to }: TimeRange) {
  return rowsOf(
    sql,
    `WITH p AS (
      SELECT product_id, currency, sum(views) AS views, sum(carts) AS carts, sum(purchases) AS purchases, sum(revenue_minor) AS revenue_minor
      FROM products_by_hour WHERE window_start >= to_timestamp(${from / 1000}) AND window_start < to_timestamp(${to / 1000}) GROUP BY 1, 2
    )
    SELECT product_id, sum(views)::bigint AS views, sum(carts)::bigint AS carts, sum(purchases)::bigint AS purchases,
      coalesce(jsonb_object_agg(currency, revenue_minor::bigint) FILTER (WHERE currency <> ''), '{}') AS revenue_minor
    FROM p GROUP BY 1 ORDER BY purchases DESC, product_id`,
  )
}

/** The answer of `topRegions` for whole hours, from the windows of an hour alone. */
function regionsOf(sql: Sql, { from, to }: TimeRange) {
  return rowsOf(
    sql,
    `WITH t AS (
      SELECT region_id, currency, sum(trips) AS trips, sum(duration_s) AS duration_s, sum(distance_m) AS distance_m, sum(fare_minor) AS fare_minor
      FROM trips_by_region WHERE "window" = '1h' AND window_start >= to_timestamp(${from / 1000}) AND window_start < to_timestamp(${to / 1000}) GROUP BY 1, 2
    )
    SELECT region_id, sum(trips)::bigint AS trips, sum(duration_s)::bigint AS duration_s, sum(distance_m)::bigint AS distance_m,
      jsonb_object_agg(currency, fare_minor::bigint) AS fare_minor
    FROM t GROUP BY 1 ORDER BY trips DESC, region_id`,
  )
}

/** Which days are open: rows that came late, days that lose a row to another, days that were never built. And what is published of them. */
import { expect, test } from 'vitest'
import { temporaryLakes } from '../lake/testing/temporary-lake.ts'
import { noteDay, openDays } from '../postgres/batch-days.ts'
import { publishDay } from '../postgres/publish-day.ts'
import { withPostgres } from '../testing/postgres.ts'
import { buildDay } from './day.ts'
import { createDuckdbModels } from './duckdb.ts'
import { figuresOf } from './figures.ts'
import { overtakenDays } from './overtaken-days.ts'
import { rawDays } from './raw-days.ts'
import { appendRaw, randomRows } from './testing/raw-rows.ts'

const postgres = withPostgres()
const lakes = temporaryLakes()

const order = randomRows({ seed: 7, from: 0, days: 1, events: 1 }).orders[0]!
/** Of one order id, so that they are copies of each other. */
const copy = (eventTime: string, appendedAt: string, offset: number) => ({
  ...order,
  order_id: 'o',
  user_id: 'ada',
  status: 'success' as const,
  amount_minor: 100,
  currency: 'TRY',
  category: 'a\u0000b',
  region: null,
  event_time: Date.parse(eventTime),
  log_appended_at: Date.parse(appendedAt),
  log_partition: 0,
  log_offset: offset,
})

test('a day is open until it is built, when its rows change, and when another day has taken one of them', async () => {
  const { sql } = await postgres.database()
  const lake = await lakes()
  const engine = createDuckdbModels(lake)
  const build = async (day: string) => {
    const { counts, sequences } = await buildDay(lake, engine, day)
    const overtaken = await overtakenDays(lake, day)
    await noteDay(sql, { day, counts, sequences, overtaken, runId: 'a run', nowMs: Date.parse('2026-01-05') })
    return overtaken
  }
  const open = async () =>
    Object.fromEntries((await openDays(sql, await rawDays(lake))).map((each) => [each.day, each.why]))
  const published = async (day: string) => {
    await publishDay(sql, day, await figuresOf(lake, day), 0)
    const [kpis] = await sql`SELECT orders, revenue, published_at FROM daily_kpis WHERE day = ${day}`
    const categories = await sql`SELECT category, gross_minor FROM daily_revenue_by_category WHERE day = ${day}`
    return { orders: kpis?.orders ?? null, gross: kpis?.revenue.TRY.gross_minor, categories: [...categories] }
  }

  await appendRaw(lake, { orders: [copy('2026-01-02T12:00Z', '2026-01-02T12:00:01Z', 5)] })
  await appendRaw(lake, { orders: [{ ...copy('2026-01-03T12:00Z', '2026-01-03T12:00:01Z', 6), order_id: 'other' }] })
  expect(await open()).toEqual({ '2026-01-02': 'It has not been built.', '2026-01-03': 'It has not been built.' })
  await build('2026-01-02')
  await build('2026-01-03')
  expect(await open()).toEqual({})
  expect(await published('2026-01-02')).toEqual({
    orders: 1,
    gross: 100,
    categories: [{ category: 'a\ufffdb', gross_minor: 100 }],
  })

  // A copy of another day that the log accepted before, and that came into the lake only now.
  await appendRaw(lake, { orders: [copy('2026-01-01T12:00Z', '2026-01-01T12:00:01Z', 4)] })
  expect(await open()).toEqual({ '2026-01-01': 'It has not been built.' })
  expect(await build('2026-01-01')).toEqual({ 'raw.orders': ['2026-01-02'] })
  expect(await open()).toEqual({
    '2026-01-02': '2026-01-01 has rows of raw.orders that count instead of rows of this day.',
  })
  await build('2026-01-02')
  expect(await open()).toEqual({})
  expect(await published('2026-01-01')).toMatchObject({ orders: 1 })
  expect(await published('2026-01-02')).toEqual({ orders: null, gross: undefined, categories: [] })

  // One that the log accepted later than the copy that counts changes nothing elsewhere, but its day has another count.
  await appendRaw(lake, { orders: [copy('2026-01-03T13:00Z', '2026-01-04T12:00:01Z', 9)] })
  expect(await open()).toEqual({
    '2026-01-03': 'Since it was built its rows have changed: raw.orders 1 rows, now 2.',
  })
  expect(await build('2026-01-03')).toEqual({})
  expect(await open()).toEqual({})
  await build('2026-01-03')
  expect(await open()).toEqual({})
})

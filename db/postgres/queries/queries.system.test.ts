import { beforeAll, describe, expect, it } from 'vitest'
import type { ResultRows } from '../../../streams/contract/results.ts'
import { withPostgres } from '../../testing/postgres.ts'
import { resultRow, SAMPLE_TIME as T } from '../../testing/result-rows.ts'
import type { Sql } from '../connect.ts'
import { createManifestStore } from '../manifest-store.ts'
import { createResultStore } from '../result-store.ts'
import { fraudAlert, fraudAlerts } from './alerts.ts'
import { encodeCursor, type Page } from './cursor.ts'
import { funnel } from './funnel.ts'
import { freshness, pipelines } from './health.ts'
import { HOUR_MS, MINUTE_MS, QueryError } from './numbers.ts'
import { overview } from './overview.ts'
import { topProducts } from './products.ts'
import { region, topRegions } from './regions.ts'
import { userSessions } from './sessions.ts'
import { eventsTimeseries, revenueTimeseries } from './timeseries.ts'

const postgres = withPostgres()
let sql: Sql

const revenue = (changes: Partial<ResultRows['revenue_by_minute']>) =>
  resultRow('revenue_by_minute', { orders: 1, revenue_minor: 100, refunds: 0, refunded_minor: 0, ...changes })
const traffic = (changes: Partial<ResultRows['traffic_by_minute']>) =>
  resultRow('traffic_by_minute', { final: true, ...changes })
const product = (changes: Partial<ResultRows['products_by_hour']>) =>
  resultRow('products_by_hour', { product_id: 'p1', views: 0, carts: 0, ...changes })
const trip = (changes: Partial<ResultRows['trips_by_region']>) =>
  resultRow('trips_by_region', {
    trips: 1,
    fare_minor: 1_000,
    duration_s: 600,
    distance_m: 5_000,
    final: true,
    ...changes,
  })
const session = (id: string, changes: Partial<ResultRows['sessions']> = {}) =>
  resultRow('sessions', { session_id: id, started_at: T, ended_at: T + MINUTE_MS, purchases: 0, ...changes })
const alert = (id: string, changes: Partial<ResultRows['fraud_alerts']> = {}) =>
  resultRow('fraud_alerts', { alert_id: id, ...changes })

beforeAll(async () => {
  ;({ sql } = await postgres.database())
  await createResultStore(sql).apply({
    outbox: [],
    progress: [],
    rows: {
      revenue_by_minute: [
        revenue({ partition: 0 }),
        revenue({ partition: 1, revenue_minor: 23, refunds: 1, refunded_minor: 7, final: false }),
        revenue({ partition: 0, category: 'books' }),
        revenue({ partition: 0, currency: 'EUR', revenue_minor: 9 }),
        revenue({ partition: 0, window_start: T + 7 * MINUTE_MS }),
        revenue({ partition: 0, window_start: T - MINUTE_MS, revenue_minor: 55 }),
      ],
      traffic_by_minute: [
        traffic({ partition: 0, events: 10, users: 4 }),
        traffic({ partition: 1, events: 5, users: 2 }),
        traffic({ partition: 1, event_type: 'purchase', events: 1, users: 1, final: false }),
        traffic({ partition: 0, window_start: T + MINUTE_MS, events: 30, users: 4 }),
        traffic({ partition: 0, window_start: T + 2 * MINUTE_MS, events: 60, users: 9 }),
      ],
      products_by_hour: [
        product({ partition: 0, views: 10, carts: 2 }),
        product({ partition: 1, views: 5, carts: 9 }),
        product({ topic: 'transactions.orders', currency: 'TRY', purchases: 2, revenue_minor: 500 }),
        product({ topic: 'transactions.orders', currency: 'EUR', purchases: 1, revenue_minor: 900 }),
        product({ product_id: 'p2', views: 99, carts: 0 }),
        product({ product_id: 'p3', topic: 'transactions.orders', currency: 'TRY', purchases: 1, revenue_minor: 501 }),
        product({ product_id: 'p1', views: 1_000, window_start: T - HOUR_MS }),
      ],
      trips_by_region: [
        trip({ partition: 0, window: '1m' }),
        trip({ partition: 3, window: '1m', fare_minor: 2_001, final: false }),
        trip({ window: '1m', window_start: T + MINUTE_MS }),
        trip({ window: '5m' }),
        trip({ window: '1m', region_id: 'other' }),
        ...(['1m', '1h'] as const).map((window) => trip({ window, region_id: '161', currency: 'TRY' })),
        trip({ window: '1m', region_id: '161', currency: 'EUR' }),
        trip({ window: '1m', window_start: T + MINUTE_MS, region_id: '161', currency: 'TRY', trips: 2 }),
        // Hours that no minute contradicts here: so it shows which windows were read.
        trip({ window: '1h', window_start: T + HOUR_MS, region_id: '161', currency: 'TRY', trips: 40 }),
        trip({ window: '1m', window_start: T + 2 * HOUR_MS, region_id: '161', currency: 'TRY', trips: 300 }),
        trip({ window: '1m', window_start: T + 2 * HOUR_MS + MINUTE_MS, region_id: '161', currency: 'TRY', trips: 5 }),
      ],
      sessions: [
        session('s1', { purchases: 1 }),
        session('s2'),
        session('s3', { started_at: T + HOUR_MS, ended_at: T + HOUR_MS }),
        session('s4', { user_id: 'u2', started_at: T - 3 * HOUR_MS, ended_at: T - 2 * HOUR_MS }),
        session('s5', { merged_into: 's1', purchases: 1 }),
      ],
      fraud_alerts: [
        alert('a1', { triggered_at: T }),
        alert('a2', { triggered_at: T }),
        alert('a3', { triggered_at: T + 1, user_id: 'u2' }),
        alert('a4', { triggered_at: T + 2, state: 'superseded', superseded_by: 'a5' }),
        alert('a5', { triggered_at: T + HOUR_MS }),
      ],
    },
  })
})

/** All pages of a query, one after the other. */
async function allPages<T>(page: (cursor: string | undefined) => Promise<Page<T>>): Promise<T[][]> {
  const pages: T[][] = []
  let cursor: string | undefined
  do {
    const { items, next } = await page(cursor)
    pages.push(items)
    cursor = next ?? undefined
  } while (cursor !== undefined && pages.length < 20)
  return pages
}

describe('overview', () => {
  it('adds up the partitions of the range', async () => {
    const found = await overview(sql, { from: T + 30_000, to: T + HOUR_MS, now: T + 2 * MINUTE_MS + 30_000 })
    expect(found).toEqual({
      from: T + 30_000,
      to: T + HOUR_MS,
      events: 106,
      // 60 in this minute, and half of the 30 of the one before.
      events_per_second: 75 / 60,
      orders: 5,
      refunds: 1,
      // The hour as such: its row says less than its minutes here, so that it shows.
      trips: 1,
      revenue_minor: { TRY: 323, EUR: 9 },
      refunded_minor: { TRY: 7, EUR: 0 },
      active_sessions: 2,
      sessions: 0,
      converted_sessions: 0,
      conversion: null,
      alerts: 0,
    })
  })

  it('counts sessions by their start, and leaves merged ones and superseded alerts out', async () => {
    const found = await overview(sql, { from: T, to: T + MINUTE_MS, now: T })
    expect(found).toMatchObject({ sessions: 2, converted_sessions: 1, conversion: 0.5, alerts: 3 })
  })

  it('is all zeros where nothing happened', async () => {
    const found = await overview(sql, { from: 0, to: MINUTE_MS, now: MINUTE_MS })
    expect(found).toMatchObject({
      events: 0,
      events_per_second: 0,
      orders: 0,
      trips: 0,
      revenue_minor: {},
      conversion: null,
    })
  })
})

describe('series', () => {
  it('of events give every bucket, with exact users for single minutes', async () => {
    expect(await eventsTimeseries(sql, { from: T + 1, to: T + 3 * MINUTE_MS + 1, bucketMs: MINUTE_MS })).toEqual([
      {
        start: T,
        events: 16,
        by_type: { page_view: 15, purchase: 1 },
        users_by_type: { page_view: 6, purchase: 1 },
        final: false,
      },
      { start: T + MINUTE_MS, events: 30, by_type: { page_view: 30 }, users_by_type: { page_view: 4 }, final: true },
      {
        start: T + 2 * MINUTE_MS,
        events: 60,
        by_type: { page_view: 60 },
        users_by_type: { page_view: 9 },
        final: true,
      },
      { start: T + 3 * MINUTE_MS, events: 0, by_type: {}, users_by_type: {}, final: false },
    ])
  })

  it('of events do not pretend to know the users of longer buckets', async () => {
    expect(
      await eventsTimeseries(sql, { from: T + 2 * MINUTE_MS, to: T + 5 * MINUTE_MS, bucketMs: 5 * MINUTE_MS }),
    ).toEqual([{ start: T, events: 106, by_type: { page_view: 105, purchase: 1 }, users_by_type: null, final: false }])
  })

  it('of revenue come per currency, and can be narrowed to a category or a currency', async () => {
    const range = { from: T, to: T + 10 * MINUTE_MS, bucketMs: 5 * MINUTE_MS }
    const point = { start: T, orders: 0, revenue_minor: 0, refunds: 0, refunded_minor: 0, final: false }
    const late = { ...point, start: T + 5 * MINUTE_MS }
    const turkish = [
      { ...point, currency: 'TRY', orders: 3, revenue_minor: 223, refunds: 1, refunded_minor: 7 },
      { ...late, currency: 'TRY', orders: 1, revenue_minor: 100, final: true },
    ]
    expect(await revenueTimeseries(sql, range)).toEqual([
      { ...point, currency: 'EUR', orders: 1, revenue_minor: 9, final: true },
      { ...late, currency: 'EUR' },
      ...turkish,
    ])
    expect(await revenueTimeseries(sql, { ...range, currency: 'TRY' })).toEqual(turkish)
    expect(await revenueTimeseries(sql, { ...range, currency: 'TRY', category: 'books' })).toEqual([
      { ...point, currency: 'TRY', orders: 1, revenue_minor: 100, final: true },
      { ...late, currency: 'TRY' },
    ])
    expect(await revenueTimeseries(sql, { ...range, currency: 'USD' })).toEqual(
      [point, late].map((p) => ({ ...p, currency: 'USD' })),
    )
    expect(await revenueTimeseries(sql, { ...range, category: 'none' })).toEqual([])
  })

  it.each([
    [{ from: 1, to: 1, bucketMs: MINUTE_MS }, /before/],
    [{ from: 0, to: 1, bucketMs: 90_000 }, /whole minutes/],
    [{ from: 0, to: 1, bucketMs: 0 }, /whole minutes/],
    [{ from: 0, to: 1, bucketMs: Number.NaN }, /whole minutes/],
    [{ from: 0, to: 10_001 * MINUTE_MS, bucketMs: MINUTE_MS }, /10001 points/],
  ])('refuse %j', async (range, sentence) => {
    await expect(eventsTimeseries(sql, range)).rejects.toThrow(sentence)
    await expect(revenueTimeseries(sql, range)).rejects.toBeInstanceOf(QueryError)
  })

  it('refuse to give a sum that a number cannot hold to the cent', async () => {
    const { sql: other } = await postgres.database()
    const half = 2 ** 52
    const rows = [0, 1].map((partition) => revenue({ partition, revenue_minor: half }))
    const range = { from: T, to: T + 1, bucketMs: MINUTE_MS }
    await createResultStore(other).apply({ rows: { revenue_by_minute: rows }, outbox: [], progress: [] })
    await expect(revenueTimeseries(other, range)).rejects.toThrow(/Ask for a shorter time/)
    await createResultStore(other).apply({
      rows: { revenue_by_minute: [revenue({ partition: 1, revenue_minor: half - 1, position: 99 })] },
      outbox: [],
      progress: [],
    })
    expect(await revenueTimeseries(other, range)).toMatchObject([{ revenue_minor: 2 ** 53 - 1 }])
  })
})

describe('topProducts', () => {
  const range = { from: T + 1, to: T + 1_000, limit: 10, currency: 'TRY' }
  const idsBy = async (by: 'views' | 'carts' | 'purchases' | 'revenue', changes = {}) =>
    (await topProducts(sql, { ...range, by, ...changes })).items.map((row) => row.product_id)

  it('adds up topics, currencies and partitions', async () => {
    expect((await topProducts(sql, { ...range, by: 'carts' })).items).toEqual([
      { product_id: 'p1', views: 15, carts: 11, purchases: 3, revenue_minor: { TRY: 500, EUR: 900 } },
    ])
  })

  it('orders by what is asked, revenue within one currency', async () => {
    expect(await idsBy('views')).toEqual(['p2', 'p1'])
    expect(await idsBy('purchases')).toEqual(['p1', 'p3'])
    expect(await idsBy('revenue')).toEqual(['p3', 'p1'])
    expect(await idsBy('revenue', { currency: 'EUR' })).toEqual(['p1'])
    expect(await idsBy('views', { limit: 1 })).toEqual(['p2'])
  })

  it('come in pages, whatever they are ordered by, those of one number by id', async () => {
    const all = { ...range, from: T - HOUR_MS }
    for (const by of ['views', 'purchases', 'revenue'] as const) {
      const { items } = await topProducts(sql, { ...all, by, limit: 10 })
      const pages = await allPages((cursor) => topProducts(sql, { ...all, by, limit: 1, cursor }))
      expect(pages.flat()).toEqual(items)
      expect(pages).toHaveLength(2)
    }
  })
})

describe('region', () => {
  it('gives windows newest first, with averages over all partitions', async () => {
    const found = await region(sql, { regionId: '132', window: '1m', from: T + 5, to: T + HOUR_MS, limit: 10 })
    expect(found.items).toMatchObject([
      { window_start: T + MINUTE_MS, trips: 1, final: true },
      {
        window_start: T,
        currency: 'USD',
        trips: 2,
        fare_minor: 3_001,
        fare_minor_average: 1_500.5,
        duration_s_average: 600,
        distance_m_average: 5_000,
        final: false,
      },
    ])
    const none = await region(sql, { regionId: '132', window: '1h', from: T, to: T + HOUR_MS, limit: 1 })
    expect(none).toEqual({ items: [], next: null })
  })

  it('comes in pages that may end between the currencies of a window', async () => {
    const question = { regionId: '161', window: '1m', from: T, to: T + HOUR_MS } as const
    const pages = await allPages((cursor) => region(sql, { ...question, limit: 1, cursor }))
    expect(pages.flat().map(({ window_start, currency }) => [window_start - T, currency])).toEqual([
      [MINUTE_MS, 'TRY'],
      [0, 'EUR'],
      [0, 'TRY'],
    ])
  })

  it('refuses a window that is not kept', async () => {
    const odd = { regionId: '1', window: '2m' as '1m', from: T, to: T + 1, limit: 1 }
    await expect(region(sql, odd)).rejects.toThrow(/1m, 5m, 1h/)
  })
})

describe('topRegions', () => {
  const ask = (from: number, to: number, page: { limit?: number; cursor?: string | undefined } = {}) =>
    topRegions(sql, { from, to, limit: 10, ...page })

  it('reads whole hours as such, and minutes at both ends', async () => {
    // From the second minute on: 2 of its minute, 40 of the hour, and the first minute of the last hour.
    const { items } = await ask(T + MINUTE_MS, T + 2 * HOUR_MS + MINUTE_MS)
    expect(items).toMatchObject([
      { region_id: '161', trips: 342 },
      { region_id: '132', trips: 1 },
    ])
  })

  it('adds up partitions and currencies', async () => {
    const { items } = await ask(T, T + 2 * MINUTE_MS)
    expect(items).toEqual([
      { region_id: '161', trips: 4, duration_s: 1_800, distance_m: 15_000, fare_minor: { EUR: 1_000, TRY: 2_000 } },
      { region_id: '132', trips: 3, duration_s: 1_800, distance_m: 15_000, fare_minor: { USD: 4_001 } },
      { region_id: 'other', trips: 1, duration_s: 600, distance_m: 5_000, fare_minor: { USD: 1_000 } },
    ])
  })

  it('comes in pages', async () => {
    const all = (await ask(T, T + 2 * MINUTE_MS)).items
    const pages = await allPages((cursor) => ask(T, T + 2 * MINUTE_MS, { limit: 1, cursor }))
    expect(pages).toEqual(all.map((row) => [row]))
  })
})

describe('funnel', () => {
  it('counts a session at its stage and at every one before, merged ones in their survivor only', async () => {
    const { sql: own } = await postgres.database()
    const stages = ['visit', 'visit', 'product_view', 'checkout', 'purchase'] as const
    const rows = stages.map((funnel_stage, i) => session(`f${i}`, { funnel_stage }))
    rows.push(
      session('merged', { funnel_stage: 'purchase', merged_into: 'f0' }),
      session('later', { started_at: T + HOUR_MS }),
    )
    await createResultStore(own).apply({ rows: { sessions: rows }, outbox: [], progress: [] })
    expect(await funnel(own, { from: T, to: T + HOUR_MS })).toEqual([
      { stage: 'visit', sessions: 5 },
      { stage: 'product_view', sessions: 3 },
      { stage: 'cart', sessions: 2 },
      { stage: 'checkout', sessions: 2 },
      { stage: 'purchase', sessions: 1 },
    ])
    expect((await funnel(own, { from: 0, to: 1 })).map(({ sessions }) => sessions)).toEqual([0, 0, 0, 0, 0])
  })
})

describe('pages', () => {
  it('of alerts come newest first, each alert once, whatever the page size', async () => {
    const all = ['a5', 'a4', 'a3', 'a2', 'a1']
    for (const limit of [1, 2, 3, 5, 6]) {
      const pages = await allPages((cursor) => fraudAlerts(sql, { limit, cursor }))
      expect(pages.flat().map((row) => row.alert_id)).toEqual(all)
      expect(pages).toHaveLength(Math.ceil(all.length / limit))
    }
  })

  it('of alerts can be narrowed to a user and a state', async () => {
    const ids = async (filter: object) =>
      (await fraudAlerts(sql, { limit: 10, ...filter })).items.map((row) => row.alert_id)
    expect(await ids({ userId: 'u2' })).toEqual(['a3'])
    expect(await ids({ state: 'superseded' })).toEqual(['a4'])
    expect(await ids({ userId: 'u1', state: 'active' })).toEqual(['a5', 'a2', 'a1'])
    expect(await ids({ userId: "u1' OR true --" })).toEqual([])
  })

  it('stay in place while newer rows come in', async () => {
    const first = await fraudAlerts(sql, { limit: 2 })
    await createResultStore(sql).apply({
      rows: { fraud_alerts: [alert('new', { triggered_at: T + 9e6 })] },
      outbox: [],
      progress: [],
    })
    const second = await fraudAlerts(sql, { limit: 2, cursor: first.next! })
    await sql`DELETE FROM fraud_alerts WHERE alert_id = 'new'`
    expect(second.items.map((row) => row.alert_id)).toEqual(['a3', 'a2'])
  })

  it('of sessions show a user the sessions that are, not those merged away', async () => {
    const pages = await allPages((cursor) => userSessions(sql, 'u1', { limit: 2, cursor }))
    expect(pages.map((items) => items.map((row) => row.session_id))).toEqual([['s3', 's2'], ['s1']])
    expect(pages[1]![0]).toEqual(session('s1', { purchases: 1 }))
    expect(await userSessions(sql, 'nobody', { limit: 2 })).toEqual({ items: [], next: null })
  })

  it.each(['', 'x', '%', encodeCursor({ at: 1, id: 'a' }).slice(2), Buffer.from('["a",1]').toString('base64url')])(
    'refuse the cursor %j',
    async (cursor) => {
      await expect(fraudAlerts(sql, { limit: 1, cursor })).rejects.toBeInstanceOf(QueryError)
      await expect(userSessions(sql, 'u1', { limit: 1, cursor })).rejects.toThrow(/Leave it out/)
    },
  )

  it('of one alert: with its evidence, or nothing', async () => {
    expect(await fraudAlert(sql, 'a1')).toMatchObject(alert('a1', { triggered_at: T }))
    expect(await fraudAlert(sql, 'nope')).toBeNull()
  })
})

describe('hostile input', () => {
  it('finds nothing, and never fails inside the database', async () => {
    const range = { from: T, to: T + 1, bucketMs: MINUTE_MS }
    for (const text of ['\0', 'u1\0', '\ud800', "'; DROP TABLE users; --", '%', 'x'.repeat(10_000)]) {
      expect(await fraudAlert(sql, text)).toBeNull()
      expect((await fraudAlerts(sql, { limit: 1, userId: text })).items).toEqual([])
      expect((await userSessions(sql, text, { limit: 1 })).items).toEqual([])
      expect((await region(sql, { regionId: text, window: '1m', from: T, to: T + 1, limit: 1 })).items).toEqual([])
      expect(await revenueTimeseries(sql, { ...range, category: text })).toEqual([])
      expect(await revenueTimeseries(sql, { ...range, currency: text })).toMatchObject([{ orders: 0 }])
    }
  })

  it.each([-1e18, 1e18, Number.NaN, Number.POSITIVE_INFINITY])('is refused where a time should be: %s', async (to) => {
    await expect(overview(sql, { from: T, to, now: T })).rejects.toBeInstanceOf(QueryError)
    await expect(topProducts(sql, { from: T, to, limit: 1, by: 'views', currency: 'TRY' })).rejects.toBeInstanceOf(
      QueryError,
    )
    await expect(region(sql, { regionId: '1', window: '1m', from: T, to, limit: 1 })).rejects.toBeInstanceOf(QueryError)
    await expect(eventsTimeseries(sql, { from: T, to, bucketMs: MINUTE_MS })).rejects.toBeInstanceOf(QueryError)
  })
})

describe('health', () => {
  it('tells how far each task is, and how fresh each topic', async () => {
    const { sql: own } = await postgres.database()
    expect(await pipelines(own)).toEqual([])
    expect(await freshness(own)).toEqual([])
    const topic = 'clickstream.events'
    const epoch = await createManifestStore(own).beginEpoch({ topic, partition: 1 }, 'host:42')
    const outcomes = { late: 1, duplicate: 2, dead_letter: 3 }
    const task = {
      topic,
      partition: 1,
      epoch,
      nextOffset: 90,
      endOffset: 100,
      watermarkMs: T,
      events: 84,
      outcomes,
      live: true,
    }
    await createResultStore(own).apply({
      rows: {},
      outbox: [],
      progress: [
        task,
        { ...task, partition: 0, epoch: 1, nextOffset: 7, endOffset: 7, watermarkMs: T + 1, live: false },
      ],
    })
    const found = await pipelines(own)
    expect(found).toMatchObject([
      { topic, partition: 0, lag: 0, watermark: T + 1, live: false },
      {
        topic,
        partition: 1,
        owner: 'host:42',
        lag: 10,
        watermark: T,
        events: 84,
        late: 1,
        duplicates: 2,
        dead_letters: 3,
        live: true,
      },
    ])
    expect(await freshness(own)).toEqual([
      { topic, watermark_min: T, watermark_max: T + 1, lag: 10, updated_at: found[0]!.updated_at },
    ])
    await createManifestStore(own).beginEpoch({ topic, partition: 2 }, 'host:43')
    expect(await freshness(own)).toMatchObject([{ watermark_min: null, watermark_max: T + 1 }])
    expect((await pipelines(own))[2]).toMatchObject({ watermark: null, lag: 0, live: false })
  })
})

describe('the indexes', () => {
  it("serve the newest page of alerts, a user's sessions and a time range without reading whole tables", async () => {
    const { sql: own } = await postgres.database({ max: 1 })
    const many = Array.from({ length: 5_000 }, (_, i) => i)
    await createResultStore(own).apply({
      rows: {
        sessions: many.map((i) => session(`s${i}`, { user_id: `u${i % 500}`, started_at: T + i })),
        fraud_alerts: many.map((i) => alert(`a${i}`, { user_id: `u${i % 500}`, triggered_at: T + i })),
        revenue_by_minute: many.map((i) => revenue({ window_start: T + i * MINUTE_MS })),
      },
      outbox: [],
      progress: [],
    })
    await own`ANALYZE`
    const plan = async (text: string) => JSON.stringify(await own.unsafe(`EXPLAIN ${text}`))
    expect(await plan('SELECT * FROM fraud_alerts ORDER BY triggered_at DESC, alert_id DESC LIMIT 10')).toContain(
      'fraud_alerts_by_time',
    )
    expect(
      await plan(
        "SELECT * FROM sessions WHERE user_id = 'u7' AND merged_into IS NULL ORDER BY started_at DESC, session_id DESC LIMIT 10",
      ),
    ).toContain('sessions_by_user')
    expect(
      await plan(
        `SELECT sum(orders) FROM revenue_by_minute WHERE window_start >= to_timestamp(${T / 1000}) AND window_start < to_timestamp(${T / 1000 + 600})`,
      ),
    ).toContain('revenue_by_minute_key')
  })
})

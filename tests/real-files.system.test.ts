/**
 * Three real files through the real command line into one real platform; then what the API answers equals, to the cent and to the event, what naive
 * readings of the files compute (`naive/`, which know nothing of the product).
 */
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import { at, csvRows, HOUR_MS, MINUTE_MS, utc } from './naive/csv.ts'
import { naiveClickFeatures, naiveOrderFeatures } from './naive/features.ts'
import { naiveTlc } from './naive/nyc-tlc.ts'
import { naiveOnlineRetail } from './naive/online-retail.ts'
import { type NaiveSession, naiveRees46 } from './naive/rees46.ts'
import { type Answer, ask as answerTo, caughtUp, forEach, get } from './support/api.ts'
import { type CliResult, runCli, startPlatform, type TestPlatform, WITHOUT_LAKE } from './support/platform.ts'
import { describeWithFiles } from './support/real-data.ts'

const FILES = ['rees46-2019-10-01.csv', 'online-retail-2010-12.csv', 'nyc-tlc-yellow-2019-q1.csv'] as const
/** As many points as the API gives in one answer. */
const POINTS_MAX = 2000
const EVERYTHING = { from: '1990-01-01T00:00:00Z', to: '2026-01-01T00:00:00Z' }

const iso = (ms: number): string => new Date(ms).toISOString()
const minor = (major: number): number => Math.round(major * 100)
/** Ascending by the first, then by the other part of a key: as PostgreSQL sorts text in the C locale. */
const byCode = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

describeWithFiles('the real files, replayed with their own times', FILES, ([clicksPath, ordersPath, tripsPath]) => {
  const clicks = naiveRees46(clicksPath!)
  const orders = naiveOnlineRetail(ordersPath!)
  const trips = naiveTlc(tripsPath!)
  let platform: TestPlatform
  const ask = (path: string, query: Parameters<typeof get>[2] = {}): Promise<Answer> => get(platform.url, path, query)
  const replayed: CliResult[] = []
  let pipelines: Answer[]

  beforeAll(async () => {
    platform = await startPlatform({ env: WITHOUT_LAKE })
    const presets = [
      [clicksPath!, 'rees46'],
      [ordersPath!, 'online-retail'],
      [tripsPath!, 'nyc-tlc'],
    ] as const
    for (const [path, preset] of presets) {
      const how = ['--mapping', preset, '--keep-time', '--speed', 'max', '--data', platform.dataDir]
      replayed.push(await runCli(['replay', path, ...how]))
    }
    pipelines = await caughtUp(platform.url)
  })

  it('are counted row by row by the command, and what was not used is named by line', async () => {
    const number = (n: number) => n.toLocaleString('en')
    for (const [i, truth] of [clicks, orders, trips].entries()) {
      const { code, out, err } = replayed[i]!
      expect(code, err).toBe(0)
      const { rows, duplicates, refused } = truth
      const accepted = rows - duplicates.length - refused.size
      expect(out).toMatch(new RegExp(`^${number(rows)} rows in `))
      expect(out).toContain(
        `: ${number(accepted)} accepted, ${number(duplicates.length)} duplicates, ${number(refused.size)} bad rows, 0 rejected.`,
      )
      if (refused.size === 0) continue
      const aside = await readFile(`${platform.dataDir}/${basename(FILES[i]!)}.rejected.ndjson`, 'utf8')
      const lines = aside
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { line: number; reason: string })
      expect(lines.map((l) => l.line)).toEqual([...refused.keys()])
      for (const { reason } of lines) expect(reason).toMatch(/^\w+: .{10,}/)
    }
  })

  it('are each event counted once, none of them late', () => {
    const counted = new Map<string, number>()
    for (const p of pipelines) {
      expect(p, `${p.topic}/${p.partition}`).toMatchObject({ lag: 0, late: 0, dead_letters: 0, duplicates: 0 })
      counted.set(p.topic, (counted.get(p.topic) ?? 0) + p.events)
    }
    expect(Object.fromEntries(counted)).toEqual({
      'clickstream.events': clicks.events,
      'transactions.orders': orders.orders + orders.refunds,
      'trips.completed': trips.trips,
    })
  })

  it('add up to the same totals', async () => {
    const { data } = await ask('/metrics/overview', EVERYTHING)
    expect(data).toMatchObject({
      events: clicks.events,
      sessions: clicks.sessions.length,
      converted_sessions: clicks.sessions.filter((s) => s.purchases > 0).length,
      orders: orders.orders,
      refunds: orders.refunds,
      trips: trips.trips,
      alerts: 0,
    })
    expect(data.totals).toHaveLength(1)
    const [{ currency, revenue, refunded, net_revenue }] = data.totals
    expect([currency, minor(revenue), minor(refunded), minor(net_revenue)]).toEqual([
      'GBP',
      orders.revenueMinor,
      orders.refundedMinor,
      orders.revenueMinor - orders.refundedMinor,
    ])
  })

  it('give the traffic of every minute and type, with its distinct users', async () => {
    const [from, to] = spanOf(
      [...clicks.traffic.keys()].map((key) => Number(key.split(' ')[0])),
      MINUTE_MS,
    )
    const { data } = await ask('/metrics/events_timeseries', { from: iso(from), to: iso(to), bucket: '1m' })
    const got = new Map<string, unknown>()
    for (const point of data) {
      for (const [type, events] of Object.entries(point.by_type)) {
        got.set(`${Date.parse(point.time)} ${type}`, { events, users: point.users_by_type[type] })
      }
    }
    const expected = [...clicks.traffic].map(
      ([key, { events, users }]) => [key, { events, users: users.size }] as const,
    )
    expect(got).toEqual(new Map(expected))
  })

  it('give the revenue of every minute and category', async () => {
    const categories = [...new Set([...orders.revenue.keys()].map((key) => key.split(' ')[1]!))]
    const [first, end] = spanOf(
      [...orders.revenue.keys()].map((key) => Number(key.split(' ')[0])),
      MINUTE_MS,
    )
    const got = new Map<string, unknown>()
    const questions: { category: string; from: number; to: number }[] = []
    for (let from = first; from < end; from += POINTS_MAX * MINUTE_MS) {
      const to = Math.min(end, from + POINTS_MAX * MINUTE_MS)
      for (const category of categories) questions.push({ category, from, to })
    }
    await forEach(questions, async ({ category, from, to }) => {
      const range = { from: iso(from), to: iso(to), bucket: '1m' }
      const { data } = await ask('/metrics/revenue_timeseries', { ...range, category, currency: 'GBP' })
      for (const p of data) {
        if (p.orders === 0 && p.refunds === 0) continue
        got.set(`${Date.parse(p.time)} ${category}`, {
          orders: p.orders,
          revenueMinor: minor(p.revenue),
          refunds: p.refunds,
          refundedMinor: minor(p.refunded),
        })
      }
    })
    expect(got).toEqual(orders.revenue)
    // And no category that is not asked for hides more.
    const { data } = await ask('/metrics/revenue_timeseries', { ...EVERYTHING, bucket: '30d' })
    expect(data.reduce((sum: number, p: Answer) => sum + minor(p.revenue), 0)).toBe(orders.revenueMinor)
  })

  it('give all sessions of every third user', async () => {
    const byUser = new Map<string, NaiveSession[]>()
    for (const session of clicks.sessions) at(byUser, session.user, () => []).push(session)
    await forEach(everyNth(3, byUser), async ([user, sessions]) => {
      const { data, meta } = await ask(`/sessions/${user}`, { limit: 100 })
      expect(meta.next_cursor).toBeNull()
      const got = data.map((s: Answer) => ({
        user: s.user_id,
        startedAt: Date.parse(s.started_at),
        endedAt: Date.parse(s.ended_at),
        events: s.events,
        productViews: s.product_views,
        carts: s.carts,
        purchases: s.purchases,
        revenueMinor: s.revenue.reduce((sum: number, r: Answer) => sum + minor(r.amount), 0),
      }))
      expect(got).toEqual([...sessions].reverse())
    })
  })

  it('give the top products of every hour, by each measure', async () => {
    interface Counts {
      views: number
      carts: number
      purchases: number
      revenueMinor: number
    }
    const hours = new Map<number, { id: string; counts: Counts; currency: string }[]>()
    for (const [source, currency] of [
      [clicks.products, 'USD'],
      [orders.products, 'GBP'],
    ] as const) {
      for (const [key, counts] of source) {
        const [hour, id] = key.split(' ') as [string, string]
        at(hours, Number(hour), () => []).push({ id, counts: { views: 0, carts: 0, ...counts }, currency })
      }
    }
    const questions = [...hours].flatMap(([hour, list]) =>
      (['views', 'carts', 'purchases', 'revenue'] as const).map((by) => ({ hour, list, by })),
    )
    await forEach(questions, async ({ hour, list, by }) => {
      const measure = ({ counts }: { counts: Counts }) => (by === 'revenue' ? counts.revenueMinor : counts[by])
      const top = list
        .filter((product) => measure(product) > 0)
        .sort((a, b) => measure(b) - measure(a) || byCode(a.id, b.id))
        .slice(0, 100)
      const { currency } = list[0]!
      const range = { from: iso(hour), to: iso(hour + HOUR_MS), limit: 100, by, currency }
      const { data } = await ask('/metrics/top_products', range)
      const got = data.map((p: Answer) => ({
        id: p.product_id,
        counts: {
          views: p.views,
          carts: p.carts,
          purchases: p.purchases,
          revenueMinor: p.revenue.reduce((sum: number, r: Answer) => sum + minor(r.revenue), 0),
        },
        currency: p.revenue[0]?.currency ?? currency,
      }))
      expect(got, `${iso(hour)} by ${by}`).toEqual(top)
    })
  })

  it('give the trips of every region and window: 1 minute, 5 minutes, 1 hour', async () => {
    const regions = [...new Set([...trips.windows['1h'].keys()].map((key) => key.split(' ')[0]!))]
    expect(regions).toHaveLength(trips.regions)
    for (const window of ['1m', '5m', '1h'] as const) {
      const got = new Map<string, unknown>()
      await forEach(regions, async (region) => {
        const limit = 500
        for (let to: string | undefined = EVERYTHING.to; to !== undefined; ) {
          const { status, body } = await answerTo(platform.url, `/metrics/region/${region}`, { window, limit, to })
          if (status === 404) break
          for (const p of body.data) {
            got.set(`${region} ${Date.parse(p.time)}`, {
              trips: p.trips,
              fareMinor: minor(p.fare),
              durationS: p.duration,
              distanceM: Math.round(p.distance * 1000),
            })
            expect(p.average_fare).toBeCloseTo(p.fare / p.trips, 2)
            expect(p.currency).toBe('USD')
          }
          to = body.data.length === limit ? body.data.at(-1).time : undefined
        }
      })
      expect(got, window).toEqual(trips.windows[window])
    }
  })

  it('give the features of every third user as of the end of the file: clicks', async () => {
    const rows = csvRows(clicksPath!)
    const asOf = utc(rows.at(-1)!.get('event_time'))
    const lastSessions = new Map(clicks.sessions.map((s) => [s.user, s]))
    await forEach(everyNth(3, naiveClickFeatures(rows, asOf)), async ([user, truth]) => {
      const { data } = await ask(`/features/${user}`, { as_of: iso(asOf) })
      const session = lastSessions.get(user)!
      const isOpen = asOf - session.endedAt <= 30 * MINUTE_MS
      expect(data).toEqual({
        user_id: user,
        as_of: iso(asOf),
        events: {
          counts: truth.counts,
          total: truth.total,
          purchases: truth.purchases,
          first_seen: iso(truth.firstSeen),
          last_seen: iso(truth.lastSeen),
          last_event_type: truth.lastType,
          last_page: null,
        },
        orders: null,
        last_product: truth.lastProduct,
        cart_items: truth.cartItems,
        session: isOpen
          ? { started_at: iso(session.startedAt), last_event_at: iso(session.endedAt), events: session.events }
          : null,
      })
    })
  })

  it("give every user's features as of the end of the file: orders", async () => {
    const rows = csvRows(ordersPath!)
    const asOf = utc(rows.at(-1)!.get('InvoiceDate'))
    const users = naiveOrderFeatures(rows, asOf)
    expect(users.size).toBe(orders.users)
    await forEach(users, async ([user, truth]) => {
      const { data } = await ask(`/features/${user}`, { as_of: iso(asOf) })
      const { orders: got } = data
      const spend = Object.fromEntries(Object.entries(got.spend).map(([name, sum]) => [name, minor(sum as number)]))
      expect({ ...got, spend, total_spend: minor(got.total_spend) }).toMatchObject({
        counts: truth.counts,
        spend: truth.spendMinor,
        total: truth.total,
        total_spend: truth.totalMinor,
        refunds: truth.refunds,
        failed: 0,
      })
      if (truth.total > 0) {
        expect(got).toMatchObject({ currency: 'GBP', last_order_at: iso(truth.lastOrderAt) })
        expect(data.last_product).toBe(truth.lastProduct)
        expect(minor(got.average_order)).toBe(Math.round(truth.totalMinor / truth.total))
      } else {
        expect(got).toMatchObject({ currency: null, average_order: null, last_order_at: null, last_order_id: null })
        expect(data.last_product).toBeNull()
      }
    })
  })
})

const everyNth = <T>(n: number, items: Iterable<T>): T[] => [...items].filter((_, i) => i % n === 0)

/** The whole units that hold all of the times: from, and to (exclusive). */
function spanOf(times: readonly number[], unitMs: number): [from: number, to: number] {
  const ordered = [...times].sort((a, b) => a - b)
  return [ordered[0]!, ordered.at(-1)! + unitMs]
}

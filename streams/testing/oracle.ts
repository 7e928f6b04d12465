/**
 * The naive truth: what the jobs must have answered at the end, computed from the whole log at once with lists, sorts and no state to keep.
 *
 * It shares the event types, the names of the rows and the constants with the product, and no code of the operators. Per partition it walks the records in
 * order to decide what was unreadable, a duplicate, or late; then it computes each result from what is left, in event-time order.
 */
import {
  type ClickstreamEvent,
  clickUser,
  type EventOf,
  identityOf,
  keyOf,
  type Order,
  type Trip,
} from '../contract/events.ts'
import type { AlertRow, ProductRow, RegionRow, RevenueRow, SessionRow, TrafficRow } from '../contract/results.ts'
import { CLICKSTREAM, type InputTopic, ORDERS, TRIPS } from '../contract/topics.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DELAY = 10_000
const GAP = 30 * MINUTE
const FUTURE_CAP = 0
const DEDUPE_PERIOD = 10 * MINUTE

/** A record as it lies in the log; `event` is null where nobody can read it. */
export interface OracleRecord<E> {
  partition: number
  offset: number
  appendedAtMs: number
  event: E | null
  /** It is no event, but says who is to be forgotten. */
  erased?: string
}

/** An event that is neither unreadable nor a duplicate, and the watermark once it was read. */
interface Read<E> {
  event: E
  offset: number
  watermark: number
  /** How often its user had been forgotten before it: between two times they are two users. */
  life: number
}

/** Results without positions and finality, which depend on more than the set of events. */
export type Bare<R> = Omit<R, 'position' | 'final'>

function readPartition<T extends InputTopic>(topic: T, records: readonly OracleRecord<EventOf[T]>[]) {
  const seen = new Map<string, number>()
  const reads: Read<EventOf[T]>[] = []
  const lives = new Map<string, number>()
  let streamTime = Number.NEGATIVE_INFINITY
  let firstTime = Number.NaN
  let dead = 0
  let duplicates = 0
  for (const { event, appendedAtMs, offset, erased } of records) {
    if (erased !== undefined) {
      lives.set(erased, (lives.get(erased) ?? 0) + 1)
      continue
    }
    if (!event) {
      dead++
      continue
    }
    streamTime = Math.max(streamTime, Math.min(event.event_time, appendedAtMs + FUTURE_CAP))
    const id = (identityOf[topic] as (e: EventOf[T]) => string)(event)
    // An id is remembered through the ten minutes of stream time it fell into and the ten after, counted from the partition's first event.
    if (Number.isNaN(firstTime)) firstTime = streamTime
    const period = Math.floor((streamTime - firstTime) / DEDUPE_PERIOD)
    const last = seen.get(id)
    if (last !== undefined && period - last <= 1) {
      duplicates++
      continue
    }
    seen.set(id, period)
    const user = (keyOf[topic] as (e: EventOf[T]) => string)(event)
    reads.push({ event, offset, watermark: streamTime - DELAY, life: lives.get(user) ?? 0 })
  }
  return { reads, lives, dead, duplicates, watermark: streamTime - DELAY }
}

const startOf = (t: number, size: number): number => Math.floor(t / size) * size
const onTime = <E extends { event_time: number }>(
  reads: readonly Read<E>[],
  size: number,
): { kept: Read<E>[]; late: number } => {
  const kept = reads.filter((r) => startOf(r.event.event_time, size) + size > r.watermark)
  return { kept, late: reads.length - kept.length }
}

function groupSum<E, R extends object>(
  events: readonly E[],
  keyOf: (e: E) => string,
  empty: (e: E) => R,
  add: (row: R, e: E) => void,
): R[] {
  const groups = new Map<string, R>()
  for (const e of events) {
    const key = keyOf(e)
    const row = groups.get(key) ?? empty(e)
    groups.set(key, row)
    add(row, e)
  }
  return [...groups.values()]
}

export interface OracleResults {
  sessions: Bare<Omit<SessionRow, 'merged_into' | 'session_id'>>[]
  revenue_by_minute: Bare<RevenueRow>[]
  traffic_by_minute: Bare<TrafficRow>[]
  products_by_hour: Bare<ProductRow>[]
  trips_by_region: Bare<RegionRow>[]
  /** Active alerts: user, order ids in order, total. */
  alerts: { user_id: string; order_ids: string[]; total_minor: number; partition: number }[]
  late: Record<string, number>
  duplicates: number
  dead: number
}

export function emptyResults(): OracleResults {
  return {
    sessions: [],
    revenue_by_minute: [],
    traffic_by_minute: [],
    products_by_hour: [],
    trips_by_region: [],
    alerts: [],
    late: {},
    duplicates: 0,
    dead: 0,
  }
}

export function addClicks(
  into: OracleResults,
  partition: number,
  records: readonly OracleRecord<ClickstreamEvent>[],
): void {
  const { reads, lives, dead, duplicates } = readPartition(CLICKSTREAM, records)
  into.dead += dead
  into.duplicates += duplicates
  addSessions(into, partition, reads, lives)
  const traffic = onTime(reads, MINUTE)
  countLate(into, 'traffic', traffic.late)
  const byType = new Map<string, Read<ClickstreamEvent>[]>()
  for (const read of traffic.kept) {
    const key = `${startOf(read.event.event_time, MINUTE)} ${read.event.event_type}`
    byType.set(key, [...(byType.get(key) ?? []), read])
  }
  for (const events of byType.values()) {
    const first = (events[0] as Read<ClickstreamEvent>).event
    into.traffic_by_minute.push({
      window_start: startOf(first.event_time, MINUTE),
      event_type: first.event_type,
      events: events.length,
      users: new Set(events.map((r) => `${r.life} ${clickUser(r.event)}`)).size,
      partition,
    })
  }
  const counting = reads.filter(
    ({ event: e }) =>
      e.product_id !== null &&
      (e.event_type === 'product_view' ||
        e.event_type === 'add_to_cart' ||
        (e.event_type === 'purchase' && e.order_id === null)),
  )
  const products = onTime(counting, HOUR)
  countLate(into, 'top-products/clicks', products.late)
  const currencyOf = (e: ClickstreamEvent): string => (e.event_type === 'purchase' ? (e.currency ?? '') : '')
  into.products_by_hour.push(
    ...groupSum(
      products.kept.map((r) => r.event),
      (e) => JSON.stringify([startOf(e.event_time, HOUR), e.product_id, currencyOf(e)]),
      (e): Bare<ProductRow> => ({
        topic: CLICKSTREAM,
        window_start: startOf(e.event_time, HOUR),
        product_id: e.product_id ?? '',
        currency: currencyOf(e),
        views: 0,
        carts: 0,
        purchases: 0,
        revenue_minor: 0,
        partition,
      }),
      (row, e) => {
        if (e.event_type === 'product_view') row.views++
        if (e.event_type === 'add_to_cart') row.carts++
        if (e.event_type === 'purchase') {
          row.purchases++
          row.revenue_minor += e.revenue_minor ?? 0
        }
      },
    ),
  )
}

/**
 * Sessions as an engine must see them: an event is late when the session it would make or join is already closed by the watermark.
 * The rest, sorted by event time, are cut wherever two are more than the gap apart, or a session had been closed in between.
 */
function addSessions(
  into: OracleResults,
  partition: number,
  reads: readonly Read<ClickstreamEvent>[],
  lives: Lives,
): void {
  const users = new Map<string, Read<ClickstreamEvent>[]>()
  for (const r of reads) {
    const key = `${r.life} ${clickUser(r.event)}`
    users.set(key, [...(users.get(key) ?? []), r])
  }
  for (const mine of users.values()) {
    const user = userOf(clickUser((mine[0] as Read<ClickstreamEvent>).event), mine, lives)
    const closed: Read<ClickstreamEvent>[][] = []
    let open: Read<ClickstreamEvent>[][] = []
    for (const r of mine) {
      const t = r.event.event_time
      const isClosed = (s: Read<ClickstreamEvent>[]): boolean =>
        Math.max(...s.map((x) => x.event.event_time)) + GAP < r.watermark
      closed.push(...open.filter(isClosed))
      open = open.filter((s) => !isClosed(s))
      const near = open.filter((s) => s.some((x) => Math.abs(x.event.event_time - t) <= GAP))
      const joined = [...near.flat(), r]
      if (isClosed(joined)) {
        countLate(into, 'sessions', 1)
        continue
      }
      open = [...open.filter((s) => !near.includes(s)), joined]
    }
    for (const session of [...closed, ...open]) into.sessions.push(sessionRow(user, partition, session))
  }
}

type Lives = ReadonlyMap<string, number>

/** Somebody unknown, of a life that was forgotten. */
const userOf = (user: string, [first]: readonly Read<unknown>[], lives: Lives): string =>
  first?.life === (lives.get(user) ?? 0) ? user : FORGOTTEN
export const FORGOTTEN = 'erased'

function sessionRow(
  user: string,
  partition: number,
  reads: readonly Read<ClickstreamEvent>[],
): OracleResults['sessions'][number] {
  const sorted = [...reads]
    .sort((a, b) => a.event.event_time - b.event.event_time || a.offset - b.offset)
    .map((r) => r.event)
  const count = (type: string): number => sorted.filter((e) => e.event_type === type).length
  const revenue: Record<string, number> = {}
  for (const e of sorted) {
    if (e.event_type !== 'purchase' || e.revenue_minor === null || e.currency === null) continue
    revenue[e.currency] = (revenue[e.currency] ?? 0) + e.revenue_minor
  }
  const first = sorted[0] as ClickstreamEvent
  const last = sorted.at(-1) as ClickstreamEvent
  const stages = ['purchase', 'checkout', 'add_to_cart', 'product_view']
  const reached = stages.find((type) => count(type) > 0)
  return {
    user_id: user,
    started_at: first.event_time,
    ended_at: last.event_time,
    events: sorted.length,
    page_views: count('page_view'),
    product_views: count('product_view'),
    carts: count('add_to_cart'),
    checkouts: count('checkout'),
    purchases: count('purchase'),
    revenue_minor: revenue,
    funnel_stage: reached === 'add_to_cart' ? 'cart' : ((reached ?? 'visit') as SessionRow['funnel_stage']),
    entry_page: user === FORGOTTEN ? null : first.page_url,
    exit_page: user === FORGOTTEN ? null : last.page_url,
    partition,
  }
}

export function addOrders(into: OracleResults, partition: number, records: readonly OracleRecord<Order>[]): void {
  const { reads, lives, dead, duplicates } = readPartition(ORDERS, records)
  into.dead += dead
  into.duplicates += duplicates
  const revenue = onTime(
    reads.filter((r) => r.event.status !== 'failed'),
    MINUTE,
  )
  countLate(into, 'revenue', revenue.late)
  into.revenue_by_minute.push(
    ...groupSum(
      revenue.kept.map((r) => r.event),
      (o) => JSON.stringify([startOf(o.event_time, MINUTE), o.category, o.currency]),
      (o): Bare<RevenueRow> => ({
        window_start: startOf(o.event_time, MINUTE),
        category: o.category ?? 'uncategorized',
        currency: o.currency,
        orders: 0,
        revenue_minor: 0,
        refunds: 0,
        refunded_minor: 0,
        partition,
      }),
      (row, o) => {
        if (o.status === 'success') {
          row.orders++
          row.revenue_minor += o.amount_minor
        } else {
          row.refunds++
          row.refunded_minor += o.amount_minor
        }
      },
    ),
  )
  const products = onTime(
    reads.filter((r) => r.event.status === 'success' && r.event.product_id !== null),
    HOUR,
  )
  countLate(into, 'top-products/orders', products.late)
  into.products_by_hour.push(
    ...groupSum(
      products.kept.map((r) => r.event),
      (o) => JSON.stringify([startOf(o.event_time, HOUR), o.product_id, o.currency]),
      (o): Bare<ProductRow> => ({
        topic: ORDERS,
        window_start: startOf(o.event_time, HOUR),
        product_id: o.product_id ?? '',
        currency: o.currency,
        views: 0,
        carts: 0,
        purchases: 0,
        revenue_minor: 0,
        partition,
      }),
      (row, o) => {
        row.purchases++
        row.revenue_minor += o.amount_minor
      },
    ),
  )
  addAlerts(into, partition, reads, lives)
}

/** Three consecutive orders above 5000.00 TRY, last − first under five minutes; a match uses its orders up. */
function addAlerts(into: OracleResults, partition: number, reads: readonly Read<Order>[], lives: Lives): void {
  const large = reads.filter(
    ({ event: o }) => o.amount_minor > 500_000 && o.currency === 'TRY' && o.status !== 'refunded',
  )
  const kept = large.filter((r) => r.event.event_time >= r.watermark)
  countLate(into, 'fraud-detector/rapid-high-value-orders', large.length - kept.length)
  // Nothing is asked of alerts about persons who were forgotten, but that they say nothing of them.
  const users = new Set(kept.map((r) => r.event.user_id))
  for (const user of users) {
    const mine = kept
      .filter((r) => r.event.user_id === user && r.life === (lives.get(user) ?? 0))
      .sort((a, b) => a.event.event_time - b.event.event_time || a.offset - b.offset)
      .map((r) => r.event)
    let recent: Order[] = []
    for (const order of mine) {
      recent = [...recent.filter((o) => order.event_time - o.event_time < 5 * MINUTE), order]
      if (recent.length < 3) continue
      into.alerts.push({
        user_id: user,
        order_ids: recent.map((o) => o.order_id),
        total_minor: recent.reduce((sum, o) => sum + o.amount_minor, 0),
        partition,
      })
      recent = []
    }
  }
}

export function addTrips(into: OracleResults, partition: number, records: readonly OracleRecord<Trip>[]): void {
  const { reads, dead, duplicates } = readPartition(TRIPS, records)
  into.dead += dead
  into.duplicates += duplicates
  for (const [window, size] of [
    ['1m', MINUTE],
    ['5m', 5 * MINUTE],
    ['1h', HOUR],
  ] as const) {
    const { kept, late } = onTime(reads, size)
    countLate(into, `regions/${window}`, late)
    into.trips_by_region.push(
      ...groupSum(
        kept.map((r) => r.event),
        (t) => JSON.stringify([startOf(t.event_time, size), t.region_id, t.currency]),
        (t): Bare<RegionRow> => ({
          region_id: t.region_id,
          window,
          window_start: startOf(t.event_time, size),
          currency: t.currency,
          trips: 0,
          fare_minor: 0,
          duration_s: 0,
          distance_m: 0,
          partition,
        }),
        (row, t) => {
          row.trips++
          row.fare_minor += t.fare_minor
          row.duration_s += t.duration_s
          row.distance_m += t.distance_m
        },
      ),
    )
  }
}

function countLate(into: OracleResults, job: string, events: number): void {
  if (events > 0) into.late[job] = (into.late[job] ?? 0) + events
}

/** What of an alert row the oracle speaks about. */
export const bareAlert = (row: AlertRow): OracleResults['alerts'][number] => ({
  user_id: row.user_id,
  order_ids: row.evidence.map((e) => e.order_id),
  total_minor: row.total_minor,
  partition: row.partition,
})

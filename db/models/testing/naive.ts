/**
 * What the models must give, computed the slow and obvious way from the same raw rows: maps and loops, no SQL. Times are epoch milliseconds, days are days since 1970.
 */
import { clickUser, identityOf } from '../../../streams/contract/events.ts'
import { CLICKSTREAM, ORDERS, TRIPS } from '../../../streams/contract/topics.ts'
import { groupBy } from '../../lake/types/group-by.ts'
import { naiveProducts, naiveShopDay } from './product-rows.ts'
import type { RawRows, Trace } from './raw-rows.ts'

export type Rows = Record<string, unknown>[]

const MS_PER_DAY = 86_400_000
const GAP_MS = 30 * 60_000
const dayOf = (ms: number): number => Math.floor(ms / MS_PER_DAY)
const inOrder = (a: Trace, b: Trace): number =>
  a.log_appended_at - b.log_appended_at || a.log_partition - b.log_partition || a.log_offset - b.log_offset
const byCodePoint = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

function winnersOf<T extends Trace>(all: readonly T[], identity: (each: T) => string): T[] {
  return [...groupBy(all, identity).values()].map((copies) => copies.sort(inOrder)[0]!)
}

function repeatsOf<T extends Trace & { event_time: number }>(
  all: readonly T[],
  identity: (each: T) => string,
  day: number,
): Rows {
  return [...groupBy(all, identity)].flatMap(([id, copies]) =>
    copies.length > 1 && copies.some((each) => dayOf(each.event_time) === day)
      ? copies.sort(inOrder).map((each, i) => ({
          identity: id,
          log_appended_at: each.log_appended_at,
          log_partition: each.log_partition,
          log_offset: each.log_offset,
          event_day: dayOf(each.event_time),
          place: i + 1,
        }))
      : [],
  )
}

const count = <T>(all: readonly T[], is: (each: T) => boolean): number => all.filter(is).length
const sum = <T>(all: readonly T[], of: (each: T) => number): number => all.reduce((total, each) => total + of(each), 0)
const earliest = (all: readonly { event_time: number }[]): number => Math.min(...all.map((each) => each.event_time))
const latest = (all: readonly { event_time: number }[]): number => Math.max(...all.map((each) => each.event_time))
function lastKnown<T extends { event_time: number }>(all: readonly T[], of: (each: T) => string | null): string | null {
  const known = all.filter((each) => of(each) !== null)
  const at = latest(known)
  return (
    known
      .filter((each) => each.event_time === at)
      .map((each) => of(each)!)
      .sort(byCodePoint)
      .at(-1) ?? null
  )
}

/** Rows of every model of the day, by model, without their `day`. */
export function naiveDay(raw: RawRows, day: number): Record<string, Rows> {
  const ofDay = <T extends { event_time: number }>(all: T[]): T[] =>
    all.filter((each) => dayOf(each.event_time) === day)
  const clicks = ofDay(winnersOf(raw.clicks, identityOf[CLICKSTREAM])).map((e) => ({ ...e, visitor_id: clickUser(e) }))
  const orders = ofDay(winnersOf(raw.orders, identityOf[ORDERS])).map((o) => ({
    ...o,
    transaction_id: identityOf[ORDERS](o),
  }))
  const trips = ofDay(winnersOf(raw.trips, identityOf[TRIPS]))
  const hour = (each: { event_time: number }): number => new Date(each.event_time).getUTCHours()
  const withIngested = <T extends Trace>(all: T[]): T[] =>
    all.map((each) => ({ ...each, ingested_at: each.log_appended_at + 500 }))

  const sessions = [...groupBy(clicks, (e) => e.visitor_id)].flatMap(([user_id, events]) => {
    const visits: (typeof events)[] = []
    for (const event of events.sort((a, b) => a.event_time - b.event_time)) {
      const visit = visits.at(-1)
      if (visit && event.event_time - visit.at(-1)!.event_time <= GAP_MS) visit.push(event)
      else visits.push([event])
    }
    return visits.map((visit) => {
      const of = (type: string) => count(visit, (e) => e.event_type === type)
      const row = {
        user_id,
        started_at: earliest(visit),
        ended_at: latest(visit),
        events: visit.length,
        page_views: of('page_view'),
        product_views: of('product_view'),
        carts: of('add_to_cart'),
        checkouts: of('checkout'),
        purchases: of('purchase'),
      }
      const furthest = row.purchases ? 5 : row.checkouts ? 4 : row.carts ? 3 : row.product_views ? 2 : 1
      return { ...row, furthest }
    })
  })

  const touches = [
    ...clicks.map((e) => ({ ...e, key: e.visitor_id, isOrder: false, identified: e.user_id !== null })),
    ...orders.map((o) => ({ ...o, key: o.user_id, isOrder: true, identified: true, device: null })),
  ]
  const userDays = [...groupBy(touches, (each) => each.key)].map(([user_id, all]) => ({
    user_id,
    is_identified: all.some((each) => each.identified),
    first_seen: earliest(all),
    last_seen: latest(all),
    events: count(all, (each) => !each.isOrder),
    orders: count(all, (each) => each.isOrder),
    region: lastKnown(all, (each) => each.region),
    device: lastKnown(all, (each) => each.device),
  }))
  const touched = [
    ...clicks.map((e) => ({ ...e, status: null, quantity: null })),
    ...orders.map((o) => ({ ...o, event_type: null })),
  ].filter((each) => each.product_id !== null)
  const productDays = [...groupBy(touched, (each) => each.product_id!)].map(([product_id, all]) => ({
    product_id,
    category: lastKnown(all, (each) => each.category),
    first_seen: earliest(all),
    last_seen: latest(all),
    views: count(all, (each) => each.event_type === 'product_view'),
    carts: count(all, (each) => each.event_type === 'add_to_cart'),
    orders: count(all, (each) => each.status === 'success'),
    units: sum(all, (each) => (each.status === 'success' ? (each.quantity ?? 1) : 0)),
  }))

  const transactions = orders.map((o) => {
    const gross_minor = o.status === 'success' ? o.amount_minor : 0
    const refunded_minor = o.status === 'refunded' ? o.amount_minor : 0
    const {
      transaction_id,
      order_id,
      status,
      user_id,
      product_id,
      category,
      quantity,
      amount_minor,
      currency,
      region,
    } = o
    const named = { transaction_id, order_id, status, user_id, product_id, category, quantity, amount_minor, currency }
    const net_minor = gross_minor - refunded_minor
    return { ...named, gross_minor, refunded_minor, net_minor, region, event_time: o.event_time, hour: hour(o) }
  })
  const paid = transactions.filter((each) => each.status !== 'failed')
  const money = (all: typeof paid) => ({
    orders: count(all, (each) => each.status === 'success'),
    refunds: count(all, (each) => each.status === 'refunded'),
    gross_minor: sum(all, (each) => each.gross_minor),
    refunded_minor: sum(all, (each) => each.refunded_minor),
    net_minor: sum(all, (each) => each.net_minor),
  })

  const converted = count(sessions, (each) => each.purchases > 0)
  const isQuiet = clicks.length + orders.length + trips.length === 0
  const users = (all: typeof sessions) => new Set(all.map((each) => each.user_id)).size
  const reached = [1, 2, 3, 4, 5].map((position) => sessions.filter((each) => each.furthest >= position))

  const driven = [...groupBy(trips, (t) => JSON.stringify([t.region_id, t.currency]))]
  const bought = [
    ...groupBy(
      paid.filter((o) => o.region !== null),
      (o) => JSON.stringify([o.region, o.currency]),
    ),
  ]
  const keys = new Set([...driven, ...bought].map(([key]) => key))
  const perRegion = [...keys].map((key) => {
    const [region, currency] = JSON.parse(key) as [string, string]
    const rides = driven.find(([other]) => other === key)?.[1] ?? []
    const sales = money(bought.find(([other]) => other === key)?.[1] ?? [])
    const { orders, gross_minor, refunded_minor, net_minor } = sales
    return {
      region,
      currency,
      trips: rides.length,
      fare_minor: sum(rides, (t) => t.fare_minor),
      duration_s: sum(rides, (t) => t.duration_s),
      distance_m: sum(rides, (t) => t.distance_m),
      orders,
      gross_minor,
      refunded_minor,
      net_minor,
    }
  })
  const places = [...groupBy(perRegion, (each) => each.region)]
    .map(([region, all]) => ({ region, trips: sum(all, (r) => r.trips), orders: sum(all, (r) => r.orders) }))
    .sort((a, b) => b.trips - a.trips || b.orders - a.orders || byCodePoint(a.region, b.region))
    .map((each) => each.region)

  return {
    stg_clickstream_repeats: repeatsOf(raw.clicks, identityOf[CLICKSTREAM], day),
    stg_orders_repeats: repeatsOf(raw.orders, identityOf[ORDERS], day),
    stg_trips_repeats: repeatsOf(raw.trips, identityOf[TRIPS], day),
    stg_clickstream_events: withIngested(clicks) as unknown as Rows,
    stg_orders: withIngested(orders) as unknown as Rows,
    stg_trips: withIngested(trips) as unknown as Rows,
    int_sessions: sessions,
    int_user_days: userDays,
    int_product_days: productDays,
    int_shop_products: naiveShopDay(raw.products ?? [], day),
    fact_events: clicks.map((e) => ({
      event_id: e.event_id,
      event_type: e.event_type,
      user_id: e.visitor_id,
      is_identified: e.user_id !== null,
      product_id: e.product_id,
      category: e.category,
      order_id: e.order_id,
      revenue_minor: e.revenue_minor,
      currency: e.currency,
      region: e.region,
      device: e.device,
      bot: e.bot,
      event_time: e.event_time,
      hour: hour(e),
    })),
    fact_transactions: transactions,
    fact_trips: trips.map(({ trip_id, region_id, fare_minor, currency, duration_s, distance_m, event_time }) => {
      return {
        trip_id,
        region_id,
        fare_minor,
        currency,
        duration_s,
        distance_m,
        event_time,
        hour: hour({ event_time }),
      }
    }),
    metrics_daily_kpis: isQuiet
      ? []
      : [
          {
            events: clicks.length,
            page_views: count(clicks, (e) => e.event_type === 'page_view'),
            users: users(sessions),
            sessions: sessions.length,
            converted_sessions: converted,
            conversion_rate: sessions.length === 0 ? null : converted / sessions.length,
            orders: count(orders, (o) => o.status === 'success'),
            failed_orders: count(orders, (o) => o.status === 'failed'),
            refunds: count(orders, (o) => o.status === 'refunded'),
            customers: new Set(orders.filter((o) => o.status === 'success').map((o) => o.user_id)).size,
            trips: trips.length,
          },
        ],
    metrics_daily_revenue: [...groupBy(paid, (o) => o.currency)].map(([currency, all]) => {
      const row = money(all)
      return {
        currency,
        ...row,
        average_order_minor: row.orders === 0 ? null : Math.round(row.gross_minor / row.orders),
      }
    }),
    metrics_revenue_by_category: [
      ...groupBy(paid, (o) => JSON.stringify([o.category ?? 'uncategorized', o.currency])),
    ].map(([key, all]) => {
      const [category, currency] = JSON.parse(key) as [string, string]
      return { category, currency, ...money(all) }
    }),
    metrics_top_regions: perRegion.map((row) => ({ place: places.indexOf(row.region) + 1, ...row })),
    metrics_conversion_funnel:
      sessions.length === 0
        ? []
        : ['visit', 'product_view', 'cart', 'checkout', 'purchase'].map((stage, i) => ({
            position: i + 1,
            stage,
            sessions: reached[i]!.length,
            users: users(reached[i]!),
            rate_of_visits: reached[i]!.length / reached[0]!.length,
            rate_of_previous:
              i === 0 || reached[i - 1]!.length === 0 ? null : reached[i]!.length / reached[i - 1]!.length,
          })),
  }
}

/** Rows of the dimensions when the days have been built. */
export function naiveDimensions(raw: RawRows, days: readonly number[]): Record<string, Rows> {
  const built = [...days]
    .sort((a, b) => a - b)
    .map((day) => ({ day, ...naiveDay(raw, day) }) as { day: number } & Record<string, Rows>)
  const of = (model: string) =>
    built.flatMap(({ day, ...models }) => (models[model] as Rows).map((row) => ({ ...row, day })))
  const dim_users: Rows = []
  for (const [user_id, all] of groupBy(
    of('int_user_days') as { user_id: string; day: number }[],
    (row) => row.user_id,
  )) {
    let known: Record<string, unknown> = { is_identified: false, region: null, device: null }
    let last: Record<string, unknown> | undefined
    for (const row of all as Rows) {
      const next = {
        is_identified: known.is_identified === true || row.is_identified === true,
        region: row.region ?? known.region,
        device: row.device ?? known.device,
      }
      if (!last || JSON.stringify(next) !== JSON.stringify(known)) {
        if (last) Object.assign(last, { valid_to: row.day, is_current: false })
        last = { user_id, ...next, valid_from: row.day, valid_to: null, is_current: true }
        dim_users.push(last)
      }
      known = next
    }
  }
  const products = groupBy(of('int_product_days') as { product_id: string; day: number }[], (row) => row.product_id)
  const seen = [...products].map(([product_id, all]) => ({
    product_id,
    category: (all as Rows).reduce((last: unknown, row) => row.category ?? last, null),
    first_seen: Math.min(...(all as Rows).map((row) => row.first_seen as number)),
    last_seen: Math.max(...(all as Rows).map((row) => row.last_seen as number)),
  }))
  const dim_products = naiveProducts(seen, raw.products ?? [], days)
  const busy = ['int_user_days', 'int_product_days', 'stg_trips'].flatMap((model) => of(model).map((row) => row.day))
  const dim_time: Rows = []
  for (let date = Math.min(...busy); date <= Math.max(...busy); date++)
    for (let hour = 0; hour < 24; hour++) {
      const at = new Date(date * MS_PER_DAY)
      const iso_weekday = at.getUTCDay() === 0 ? 7 : at.getUTCDay()
      const thursday = new Date((date + 4 - iso_weekday) * MS_PER_DAY)
      const newYear = Date.UTC(thursday.getUTCFullYear(), 0, 1) / MS_PER_DAY
      dim_time.push({
        date,
        hour,
        year: at.getUTCFullYear(),
        quarter: Math.floor(at.getUTCMonth() / 3) + 1,
        month: at.getUTCMonth() + 1,
        day_of_month: at.getUTCDate(),
        iso_week: Math.floor((thursday.getTime() / MS_PER_DAY - newYear) / 7) + 1,
        iso_weekday,
        is_weekend: iso_weekday > 5,
      })
    }
  return { dim_users, dim_products, dim_time }
}

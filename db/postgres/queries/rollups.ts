/**
 * Where the queries read a time from: the weeks, days and hours that lie whole within it from the tables that hold such, what is left at both ends from the results themselves. A year costs some
 * thousand rows then, of products some hundred thousand. What a replay took away leaves zeros in the sums, which are passed over.
 */
import type { Sql } from '../connect.ts'
import { DAY_MS, HOUR_MS, type TimeRange, timeSql, WEEK_MS, windowStart } from './numbers.ts'

interface Layer {
  /** A SELECT up to and with its WHERE; the condition on the time comes behind. */
  rows: ReturnType<Sql>
  /** The column with the time, if it is not `window_start`. */
  time?: string
}

/** Sums, which answer for whole windows only. */
interface Sums extends Layer {
  windowMs: number
}

/** The whole windows of a length within a time; empty (from = to) where it has none. */
function wholeWindows({ from, to }: TimeRange, windowMs: number): TimeRange {
  const [first, last] = [windowStart(from + windowMs - 1, windowMs), windowStart(to, windowMs)]
  return first < last ? { from: first, to: last } : { from: to, to }
}

/** A time in full, each part of it from the longest windows that lie within. @param sums from the shortest windows to the longest */
function layered(sql: Sql, range: TimeRange, results: Layer, ...sums: readonly Sums[]) {
  let left = range
  const parts = [results, ...sums].map(({ rows, time = 'window_start' }, i) => {
    const longer = sums[i]
    const inner = longer ? wholeWindows(left, longer.windowMs) : { from: left.to, to: left.to }
    const between = (from: number, to: number) =>
      sql`(${sql(time)} >= ${timeSql(sql, from)} AND ${sql(time)} < ${timeSql(sql, to)})`
    const part = sql`${rows} (${between(left.from, inner.from)} OR ${between(inner.to, left.to)})`
    left = inner
    return part
  })
  return sql`(${parts.reduce((all, part) => sql`${all} UNION ALL ${part}`)})`
}

/** Rows of `window_start, event_type, events, final`. @param range begins with a whole minute */
export function trafficIn(sql: Sql, range: TimeRange) {
  const columns = sql`window_start, event_type, events`
  return layered(
    sql,
    range,
    { rows: sql`SELECT ${columns}, final FROM traffic_by_minute WHERE` },
    { windowMs: HOUR_MS, rows: sql`SELECT ${columns}, open = 0 FROM traffic_by_hour WHERE` },
  )
}

/** Rows of `window_start, category, currency, orders, revenue_minor, refunds, refunded_minor, final`. @param range begins with a whole minute */
export function revenueIn(sql: Sql, range: TimeRange) {
  const columns = sql`window_start, category, currency, orders, revenue_minor, refunds, refunded_minor`
  return layered(
    sql,
    range,
    { rows: sql`SELECT ${columns}, final FROM revenue_by_minute WHERE` },
    { windowMs: HOUR_MS, rows: sql`SELECT ${columns}, open = 0 FROM revenue_by_hour WHERE` },
  )
}

/** Rows of `funnel_stage, sessions, converted`: the sessions that began in a time, without those that were merged into another. */
export function sessionsIn(sql: Sql, range: TimeRange) {
  const each = sql`SELECT funnel_stage, 1 AS sessions, (purchases > 0)::int AS converted FROM sessions`
  return layered(
    sql,
    range,
    { time: 'started_at', rows: sql`${each} WHERE merged_into IS NULL AND` },
    { windowMs: HOUR_MS, rows: sql`SELECT funnel_stage, sessions, converted FROM sessions_by_hour WHERE` },
  )
}

/** Rows of `product_id, currency, views, carts, purchases, revenue_minor`. @param range begins with a whole hour */
export function productsIn(sql: Sql, range: TimeRange) {
  const columns = sql`product_id, currency, views, carts, purchases, revenue_minor`
  return layered(
    sql,
    range,
    { rows: sql`SELECT ${columns} FROM products_by_hour WHERE` },
    {
      windowMs: WEEK_MS,
      rows: sql`SELECT ${columns} FROM products_by_week WHERE (views, carts, purchases) <> (0, 0, 0) AND`,
    },
  )
}

/** Rows of `region_id, currency, trips, fare_minor, duration_s, distance_m`. @param range begins with a whole minute */
export function tripsIn(sql: Sql, range: TimeRange) {
  const columns = sql`region_id, currency, trips, fare_minor, duration_s, distance_m`
  return layered(
    sql,
    range,
    { rows: sql`SELECT ${columns} FROM trips_by_region WHERE "window" = '1m' AND` },
    { windowMs: HOUR_MS, rows: sql`SELECT ${columns} FROM trips_by_region WHERE "window" = '1h' AND` },
    { windowMs: DAY_MS, rows: sql`SELECT ${columns} FROM trips_by_day WHERE trips > 0 AND` },
  )
}

/** Where the queries read a time from: the whole hours within it from the tables that hold hours, what is left at both ends from the results themselves. A year costs some thousand rows then. */
import type { Sql } from '../connect.ts'
import { HOUR_MS, type TimeRange, timeSql, windowStart } from './numbers.ts'

/** The whole hours of a time; empty (from = to) where it has none. */
export function hoursOf({ from, to }: TimeRange): TimeRange {
  const [first, last] = [windowStart(from + HOUR_MS - 1, HOUR_MS), windowStart(to, HOUR_MS)]
  return first < last ? { from: first, to: last } : { from: to, to }
}

/** Conditions on a column of times: within the whole hours, and within the rest. */
export function splitByHour(sql: Sql, range: TimeRange, column: string) {
  const hours = hoursOf(range)
  const time = sql(column)
  const within = ({ from, to }: TimeRange) => sql`(${time} >= ${timeSql(sql, from)} AND ${time} < ${timeSql(sql, to)})`
  const rest = sql`(${within({ from: range.from, to: hours.from })} OR ${within({ from: hours.to, to: range.to })})`
  return { hours: within(hours), rest }
}

/** Rows of `window_start, event_type, events, final`. @param range begins with a whole minute */
export function trafficIn(sql: Sql, range: TimeRange) {
  const { hours, rest } = splitByHour(sql, range, 'window_start')
  return sql`(
    SELECT window_start, event_type, events, final FROM traffic_by_minute WHERE ${rest}
    UNION ALL SELECT window_start, event_type, events, open = 0 FROM traffic_by_hour WHERE ${hours})`
}

/** Rows of `window_start, category, currency, orders, revenue_minor, refunds, refunded_minor, final`. @param range begins with a whole minute */
export function revenueIn(sql: Sql, range: TimeRange) {
  const { hours, rest } = splitByHour(sql, range, 'window_start')
  const columns = sql`window_start, category, currency, orders, revenue_minor, refunds, refunded_minor`
  return sql`(
    SELECT ${columns}, final FROM revenue_by_minute WHERE ${rest}
    UNION ALL SELECT ${columns}, open = 0 FROM revenue_by_hour WHERE ${hours})`
}

/** Rows of `funnel_stage, sessions, converted`: the sessions that began in a time, without those that were merged into another. */
export function sessionsIn(sql: Sql, range: TimeRange) {
  const hours = splitByHour(sql, range, 'window_start').hours
  const { rest } = splitByHour(sql, range, 'started_at')
  return sql`(
    SELECT funnel_stage, 1 AS sessions, (purchases > 0)::int AS converted FROM sessions WHERE ${rest} AND merged_into IS NULL
    UNION ALL SELECT funnel_stage, sessions, converted FROM sessions_by_hour WHERE ${hours})`
}

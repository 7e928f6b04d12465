/** The overview: what happened in a time range, over all partitions, and how fast events come in now. */
import type { Sql } from '../connect.ts'
import { exact, HOUR_MS, MINUTE_MS, type TimeRange, timeSql, windowStart } from './numbers.ts'
import { revenueIn, sessionsIn, trafficIn, tripsIn } from './rollups.ts'

export interface Overview extends TimeRange {
  /** Clickstream events. */
  events: number
  /** Clickstream events per second over the last 60 s before `now`, by event time; the minute windows are taken as evenly filled. */
  events_per_second: number
  orders: number
  refunds: number
  trips: number
  /** Minor units by currency; refunds are not taken off. */
  revenue_minor: Record<string, number>
  refunded_minor: Record<string, number>
  /** Sessions with an event in the last 30 minutes before `now`. */
  active_sessions: number
  /** Sessions that began in the range, those of them with a purchase, and the share of these; null without sessions. */
  sessions: number
  converted_sessions: number
  conversion: number | null
  /** Active alerts triggered in the range. */
  alerts: number
}

const SESSION_GAP_MS = HOUR_MS / 2

/** Windows of a minute count where they begin in [from, to), `from` taken down to the whole minute. */
export async function overview(sql: Sql, { from, to, now }: TimeRange & { now: number }): Promise<Overview> {
  const first = windowStart(from, MINUTE_MS)
  const minute = windowStart(now, MINUTE_MS)
  const time = (ms: number) => timeSql(sql, ms)
  const [[totals], revenue] = await Promise.all([
    sql<Totals[]>`
      SELECT
        (SELECT sum(events)::bigint FROM ${trafficIn(sql, { from: first, to })} AS t) AS events,
        (SELECT sum(events)::bigint FROM traffic_by_minute WHERE window_start = ${time(minute)}) AS this_minute,
        (SELECT sum(events)::bigint FROM traffic_by_minute WHERE window_start = ${time(minute - MINUTE_MS)}) AS last_minute,
        (SELECT sum(trips)::bigint FROM ${tripsIn(sql, { from: first, to })} AS ended) AS trips,
        (SELECT count(*) FROM sessions
          WHERE ended_at > ${time(now - SESSION_GAP_MS)} AND started_at <= ${time(now)} AND merged_into IS NULL) AS active_sessions,
        (SELECT count(*) FROM fraud_alerts
          WHERE triggered_at >= ${time(from)} AND triggered_at < ${time(to)} AND state = 'active') AS alerts,
        s.sessions, s.converted_sessions
      FROM (
        SELECT coalesce(sum(sessions), 0)::bigint AS sessions, coalesce(sum(converted), 0)::bigint AS converted_sessions
        FROM ${sessionsIn(sql, { from, to })} AS began
      ) AS s`,
    sql<Revenue[]>`
      SELECT currency, sum(orders)::bigint AS orders, sum(refunds)::bigint AS refunds,
        sum(revenue_minor)::bigint AS revenue_minor, sum(refunded_minor)::bigint AS refunded_minor
      FROM ${revenueIn(sql, { from: first, to })} AS r
      GROUP BY currency ORDER BY currency`,
  ])
  const { sessions, converted_sessions, active_sessions, alerts } = totals!
  const elapsed = (now - minute) / MINUTE_MS
  const lastMinute = exact(totals!.this_minute) + exact(totals!.last_minute) * (1 - elapsed)
  const byCurrency = (of: (row: Revenue) => number) =>
    Object.fromEntries(revenue.map((row) => [row.currency, exact(of(row))]))
  return {
    from,
    to,
    events: exact(totals!.events),
    events_per_second: lastMinute / (MINUTE_MS / 1000),
    orders: revenue.reduce((sum, row) => sum + row.orders, 0),
    refunds: revenue.reduce((sum, row) => sum + row.refunds, 0),
    trips: exact(totals!.trips),
    revenue_minor: byCurrency((row) => row.revenue_minor),
    refunded_minor: byCurrency((row) => row.refunded_minor),
    active_sessions,
    sessions,
    converted_sessions,
    conversion: sessions === 0 ? null : converted_sessions / sessions,
    alerts,
  }
}

interface Totals {
  events: number | null
  this_minute: number | null
  last_minute: number | null
  trips: number | null
  active_sessions: number
  alerts: number
  sessions: number
  converted_sessions: number
}

interface Revenue {
  currency: string
  orders: number
  refunds: number
  revenue_minor: number
  refunded_minor: number
}

/** The published figures of days: what the daily aggregation put there after its gates, and nothing newer. */
import type { DayRevenue } from '../batch-schema.ts'
import type { Sql } from '../connect.ts'

/** Days in UTC, `2026-11-20`, both included. */
export interface DayRange {
  from: string
  to: string
}

export interface DailyKpis {
  day: string
  events: number
  page_views: number
  users: number
  sessions: number
  converted_sessions: number
  conversion_rate: number | null
  orders: number
  failed_orders: number
  refunds: number
  customers: number
  trips: number
  /** By currency, in its minor units. */
  revenue: Record<string, DayRevenue>
  published_at: number
}

export interface DailyCategory {
  day: string
  category: string
  currency: string
  orders: number
  refunds: number
  gross_minor: number
  refunded_minor: number
  net_minor: number
}

export interface DailyRegion {
  day: string
  place: number
  region: string
  currency: string
  trips: number
  fare_minor: number
  duration_s: number
  distance_m: number
  orders: number
  gross_minor: number
  refunded_minor: number
  net_minor: number
}

export interface DailyStage {
  day: string
  position: number
  stage: string
  sessions: number
  users: number
  rate_of_visits: number
  rate_of_previous: number | null
}

const within = (sql: Sql, { from, to }: DayRange) => sql`day BETWEEN ${from}::date AND ${to}::date`
const dayText = (sql: Sql) => sql`to_char(day, 'YYYY-MM-DD') AS day`

/** Newest day first; days without a row were not published, or nothing happened on them. */
export const dailyKpis = async (sql: Sql, range: DayRange): Promise<DailyKpis[]> => [
  ...(await sql<DailyKpis[]>`
    SELECT ${dayText(sql)}, events, page_views, users, sessions, converted_sessions, conversion_rate, orders, failed_orders, refunds, customers, trips, revenue, published_at
    FROM daily_kpis WHERE ${within(sql, range)} ORDER BY daily_kpis.day DESC`),
]

/** Newest day first, then by currency, the category that earned most first. At most `limit` of a day and currency. */
export const dailyCategories = async (sql: Sql, range: DayRange & { limit: number }): Promise<DailyCategory[]> => [
  ...(await sql<DailyCategory[]>`
    SELECT ${dayText(sql)}, category, currency, orders, refunds, gross_minor, refunded_minor, net_minor FROM (
      SELECT *, row_number() OVER (PARTITION BY day, currency ORDER BY net_minor DESC, category) AS place
      FROM daily_revenue_by_category WHERE ${within(sql, range)}
    ) AS placed
    WHERE place <= ${range.limit} ORDER BY placed.day DESC, currency, place`),
]

/** Newest day first, then by place. At most the `limit` first places of a day. */
export const dailyRegions = async (sql: Sql, range: DayRange & { limit: number }): Promise<DailyRegion[]> => [
  ...(await sql<DailyRegion[]>`
    SELECT ${dayText(sql)}, place, region, currency, trips, fare_minor, duration_s, distance_m, orders, gross_minor, refunded_minor, net_minor
    FROM daily_top_regions WHERE ${within(sql, range)} AND place <= ${range.limit} ORDER BY daily_top_regions.day DESC, place, currency`),
]

/** Newest day first, then the stages in their order. */
export const dailyFunnel = async (sql: Sql, range: DayRange): Promise<DailyStage[]> => [
  ...(await sql<DailyStage[]>`
    SELECT ${dayText(sql)}, position, stage, sessions, users, rate_of_visits, rate_of_previous
    FROM daily_conversion_funnel WHERE ${within(sql, range)} ORDER BY daily_conversion_funnel.day DESC, position`),
]

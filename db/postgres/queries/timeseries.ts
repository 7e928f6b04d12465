/** Series over time, summed over partitions into buckets of whole minutes. Every bucket that the range touches has its
 * point, also the empty ones; the first is whole, the last ends with the range. */
import type { Sql } from '../connect.ts'
import { cleanText } from '../result-version.ts'
import { bucketStarts, exact, HOUR_MS, MINUTE_MS, type TimeRange, timeSql } from './numbers.ts'
import { revenueIn, trafficIn } from './rollups.ts'

export interface SeriesRange extends TimeRange {
  /** A multiple of a minute. */
  bucketMs: number
}

export interface EventsPoint {
  start: number
  events: number
  by_type: Record<string, number>
  /** Distinct users by type. Users of several minutes can't be added up, so it is there for buckets of one minute only. */
  users_by_type: Record<string, number> | null
  /** No published part of it can change any more; false for an empty bucket. */
  final: boolean
}

/** @throws QueryError for a range or bucket that makes no sense. */
export async function eventsTimeseries(sql: Sql, { from, to, bucketMs }: SeriesRange): Promise<EventsPoint[]> {
  const starts = bucketStarts({ from, to }, bucketMs)
  const exactUsers = bucketMs === MINUTE_MS
  const source = isOfHours(bucketMs)
    ? trafficIn(sql, { from: starts[0]!, to })
    : sql`(SELECT * FROM traffic_by_minute WHERE ${inRange(sql, starts[0]!, to)})`
  const rows = await sql<{ start: number; event_type: string; events: number; users: number; final: boolean }[]>`
    SELECT ${bucketOf(sql, bucketMs)} AS start, event_type, sum(events)::bigint AS events, ${exactUsers ? sql`sum(users)::bigint` : sql`0`} AS users, bool_and(final) AS final
    FROM ${source} AS t GROUP BY 1, 2 ORDER BY 1, 2`
  const points = new Map(
    starts.map((start): [number, EventsPoint] => [
      start,
      { start, events: 0, by_type: {}, users_by_type: exactUsers ? {} : null, final: false },
    ]),
  )
  for (const row of rows) {
    const point = points.get(row.start)!
    const first = Object.keys(point.by_type).length === 0
    point.final = row.final && (first || point.final)
    point.events = exact(point.events + row.events)
    point.by_type[row.event_type] = exact(row.events)
    if (point.users_by_type) point.users_by_type[row.event_type] = exact(row.users)
  }
  return [...points.values()]
}

export interface RevenuePoint {
  start: number
  currency: string
  orders: number
  revenue_minor: number
  refunds: number
  refunded_minor: number
  final: boolean
}

/**
 * One series per currency that occurs in the range (and the one asked for, if it does not), one after the other.
 * @throws QueryError for a range or bucket that makes no sense.
 */
export async function revenueTimeseries(
  sql: Sql,
  {
    from,
    to,
    bucketMs,
    category,
    currency,
  }: SeriesRange & { category?: string | undefined; currency?: string | undefined },
): Promise<RevenuePoint[]> {
  const starts = bucketStarts({ from, to }, bucketMs)
  const source = isOfHours(bucketMs)
    ? revenueIn(sql, { from: starts[0]!, to })
    : sql`(SELECT * FROM revenue_by_minute WHERE ${inRange(sql, starts[0]!, to)})`
  const rows = await sql<RevenuePoint[]>`
    SELECT ${bucketOf(sql, bucketMs)} AS start, currency, sum(orders)::bigint AS orders, sum(revenue_minor)::bigint AS revenue_minor,
      sum(refunds)::bigint AS refunds, sum(refunded_minor)::bigint AS refunded_minor, bool_and(final) AS final
    FROM ${source} AS r WHERE true
      ${category === undefined ? sql`` : sql`AND category = ${cleanText(category)}`}
      ${currency === undefined ? sql`` : sql`AND currency = ${cleanText(currency)}`}
    GROUP BY 1, 2`
  const found = new Map(rows.map((row) => [`${row.currency} ${row.start}`, row]))
  const currencies = [
    ...new Set([...rows.map((row) => row.currency), ...(currency === undefined ? [] : [currency])]),
  ].sort()
  return currencies.flatMap((code) =>
    starts.map((start): RevenuePoint => {
      const row = found.get(`${code} ${start}`)
      return {
        start,
        currency: code,
        orders: exact(row?.orders ?? 0),
        revenue_minor: exact(row?.revenue_minor ?? 0),
        refunds: exact(row?.refunds ?? 0),
        refunded_minor: exact(row?.refunded_minor ?? 0),
        final: row?.final ?? false,
      }
    }),
  )
}

/** Whether buckets of this length are made of whole hours, which begin where they do. */
const isOfHours = (bucketMs: number): boolean => bucketMs % HOUR_MS === 0

/** The start of a row's bucket, epoch ms: buckets begin at multiples of their length since 1970, as windows do. */
const bucketOf = (sql: Sql, bucketMs: number) =>
  sql`(floor(extract(epoch FROM window_start) * 1000 / ${bucketMs}::bigint) * ${bucketMs}::bigint)::bigint`

const inRange = (sql: Sql, from: number, to: number) =>
  sql`window_start >= ${timeSql(sql, from)} AND window_start < ${timeSql(sql, to)}`

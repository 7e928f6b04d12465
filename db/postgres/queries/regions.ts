/** The trips of a region by window, and the regions with the most trips; both summed over partitions. */
import { REGION_WINDOWS, type RegionWindow } from '../../../streams/contract/results.ts'
import type { Sql } from '../connect.ts'
import { cleanText } from '../result-version.ts'
import { decodeCursor, type Page, toPage } from './cursor.ts'
import { exact, HOUR_MS, MINUTE_MS, QueryError, type TimeRange, timeSql, windowStart } from './numbers.ts'
import { tripsIn } from './rollups.ts'

export const WINDOW_MS: Readonly<Record<RegionWindow, number>> = { '1m': MINUTE_MS, '5m': 5 * MINUTE_MS, '1h': HOUR_MS }

export interface RegionQuestion extends TimeRange {
  regionId: string
  window: RegionWindow
  limit: number
  cursor?: string | undefined
}

export interface RegionPoint {
  window_start: number
  currency: string
  trips: number
  fare_minor: number
  duration_s: number
  distance_m: number
  /** Per trip, not rounded. */
  fare_minor_average: number
  duration_s_average: number
  distance_m_average: number
  final: boolean
}

/**
 * Newest window first; windows that begin in [from, to), `from` taken down to the start of its window.
 * @throws QueryError for a window that is not kept, and for a cursor that is none.
 */
export async function region(
  sql: Sql,
  { regionId, window, from, to, limit, cursor }: RegionQuestion,
): Promise<Page<RegionPoint>> {
  const windowMs = WINDOW_MS[window]
  if (windowMs === undefined) throw new QueryError(`The window must be one of ${REGION_WINDOWS.join(', ')}.`)
  const after = cursor === undefined ? null : decodeCursor(cursor)
  const rows = await sql<Omit<RegionPoint, `${string}_average`>[]>`
    SELECT window_start, currency, sum(trips)::bigint AS trips, sum(fare_minor)::bigint AS fare_minor, sum(duration_s)::bigint AS duration_s,
      sum(distance_m)::bigint AS distance_m, bool_and(final) AS final
    FROM trips_by_region
    WHERE region_id = ${cleanText(regionId)} AND "window" = ${window}
      AND window_start >= ${timeSql(sql, windowStart(from, windowMs))} AND window_start < ${timeSql(sql, to)}
      ${after === null ? sql`` : sql`AND window_start <= ${timeSql(sql, after.at)} AND (window_start < ${timeSql(sql, after.at)} OR currency > ${after.id})`}
    GROUP BY window_start, currency
    ORDER BY window_start DESC, currency LIMIT ${limit + 1}`
  const points = rows.map((row) => {
    const trips = exact(row.trips)
    const average = (sum: number) => (trips === 0 ? 0 : exact(sum) / trips)
    return {
      ...row,
      fare_minor: exact(row.fare_minor),
      fare_minor_average: average(row.fare_minor),
      duration_s_average: average(row.duration_s),
      distance_m_average: average(row.distance_m),
    }
  })
  return toPage(points, limit, (point) => ({ at: point.window_start, id: point.currency }))
}

export interface TopRegion {
  region_id: string
  trips: number
  duration_s: number
  distance_m: number
  /** Minor units by currency. */
  fare_minor: Record<string, number>
}

/**
 * The regions with the most trips that ended in a time, ties by id. Windows of a minute count where they begin in [from, to), `from` taken down to the whole
 * minute; the whole hours and days within are read as such.
 * @throws QueryError for a cursor that is none.
 */
export async function topRegions(
  sql: Sql,
  { from, to, limit, cursor }: TimeRange & { limit: number; cursor?: string | undefined },
): Promise<Page<TopRegion>> {
  const after = cursor === undefined ? null : decodeCursor(cursor)
  const rows = await sql<TopRegion[]>`
    WITH by_currency AS (
      SELECT region_id, currency, sum(trips) AS trips, sum(duration_s) AS duration_s, sum(distance_m) AS distance_m, sum(fare_minor) AS fare_minor
      FROM ${tripsIn(sql, { from: windowStart(from, MINUTE_MS), to })} AS t
      GROUP BY region_id, currency
    )
    SELECT region_id, sum(trips)::bigint AS trips, sum(duration_s)::bigint AS duration_s, sum(distance_m)::bigint AS distance_m,
      jsonb_object_agg(currency, fare_minor::bigint) AS fare_minor
    FROM by_currency GROUP BY region_id
    ${after === null ? sql`` : sql`HAVING sum(trips) < ${after.at} OR (sum(trips) = ${after.at} AND region_id > ${after.id})`}
    ORDER BY sum(trips) DESC, region_id LIMIT ${limit + 1}`
  const regions = rows.map((row) => ({
    ...row,
    trips: exact(row.trips),
    duration_s: exact(row.duration_s),
    distance_m: exact(row.distance_m),
    fare_minor: Object.fromEntries(Object.entries(row.fare_minor).map(([code, sum]) => [code, exact(sum)])),
  }))
  return toPage(regions, limit, (row) => ({ at: row.trips, id: row.region_id }))
}

/** The trips of a region by window, summed over partitions. */
import { REGION_WINDOWS, type RegionWindow } from '../../../streams/contract/results.ts'
import type { Sql } from '../connect.ts'
import { cleanText } from '../result-version.ts'
import { exact, HOUR_MS, MINUTE_MS, QueryError, type TimeRange, timeSql, windowStart } from './numbers.ts'

export const WINDOW_MS: Readonly<Record<RegionWindow, number>> = { '1m': MINUTE_MS, '5m': 5 * MINUTE_MS, '1h': HOUR_MS }

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
 * @throws QueryError for a window that is not kept.
 */
export async function region(
  sql: Sql,
  { regionId, window, from, to, limit }: TimeRange & { regionId: string; window: RegionWindow; limit: number },
): Promise<RegionPoint[]> {
  const windowMs = WINDOW_MS[window]
  if (windowMs === undefined) throw new QueryError(`The window must be one of ${REGION_WINDOWS.join(', ')}.`)
  const rows = await sql<Omit<RegionPoint, `${string}_average`>[]>`
    SELECT window_start, currency, sum(trips)::bigint AS trips, sum(fare_minor)::bigint AS fare_minor, sum(duration_s)::bigint AS duration_s,
      sum(distance_m)::bigint AS distance_m, bool_and(final) AS final
    FROM trips_by_region
    WHERE region_id = ${cleanText(regionId)} AND "window" = ${window}
      AND window_start >= ${timeSql(sql, windowStart(from, windowMs))} AND window_start < ${timeSql(sql, to)}
    GROUP BY window_start, currency
    ORDER BY window_start DESC, currency LIMIT ${limit}`
  return rows.map((row) => {
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
}

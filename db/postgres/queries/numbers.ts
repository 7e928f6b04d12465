/** Guards of the queries: sums that a JavaScript number can't hold exactly, times that are none, ranges that would give more points than anybody reads. */
import type { Sql } from '../connect.ts'

/** A question that can't be answered as it was asked: the caller's fault, with a sentence for them. */
export class QueryError extends Error {
  override readonly name = 'QueryError'
}

export const MINUTE_MS = 60_000
export const HOUR_MS = 60 * MINUTE_MS
export const DAY_MS = 24 * HOUR_MS
export const WEEK_MS = 7 * DAY_MS
const POINTS_MAX = 10_000

/**
 * A sum of counts or minor units as it came from PostgreSQL.
 * @throws QueryError beyond ±2^53: better no figure than one that is a cent off.
 */
export function exact(sum: number | null): number {
  if (sum === null) return 0
  if (!Number.isSafeInteger(sum))
    throw new QueryError(`A sum is beyond ±2^53 and can't be given exactly (about ${sum}). Ask for a shorter time.`)
  return sum
}

/** From the year 1 on, and as far as JavaScript's dates go: PostgreSQL knows all of these. */
const TIME_MIN = -62_135_596_800_000
const TIME_MAX = 8.64e15

/**
 * A time of the question as SQL.
 * @throws QueryError for a number that is no time.
 */
export function timeSql(sql: Sql, ms: number) {
  if (!(ms >= TIME_MIN && ms <= TIME_MAX))
    throw new QueryError('A time of the request is outside the years 1 to 275760.')
  return sql`to_timestamp(${ms}::float8 / 1000)`
}

export interface TimeRange {
  /** Epoch ms; the first window is the one that holds it. */
  from: number
  /** Epoch ms, exclusive. */
  to: number
}

/** The start of the window that holds a time. */
export const windowStart = (ms: number, windowMs: number): number => Math.floor(ms / windowMs) * windowMs

/**
 * The starts of all buckets of a range, ascending.
 * @throws QueryError for an empty range, a bucket that is no number of whole minutes, or more than 10,000 buckets.
 */
export function bucketStarts({ from, to }: TimeRange, bucketMs: number): number[] {
  if (!(bucketMs > 0) || bucketMs % MINUTE_MS !== 0)
    throw new QueryError('The bucket must be a number of whole minutes.')
  if (!(from < to)) throw new QueryError('"from" must be before "to".')
  const first = windowStart(from, bucketMs)
  const count = Math.ceil((to - first) / bucketMs)
  if (count > POINTS_MAX)
    throw new QueryError(
      `That is ${count} points; ask for a shorter time or longer buckets: at most ${POINTS_MAX} points.`,
    )
  return Array.from({ length: count }, (_, i) => first + i * bucketMs)
}

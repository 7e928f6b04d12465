/**
 * The time ranges that can be chosen, and the width of a point in each: some sixty points whatever the range, made by the server, so that a year costs no
 * more to draw than an hour.
 */

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

export interface RangeChoice {
  id: string
  /** On the button. */
  label: string
  /** In sentences: "in the last 24 hours". */
  words: string
  /** "than in the 24 hours before" */
  before: string
  spanMs: number
  bucket: string
  bucketMs: number
  /** What a point stands for: "revenue per …". */
  per: string
}

export const RANGES = [
  choice('1h', '1 hour', 'the last hour', 'the hour before', HOUR_MS, '1m', MINUTE_MS, 'minute'),
  choice('24h', '24 hours', 'the last 24 hours', 'the 24 hours before', DAY_MS, '30m', 30 * MINUTE_MS, '30 minutes'),
  choice('7d', '7 days', 'the last 7 days', 'the 7 days before', 7 * DAY_MS, '3h', 3 * HOUR_MS, '3 hours'),
  choice('30d', '30 days', 'the last 30 days', 'the 30 days before', 30 * DAY_MS, '12h', 12 * HOUR_MS, '12 hours'),
  choice('1y', '1 year', 'the last year', 'the year before', 365 * DAY_MS, '7d', 7 * DAY_MS, 'week'),
] as const

/** The one that the live stream fills. */
export const LIVE_RANGE: RangeChoice = RANGES[0]

export interface Span {
  from: string
  to: string
}

/** The range that ends now, or where the data ends; by whole minutes, so that everybody who looks asks the same questions. */
export function spanOf(range: RangeChoice, endMs: number): Span {
  const to = Math.ceil(endMs / MINUTE_MS) * MINUTE_MS
  return { from: new Date(to - range.spanMs).toISOString(), to: new Date(to).toISOString() }
}

function choice(
  id: string,
  label: string,
  words: string,
  before: string,
  spanMs: number,
  bucket: string,
  bucketMs: number,
  per: string,
): RangeChoice {
  return { id, label, words, before, spanMs, bucket, bucketMs, per }
}

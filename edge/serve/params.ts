/** Parameters that several routes share: times, ranges, bucket sizes. Each refusal names its parameter. */
import { z } from '@hono/zod-openapi'
import { toEpochMs } from '../../streams/contract/time-text.ts'
import type { SeriesRange, TimeRange } from '../ports.ts'
import { Problem } from '../problem.ts'

const SECOND_MS = 1000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS
export const DAY_MS = 24 * HOUR_MS
const UNIT_MS: Readonly<Record<string, number>> = { m: MINUTE_MS, h: HOUR_MS, d: DAY_MS }

export const POINTS_MAX = 2000
export const DEFAULT_RANGE_MS = HOUR_MS
/** The query of a route. A parameter that it does not know is refused: to be given the last hour for a misspelt `form=` would be worse. */
export const query = <S extends z.ZodRawShape>(shape: S) => z.strictObject(shape)
export const noQuery = query({})

/** PostgreSQL's and everybody's dates end before this: year 9999. */
const TIME_MAX = 253_402_300_799_999

export const time = (description: string, example = '2026-01-31T12:00:00Z') =>
  z
    .string()
    .max(40)
    .transform((text, context) => {
      const ms = toEpochMs(/^-?\d+$/.test(text) ? Number(text) : text)
      if (ms >= 0 && ms <= TIME_MAX) return ms
      context.addIssue({
        code: 'custom',
        message: 'expected ISO 8601, e.g. 2026-01-31T12:00:00Z, or epoch milliseconds (a + must be written %2B)',
      })
      return z.NEVER
    })
    .openapi({ type: 'string', description, example })

/** A day in UTC. */
export const day = (description: string) =>
  z
    .string()
    .refine((text) => {
      const ms = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN
      // Neither 2026-02-30 nor a year that has no days before it.
      return ms >= DAY_MS * 500 && new Date(ms).toISOString().startsWith(text)
    }, 'expected a day such as 2026-01-31')
    .openapi({ type: 'string', format: 'date', description, example: '2026-01-31' })

/** A size such as `1m`, `5m`, `1h` or `1d`, in milliseconds. */
export const bucket = z
  .string()
  .regex(/^[1-9]\d{0,3}[mhd]$/, 'expected a number and a unit, e.g. 1m, 5m, 1h or 1d')
  .default('1m')
  .transform((text) => Number(text.slice(0, -1)) * UNIT_MS[text.slice(-1)]!)
  .openapi({ type: 'string', description: 'Width of a point: a number and m, h or d', example: '5m' })

export const rangeQuery = {
  from: time('Start of the range, inclusive, by event time; an hour before `to` when missing').optional(),
  to: time('End of the range, exclusive; now when missing', '2026-01-31T18:00:00Z').optional(),
}

export const openRangeQuery = {
  from: time('Start of the range, inclusive').optional(),
  to: time('End of the range, exclusive', '2026-01-31T18:00:00Z').optional(),
}

export const limit = (most: number, usual: number) =>
  z
    .string()
    .regex(/^\d{1,6}$/, `expected a whole number from 1 to ${most}`)
    .transform(Number)
    .refine((n) => n >= 1 && n <= most, `expected a whole number from 1 to ${most}`)
    .default(usual)
    .openapi({ type: 'integer', minimum: 1, maximum: most, default: usual })

/** @throws Problem */
export function rangeOf(query: { from?: number | undefined; to?: number | undefined }, now: number): TimeRange {
  // Whole seconds: then everybody who asks for "now" within a second asks the same question, which is cached.
  const to =
    query.to ?? (query.from !== undefined && query.from > now ? query.from + DEFAULT_RANGE_MS : ceilTo(now, SECOND_MS))
  const from = query.from ?? to - DEFAULT_RANGE_MS
  if (from >= to) throw new Problem('invalid_parameter', 'from: must be before to')
  return { from, to }
}

/** @throws Problem when the range has more than {@link POINTS_MAX} points. */
export function seriesOf(
  query: { from?: number | undefined; to?: number | undefined; bucket: number },
  now: number,
): SeriesRange {
  const range = rangeOf(query, now)
  const points = Math.ceil((range.to - range.from) / query.bucket)
  if (points <= POINTS_MAX) return { ...range, bucketMs: query.bucket }
  throw new Problem(
    'invalid_parameter',
    `bucket: this range has ${points} points of that size, at most ${POINTS_MAX} are given. Ask for a larger bucket or a shorter range.`,
  )
}

export const ceilTo = (ms: number, stepMs: number): number => Math.ceil(ms / stepMs) * stepMs

export const durationText = (ms: number): string =>
  ms % DAY_MS === 0 ? `${ms / DAY_MS}d` : ms % HOUR_MS === 0 ? `${ms / HOUR_MS}h` : `${ms / MINUTE_MS}m`

/** An id in a path or query: what the contract accepts as one. */
export const idParam = (description: string) =>
  z
    .string()
    .min(1)
    .max(200)
    .refine((s) => !s.includes('\0'), 'must not contain the NUL character')
    .openapi({ description, pattern: '^[^\\u0000]*$' })

export const cursor = z.string().max(2000).optional().openapi({ description: '`meta.next_cursor` of the page before' })

export const currency = z
  .string()
  .regex(/^[A-Za-z]{3}$/, 'expected a three-letter currency code')
  .transform((s) => s.toUpperCase())

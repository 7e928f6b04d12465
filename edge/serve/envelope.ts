/** The shape of every answer: `{data, meta}` on success, problem+json otherwise; and how both are documented. */
import { z } from '@hono/zod-openapi'
import { toIso } from '../../streams/contract/time-text.ts'
import { PROBLEM_CODES } from '../problem.ts'

/** How fresh an answer is. `watermark_ms`: event time up to which the answer is final; null while nothing has been read. */
export interface Freshness {
  watermarkMs: number | null
}

export interface Meta {
  generated_at: string
  watermark: string | null
  freshness_ms: number | null
}

export function metaOf(nowMs: number, freshness?: Freshness): Meta {
  const watermarkMs = freshness?.watermarkMs ?? null
  return {
    generated_at: toIso(nowMs),
    watermark: watermarkMs === null ? null : toIso(watermarkMs),
    freshness_ms: watermarkMs === null ? null : nowMs - watermarkMs,
  }
}

export const meta = z
  .object({
    generated_at: z.iso.datetime(),
    watermark: z.iso
      .datetime()
      .nullable()
      .describe('Event time up to which the data is final; null where there is none'),
    freshness_ms: z.number().nullable().describe('How far the watermark is behind the wall clock'),
  })
  .openapi('Meta')

/** @param more what else the `meta` of this answer says */
export const enveloped = <S extends z.ZodType, M extends z.ZodRawShape = Record<never, never>>(
  data: S,
  description: string,
  more: M = {} as M,
) => ({
  description,
  content: { 'application/json': { schema: z.object({ data, meta: meta.extend(more) }) } },
})

/** A page of a list. The next one begins at `meta.next_cursor`. */
export const paged = <S extends z.ZodType, M extends z.ZodRawShape = Record<never, never>>(
  item: S,
  description: string,
  more: M = {} as M,
) => enveloped(z.array(item), description, { ...more, next_cursor: nextCursor })

const nextCursor = z.string().nullable().describe('Give it as `cursor` for the next page; null on the last')
/** Which range an answer is about: where none was asked for, it is the only way to know. */
export const rangeMeta = { from: z.iso.datetime(), to: z.iso.datetime() }

const problem = z
  .looseObject({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    code: z.enum(PROBLEM_CODES as [string, ...string[]]),
    detail: z.string().describe('What is wrong and what to do next'),
    trace_id: z.string().optional().describe('Of the request, where requests are traced'),
  })
  .openapi('Problem')

const DESCRIPTIONS: Record<number, string> = {
  400: 'The request could not be understood',
  401: 'A key or a token is missing or not valid',
  403: 'Valid, and not enough for this',
  404: 'There is no such thing',
  408: 'The body came too slowly',
  409: 'It is at odds with what is there',
  413: 'The request is too large',
  415: 'The content type or encoding is not supported',
  422: 'The event is not valid',
  429: 'Too many requests; see Retry-After',
  500: 'Something went wrong here; the request may be sent again',
  503: 'Not available now; see Retry-After',
}

/** The documented problem responses of a route. */
export const problems = (...statuses: number[]) =>
  Object.fromEntries(
    statuses.map((status) => [
      status,
      { description: DESCRIPTIONS[status] ?? 'Problem', content: { 'application/problem+json': { schema: problem } } },
    ]),
  )

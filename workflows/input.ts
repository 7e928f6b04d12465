/**
 * What a person types into the Temporal UI as a workflow's input, checked. Part of the definitions: pure.
 * Invariant: input that can't be meant fails the workflow at once, is never retried, and says in a sentence what to write instead.
 */
import { ApplicationFailure } from '@temporalio/workflow'
import { z } from 'zod'
import { BAD_INPUT } from './policy.ts'

/** Compiling schemas to functions is not allowed where workflows run. */
z.config({ jitless: true })

export { BAD_INPUT }

/**
 * @param given undefined and null mean `{}`
 * @param example of a good input, for the sentence
 * @throws ApplicationFailure, non-retryable
 */
export function parseInput<S extends z.ZodType>(schema: S, given: unknown, example: object): z.output<S> {
  const parsed = schema.safeParse(given ?? {})
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.map(({ path, message }) =>
    path.length > 0 ? `${path.join('.')}: ${message}` : message,
  )
  throw badInput(`The input can't be used: ${problems.join('; ')}. An example: ${JSON.stringify(example)}`)
}

export const badInput = (sentence: string): ApplicationFailure => ApplicationFailure.nonRetryable(sentence, BAD_INPUT)

/** A day in UTC, e.g. `2026-11-20`. */
export const day = z
  .string()
  .refine(
    (text) => /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text)) && toDay(Date.parse(text)) === text,
    'must be a day such as 2026-11-20',
  )

/** An instant in UTC, e.g. `2026-11-20T12:00:00Z`; a day alone means its first moment. @returns epoch milliseconds */
export const instant = z
  .string()
  .refine(
    (text) => /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?Z)?$/.test(text) && !Number.isNaN(Date.parse(text)),
    'must be a day or an instant in UTC such as 2026-11-20T12:00:00Z',
  )
  .transform((text) => Date.parse(text))

/** A table of the lake, e.g. `raw.orders`. */
export const table = z.string().regex(/^[^.\s]+(\.[^.\s]+)+$/, 'must be namespace.table, e.g. raw.orders')

export const DAY_MS = 86_400_000

/** @returns the day in UTC that an instant lies in */
export const toDay = (epochMs: number): string => new Date(epochMs).toISOString().slice(0, 10)

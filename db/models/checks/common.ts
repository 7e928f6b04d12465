/** What is expected of many tables in the same words. */
import { modelNamed } from '../models.ts'
import type { Check, Expectation, History, Severity } from './expectation.ts'

const of = (severity: Severity, check: Check, why: string): Expectation => ({ ...check, severity, why })
/** A gate. */
export const must = (check: Check, why: string): Expectation => of('error', check, why)
/** Told, and stops nothing. */
export const should = (check: Check, why: string): Expectation => of('warn', check, why)

/** Before that a day can't be compared: a week of which some days have traffic worth the name. */
export const A_WEEK: History = { days: 7, daysMin: 3, rowsMin: 100 }

export const schema = must(
  { kind: 'schema' },
  'The table has the columns of its model: whatever is built on it reads them by name and type.',
)

/** Its key tells one row from all others. */
export const uniqueKey = (model: string): Expectation => {
  const columns = modelNamed(model).key.filter((column) => column !== 'day')
  return must(
    { kind: 'unique', columns },
    `There is one row of ${columns.join(' and ')}: one too many would be counted twice.`,
  )
}

export const inTheDay = (column = 'event_time'): Expectation =>
  must(
    { kind: 'range', column, min: { day: 0 }, below: { day: 1 } },
    'The rows of a day happened on it, in UTC: figures of a day are made of its partition.',
  )

export const notNegative = (...columns: readonly string[]): Expectation[] =>
  columns.map((column) =>
    must({ kind: 'range', column, min: 0 }, `${column} is never negative: what is given back has a status of its own.`),
  )

export const counts = (...columns: readonly string[]): Expectation[] =>
  columns.map((column) =>
    must({ kind: 'range', column, min: 0 }, `${column} counts something, so it is never negative.`),
  )

export const present = (column: string, why: string): Expectation => must({ kind: 'not_null', column }, why)

export const currencyCode = should(
  { kind: 'accepted_values', column: 'currency', values: Intl.supportedValuesOf('currency') },
  'The currency is one of ISO 4217: sums of a code that nobody knows can not be shown or converted.',
)

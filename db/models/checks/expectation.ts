/**
 * What is expected of a table, as data: the kinds of checks, and what each is called in names and sentences. The expectations themselves are in the files beside, one per stage; `run.ts` asks them
 * of a day.
 *
 * Invariant: a null is the business of `not_null` alone, it neither meets nor fails the conditions of the other kinds; in `unique` and `referential` only whole keys that are there count.
 */

/** When a table is checked: after staging, after dimensions and facts, after the marts. Each is a gate of its own. */
export const STAGES = ['staging', 'facts', 'metrics'] as const
export type Stage = (typeof STAGES)[number]

/** `error` is a gate: nothing is built on a day that fails it. `warn` is told and stops nothing. */
export type Severity = 'error' | 'warn'

/** A value, another column of the row, or the beginning of the day that is checked (0) or of one after it. */
export type Bound = number | { readonly column: string } | { readonly day: number }

/** Days before the checked one that it is compared with. Where fewer of them have rows, or fewer rows than that, nothing can be said yet: the check passes. */
export interface History {
  readonly days: number
  readonly daysMin: number
  /** On average. */
  readonly rowsMin: number
}

export type Check =
  /** Every column of the model is there, with its type, and required where the model says so. More columns are welcome. */
  | { readonly kind: 'schema' }
  | { readonly kind: 'not_null'; readonly column: string }
  | { readonly kind: 'unique'; readonly columns: readonly string[] }
  | { readonly kind: 'accepted_values'; readonly column: string; readonly values: readonly string[] }
  /** `min` and `max` are inclusive, `below` is not. */
  | {
      readonly kind: 'range'
      readonly column: string
      readonly min?: Bound
      readonly max?: Bound
      readonly below?: Bound
    }
  /** `columns` of the table by what they are called in the model `to`. Of a model with days, the same day's rows are meant. */
  | { readonly kind: 'referential'; readonly columns: Readonly<Record<string, string>>; readonly to: string }
  /** The day's rows, as a multiple of the mean of the days before. */
  | { readonly kind: 'row_count_change'; readonly min: number; readonly max: number; readonly after: History }
  /** The newest row, against the end of the day, or against now while the day lasts. */
  | { readonly kind: 'freshness'; readonly column: string; readonly hoursMax: number; readonly after?: History }

export type CheckKind = Check['kind']

export type Expectation = Check & {
  readonly severity: Severity
  /** A sentence: what is expected, and why. */
  readonly why: string
}

export interface TableExpectations {
  /** Its table is the one that is checked. */
  readonly model: string
  readonly stage: Stage
  /** Columns that sample rows are shown with, besides those of the check: they say which row it is. */
  readonly shows: readonly string[]
  readonly expectations: readonly Expectation[]
}

/** The columns of the table itself that a check reads. */
export function columnsOf(check: Check): string[] {
  switch (check.kind) {
    case 'unique':
      return [...check.columns]
    case 'referential':
      return Object.keys(check.columns)
    case 'range': {
      const others = [check.min, check.max, check.below].flatMap((bound) =>
        typeof bound === 'object' && 'column' in bound ? [bound.column] : [],
      )
      return [check.column, ...others]
    }
    case 'not_null':
    case 'accepted_values':
    case 'freshness':
      return [check.column]
    default:
      return []
  }
}

/** The same in every run, for its history: `fact_events.not_null.event_id`; a warning ends with `.warn`. */
export function checkName(model: string, expectation: Expectation): string {
  const of = expectation.kind === 'range' ? [expectation.column] : columnsOf(expectation)
  return [model, expectation.kind, ...of, ...(expectation.severity === 'warn' ? ['warn'] : [])].join('.')
}

/** What the condition of one row, or of a group of rows, comes down to; the kinds that observe something else say so where they are run. */
export function expectedText(
  check: Exclude<Check, { kind: 'row_count_change' | 'freshness' }>,
  columns: number,
): string {
  switch (check.kind) {
    case 'schema':
      return `the ${columns} columns of the model, with their types`
    case 'not_null':
      return `0 rows without ${check.column}`
    case 'unique':
      return `0 rows that repeat ${listed(check.columns)}`
    case 'accepted_values':
      return `0 rows whose ${check.column} is none of ${someOf(check.values)}`
    case 'range':
      return `0 rows whose ${check.column} is not ${rangeText(check)}`
    case 'referential':
      return `0 rows whose ${listed(Object.keys(check.columns))} is not in ${check.to}`
  }
}

const someOf = (values: readonly string[]): string =>
  values.length <= 10 ? values.join(', ') : `${values.slice(0, 5).join(', ')} and ${values.length - 5} more`

const listed = (columns: readonly string[]): string => (columns.length === 1 ? columns[0]! : `(${columns.join(', ')})`)

function rangeText({ min, max, below }: Extract<Check, { kind: 'range' }>): string {
  if (typeof min === 'object' && 'day' in min && typeof below === 'object' && 'day' in below) return 'within the day'
  const parts = [
    ...(min === undefined ? [] : [`at least ${boundText(min)}`]),
    ...(max === undefined ? [] : [`at most ${boundText(max)}`]),
    ...(below === undefined ? [] : [`below ${boundText(below)}`]),
  ]
  return parts.join(' and ')
}

function boundText(bound: Bound): string {
  if (typeof bound === 'number') return String(bound)
  if ('column' in bound) return bound.column
  return bound.day === 0 ? 'the beginning of the day' : `the beginning of day ${bound.day} after it`
}

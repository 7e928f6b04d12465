/**
 * Expectations as SQL, in what DuckDB and Trino both understand. What a condition on single rows can tell is answered by one scan of the day, with a count per check; groups and references take a
 * statement each. Pure.
 *
 * Invariant: a table with days is read by the day's partition alone. Names are quoted, and values are literals made here: nothing of a table's content gets into a statement.
 */
import { type Model, NAMESPACE } from '../models.ts'
import { checkDay, dayNumber, dayText } from '../render.ts'
import type { Bound, Check } from './expectation.ts'

export const SAMPLE_ROWS = 5

const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`
const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`
const tableSql = ({ name }: Pick<Model, 'name'>): string => `${identifier(NAMESPACE)}.${identifier(name)}`
const listed = (columns: readonly string[]): string => columns.map(identifier).join(', ')

/** @param alias of the table, where there are several */
const ofDay = ({ scope }: Pick<Model, 'scope'>, day: string, alias = ''): string[] =>
  scope === 'day' ? [`${alias}${identifier('day')} = DATE '${checkDay(day)}'`] : []

const where = (conditions: readonly string[]): string =>
  conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`

function boundSql(bound: Bound, day: string): string {
  if (typeof bound === 'number') return String(bound)
  if ('column' in bound) return identifier(bound.column)
  return `CAST('${dayText(dayNumber(day) + bound.day)} 00:00:00+00:00' AS timestamp with time zone)`
}

/** What is true of a row that fails; null for kinds that are not about single rows. */
export function failingRow(check: Check, day: string): string | null {
  switch (check.kind) {
    case 'not_null':
      return `${identifier(check.column)} IS NULL`
    case 'accepted_values':
      return `${identifier(check.column)} NOT IN (${check.values.map(literal).join(', ')})`
    case 'range': {
      const column = identifier(check.column)
      const parts = [
        ...(check.min === undefined ? [] : [`${column} >= ${boundSql(check.min, day)}`]),
        ...(check.max === undefined ? [] : [`${column} <= ${boundSql(check.max, day)}`]),
        ...(check.below === undefined ? [] : [`${column} < ${boundSql(check.below, day)}`]),
      ]
      // So that NaN fails too, whichever way an engine orders it.
      return `NOT (${parts.join(' AND ')})`
    }
    default:
      return null
  }
}

/** One row: how many rows there are, then per check the number of rows that fail it, or the newest value of a column. */
export function scanSql(model: Model, day: string, checks: readonly Check[]): string {
  const figures = checks.map((check, i) => {
    const condition = failingRow(check, day)
    const figure =
      check.kind === 'freshness'
        ? `max(${identifier(check.column)})`
        : condition === null
          ? 'count(*)'
          : `count(*) FILTER (WHERE ${condition})`
    return `${figure} AS c${i}`
  })
  return `SELECT ${['count(*) AS n', ...figures].join(', ')} FROM ${tableSql(model)}${where(ofDay(model, day))}`
}

/** Rows beyond the first of each key. */
export function repeatsSql(model: Model, day: string, columns: readonly string[]): string {
  return `SELECT coalesce(sum(n - 1), 0) AS repeats FROM (${groupsSql(model, day, columns)}) AS groups`
}

const groupsSql = (model: Model, day: string, columns: readonly string[]): string => {
  const there = columns.map((column) => `${identifier(column)} IS NOT NULL`)
  return `SELECT ${listed(columns)}, count(*) AS n FROM ${tableSql(model)}${where([...ofDay(model, day), ...there])} GROUP BY ${listed(columns)} HAVING count(*) > 1`
}

export type Reference = Extract<Check, { kind: 'referential' }>

/** Rows whose key, where all of it is there, is not in the other table. */
export const orphansSql = (model: Model, to: Model, day: string, { columns }: Reference): string =>
  `SELECT count(*) AS orphans FROM ${orphans(model, to, day, columns)}`

function orphans(model: Model, to: Model, day: string, columns: Reference['columns']): string {
  const same = Object.entries(columns).map(([mine, theirs]) => `b.${identifier(theirs)} = a.${identifier(mine)}`)
  const there = Object.keys(columns).map((column) => `a.${identifier(column)} IS NOT NULL`)
  const found = `EXISTS (SELECT 1 FROM ${tableSql(to)} AS b${where([...ofDay(to, day, 'b.'), ...same])})`
  return `${tableSql(model)} AS a${where([...ofDay(model, day, 'a.'), ...there, `NOT ${found}`])}`
}

/** A few of the rows that fail; null for kinds whose failure is in no single row. */
export function sampleSql(
  model: Model,
  day: string,
  check: Check,
  shown: readonly string[],
  to: Model | null,
): string | null {
  if (check.kind === 'unique') return `${groupsSql(model, day, check.columns)} ORDER BY n DESC LIMIT ${SAMPLE_ROWS}`
  if (check.kind === 'referential') {
    const columns = shown.map((column) => `a.${identifier(column)}`).join(', ')
    return to && `SELECT ${columns} FROM ${orphans(model, to, day, check.columns)} LIMIT ${SAMPLE_ROWS}`
  }
  const condition = failingRow(check, day)
  if (condition === null) return null
  return `SELECT ${listed(shown)} FROM ${tableSql(model)}${where([...ofDay(model, day), condition])} LIMIT ${SAMPLE_ROWS}`
}

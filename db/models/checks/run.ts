/**
 * The expectations of a table asked of a day: the schema from the catalog, everything about single rows by one scan, groups and references by a statement each, and a few of the failing rows for
 * what has failed.
 *
 * Invariants: every expectation has exactly one result. A table or a column that is missing, or of another type, is a failed check of the schema, and what would read it is skipped with the
 * reason: bad data is a result, and only a store that does not answer is an error.
 */
import {
  currentSchema,
  type Lake,
  loadTable,
  NoSuchTable,
  queryRows,
  type SqlEngine,
  type SqlOptions,
  type SqlValue,
  stringifyJson,
  type TableMetadata,
} from '../../lake/index.ts'
import { tableOf } from '../build.ts'
import { DAY, type Model, modelNamed, NAMESPACE } from '../models.ts'
import { dayNumber } from '../render.ts'
import { orphansSql, repeatsSql, SAMPLE_ROWS, sampleSql, scanSql } from './compile.ts'
import {
  type CheckKind,
  checkName,
  columnsOf,
  type Expectation,
  expectedText,
  type Severity,
  type TableExpectations,
} from './expectation.ts'
import { isEnough, rowsBefore } from './rows-before.ts'
import { type SchemaDifference, schemaDifferences } from './schema.ts'

export interface CheckResult {
  /** The same in every run. */
  name: string
  /** `namespace.table` */
  table: string
  kind: CheckKind
  severity: Severity
  /** `skipped`: it could not be asked; `reason` ends with why. */
  outcome: 'passed' | 'failed' | 'skipped'
  /** Rows that fail, the ratio of rows, the newest value; null: there was nothing to observe. */
  observed: number | string | null
  expected: string
  reason: string
  /** Of the failing rows, as JSON has them. */
  sample: Record<string, unknown>[]
  /** Checks that one scan has answered have its duration. */
  durationMs: number
}

export interface CheckDeps {
  lake: Lake
  engine: SqlEngine
  clock: { now(): number }
}

export interface CheckOptions {
  /** UTC, `2026-11-20` */
  day: string
  signal?: AbortSignal
  /** Called with a table's name before it is checked. */
  onTable?: (table: string) => void
}

/** @throws SqlError where the engine can't answer; what the lake throws when its files can't be read */
export async function runChecks(
  deps: CheckDeps,
  tables: readonly TableExpectations[],
  options: CheckOptions,
): Promise<CheckResult[]> {
  const results: CheckResult[] = []
  for (const each of tables) {
    options.signal?.throwIfAborted()
    options.onTable?.(`${NAMESPACE}.${each.model}`)
    results.push(...(await checkTable(deps, each, options)))
  }
  return results
}

/** A table as it is found. */
interface Found {
  model: Model
  metadata: TableMetadata | null
  differences: SchemaDifference[]
}

/** What a check has come to; the rest of the result is the expectation's. */
type Finding = Pick<CheckResult, 'outcome' | 'observed' | 'durationMs'> &
  Partial<Pick<CheckResult, 'expected' | 'sample' | 'reason'>>

/** A statement over a day's rows may take a while. */
const TIMEOUT_MS = 3_600_000

async function checkTable(deps: CheckDeps, of: TableExpectations, options: CheckOptions): Promise<CheckResult[]> {
  const table = await findTable(deps, of.model)
  const findings = new Map<Expectation, Finding>()
  const askable: Expectation[] = []
  for (const each of of.expectations) {
    const why = each.kind === 'schema' ? null : await obstacle(deps, table, each)
    if (why !== null)
      findings.set(each, { outcome: 'skipped', observed: null, durationMs: 0, reason: `${each.why} ${why}` })
    else if (each.kind === 'schema') findings.set(each, ofSchema(table))
    else askable.push(each)
  }
  if (table.metadata) {
    const readable: Readable = { ...table, metadata: table.metadata, shows: of.shows }
    for (const [each, finding] of await ask(deps, readable, askable, options)) findings.set(each, finding)
  }
  return of.expectations.map((each) => ({
    name: checkName(of.model, each),
    table: `${NAMESPACE}.${of.model}`,
    kind: each.kind,
    severity: each.severity,
    expected: textOf(each, table.model),
    reason: each.why,
    sample: [],
    ...findings.get(each)!,
  }))
}

const textOf = (each: Expectation, { columns }: Model): string =>
  each.kind === 'row_count_change'
    ? `${each.min} to ${each.max} times the rows of the days before`
    : each.kind === 'freshness'
      ? `a row in the last ${each.hoursMax} hours`
      : expectedText(each, columns.length)

async function findTable({ lake }: CheckDeps, name: string): Promise<Found> {
  const model = modelNamed(name)
  try {
    const { metadata } = await loadTable(lake, tableOf(model))
    return { model, metadata, differences: schemaDifferences(model, currentSchema(metadata)) }
  } catch (error) {
    if (!(error instanceof NoSuchTable)) throw error
    return { model, metadata: null, differences: schemaDifferences(model, null) }
  }
}

/** @returns why a check can't be asked, as a sentence; null when it can */
async function obstacle(deps: CheckDeps, table: Found, each: Expectation): Promise<string | null> {
  const own = missing(table, columnsOf(each))
  if (own !== null || each.kind !== 'referential') return own
  return missing(await findTable(deps, each.to), Object.values(each.columns))
}

function missing({ model, metadata, differences }: Found, columns: readonly string[]): string | null {
  const name = `${NAMESPACE}.${model.name}`
  if (!metadata) return `Not asked: there is no table ${name}.`
  const read = [...columns, ...(model.scope === 'day' ? [DAY.name] : [])]
  // A column that may be null but must not be can be read all the same.
  const unreadable = (each: SchemaDifference) =>
    each.found?.split(',')[0] !== each.expected.split(',')[0] && read.includes(each.column)
  const found = differences.find(unreadable)
  return found
    ? `Not asked: ${name}.${found.column} is ${found.found ?? 'not there'}, where ${found.expected} is expected.`
    : null
}

function ofSchema({ metadata, differences }: Found): Finding {
  return {
    outcome: differences.length === 0 ? 'passed' : 'failed',
    observed: metadata ? `${differences.length} columns that differ` : 'no such table',
    sample: metadata ? differences.slice(0, SAMPLE_ROWS).map((each) => ({ ...each })) : [],
    durationMs: 0,
  }
}

interface Readable extends Found {
  metadata: TableMetadata
  shows: readonly string[]
}

async function ask(
  deps: CheckDeps,
  table: Readable,
  expectations: readonly Expectation[],
  options: CheckOptions,
): Promise<Map<Expectation, Finding>> {
  const { model } = table
  const { day, signal } = options
  const rowsOf = async (sql: string, what: CheckKind | 'rows' | 'sample') => {
    const sqlOptions: SqlOptions = { name: `${model.name} ${what}`, timeoutMs: TIMEOUT_MS, ...(signal && { signal }) }
    return queryRows(deps.engine, sql, sqlOptions)
  }
  const findings = new Map<Expectation, Finding>()
  const counted = async (each: Expectation, count: number, startedAt: number): Promise<void> => {
    const sample = count > 0 ? await sampleOf(rowsOf, table, day, each) : []
    findings.set(each, {
      outcome: count > 0 ? 'failed' : 'passed',
      observed: count,
      sample,
      durationMs: elapsed(startedAt),
    })
  }

  const scanned = expectations.filter((each) => !['unique', 'referential'].includes(each.kind))
  if (scanned.length > 0) {
    const startedAt = performance.now()
    const [row] = (await rowsOf(scanSql(model, day, scanned), 'rows')).rows
    const [rows, ...figures] = row!
    for (const [i, each] of scanned.entries()) {
      if (each.kind === 'row_count_change')
        findings.set(each, await ofRowCount(deps, table, day, each, Number(rows), startedAt))
      else if (each.kind === 'freshness')
        findings.set(each, await ofFreshness(deps, table, day, each, figures[i] ?? null, startedAt))
      else await counted(each, Number(figures[i]), startedAt)
    }
  }
  for (const each of expectations) {
    const startedAt = performance.now()
    if (each.kind === 'unique') {
      const [row] = (await rowsOf(repeatsSql(model, day, each.columns), each.kind)).rows
      await counted(each, Number(row![0]), startedAt)
    } else if (each.kind === 'referential') {
      const [row] = (await rowsOf(orphansSql(model, modelNamed(each.to), day, each), each.kind)).rows
      await counted(each, Number(row![0]), startedAt)
    }
  }
  return findings
}

const elapsed = (startedAt: number): number => Math.round(performance.now() - startedAt)

type RowsOf = (sql: string, what: 'sample') => Promise<{ columns: readonly { name: string }[]; rows: SqlValue[][] }>

async function sampleOf(
  rowsOf: RowsOf,
  { model, metadata, shows }: Readable,
  day: string,
  each: Expectation,
): Promise<Record<string, unknown>[]> {
  const there = new Set(currentSchema(metadata).fields.map((field) => field.name))
  const shown = [...new Set([...shows, ...columnsOf(each)])].filter((column) => there.has(column))
  const sql = sampleSql(model, day, each, shown, each.kind === 'referential' ? modelNamed(each.to) : null)
  if (sql === null) return []
  const { columns, rows } = await rowsOf(sql, 'sample')
  return rows.map((row) => Object.fromEntries(columns.map(({ name }, i) => [name, plain(row[i] ?? null)])))
}

const TEXT_MAX = 200

/** As JSON has it, without a digit lost and not too long. */
function plain(value: SqlValue): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (typeof value === 'boolean' || value === null) return value
  const text = typeof value === 'string' ? value : stringifyJson(value)
  // PostgreSQL has no place for NUL, in JSON neither.
  const kept = text.replaceAll('\0', '\u{fffd}')
  return kept.length > TEXT_MAX ? `${kept.slice(0, TEXT_MAX)}…` : kept
}

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000

async function ofRowCount(
  { lake }: CheckDeps,
  { metadata }: Readable,
  day: string,
  { min, max, after }: Extract<Expectation, { kind: 'row_count_change' }>,
  rows: number,
  startedAt: number,
): Promise<Finding> {
  const before = await rowsBefore(lake, metadata, day, after)
  const mean = Math.round(before.mean)
  const durationMs = elapsed(startedAt)
  if (!isEnough(before, after))
    return {
      outcome: 'passed',
      observed: null,
      expected: `${min} to ${max} times the rows of the days before, once ${after.daysMin} of the last ${after.days} have ${after.rowsMin} on average; ${before.days} of them have ${mean}`,
      durationMs,
    }
  const ratio = rows / before.mean
  return {
    outcome: ratio >= min && ratio <= max ? 'passed' : 'failed',
    observed: Number(ratio.toPrecision(4)),
    expected: `${min} to ${max} times the ${mean} rows that the ${before.days} days before have on average; there are ${rows}`,
    durationMs,
  }
}

async function ofFreshness(
  { lake, clock }: CheckDeps,
  { model, metadata }: Readable,
  day: string,
  { hoursMax, after }: Extract<Expectation, { kind: 'freshness' }>,
  newest: SqlValue,
  startedAt: number,
): Promise<Finding> {
  const untilMs = Math.min((dayNumber(day) + 1) * DAY_MS, clock.now())
  const sinceText = new Date(untilMs - hoursMax * HOUR_MS).toISOString()
  const found = typeof newest === 'string' ? newest : null
  const silent = after && model.scope === 'day' && !isEnough(await rowsBefore(lake, metadata, day, after), after)
  const isFresh = found !== null && endOf(found) >= untilMs - hoursMax * HOUR_MS
  return {
    outcome: isFresh || silent ? 'passed' : 'failed',
    observed: found,
    expected: `a row of ${sinceText} or later${silent ? `, once ${after.daysMin} of the last ${after.days} days have ${after.rowsMin} rows on average` : ''}`,
    durationMs: elapsed(startedAt),
  }
}

/** Epoch ms; a date reaches to its end. */
const endOf = (text: string): number => Date.parse(text) + (text.length === '2026-11-20'.length ? DAY_MS : 0)

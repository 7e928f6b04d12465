/**
 * A result on the screen or in a file: an aligned table for people, JSON or CSV for programs. Rows are written as they come, so any number of them fits.
 *
 * Invariant: JSON and CSV lose nothing (integers with all their digits, decimals as texts); a table cuts what is too wide and says so.
 */
import { type SqlColumn, type SqlValue, stringifyJson } from '../../../db/lake/index.ts'
import { cut, pad, printable, textWidth } from '../../text-table.ts'

export const FORMATS = ['table', 'json', 'csv'] as const
export type Format = (typeof FORMATS)[number]

export interface Output {
  /** Once, before any rows. */
  columns(columns: readonly SqlColumn[]): void
  row(values: readonly SqlValue[]): void
  /** @returns what is to be told of how the rows were shown, e.g. that long values were cut; '' otherwise */
  end(): string
}

export const openOutput = (format: Format, write: (text: string) => void): Output =>
  format === 'json' ? jsonOutput(write) : format === 'csv' ? csvOutput(write) : tableOutput(write)

/** Widths follow from so many rows; any further ones are aligned as far as they fit. */
const MEASURED = 1_000
const CELL_MAX = 80

function tableOutput(write: (text: string) => void): Output {
  let columns: readonly SqlColumn[] = []
  let isNumber: boolean[] = []
  let waiting: string[][] = []
  let widths: number[] | null = null
  let isCut = false
  let isPlan = false
  const cellOf = (value: SqlValue, i: number): string => {
    const text = printable(cellText(value, columns[i]!.type))
    const shown = cut(text, CELL_MAX)
    isCut ||= shown !== text
    return shown
  }
  const line = (cells: readonly string[], to: readonly number[], right: readonly boolean[]): string =>
    `${cells
      .map((cell, i) => ` ${pad(cell, to[i]!, right[i])} `)
      .join('|')
      .trimEnd()}\n`
  const flush = (): void => {
    if (!widths) {
      const names = columns.map(({ name }) => cut(printable(name), CELL_MAX))
      widths = names.map((name, i) =>
        waiting.reduce((most, row) => Math.max(most, textWidth(row[i]!)), textWidth(name)),
      )
      write(line(names, widths, isNumber))
      write(`${widths.map((width) => '-'.repeat(width + 2)).join('+')}\n`)
    }
    for (const row of waiting) write(line(row, widths, isNumber))
    waiting = []
  }
  return {
    columns(given) {
      columns = given
      isNumber = given.map(({ type }) => NUMBERS.test(type))
      isPlan = PLANS.has(given.at(-1)?.name ?? '')
    },
    row(values) {
      if (isPlan) {
        write(`${values.map((value) => multiline(plainText(value))).at(-1)}\n`)
        return
      }
      waiting.push(values.map(cellOf))
      if (widths || waiting.length >= MEASURED) flush()
    },
    end() {
      if (!isPlan) flush()
      return isCut ? `Values wider than ${CELL_MAX} are cut; --format json and csv have them whole.` : ''
    },
  }
}

/** What EXPLAIN answers is a drawing of many lines: in DuckDB, in Trino. */
const PLANS = new Set(['explain_value', 'Query Plan'])
const multiline = (text: string): string => text.trimEnd().split('\n').map(printable).join('\n')

/** Of both engines. */
const NUMBERS = /^((u?(tiny|small|big|huge)int)|u?integer|decimal|double|real|float|bignum)\b/i

function cellText(value: SqlValue, type: string): string {
  if (value === null) return 'NULL'
  // Digits that say nothing are left out, three at a time: 2026-01-31T12:00:00Z, 12:00:00.120.
  if (typeof value === 'string' && /^(timestamp|time\b)/i.test(type))
    return value.replace(/(\.\d{3})000(?!\d)/, '$1').replace(/\.000(?!\d)/, '')
  return plainText(value)
}

/** Nested values as JSON. */
function plainText(value: SqlValue): string {
  if (value === null) return ''
  if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString('hex')}`
  if (typeof value === 'object') return stringifyJson(jsonValue(value))
  return Object.is(value, -0) ? '-0' : String(value)
}

/** What JSON has no form for becomes text: NaN and the infinities, and bytes as hexadecimal. */
function jsonValue(value: SqlValue): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value)
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Uint8Array) return plainText(value)
  if (Array.isArray(value)) return value.map(jsonValue)
  if (value instanceof Map)
    return Object.fromEntries([...value].map(([key, item]) => [plainText(key), jsonValue(item)]))
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, jsonValue(item)]))
}

/** One array, an object a line. */
function jsonOutput(write: (text: string) => void): Output {
  let keys: string[] = []
  let count = 0
  return {
    columns(columns) {
      keys = uniqueNames(columns.map(({ name }) => name)).map((name) => JSON.stringify(name))
    },
    row(values) {
      const members = values.map((value, i) => `${keys[i]}:${stringifyJson(jsonValue(value))}`)
      write(`${count++ === 0 ? '[\n' : ',\n'}{${members.join(',')}}`)
    },
    end() {
      write(count === 0 ? '[]\n' : '\n]\n')
      return ''
    },
  }
}

/** An object has each key once: `id`, `id_2`. */
export function uniqueNames(names: readonly string[]): string[] {
  const taken = new Set<string>()
  return names.map((name) => {
    let unique = name
    for (let n = 2; taken.has(unique) || (n > 2 && names.includes(unique)); n++) unique = `${name}_${n}`
    taken.add(unique)
    return unique
  })
}

/** RFC 4180 but for its line ends; as in PostgreSQL, nothing at all is NULL and `""` an empty text. */
function csvOutput(write: (text: string) => void): Output {
  const field = (text: string): string =>
    text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
  return {
    columns: (columns) => write(`${columns.map(({ name }) => field(name)).join(',')}\n`),
    row: (values) => write(`${values.map((value) => (value === null ? '' : field(plainText(value)))).join(',')}\n`),
    end: () => '',
  }
}

/**
 * The smallest CSV reader that these files need, for the naive readings: independent of the product on purpose.
 * Nothing in this folder may import from the product's folders.
 */
import { readFileSync } from 'node:fs'

export interface CsvRow {
  line: number
  values: string[]
  get(column: string): string
}

/** Rows of a CSV file with a header line; quotes are doubled inside quotes, and no value contains a line break. */
export function csvRows(path: string): CsvRow[] {
  const lines = readFileSync(path, 'utf8').split('\n')
  const header = fields(lines[0] ?? '')
  const rows: CsvRow[] = []
  lines.forEach((text, index) => {
    if (index === 0 || text === '') return
    const values = fields(text)
    if (values.length !== header.length) throw new Error(`${path}:${index + 1} has ${values.length} values`)
    rows.push({ line: index + 1, values, get: (column) => values[header.indexOf(column)] as string })
  })
  return rows
}

function fields(text: string): string[] {
  const out: string[] = []
  let value = ''
  let quoted = false
  for (let i = 0; i < text.length; i++) {
    const c = text[i]
    if (quoted && c === '"' && text[i + 1] === '"') {
      value += '"'
      i++
    } else if (c === '"') quoted = !quoted
    else if (c === ',' && !quoted) {
      out.push(value)
      value = ''
    } else value += c
  }
  out.push(value)
  return out
}

/** `2019-10-01 00:00:00`, with or without ` UTC`. */
export const utc = (text: string): number => Date.parse(`${text.slice(0, 10)}T${text.slice(11, 19)}Z`)

/** Hundredths of a decimal with up to two places. */
export function hundredths(text: string): number {
  const negative = text.startsWith('-')
  const [units = '0', places = ''] = text.replace('-', '').split('.')
  if (places.length > 2) throw new Error(`${text} has more than two decimals`)
  return (negative ? -1 : 1) * (Number(units) * 100 + Number(places.padEnd(2, '0')))
}

export const startOf = (ms: number, lengthMs: number): number => ms - (((ms % lengthMs) + lengthMs) % lengthMs)

/** The value under the key, made when it is missing. */
export function at<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key)
  if (value === undefined) {
    value = make()
    map.set(key, value)
  }
  return value
}

/** Splits off what repeats an earlier row exactly. */
export function unique(rows: readonly CsvRow[]): { rows: CsvRow[]; duplicates: number[] } {
  const seen = new Set<string>()
  const kept: CsvRow[] = []
  const duplicates: number[] = []
  for (const row of rows) {
    const text = JSON.stringify(row.values)
    if (seen.has(text)) duplicates.push(row.line)
    else kept.push(row)
    seen.add(text)
  }
  return { rows: kept, duplicates }
}

/**
 * Nothing of a file is late when its rows never go back in time: then, in whichever partition, each event is at or after the highest event time
 * before it, and so above the watermark, which is ten seconds behind that.
 * @returns the largest step back, ms
 */
export function largestStepBack(timesMs: readonly number[]): number {
  let highest = Number.NEGATIVE_INFINITY
  let back = 0
  for (const t of timesMs) {
    back = Math.max(back, highest - t)
    highest = Math.max(highest, t)
  }
  return back
}

export const MINUTE_MS = 60_000
export const HOUR_MS = 60 * MINUTE_MS

/**
 * From what DuckDB's COPY returns about a file to the metrics of a manifest. Pure.
 *
 * Invariant: a bound is given only where it is certain: its text is understood, no NaN is in the column, the rounding is outwards. None is better than a wrong one.
 */
import type { Metrics } from '../manifest/data-file.ts'
import { lowerBound, upperBound } from '../types/bounds.ts'
import type { Long } from '../types/json.ts'
import type { Schema } from '../types/schema.ts'
import { isUuid } from '../types/single-value.ts'
import { primitiveOf, type Value } from '../types/types.ts'

/** One column's figures as DuckDB names them, all of them text. */
export type ColumnStatistics = ReadonlyMap<string, string>

/** @param columns by the column's name in the file */
export function metricsOf(
  schema: Schema,
  recordCount: number,
  columns: ReadonlyMap<string, ColumnStatistics>,
): Metrics {
  const metrics = {
    recordCount,
    columnSizes: new Map<number, Long>(),
    valueCounts: new Map<number, Long>(),
    nullCounts: new Map<number, Long>(),
    nanCounts: new Map<number, Long>(),
    lowerBounds: new Map<number, Uint8Array>(),
    upperBounds: new Map<number, Uint8Array>(),
  }
  for (const { id, name, type } of schema.fields) {
    const found = columns.get(name)
    if (!found || typeof type !== 'string') continue
    const size = found.get('column_size_bytes')
    if (size !== undefined) metrics.columnSizes.set(id, Number(size))
    metrics.valueCounts.set(id, recordCount)
    const nulls = found.get('null_count')
    if (nulls !== undefined) metrics.nullCounts.set(id, Number(nulls))
    const { kind } = primitiveOf(type)
    if (found.get('has_nan') === 'true') continue
    if (found.get('has_nan') === 'false') metrics.nanCounts.set(id, 0)
    else if (kind === 'float' || kind === 'double') continue
    const [min, max] = [parse(type, found.get('min')), parse(type, found.get('max'))]
    if (min !== undefined) metrics.lowerBounds.set(id, lowerBound(type, min))
    const upper = max === undefined ? null : upperBound(type, max)
    if (upper !== null) metrics.upperBounds.set(id, upper)
  }
  return metrics
}

/** @returns undefined for what is not understood for certain, e.g. years before Christ */
function parse(type: string, text: string | undefined): Value | undefined {
  if (text === undefined) return undefined
  const primitive = primitiveOf(type)
  switch (primitive.kind) {
    case 'boolean':
      return /^(true|1)$/.test(text) ? true : /^(false|0)$/.test(text) ? false : undefined
    case 'int':
    case 'long':
      return /^-?\d+$/.test(text) ? BigInt(text) : undefined
    case 'float':
    case 'double': {
      const number = text === 'inf' ? Infinity : text === '-inf' ? -Infinity : Number(text)
      return text === '' || Number.isNaN(number) ? undefined : number
    }
    case 'date':
      return days(text)
    case 'time':
      return microsOfDay(text)
    case 'timestamp':
    case 'timestamptz':
      return micros(text)
    case 'decimal': {
      const [, sign, whole, fraction = ''] = /^(-?)(\d*)(?:\.(\d+))?$/.exec(text) ?? []
      if (whole === undefined || fraction.length > primitive.scale) return undefined
      return BigInt(`${sign}${whole}${fraction.padEnd(primitive.scale, '0')}`)
    }
    case 'string':
      return text
    case 'uuid':
      return isUuid(text) ? text : undefined
    case 'fixed':
    case 'binary':
      return /^([0-9A-F]{2})*$/i.test(text) ? Buffer.from(text, 'hex') : undefined
  }
}

function days(text: string): number | undefined {
  const [, year, month, day] = /^(\d{4,6})-(\d\d)-(\d\d)$/.exec(text) ?? []
  if (day === undefined) return undefined
  const date = new Date(0)
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day))
  return Number.isNaN(date.getTime()) ? undefined : date.getTime() / 86_400_000
}

function microsOfDay(text: string): bigint | undefined {
  const [, hours, minutes, seconds, fraction = ''] = /^(\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?$/.exec(text) ?? []
  if (seconds === undefined) return undefined
  const whole = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)
  return BigInt(whole) * 1_000_000n + BigInt(fraction.padEnd(6, '0') || '0')
}

function micros(text: string): bigint | undefined {
  const [, date, time] = /^(\S+) (\S+?)(?:\+00)?$/.exec(text) ?? []
  const [day, within] = [days(date ?? ''), microsOfDay(time ?? '')]
  return day === undefined || within === undefined ? undefined : BigInt(day) * 86_400_000_000n + within
}

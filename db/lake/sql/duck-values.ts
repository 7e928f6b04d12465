/** DuckDB's values as those of the port. Invariant: nothing is rounded, and the same value of the lake is the same text here as from Trino. */
import {
  DuckDBArrayType,
  type DuckDBArrayValue,
  DuckDBBlobValue,
  DuckDBDateValue,
  DuckDBListType,
  type DuckDBListValue,
  DuckDBMapType,
  type DuckDBMapValue,
  DuckDBStructType,
  type DuckDBStructValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  DuckDBTimeValue,
  type DuckDBType,
  DuckDBTypeId,
  type DuckDBValue,
} from '@duckdb/node-api'
import type { SqlValue } from '../sql-engine.ts'

type Convert = (value: DuckDBValue) => SqlValue

/** Made once per column. */
export function converterOf(type: DuckDBType): Convert {
  const convert = bareConverterOf(type)
  return (value) => (value === null || value === undefined ? null : convert(value))
}

function bareConverterOf(type: DuckDBType): Convert {
  if (type.typeId === DuckDBTypeId.FLOAT) return (value) => shortest(value as number)
  if (type instanceof DuckDBListType || type instanceof DuckDBArrayType) {
    const element = converterOf(type.valueType)
    return (value) => (value as DuckDBListValue | DuckDBArrayValue).items.map(element)
  }
  if (type instanceof DuckDBStructType) {
    const fields = type.entryNames.map((name, i) => [name, converterOf(type.entryTypes[i]!)] as const)
    return (value) => {
      const { entries } = value as DuckDBStructValue
      return Object.fromEntries(fields.map(([name, convert]) => [name, convert(entries[name]!)]))
    }
  }
  if (type instanceof DuckDBMapType) {
    const [key, item] = [converterOf(type.keyType), converterOf(type.valueType)]
    return (value) => new Map((value as DuckDBMapValue).entries.map((entry) => [key(entry.key), item(entry.value)]))
  }
  return plain
}

function plain(value: DuckDBValue): SqlValue {
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof DuckDBBlobValue) return value.bytes
  if (value instanceof DuckDBDateValue)
    return Math.abs(value.days) === INFINITE_DAYS ? infinity(value.days) : String(value)
  if (value instanceof DuckDBTimeValue) return timeOf(value.micros)
  if (value instanceof DuckDBTimestampValue) return timestampOf(value.micros, '')
  if (value instanceof DuckDBTimestampTZValue) return timestampOf(value.micros, 'Z')
  return String(value)
}

/** What a float of 32 bits is as people write it: 0.1, not 0.10000000149011612. */
function shortest(value: number): number {
  if (!Number.isFinite(value)) return value
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits))
    if (Math.fround(short) === value) return short
  }
  return Number(value.toPrecision(9))
}

const INFINITE_DAYS = 2 ** 31 - 1
const INFINITE_MICROS = 2n ** 63n - 1n
const DAY_MICROS = 86_400_000_000n
const infinity = (of: number | bigint): string => (of > 0 ? 'infinity' : '-infinity')

function timeOf(micros: bigint): string {
  const seconds = micros / 1_000_000n
  const parts = [seconds / 3600n, (seconds / 60n) % 60n, seconds % 60n].map((n) => String(n).padStart(2, '0'))
  return `${parts.join(':')}.${String(micros % 1_000_000n).padStart(6, '0')}`
}

function timestampOf(micros: bigint, zone: string): string {
  if (micros === INFINITE_MICROS || micros === -INFINITE_MICROS) return infinity(micros)
  const within = ((micros % DAY_MICROS) + DAY_MICROS) % DAY_MICROS
  const days = Number((micros - within) / DAY_MICROS)
  return `${new DuckDBDateValue(days)}T${timeOf(within)}${zone}`
}

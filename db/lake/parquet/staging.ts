/**
 * Values into the columns of DuckDB's data chunks, in bulk: a column's values are laid out in a buffer as DuckDB has them in memory, and copied over at once. The node-api's own
 * vectors take each value by itself, which was half the time of an append.
 *
 * Invariants: a value that is not of the column's type is refused before anything of it is copied; dates, times and timestamps travel as integers.
 * Layouts: duckdb.h (`duckdb_string_t`, `duckdb_hugeint`); little-endian, as every platform that DuckDB's bindings are built for.
 */
import {
  BIGINT,
  BLOB,
  BOOLEAN,
  DECIMAL,
  DOUBLE,
  type DuckDBType,
  FLOAT,
  INTEGER,
  UUID,
  VARCHAR,
} from '@duckdb/node-api'
import duckdb from '@duckdb/node-bindings'
import { type IcebergType, primitiveOf, type Value } from '../types/types.ts'

/** Of a data chunk: DuckDB's vector size. */
export const CHUNK_ROWS = 2_048

export type Values = ArrayLike<Value | null | undefined>

/** One column's way into chunks. It holds one chunk's values at a time: not for two tables at once. */
export interface StagedColumn {
  readonly type: DuckDBType
  /**
   * Copies `values[from]` to `values[from + count - 1]` into the vector.
   * @param count at most CHUNK_ROWS
   * @returns -1, or the index of the first value that is not of the type; the vector is not to be used then
   */
  fill(vector: duckdb.Vector, values: Values, from: number, count: number): number
}

/** Puts a value into a buffer at a row. @returns false when the value is not of the type */
type Put = (value: Value, row: number) => boolean

/** @throws Error for nested types, which are read but not written */
export function stagedColumn(type: IcebergType): StagedColumn {
  const primitive = primitiveOf(type)
  switch (primitive.kind) {
    case 'boolean': {
      const items = new Uint8Array(CHUNK_ROWS)
      return column(BOOLEAN, items, (value, row) => {
        items[row] = value === true ? 1 : 0
        return typeof value === 'boolean'
      })
    }
    case 'int':
    case 'date': {
      const items = new Int32Array(CHUNK_ROWS)
      return column(INTEGER, items, (value, row) => {
        if (typeof value !== 'number') return false
        items[row] = value
        return items[row] === value
      })
    }
    case 'float':
    case 'double': {
      const items = primitive.kind === 'float' ? new Float32Array(CHUNK_ROWS) : new Float64Array(CHUNK_ROWS)
      return column(primitive.kind === 'float' ? FLOAT : DOUBLE, items, (value, row) => {
        if (typeof value !== 'number') return false
        items[row] = value
        return true
      })
    }
    case 'long':
    case 'timestamp':
    case 'timestamptz':
      return column(BIGINT, ...longs())
    case 'time':
      return column(BIGINT, ...longs(DAY_MICROS))
    case 'decimal':
      return decimals(primitive.precision, primitive.scale)
    case 'uuid':
      return uuids()
    case 'string':
      return strings()
    case 'fixed':
      return bytes(primitive.length)
    case 'binary':
      return bytes(null)
  }
}

const VALIDITY_WORDS = CHUNK_ROWS / 32

/** @param late values that have no place in the items, and are assigned once those are copied */
function column(type: DuckDBType, items: ArrayBufferView, put: Put, late?: LateValues): StagedColumn {
  const bytesPerRow = items.byteLength / CHUNK_ROWS
  const buffer = items.buffer as ArrayBuffer
  const valid = new Uint32Array(VALIDITY_WORDS)
  return {
    type,
    fill(vector, values, from, count) {
      let nulls = false
      late?.clear()
      for (let row = 0; row < count; row++) {
        const value = values[from + row]
        if (value === null || value === undefined) {
          if (!nulls) valid.fill(0xffffffff)
          nulls = true
          valid[row >>> 5]! &= ~(1 << (row & 31))
        } else if (!put(value, row)) return from + row
      }
      duckdb.copy_data_to_vector(vector, 0, buffer, 0, count * bytesPerRow)
      if (nulls) {
        duckdb.vector_ensure_validity_writable(vector)
        duckdb.copy_data_to_vector_validity(vector, 0, valid.buffer, 0, Math.ceil(count / 64) * 8)
      }
      late?.assign(vector)
      return -1
    },
  }
}

interface LateValues {
  clear(): void
  assign(vector: duckdb.Vector): void
}

function lateValues<T>(assign: (vector: duckdb.Vector, row: number, value: T) => void) {
  const rows = new Uint16Array(CHUNK_ROWS)
  const values = new Array<T>(CHUNK_ROWS)
  let count = 0
  return {
    clear() {
      count = 0
    },
    add(row: number, value: T): void {
      rows[count] = row
      values[count++] = value
    },
    assign(vector: duckdb.Vector) {
      for (let i = 0; i < count; i++) assign(vector, rows[i]!, values[i]!)
    },
  }
}

const MIN_LONG = -(2n ** 63n)
const MAX_LONG = 2n ** 63n - 1n
const TWO_32 = 2 ** 32
const DAY_MICROS = 86_400_000_000

/** @param below only 0 to this, which is excluded, when it is given */
function longs(below?: number): [BigInt64Array, Put] {
  const whole = new BigInt64Array(CHUNK_ROWS)
  const halves = new Int32Array(whole.buffer)
  const put: Put = (value, row) => {
    // As two halves, a number needs no BigInt on its way; the lower one is taken modulo 2^32 by the array.
    if (typeof value === 'number') {
      halves[2 * row] = value
      halves[2 * row + 1] = Math.floor(value / TWO_32)
      return Number.isSafeInteger(value) && (below === undefined || (value >= 0 && value < below))
    }
    if (typeof value !== 'bigint' || value < MIN_LONG || value > MAX_LONG) return false
    whole[row] = value
    return below === undefined || (value >= 0n && value < BigInt(below))
  }
  return [whole, put]
}

/** Unscaled, in as many bytes as DuckDB takes for the precision. */
function decimals(precision: number, scale: number): StagedColumn {
  const type = DECIMAL(precision, scale)
  const limit = 10n ** BigInt(precision)
  const numberLimit = 10 ** precision
  const fits = (value: Value): value is number | bigint =>
    typeof value === 'number'
      ? Number.isSafeInteger(value) && Math.abs(value) < numberLimit
      : typeof value === 'bigint' && value < limit && -value < limit
  if (precision <= 9) {
    const items = precision <= 4 ? new Int16Array(CHUNK_ROWS) : new Int32Array(CHUNK_ROWS)
    return column(type, items, (value, row) => {
      if (!fits(value)) return false
      items[row] = Number(value)
      return true
    })
  }
  if (precision <= 18) {
    const [items, put] = longs()
    return column(type, items, (value, row) => fits(value) && put(value, row))
  }
  const items = new BigInt64Array(CHUNK_ROWS * 2)
  return column(type, items, (value, row) => {
    if (!fits(value)) return false
    const big = BigInt(value)
    items[2 * row] = big // modulo 2^64
    items[2 * row + 1] = big >> 64n
    return true
  })
}

const STRING_BYTES = 16
const INLINE_BYTES = 12

/** Up to 12 bytes lie within the column; longer ones, and what is not ASCII, are handed over one by one. */
function strings(): StagedColumn {
  const items = new Uint8Array(CHUNK_ROWS * STRING_BYTES)
  const words = new Uint32Array(items.buffer)
  const late = lateValues<string>(duckdb.vector_assign_string_element)
  const put: Put = (value, row) => {
    if (typeof value !== 'string') return false
    const word = row * 4
    const { length } = value
    // What follows a short text is zero, since DuckDB compares it too.
    words.fill(0, word, word + 4)
    if (length > INLINE_BYTES) {
      late.add(row, value)
      return true
    }
    const start = row * STRING_BYTES + 4
    let all = 0
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i)
      items[start + i] = code
      all |= code
    }
    if (all < 0x80) words[word] = length
    else late.add(row, value)
    return true
  }
  return column(VARCHAR, items, put, late)
}

function bytes(length: number | null): StagedColumn {
  const items = new Uint8Array(CHUNK_ROWS * STRING_BYTES) // all empty
  const late = lateValues<Uint8Array>(duckdb.vector_assign_string_element_len)
  const put: Put = (value, row) => {
    if (!(value instanceof Uint8Array) || (length !== null && value.length !== length)) return false
    late.add(row, value)
    return true
  }
  return column(BLOB, items, put, late)
}

const UUID_BYTES = 16
const UUID_LENGTH = 36
/** The value of a hexadecimal digit by its code; 255 for what is none. */
const DIGITS = Uint8Array.from({ length: 128 }, (_, code) => {
  const digit = Number.parseInt(String.fromCharCode(code), 16)
  return Number.isNaN(digit) ? 255 : digit
})
/** Where the pairs of digits stand in the text. */
const PAIRS = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34]
const DASHES = [8, 13, 18, 23]

/** A hugeint, its highest bit turned so that it sorts as the bytes do: the last byte first. */
function uuids(): StagedColumn {
  const items = new Uint8Array(CHUNK_ROWS * UUID_BYTES)
  const digit = (text: string, i: number): number => DIGITS[text.charCodeAt(i)] ?? 255
  return column(UUID, items, (value, row) => {
    if (typeof value !== 'string' || value.length !== UUID_LENGTH) return false
    let last = row * UUID_BYTES + UUID_BYTES - 1
    let wrong = 0
    for (const at of PAIRS) {
      const [high, low] = [digit(value, at), digit(value, at + 1)]
      wrong |= (high | low) & 0xf0
      items[last--] = (high << 4) | low
    }
    for (const at of DASHES) if (value.charCodeAt(at) !== 45) wrong = 1
    items[row * UUID_BYTES + UUID_BYTES - 1]! ^= 0x80
    return wrong === 0
  })
}

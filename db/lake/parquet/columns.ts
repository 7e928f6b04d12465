/**
 * How Iceberg's values pass through DuckDB: the type of each column in Parquet, in the staging table that rows are put into, and back.
 *
 * Dates, times and timestamps travel as integers, uuids as text: DuckDB converts them in bulk. Invariant: what is written is what is read, to the microsecond and the last digit.
 */
import {
  BIGINT,
  BLOB,
  BOOLEAN,
  blobValue,
  DECIMAL,
  DOUBLE,
  DuckDBBlobValue,
  DuckDBDecimalValue,
  type DuckDBType,
  type DuckDBValue,
  FLOAT,
  INTEGER,
  VARCHAR,
} from '@duckdb/node-api'
import { isUuid } from '../types/single-value.ts'
import { type IcebergType, primitiveOf, type Value } from '../types/types.ts'
import { identifier, quote } from './duck.ts'

/** DuckDB's name of the type that a column has in Parquet and in queries; nested ones as well. */
export function duckType(type: IcebergType): string {
  if (typeof type !== 'string') {
    if (type.type === 'list') return `${duckType(type.element)}[]`
    if (type.type === 'map') return `MAP(${duckType(type.key)}, ${duckType(type.value)})`
    return `STRUCT(${type.fields.map((field) => `${identifier(field.name)} ${duckType(field.type)}`).join(', ')})`
  }
  const primitive = primitiveOf(type)
  switch (primitive.kind) {
    case 'int':
      return 'INTEGER'
    case 'long':
      return 'BIGINT'
    case 'timestamptz':
      return 'TIMESTAMPTZ'
    case 'string':
      return 'VARCHAR'
    case 'fixed':
    case 'binary':
      return 'BLOB'
    case 'decimal':
      return `DECIMAL(${primitive.precision}, ${primitive.scale})`
    default:
      return primitive.kind.toUpperCase()
  }
}

export interface ColumnForm {
  /** Of the staging table and its chunks. */
  staged: DuckDBType
  /** @throws Error when the value is not of the type */
  toStaged(value: Value): DuckDBValue
  /** SQL from the staged column to what Parquet gets. */
  toParquet(sql: string): string
  /** SQL from the Parquet column to what results carry. */
  toResult(sql: string): string
  fromResult(value: DuckDBValue): Value
}

const same = (sql: string): string => sql
const asIs = (value: DuckDBValue): Value => value as Value
const refuse = (value: unknown, type: string): never => {
  throw new Error(
    `${typeof value === 'bigint' ? value : JSON.stringify(value)} can't be stored in a column of the type ${type}.`,
  )
}

function form(staged: DuckDBType, accepts: (value: Value) => DuckDBValue | undefined, type: string): ColumnForm {
  const toStaged = (value: Value): DuckDBValue => accepts(value) ?? refuse(value, type)
  return { staged, toStaged, toParquet: same, toResult: same, fromResult: asIs }
}

const whole = (bits: 32 | 64) => {
  const limit = 2n ** BigInt(bits - 1)
  return (value: Value): bigint | undefined => {
    if (typeof value !== 'bigint' && !Number.isSafeInteger(value)) return undefined
    const big = BigInt(value as bigint)
    return big >= -limit && big < limit ? big : undefined
  }
}
const whole64 = whole(64)
const isInt = (value: Value): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= -(2 ** 31) && value < 2 ** 31
const int32 = (value: Value): number | undefined => (isInt(value) ? value : undefined)
const int64 = (value: Value): bigint | undefined =>
  typeof value === 'number' ? (Number.isSafeInteger(value) ? BigInt(value) : undefined) : whole64(value)
const number = (value: Value): number | undefined => (typeof value === 'number' ? value : undefined)
const bytes = (value: Value): DuckDBValue | undefined => (value instanceof Uint8Array ? blobValue(value) : undefined)
const fromBlob = (value: DuckDBValue): Value =>
  value instanceof DuckDBBlobValue ? value.bytes : (value as unknown as Value)

/** @throws Error for nested types, which are read but not written */
export function columnForm(type: IcebergType): ColumnForm {
  const primitive = primitiveOf(type)
  const name = type as string
  switch (primitive.kind) {
    case 'boolean':
      return form(BOOLEAN, (value) => (typeof value === 'boolean' ? value : undefined), name)
    case 'int':
      return form(INTEGER, int32, name)
    case 'long':
      return form(BIGINT, int64, name)
    case 'float':
      return form(FLOAT, number, name)
    case 'double':
      return form(DOUBLE, number, name)
    case 'date':
      return {
        ...form(INTEGER, int32, name),
        toParquet: (sql) => `(DATE '1970-01-01' + ${sql})`,
        toResult: (sql) => `(${sql} - DATE '1970-01-01')::INTEGER`,
        fromResult: Number,
      }
    case 'time':
      return {
        ...form(
          BIGINT,
          (v) => {
            const us = int64(v)
            return us !== undefined && us >= 0n && us < 86_400_000_000n ? us : undefined
          },
          name,
        ),
        toParquet: (sql) => `(TIME '00:00:00' + to_microseconds(${sql}))`,
        toResult: (sql) => `epoch_us(${sql})`,
      }
    case 'timestamp':
      return {
        ...form(BIGINT, int64, name),
        toParquet: (sql) => `make_timestamp(${sql})`,
        toResult: (sql) => `epoch_us(${sql})`,
      }
    case 'timestamptz':
      return {
        ...form(BIGINT, int64, name),
        toParquet: (sql) => `make_timestamp(${sql})::TIMESTAMPTZ`,
        toResult: (sql) => `epoch_us(${sql})`,
      }
    case 'string':
      return form(VARCHAR, (value) => (typeof value === 'string' ? value : undefined), name)
    case 'uuid':
      return {
        ...form(VARCHAR, (value) => (typeof value === 'string' && isUuid(value) ? value : undefined), name),
        toParquet: (sql) => `${sql}::UUID`,
        toResult: (sql) => `${sql}::VARCHAR`,
      }
    case 'fixed': {
      const fits = (value: Value) =>
        value instanceof Uint8Array && value.length === primitive.length ? bytes(value) : undefined
      return { ...form(BLOB, fits, name), fromResult: fromBlob }
    }
    case 'binary':
      return { ...form(BLOB, bytes, name), fromResult: fromBlob }
    case 'decimal': {
      const { precision, scale } = primitive
      const limit = 10n ** BigInt(precision)
      const fits = (value: Value): DuckDBValue | undefined => {
        if (typeof value !== 'bigint' && !Number.isSafeInteger(value)) return undefined
        const unscaled = BigInt(value as bigint)
        return unscaled < limit && -unscaled < limit ? new DuckDBDecimalValue(unscaled, precision, scale) : undefined
      }
      return {
        ...form(DECIMAL(precision, scale), fits, name),
        fromResult: (value) => (value as DuckDBDecimalValue).value,
      }
    }
  }
}

/** A value as SQL, of the type that the column has in queries. */
export function sqlLiteral(type: IcebergType, value: Value): string {
  const { kind } = primitiveOf(type)
  const target = duckType(type)
  switch (kind) {
    case 'boolean':
      return String(Boolean(value))
    case 'date':
      return `(DATE '1970-01-01' + ${Number(value)})`
    case 'time':
      return `(TIME '00:00:00' + to_microseconds(${BigInt(value as bigint)}))`
    case 'timestamp':
    case 'timestamptz':
      return `make_timestamp(${BigInt(value as bigint)})::${target}`
    case 'fixed':
    case 'binary':
      return `unhex(${quote(Buffer.from(value as Uint8Array).toString('hex'))})`
    case 'decimal': {
      const primitive = primitiveOf(type) as { scale: number }
      const text = String(value)
        .replace('-', '')
        .padStart(primitive.scale + 1, '0')
      const point = text.length - primitive.scale
      return `${quote(`${BigInt(value as bigint) < 0n ? '-' : ''}${text.slice(0, point)}.${text.slice(point)}`)}::${target}`
    }
    default:
      return `${quote(String(value))}::${target}`
  }
}

/**
 * How Iceberg's values pass through DuckDB: the type of each column in Parquet, from the staging table that rows are put into (`staging.ts`), and back.
 *
 * Dates, times and timestamps travel as integers: DuckDB converts them in bulk. Invariant: what is written is what is read, to the microsecond and the last digit.
 */
import { DuckDBBlobValue, type DuckDBDecimalValue, type DuckDBValue } from '@duckdb/node-api'
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
  /** SQL from the staged column to what Parquet gets. */
  toParquet(sql: string): string
  /** SQL from the Parquet column to what results carry. */
  toResult(sql: string): string
  fromResult(value: DuckDBValue): Value
}

const AS_IS: ColumnForm = {
  toParquet: (sql) => sql,
  toResult: (sql) => sql,
  fromResult: (value) => value as Value,
}
const micros = (toParquet: (sql: string) => string): ColumnForm => ({
  ...AS_IS,
  toParquet,
  toResult: (sql) => `epoch_us(${sql})`,
})

/** @throws Error for nested types, which are read but not written */
export function columnForm(type: IcebergType): ColumnForm {
  switch (primitiveOf(type).kind) {
    case 'date':
      return {
        toParquet: (sql) => `(DATE '1970-01-01' + ${sql})`,
        toResult: (sql) => `(${sql} - DATE '1970-01-01')::INTEGER`,
        fromResult: Number,
      }
    case 'time':
      return micros((sql) => `(TIME '00:00:00' + to_microseconds(${sql}))`)
    case 'timestamp':
      return micros((sql) => `make_timestamp(${sql})`)
    case 'timestamptz':
      return micros((sql) => `make_timestamp(${sql})::TIMESTAMPTZ`)
    case 'string': {
      // DuckDB's client leaves out one byte order mark at a text's beginning: it gets another to leave out.
      const mark = 'chr(65279)'
      return {
        ...AS_IS,
        toResult: (sql) => `CASE WHEN starts_with(${sql}, ${mark}) THEN ${mark} || ${sql} ELSE ${sql} END`,
      }
    }
    case 'uuid':
      return { ...AS_IS, toResult: (sql) => `${sql}::VARCHAR` }
    case 'fixed':
    case 'binary':
      return {
        ...AS_IS,
        fromResult: (value) => (value instanceof DuckDBBlobValue ? value.bytes : (value as unknown as Value)),
      }
    case 'decimal':
      return { ...AS_IS, fromResult: (value) => (value as DuckDBDecimalValue).value }
    default:
      return AS_IS
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

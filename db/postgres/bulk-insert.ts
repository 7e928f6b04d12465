/**
 * An INSERT of many rows, derived from a drizzle table: one statement and one array per column, however many rows. Whoever uses it adds what is to become of rows that are there.
 *
 * Measured for 20,000 rows: `unnest` of arrays takes 0.6 to 0.9 times what `json_to_recordset` of one JSON parameter takes, and 0.5 to 0.7 times `jsonb_to_recordset`.
 */
import { getTableColumns, getTableName } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'
import { nullableArray, plainArray, textArray } from './arrays.ts'

export interface BulkInsert<Row> {
  readonly statement: string
  /** In the order of the table's columns. */
  readonly columns: readonly (keyof Row & string)[]
  /** The statement's parameters. */
  parameters(rows: readonly Row[]): string[]
}

/** How a column's values travel, and what makes the column's type of them again. */
interface Transport {
  arrayType: string
  encode(values: readonly unknown[]): string
  decode(column: string): string
}

const asIs = (column: string): string => column
// The casts of `unknown` hold because rows have the types of the table's columns.
const plain = (values: readonly unknown[]) => plainArray(values as number[])
const nullable = (values: readonly unknown[]) => nullableArray(values as (number | null)[])
const text = (values: readonly unknown[]) => textArray(values as (string | null)[])
const TRANSPORTS: Record<string, Transport> = {
  text: { arrayType: 'text[]', encode: text, decode: asIs },
  // As text, so that every digit arrives.
  numeric: { arrayType: 'numeric[]', encode: text, decode: asIs },
  bigint: { arrayType: 'bigint[]', encode: plain, decode: asIs },
  integer: { arrayType: 'integer[]', encode: plain, decode: asIs },
  boolean: { arrayType: 'boolean[]', encode: plain, decode: asIs },
  jsonb: {
    arrayType: 'text[]',
    encode: (values) => textArray(values.map((value) => JSON.stringify(value))),
    decode: (column) => `${column}::jsonb`,
  },
  'timestamp with time zone': {
    arrayType: 'float8[]',
    encode: plain,
    decode: (column) => `to_timestamp(${column} / 1000)`,
  },
}

export const quoted = (name: string): string => `"${name}"`

/** Columns that the database numbers by itself are left out. @param Row has the table's other columns, under their names */
export function bulkInsert<Row>(table: PgTable): BulkInsert<Row> {
  const name = getTableName(table)
  const columns = Object.entries(getTableColumns(table))
    .filter(([, { generatedIdentity }]) => generatedIdentity === undefined)
    .map(([column, definition]) => {
      const type = definition.getSQLType()
      const transport = TRANSPORTS[type]
      if (!transport) throw new Error(`bulk-insert.ts knows no way to send ${name}.${column}, a ${type}.`)
      const encode = definition.notNull || transport.encode !== plain ? transport.encode : nullable
      return { name: column as keyof Row & string, transport: { ...transport, encode } }
    })
  const names = columns.map((column) => quoted(column.name)).join(', ')
  const arrays = columns.map(({ transport }, i) => `$${i + 1}::text::${transport.arrayType}`).join(', ')
  return {
    statement: `
    INSERT INTO ${quoted(name)} AS t (${names})
    SELECT ${columns.map((column) => column.transport.decode(`v.${quoted(column.name)}`)).join(', ')}
    FROM unnest(${arrays}) AS v (${names})`,
    columns: columns.map((column) => column.name),
    parameters: (rows) => columns.map(({ name, transport }) => transport.encode(rows.map((row) => row[name]))),
  }
}

/** What becomes of a row whose key is there: all other columns are taken over. */
export const onConflictUpdate = (keys: readonly string[], columns: readonly string[]): string =>
  `ON CONFLICT (${keys.map(quoted).join(', ')}) DO UPDATE SET ${columns
    .filter((name) => !keys.includes(name))
    .map((name) => `${quoted(name)} = excluded.${quoted(name)}`)
    .join(', ')}`

/**
 * The lake's columns as PostgreSQL's: which type a column has in the warehouse, how a value travels there, and how a table that is there comes to have what the lake's has.
 *
 * Invariant: a column only ever widens. What can't be widened is refused by name; nothing is dropped or narrowed, so whatever a warehouse's own views rest on stays.
 */
import type { Schema, SqlValue } from '../lake/index.ts'

/** Somebody has to change a table first, here or there: trying again does not help. */
export class CannotCopy extends Error {
  override readonly name = 'CannotCopy'
}

export interface WarehouseColumn {
  readonly name: string
  /** As `format_type` writes it. */
  readonly type: string
}

const TYPES: Readonly<Record<string, string>> = {
  boolean: 'boolean',
  int: 'integer',
  long: 'bigint',
  float: 'real',
  double: 'double precision',
  date: 'date',
  time: 'time without time zone',
  timestamp: 'timestamp without time zone',
  timestamptz: 'timestamp with time zone',
  string: 'text',
  uuid: 'uuid',
  binary: 'bytea',
}

/** @throws CannotCopy for a nested column, which the star schema has none of */
export const warehouseColumns = (table: string, { fields }: Schema): WarehouseColumn[] =>
  fields.map(({ name, type }) => {
    const known = typeof type === 'string' ? (TYPES[type] ?? parameterised(type)) : undefined
    if (known === undefined)
      throw new CannotCopy(
        `${table} can't be copied to the warehouse: its column "${name}" is nested. Drop the column.`,
      )
    return { name, type: known }
  })

function parameterised(type: string): string | undefined {
  const [, precision, scale] = /^decimal\(\s*(\d+)\s*,\s*(\d+)\s*\)$/.exec(type) ?? []
  if (precision !== undefined) return `numeric(${precision},${scale})`
  return type.startsWith('fixed[') ? 'bytea' : undefined
}

export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

/**
 * The statements after which the table can hold the columns.
 * @param there its columns as they are; null: there is no such table
 * @throws CannotCopy where a column is of a type that does not widen to the lake's
 */
export function alterations(
  table: string,
  wanted: readonly WarehouseColumn[],
  there: readonly WarehouseColumn[] | null,
): string[] {
  const defined = ({ name, type }: WarehouseColumn) => `${quoted(name)} ${type}`
  if (there === null) return [`CREATE TABLE ${table} (${wanted.map(defined).join(', ')})`]
  const known = new Map(there.map(({ name, type }) => [name, type]))
  const changes = wanted.flatMap((column) => {
    const is = known.get(column.name)
    if (is === undefined) return [`ADD COLUMN ${defined(column)}`]
    if (is === column.type) return []
    if (widens(is, column.type)) return [`ALTER COLUMN ${quoted(column.name)} TYPE ${column.type}`]
    throw new CannotCopy(
      `${table} has its column "${column.name}" as ${is}, and in the lake it is what PostgreSQL calls ${column.type}. Rename or drop the table in the warehouse, and publish again.`,
    )
  })
  return changes.length === 0 ? [] : [`ALTER TABLE ${table} ${changes.join(', ')}`]
}

/** What Iceberg lets a column become. */
function widens(from: string, to: string): boolean {
  if (from === 'integer') return to === 'bigint'
  if (from === 'real') return to === 'double precision'
  const [a, b] = [from, to].map((type) => /^numeric\((\d+),(\d+)\)$/.exec(type))
  return !!a && !!b && a[2] === b[2] && Number(b[1]) >= Number(a[1])
}

/** As PostgreSQL reads it. It has no text with NUL in it: the sign for what can't be shown stands there. */
export function textOf(value: SqlValue): string | null {
  if (value === null) return null
  if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString('hex')}`
  return String(value).replaceAll('\0', '\uFFFD')
}

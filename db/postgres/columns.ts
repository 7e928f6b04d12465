/** The column types of the schema: how epoch milliseconds, counts and bytes of the rows are kept in PostgreSQL. */
import { bigint, customType } from 'drizzle-orm/pg-core'

/**
 * Epoch milliseconds in the row, `timestamptz` in SQL, so that other tools see times.
 * connect.ts parses the type to the same number for plain queries.
 */
export const epochMs = customType<{ data: number; driverData: string | number }>({
  dataType: () => 'timestamp with time zone',
  toDriver: (ms) => timestampOf(ms),
  fromDriver: (value) => (typeof value === 'number' ? value : parseTimestamp(value)),
})

/** A count, an offset or minor units: whole and within ±2^53. */
export const integer64 = () => bigint({ mode: 'number' })

export const bytea = customType<{ data: Uint8Array }>({ dataType: () => 'bytea' })

/** The number of a transaction, which never comes again. As text: it may be beyond 2^53. */
export const xid8 = customType<{ data: string }>({ dataType: () => 'xid8' })

/** ±Infinity stand for "before" and "after all times", as they do in SQL. */
export function timestampOf(ms: number): string {
  if (ms === Number.NEGATIVE_INFINITY) return '-infinity'
  if (ms === Number.POSITIVE_INFINITY) return 'infinity'
  return new Date(ms).toISOString()
}

/** Of the text PostgreSQL sends with `DateStyle` ISO and `TimeZone` UTC: `2026-01-15 10:00:00.123+00`. */
export function parseTimestamp(text: string): number {
  if (text === '-infinity') return Number.NEGATIVE_INFINITY
  if (text === 'infinity') return Number.POSITIVE_INFINITY
  return Date.parse(text)
}

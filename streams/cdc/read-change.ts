/**
 * A record of a `cdc.` topic as what the projection and the lake make of it. Pure.
 *
 * Invariant: what is read here can be stored; all else is a reason, with a sentence for whoever looks after the dead letter.
 */
import { cleanText } from '../../db/postgres/result-version.ts'
import {
  type ChangeOp,
  type ChangeRow,
  type ChangeSource,
  type ChangeValue,
  readChange,
  UNAVAILABLE,
  UnreadableChange,
} from '../contract/cdc.ts'
import { toEpochMs } from '../contract/time-text.ts'
import type { DeadLetterReason } from '../dead-letters/dead-letter.ts'
import type { LogRecord } from '../log/event-log.ts'
import type { ColumnKind, ShopTable } from './tables.ts'

export type Cell = string | number | null

interface Placed {
  /** null: a tombstone, which repeats the delete before it. */
  readonly op: ChangeOp | null
  readonly position: number
  /** In the WAL of the shop's database. */
  readonly lsn: number | null
  /** By the clock of the shop's database where the record says it, else the log's. */
  readonly changedAtMs: number
}
/** The row as it is now. */
export interface RowChange extends Placed {
  readonly kind: 'row'
  readonly id: string
  readonly values: Readonly<Record<string, Cell>>
  readonly extra: Readonly<Record<string, unknown>>
  /** Columns that were not sent because they are as before: known ones and others. */
  readonly unchanged: readonly string[]
}
export interface RowGone extends Placed {
  readonly kind: 'gone'
  readonly id: string
}
/** All rows of the partition are gone. */
export interface AllGone extends Placed {
  readonly kind: 'all_gone'
}
export interface Unreadable {
  readonly kind: 'unreadable'
  readonly reason: DeadLetterReason
  readonly message: string
}
export type ShopChange = RowChange | RowGone | AllGone

const ID = 'id'

class BadRow extends Error {
  override readonly name = 'BadRow'
}

export function readShopChange(table: ShopTable, record: LogRecord): ShopChange | Unreadable {
  try {
    const read = readChange(record)
    const position = record.offset
    if (read.kind === 'tombstone')
      return { kind: 'gone', id: idOf(read.key), op: null, position, lsn: null, changedAtMs: record.appendedAtMs }
    const { source, op, after } = read.change
    const placed = { op, position, lsn: exact(source.lsn), changedAtMs: committedAt(source) ?? record.appendedAtMs }
    if (read.kind === 'truncate') return { kind: 'all_gone', ...placed }
    const id = idOf(read.key)
    if (op === 'd' || after === null) return { kind: 'gone', id, ...placed }
    return { kind: 'row', id, ...placed, ...columnsOf(table, after) }
  } catch (error) {
    if (error instanceof UnreadableChange)
      return { kind: 'unreadable', reason: 'unknown_format', message: error.message }
    if (error instanceof BadRow) return { kind: 'unreadable', reason: 'bad_row', message: error.message }
    throw error
  }
}

const exact = (number: unknown): number | null => (Number.isSafeInteger(number) ? (number as number) : null)

function committedAt({ ts_ms }: ChangeSource): number | null {
  const ms = exact(ts_ms)
  return ms !== null && ms >= 0 && ms <= TIME_MAX ? ms : null
}

function idOf(key: ChangeRow): string {
  const id = READ.text(key[ID])
  if (typeof id !== 'string') throw new BadRow(`The key has no "${ID}", by which rows are known here.`)
  // As it will be in the database.
  return cleanText(id)
}

function columnsOf(table: ShopTable, after: ChangeRow): Pick<RowChange, 'values' | 'extra' | 'unchanged'> {
  const values: Record<string, Cell> = {}
  for (const [name, kind] of Object.entries(table.columns)) {
    const given = after[name]
    if (given === UNAVAILABLE) continue
    const read = READ[kind](given)
    if (read === undefined) throw new BadRow(`"${name}" is ${JSON.stringify(plain(given))}, ${WANTED[kind]}.`)
    values[name] = read
  }
  const others = Object.entries(after).filter(([name]) => name !== ID && !Object.hasOwn(table.columns, name))
  return {
    values,
    extra: Object.fromEntries(others.filter(([, value]) => value !== UNAVAILABLE).map(([name, v]) => [name, plain(v)])),
    unchanged: Object.keys(after).filter((name) => after[name] === UNAVAILABLE),
  }
}

type Given = ChangeValue | undefined

/** @returns undefined for what is none. A column that is missing is null: the shop's table has none of that name. */
const READ: Readonly<Record<ColumnKind, (value: Given) => Cell | undefined>> = {
  text: (value) => (value == null ? null : typeof value === 'object' ? undefined : String(value)),
  amount(value) {
    if (value == null) return null
    const text = typeof value === 'object' || typeof value === 'boolean' ? '' : String(value)
    return /^-?\d{1,100}(\.\d{1,100})?$/.test(text) ? text : undefined
  },
  whole(value) {
    if (value == null) return null
    const number = typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value
    return typeof number === 'number' && Number.isSafeInteger(number) ? number : undefined
  },
  time(value) {
    if (value == null) return null
    const isText = typeof value === 'string'
    if (!isText && typeof value !== 'number') return undefined
    // A column without a time zone is a number: microseconds, or milliseconds where it keeps no more. The latter would be in the year 5138.
    const ms = toEpochMs(isText ? value : Math.abs(value) >= 1e14 ? value / 1_000 : value)
    return Number.isNaN(ms) || Math.abs(ms) > TIME_MAX ? undefined : ms
  },
}
/** Year 9999. */
const TIME_MAX = 253_402_300_799_999

const WANTED: Readonly<Record<ColumnKind, string>> = {
  text: 'which is no text',
  amount: 'which is no decimal number (Debezium writes them with decimal.handling.mode=string)',
  whole: 'which is no whole number within ±2^53',
  time: 'which is no time of the years up to 9999',
}

/** As JSON can have it without a digit lost: text where a number would not be exact. */
function plain(value: Given): unknown {
  if (typeof value === 'bigint') return String(value)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner)]))
}

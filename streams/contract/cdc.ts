/**
 * Changes of a database's tables as Debezium's PostgreSQL connector writes them (JsonConverter, `schemas.enable=false`): what the CDC source appends to
 * `cdc.<schema>.<table>` and whoever follows a table reads. A real Debezium can take the source's place without a change downstream.
 *
 * Key: the primary key as a JSON object; value: {@link Change}; a delete is followed by a tombstone, a record of the same key without a value. Invariant: what
 * {@link readChange} answers is a whole change, or it throws; numbers are those of the text, also beyond 2^53.
 * Source: "Data change events" in Debezium's documentation of the PostgreSQL connector.
 */
import { isInteger, isSafeNumber, parse } from 'lossless-json'

/** The name of the server in Debezium's sense, and the first part of every topic. */
export const CDC_SERVER = 'cdc'

/** @param table with its schema: `public.products` */
export const changeTopic = (table: string): string => `${CDC_SERVER}.${table}`

/** What stands for a large value that an UPDATE did not touch and PostgreSQL therefore did not send: keep the one you have. */
export const UNAVAILABLE = '__debezium_unavailable_value'

/**
 * A header of ours beside Debezium's record: where in the source the record stands, `<commit LSN>/<n>` with n counting the records of a transaction, or
 * `snapshot/<LSN>/<n>`. Rises within a partition. The source reads it to go on after a crash without a double; others need it not.
 */
export const CHANGE_POSITION = 'streamforge_cdc_position'

/** c: inserted, u: updated, d: deleted, r: read by a snapshot, t: all rows are gone (TRUNCATE, or a snapshot begins anew). */
export type ChangeOp = 'c' | 'u' | 'd' | 'r' | 't'
const OPS: ReadonlySet<unknown> = new Set<ChangeOp>(['c', 'u', 'd', 'r', 't'])

/** A bigint only where a number would not be exact. */
export type ChangeValue = string | number | bigint | boolean | null | ChangeValue[] | { [name: string]: ChangeValue }
/**
 * A row's columns by name. Numeric is text, timestamptz ISO text in UTC, timestamp microseconds (milliseconds where the column has at most three digits), date days,
 * time microseconds, bytea base64, json and jsonb their text, an array an array, all else its text.
 */
export type ChangeRow = Readonly<Record<string, ChangeValue>>

export interface ChangeSource {
  readonly version: string
  readonly connector: string
  readonly name: string
  /** When the transaction was committed; of a snapshot, when the row was read. Epoch ms. */
  readonly ts_ms: number
  readonly snapshot: string
  readonly db: string
  /** A JSON array in text: LSN of the last commit before, LSN of the change. */
  readonly sequence: string | null
  readonly schema: string
  readonly table: string
  readonly txId: number | null
  readonly lsn: number | null
  readonly xmin: number | null
}

export interface Change {
  /** All columns where the table's REPLICA IDENTITY is FULL, else the key's or nothing. */
  readonly before: ChangeRow | null
  readonly after: ChangeRow | null
  readonly source: ChangeSource
  readonly op: ChangeOp
  /** When the source wrote it. Epoch ms. */
  readonly ts_ms: number
}

export type ChangeRecord =
  | { readonly kind: 'change'; readonly key: ChangeRow; readonly change: Change }
  /** The row is gone; the delete came before. */
  | { readonly kind: 'tombstone'; readonly key: ChangeRow }
  /**
   * All rows of the table **in this partition** are gone. TRUNCATE has no key and an order exists within a partition only, so the source writes one to each partition.
   */
  | { readonly kind: 'truncate'; readonly change: Change }

/** The record is no change in this form; the message says why. */
export class UnreadableChange extends Error {
  override readonly name = 'UnreadableChange'
}

/**
 * Reads a record of a `cdc.` topic, with or without Connect's `{schema, payload}` around key and value.
 * @throws UnreadableChange
 */
export function readChange(record: {
  readonly key: string | null
  readonly value: Buffer
  readonly tombstone?: boolean
}): ChangeRecord {
  if (record.tombstone || record.value.length === 0) return { kind: 'tombstone', key: readKey(record.key) }
  const change = payload(json(record.value.toString('utf8'), 'value'))
  if (!isObject(change)) throw new UnreadableChange('The value is no JSON object.')
  if (!OPS.has(change.op)) throw new UnreadableChange(`"op" is none of ${[...OPS].join(', ')}.`)
  if (!isObject(change.source) || typeof change.source.table !== 'string')
    throw new UnreadableChange('"source" does not name a table.')
  const whole = { before: null, after: null, ...change } as unknown as Change
  if (whole.op === 't') return { kind: 'truncate', change: whole }
  const row = whole.op === 'd' ? 'before' : 'after'
  if (whole.op !== 'd' && !isObject(change.after))
    throw new UnreadableChange(`"${row}" is missing in a change "${whole.op}".`)
  return { kind: 'change', key: readKey(record.key), change: whole }
}

function readKey(text: string | null): ChangeRow {
  if (text === null)
    throw new UnreadableChange('The record has no key, so it names no row: give the table a primary key.')
  const key = payload(json(text, 'key'))
  if (!isObject(key)) throw new UnreadableChange('The key is no JSON object.')
  return key
}

type Json = Record<string, ChangeValue>
const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Connect's converter writes the schema beside the payload unless it is told not to. */
const payload = (value: unknown): unknown =>
  isObject(value) && 'payload' in value && 'schema' in value && Object.keys(value).length === 2 ? value.payload : value

/** More digits in a row than floating point is certain to keep; also in a text, where the slower reading does no harm. */
const MANY_DIGITS = /\d{16}/

function json(text: string, what: string): unknown {
  try {
    return MANY_DIGITS.test(text) ? parse(text, null, exactNumber) : JSON.parse(text)
  } catch {
    throw new UnreadableChange(`The ${what} is not JSON.`)
  }
}

const exactNumber = (text: string): number | bigint =>
  isInteger(text) && !isSafeNumber(text) ? BigInt(text) : Number(text)

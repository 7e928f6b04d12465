/**
 * When a result row replaces another of its key: the one rule that PostgreSQL, the in-memory store and the batching of a flush share.
 * Pure: no database here.
 *
 * Invariant: publishing again (after a crash, by a zombie, in any batches) leaves what readers see as it is. A higher position wins; of two
 * rows of one position the content is equal, so only `final` can tell them apart, and what has become final stays final.
 */
import { RESULT_KEYS, type ResultRows, type ResultTable } from '../../streams/contract/results.ts'
import type { OutboxRecord } from '../../streams/runtime/ports.ts'

interface Versioned {
  position: number
  final?: boolean
}

/** Whether `next` has to be written over `stored`. */
export function replaces(next: Versioned, stored: Versioned): boolean {
  if (next.position !== stored.position) return next.position > stored.position
  return next.final === true && stored.final === false
}

export type KeyPart = string | number

/** The row's key as the values of its key columns, in the order of RESULT_KEYS. */
export function keyOf<T extends ResultTable>(table: T, row: ResultRows[T]): KeyPart[] {
  // An interface has no index signature, hence the way round; every key column is text or a number.
  const values = row as unknown as Readonly<Record<string, KeyPart>>
  return RESULT_KEYS[table].map((column) => values[column]!)
}

/** A total order of the keys of one table: numbers by size, text by code unit. Locks are taken in it, and tests compare tables by it. */
export function compareKeys(a: readonly KeyPart[], b: readonly KeyPart[]): number {
  for (let i = 0; i < a.length; i++) {
    const x = a[i]!
    const y = b[i]!
    if (x !== y) return x < y ? -1 : 1
  }
  return 0
}

/**
 * Text as PostgreSQL can keep it: it refuses U+0000, and half of a surrogate pair in `jsonb`. Both become U+FFFD here, so that one hostile
 * string can't make every flush of its partition fail.
 */
export function cleanText(text: string): string {
  const wellFormed = text.isWellFormed() ? text : text.toWellFormed()
  return wellFormed.includes('\0') ? wellFormed.replaceAll('\0', '\ufffd') : wellFormed
}

function isClean(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed() && !value.includes('\0')
  if (value === null || typeof value !== 'object') return true
  for (const key in value) if (!isClean(key) || !isClean((value as Record<string, unknown>)[key])) return false
  return true
}

function clean(value: unknown): unknown {
  if (typeof value === 'string') return cleanText(value)
  if (Array.isArray(value)) return value.map(clean)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [cleanText(key), clean(inner)]))
}

/** The value with clean text in it. Cleaning keeps the shape: it maps text to text. Nearly all values are clean, and pass without a copy. */
export const cleaned = <V>(value: V): V => (isClean(value) ? value : (clean(value) as V))

/** The newest row of each key, with clean text, in the order of {@link compareKeys}. The rows given are left as they are. */
export function newestByKey<T extends ResultTable>(table: T, rows: readonly ResultRows[T][]): ResultRows[T][] {
  const newest = new Map<string, { key: KeyPart[]; row: ResultRows[T] }>()
  for (const given of rows) {
    const row = cleaned(given)
    const key = keyOf(table, row)
    // Clean text has no U+0000, so the join is unambiguous.
    const id = key.join('\0')
    const known = newest.get(id)
    if (!known || replaces(row, known.row)) newest.set(id, { key, row })
  }
  return [...newest.values()].sort((a, b) => compareKeys(a.key, b.key)).map((entry) => entry.row)
}

/** A record of the outbox with clean text; its value is bytes, and stays as it is. */
export function cleanRecord(record: OutboxRecord): OutboxRecord {
  const { id, topic, key, value, headers } = record
  return {
    id: cleanText(id),
    topic: cleanText(topic),
    key: key === null ? null : cleanText(key),
    value,
    ...(headers ? { headers: cleaned(headers) } : {}),
  }
}

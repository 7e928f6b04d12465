/**
 * Answers kept for about a second: however many clients ask, a query runs once in that time, and once at a time.
 * Bounded: the oldest entry goes first. A failed query is not kept.
 */
import type { Clock } from '../ports.ts'

export interface CacheOptions {
  ttlMs: number
  entriesMax: number
  clock: Pick<Clock, 'now'>
}

export type Cache = <V>(key: string, load: () => Promise<V>) => Promise<V>

export function createCache({ ttlMs, entriesMax, clock }: CacheOptions): Cache {
  // A key is made of the query's name and parameters, so the value under it always has the type its query gives.
  const entries = new Map<string, { value: Promise<unknown>; expiresAt: number }>()
  return <V>(key: string, load: () => Promise<V>): Promise<V> => {
    const known = entries.get(key)
    if (known && clock.now() < known.expiresAt) return known.value as Promise<V>
    const value = load()
    // Until it has answered, everybody waits for this one.
    const entry = { value, expiresAt: Number.POSITIVE_INFINITY }
    entries.delete(key)
    entries.set(key, entry)
    value.then(
      () => {
        entry.expiresAt = clock.now() + ttlMs
      },
      () => {
        if (entries.get(key) === entry) entries.delete(key)
      },
    )
    if (entries.size > entriesMax) entries.delete(entries.keys().next().value!)
    return value
  }
}

/** Cursors of pages that go on after the last row seen (keyset): stable while rows are added, and as quick for the last page as for the first. */
import { z } from 'zod'
import { QueryError } from './numbers.ts'

export interface Page<T> {
  items: T[]
  /** Give it back to get the next page; null at the end. */
  next: string | null
}

/** Where a page ended: the number that the rows are ordered by (a time, a sum), and the id among those of one number. */
export interface Place {
  at: number
  id: string
}

const place = z.tuple([
  z.int(),
  z
    .string()
    .max(1_000)
    .refine((id) => !id.includes('\0')),
])

export const encodeCursor = ({ at, id }: Place): string => Buffer.from(JSON.stringify([at, id])).toString('base64url')

/** @throws QueryError when it is none of ours. */
export function decodeCursor(cursor: string): Place {
  try {
    const [at, id] = place.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')))
    return { at, id }
  } catch {
    throw new QueryError('The cursor is not one that this API gave out. Leave it out to start from the first page.')
  }
}

/**
 * Turns `limit + 1` rows into a page: the one too many only tells that there is more.
 * @param placeOf the values the query is ordered by.
 */
export function toPage<T>(rows: readonly T[], limit: number, placeOf: (row: T) => Place): Page<T> {
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  return { items, next: rows.length > limit && last !== undefined ? encodeCursor(placeOf(last)) : null }
}

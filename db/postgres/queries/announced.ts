/** What the streams have announced of single records: that one was late for a job, or could not be read. Kept longer than any log (`pruneOutbox`), under ids that name the record. */
import { textArray } from '../arrays.ts'
import type { Sql } from '../connect.ts'

/** @returns those of the ids that were announced */
export async function announced(sql: Sql, ids: readonly string[]): Promise<Set<string>> {
  if (ids.length === 0) return new Set()
  const rows = await sql<{ id: string }[]>`SELECT id FROM outbox WHERE id = ANY (${textArray(ids)}::text::text[])`
  return new Set(rows.map(({ id }) => id))
}

/** Write keys: who may send events, from which pages, and how many. Here is storage only: the edge makes keys and compares them, by their hashes. Every change is audited with itself. */
import { textArray } from './arrays.ts'
import { type Actor, recordAudit } from './audit.ts'
import type { Sql } from './connect.ts'

/** Edges hold all of them in memory. */
export const WRITE_KEYS_MAX = 1_000

export interface WriteKeyRow {
  id: string
  name: string
  /** SHA-256 of the key. */
  hash: Uint8Array
  /** Of pages that may send with it; null: all. */
  origins: readonly string[] | null
  /** null: as many as there are. */
  events_per_minute: number | null
  /** Whether an event must say that whom it is about agrees. */
  requires_consent: boolean
  /** Epoch milliseconds. */
  created_at: number
  created_by: string
  revoked_at: number | null
  revoked_by: string | null
}
export type NewWriteKey = Omit<WriteKeyRow, 'created_by' | 'revoked_at' | 'revoked_by'>

const columns = (sql: Sql) =>
  sql`id, name, hash, array_to_json(origins) AS origins, events_per_minute, requires_consent, created_at, created_by, revoked_at, revoked_by`

/** Those that hold, in the order in which they were made. */
export async function liveWriteKeys(sql: Sql): Promise<WriteKeyRow[]> {
  const rows = await sql<WriteKeyRow[]>`
    SELECT ${columns(sql)} FROM write_keys WHERE revoked_at IS NULL ORDER BY created_at, id LIMIT ${WRITE_KEYS_MAX}`
  return rows.map((row) => ({ ...row }))
}

/** Those that no longer hold, the last revoked first. */
export async function revokedWriteKeys(sql: Sql, limit: number): Promise<WriteKeyRow[]> {
  const rows = await sql<WriteKeyRow[]>`
    SELECT ${columns(sql)} FROM write_keys WHERE revoked_at IS NOT NULL ORDER BY revoked_at DESC, id LIMIT ${limit}`
  return rows.map((row) => ({ ...row }))
}

/** @returns whether it was made; not where there are {@link WRITE_KEYS_MAX} already */
export async function createWriteKey(sql: Sql, key: NewWriteKey, by: Actor): Promise<boolean> {
  const { id, name, hash, origins, events_per_minute, requires_consent, created_at } = key
  return sql.begin(async (tx) => {
    const made = await tx`
      INSERT INTO write_keys (id, name, hash, origins, events_per_minute, requires_consent, created_at, created_by)
      SELECT ${id}, ${name}, ${Buffer.from(hash)}, ${origins === null ? null : textArray(origins)}::text::text[], ${events_per_minute}::integer,
        ${requires_consent}, ${new Date(created_at).toISOString()}::timestamptz, ${by.username}
      WHERE (SELECT count(*) FROM write_keys WHERE revoked_at IS NULL) < ${WRITE_KEYS_MAX}`
    if (made.count === 0) return false
    const detail = { name, origins, events_per_minute, requires_consent }
    await recordAudit(tx, { at: created_at, by, action: 'write_key.create', target: id, detail })
    return true
  })
}

/** @param at epoch ms. @returns whether there was such a key that held */
export async function revokeWriteKey(sql: Sql, id: string, at: number, by: Actor): Promise<boolean> {
  return sql.begin(async (tx) => {
    const [revoked] = await tx<{ name: string }[]>`
      UPDATE write_keys SET revoked_at = ${new Date(at).toISOString()}, revoked_by = ${by.username}
      WHERE id = ${id} AND revoked_at IS NULL RETURNING name`
    if (!revoked) return false
    await recordAudit(tx, { at, by, action: 'write_key.revoke', target: id, detail: { name: revoked.name } })
    return true
  })
}

/**
 * Erasures of persons, as they are asked for and told of: what the edge does with the table. What the workflow notes in it is in erasure-progress.ts.
 *
 * Invariant: neither an audit entry nor a row of a complete erasure holds the person's id, only its salted hash.
 */
import { type Actor, recordAudit } from './audit.ts'
import type { ErasureState, ErasureStep } from './batch-schema.ts'
import type { Sql } from './connect.ts'
import { decodeCursor, type Page, toPage } from './queries/cursor.ts'

export interface ErasureRow {
  id: string
  state: ErasureState
  /** SHA-256 of `<salt>:<user id>`. */
  subject_hash: string
  salt: string
  /** Epoch milliseconds. */
  requested_at: number
  requested_by: string
  updated_at: number
  waits_until: number | null
  steps: ErasureStep[]
  completed_at: number | null
  failure: string | null
}

export interface NewErasure {
  id: string
  userId: string
  /** Random. */
  salt: string
  by: Actor
  /** Epoch milliseconds. */
  at: number
}

export interface ErasureFilter {
  state?: ErasureState | undefined
  limit: number
  cursor?: string | undefined
}

const columns = (sql: Sql) =>
  sql`id, state, subject_hash, salt, requested_at, requested_by, updated_at, waits_until, steps, completed_at, failure`

/** Whoever is being erased already is not erased twice: that erasure is given back. Where it waits for the log alone, another one is about what has come since. Those that have failed go on. */
export async function requestErasure(sql: Sql, { id, userId, salt, by, at }: NewErasure): Promise<ErasureRow> {
  const time = new Date(at).toISOString()
  return sql.begin(async (tx) => {
    await tx`
      UPDATE erasures SET state = 'requested', failure = NULL, updated_at = ${time} WHERE user_id = ${userId} AND state = 'failed'`
    const [row] = await tx<ErasureRow[]>`
      INSERT INTO erasures (id, state, user_id, subject_hash, salt, requested_at, requested_by, updated_at, records, steps)
      VALUES (${id}, 'requested', ${userId}, encode(sha256(convert_to(${salt}::text || ':' || ${userId}::text, 'UTF8')), 'hex'), ${salt}, ${time}, ${by.username}, ${time}, '[]', '[]')
      ON CONFLICT (user_id) WHERE user_id IS NOT NULL AND log_ends IS NULL DO UPDATE SET updated_at = excluded.updated_at
      RETURNING ${columns(sql)}`
    const { subject_hash } = row!
    await recordAudit(tx, { at, by, action: 'erasure.request', target: row!.id, detail: { subject_hash } })
    return { ...row! }
  })
}

/** The newest first. @throws QueryError for a cursor that is none */
export async function erasures(sql: Sql, { state, limit, cursor }: ErasureFilter): Promise<Page<ErasureRow>> {
  const after = cursor === undefined ? null : decodeCursor(cursor)
  const rows = await sql<ErasureRow[]>`
    SELECT ${columns(sql)} FROM erasures WHERE true
      ${state === undefined ? sql`` : sql`AND state = ${state}`}
      ${after === null ? sql`` : sql`AND (requested_at, id::text) < (to_timestamp(${after.at}::float8 / 1000), ${after.id})`}
    ORDER BY requested_at DESC, id::text DESC LIMIT ${limit + 1}`
  return toPage(
    rows.map((row) => ({ ...row })),
    limit,
    ({ requested_at, id }) => ({ at: requested_at, id }),
  )
}

/** @param id a UUID */
export async function erasure(sql: Sql, id: string): Promise<ErasureRow | null> {
  const [row] = await sql<ErasureRow[]>`SELECT ${columns(sql)} FROM erasures WHERE id = ${id}`
  return row ? { ...row } : null
}

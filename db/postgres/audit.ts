/**
 * The audit log: who changed what through the edge, and when. Stores write it in the transaction of the change itself, so that neither is there without the other.
 *
 * Invariant: `detail` never has a secret in it.
 */
import type { Sql, Transaction } from './connect.ts'
import { decodeCursor, type Page, toPage } from './queries/cursor.ts'

/** Who changes something: an account, and where it came from as the server sees it. */
export interface Actor {
  username: string
  address: string | null
}

export interface AuditEntry {
  /** Epoch milliseconds. */
  at: number
  by: Actor
  /** What was done, as `<noun>.<verb>`: `write_key.revoke`. */
  action: string
  /** What it was done to: the id of a key, an alert, a user. */
  target: string
  detail?: Record<string, string | number | boolean | null | readonly string[]>
}

export interface AuditRow {
  id: number
  at: number
  actor: string
  action: string
  target: string
  detail: Record<string, unknown>
  address: string | null
}

export async function recordAudit(
  sql: Sql | Transaction,
  { at, by, action, target, detail }: AuditEntry,
): Promise<void> {
  await sql`
    INSERT INTO audit_log (at, actor, action, target, detail, address)
    VALUES (${new Date(at).toISOString()}, ${by.username}, ${action}, ${target}, ${JSON.stringify(detail ?? {})}::text::jsonb, ${by.address})`
}

export interface AuditFilter {
  actor?: string | undefined
  target?: string | undefined
  limit: number
  cursor?: string | undefined
}

/** The newest first. @throws QueryError for a cursor that is none */
export async function auditLog(sql: Sql, { actor, target, limit, cursor }: AuditFilter): Promise<Page<AuditRow>> {
  const after = cursor === undefined ? null : decodeCursor(cursor)
  const rows = await sql<AuditRow[]>`
    SELECT id, at, actor, action, target, detail, address FROM audit_log WHERE true
      ${actor === undefined ? sql`` : sql`AND actor = ${actor}`}
      ${target === undefined ? sql`` : sql`AND target = ${target}`}
      ${after === null ? sql`` : sql`AND id < ${after.at}`}
    ORDER BY id DESC LIMIT ${limit + 1}`
  return toPage(
    rows.map((row) => ({ ...row })),
    limit,
    ({ id }) => ({ at: id, id: '' }),
  )
}

/**
 * What people make of an alert: confirmed, dismissed, or open again, with notes.
 *
 * Invariant: every review is kept with its note, however many come at once; the last one decides the state. It is audited, and told by the live stream, in the transaction that stores it.
 */
import { type Actor, recordAudit } from './audit.ts'
import type { Sql } from './connect.ts'
import type { ReviewState } from './edge-schema.ts'
import { cleanText } from './result-version.ts'

export interface NewReview {
  alertId: string
  state: ReviewState
  note: string | null
  by: Actor
  /** Epoch milliseconds. */
  at: number
}

/** @returns false where there is no such alert */
export async function reviewAlert(sql: Sql, { alertId, state, note, by, at }: NewReview): Promise<boolean> {
  const id = cleanText(alertId)
  const time = new Date(at).toISOString()
  return sql.begin(async (tx) => {
    const [alert] = await tx`SELECT 1 FROM fraud_alerts WHERE alert_id = ${id}`
    if (!alert) return false
    // First: who comes at the same time waits at this row, so the notes are in the order of the states.
    await tx`
      INSERT INTO alert_reviews (alert_id, state, at, by) VALUES (${id}, ${state}, ${time}, ${by.username})
      ON CONFLICT (alert_id) DO UPDATE SET state = excluded.state, at = excluded.at, by = excluded.by`
    await tx`
      INSERT INTO alert_review_notes (alert_id, at, by, state, note)
      VALUES (${id}, ${time}, ${by.username}, ${state}, ${note === null ? null : cleanText(note)})`
    await tx`UPDATE alert_changes SET changed_in = pg_current_xact_id(), changed_at = now() WHERE alert_id = ${id}`
    await recordAudit(tx, { at, by, action: 'alert.review', target: id, detail: { state, note: note !== null } })
    return true
  })
}

/** Fraud alerts with their evidence and what people made of them, newest first by the event time that triggered them. */
import type { AlertRow } from '../../../streams/contract/results.ts'
import type { Sql } from '../connect.ts'
import type { ReviewState } from '../edge-schema.ts'
import { cleanText } from '../result-version.ts'
import { decodeCursor, type Page, toPage } from './cursor.ts'
import { timeSql } from './numbers.ts'

export interface AlertFilter {
  userId?: string | undefined
  state?: AlertRow['state'] | undefined
  review?: ReviewState | undefined
  ruleId?: string | undefined
  /** Of the event time that triggered it, epoch ms; `to` is exclusive. */
  from?: number | undefined
  to?: number | undefined
  limit: number
  cursor?: string | undefined
}

/** What was said of an alert last. Nobody has said anything of one that is open by itself. */
export interface Review {
  state: ReviewState
  at: number | null
  by: string | null
}

export interface ReviewedAlert extends AlertRow {
  review: Review
}

export interface ReviewNote {
  at: number
  by: string
  state: ReviewState
  note: string | null
}

export interface AlertDetail extends ReviewedAlert {
  /** In order; of more than {@link NOTES_MAX} the last ones. */
  notes: ReviewNote[]
  /** What was said of the alerts that this one took the place of. */
  earlierReviews: (Review & { alert_id: string })[]
  /** By the clock of the database, epoch ms; null: it has not happened, or nobody knows when. */
  alerted_at: number | null
  superseded_at: number | null
  final_at: number | null
}

export const NOTES_MAX = 200

export type ReviewedRow = AlertRow & {
  review_state: ReviewState | null
  review_at: number | null
  review_by: string | null
}

/** To be selected from `fraud_alerts f` with the join below. */
export const reviewedColumns = (sql: Sql) => sql`f.*, r.state AS review_state, r.at AS review_at, r.by AS review_by`
export const joinReview = (sql: Sql) => sql`LEFT JOIN alert_reviews r ON r.alert_id = f.alert_id`

export function reviewedAlert({ review_state, review_at, review_by, ...alert }: ReviewedRow): ReviewedAlert {
  return { ...alert, review: { state: review_state ?? 'open', at: review_at, by: review_by } }
}

/** @throws QueryError for a cursor that is none. */
export async function fraudAlerts(sql: Sql, filter: AlertFilter): Promise<Page<ReviewedAlert>> {
  const { userId, state, review, ruleId, from, to, limit, cursor } = filter
  const after = cursor === undefined ? null : decodeCursor(cursor)
  const rows = await sql<ReviewedRow[]>`
    SELECT ${reviewedColumns(sql)} FROM fraud_alerts f ${joinReview(sql)} WHERE true
      ${userId === undefined ? sql`` : sql`AND f.user_id = ${cleanText(userId)}`}
      ${state === undefined ? sql`` : sql`AND f.state = ${state}`}
      ${review === undefined ? sql`` : sql`AND coalesce(r.state, 'open') = ${review}`}
      ${ruleId === undefined ? sql`` : sql`AND f.rule_id = ${cleanText(ruleId)}`}
      ${from === undefined ? sql`` : sql`AND f.triggered_at >= ${timeSql(sql, from)}`}
      ${to === undefined ? sql`` : sql`AND f.triggered_at < ${timeSql(sql, to)}`}
      ${after === null ? sql`` : sql`AND (f.triggered_at, f.alert_id) < (${timeSql(sql, after.at)}, ${after.id})`}
    ORDER BY f.triggered_at DESC, f.alert_id DESC LIMIT ${limit + 1}`
  return toPage(rows.map(reviewedAlert), limit, (row) => ({ at: row.triggered_at, id: row.alert_id }))
}

export async function fraudAlert(sql: Sql, alertId: string): Promise<AlertDetail | null> {
  const id = cleanText(alertId)
  const [row] = await sql<(ReviewedRow & Pick<AlertDetail, 'alerted_at' | 'superseded_at' | 'final_at'>)[]>`
    SELECT ${reviewedColumns(sql)}, c.alerted_at, c.superseded_at, c.final_at
    FROM fraud_alerts f ${joinReview(sql)} LEFT JOIN alert_changes c ON c.alert_id = f.alert_id WHERE f.alert_id = ${id}`
  if (!row) return null
  const [notes, earlier] = await Promise.all([
    sql<ReviewNote[]>`
      SELECT at, by, state, note FROM (SELECT * FROM alert_review_notes WHERE alert_id = ${id} ORDER BY id DESC LIMIT ${NOTES_MAX}) AS last
      ORDER BY id`,
    sql<AlertDetail['earlierReviews']>`
      SELECT alert_id, state, at, by FROM alert_reviews
      WHERE alert_id IN (SELECT jsonb_array_elements_text(supersedes) FROM fraud_alerts WHERE alert_id = ${id}) ORDER BY at LIMIT ${NOTES_MAX}`,
  ])
  const { alerted_at, superseded_at, final_at, ...alert } = row
  return {
    ...reviewedAlert(alert),
    alerted_at,
    superseded_at,
    final_at,
    notes: notes.map((each) => ({ ...each })),
    earlierReviews: earlier.map((each) => ({ ...each })),
  }
}

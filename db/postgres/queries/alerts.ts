/** Fraud alerts with their evidence, newest first by the event time that triggered them. */
import type { AlertRow } from '../../../streams/contract/results.ts'
import type { Sql } from '../connect.ts'
import { cleanText } from '../result-version.ts'
import { decodeCursor, type Page, toPage } from './cursor.ts'
import { timeSql } from './numbers.ts'

export interface AlertFilter {
  userId?: string | undefined
  state?: AlertRow['state'] | undefined
  limit: number
  cursor?: string | undefined
}

/** @throws QueryError for a cursor that is none. */
export async function fraudAlerts(sql: Sql, { userId, state, limit, cursor }: AlertFilter): Promise<Page<AlertRow>> {
  const after = cursor === undefined ? null : decodeCursor(cursor)
  const rows = await sql<AlertRow[]>`
    SELECT * FROM fraud_alerts WHERE true
      ${userId === undefined ? sql`` : sql`AND user_id = ${cleanText(userId)}`}
      ${state === undefined ? sql`` : sql`AND state = ${cleanText(state)}`}
      ${after === null ? sql`` : sql`AND (triggered_at, alert_id) < (${timeSql(sql, after.time)}, ${after.id})`}
    ORDER BY triggered_at DESC, alert_id DESC LIMIT ${limit + 1}`
  return toPage(
    rows.map((row) => ({ ...row })),
    limit,
    (row) => ({ time: row.triggered_at, id: row.alert_id }),
  )
}

export async function fraudAlert(sql: Sql, alertId: string): Promise<AlertRow | null> {
  const [row] = await sql<AlertRow[]>`SELECT * FROM fraud_alerts WHERE alert_id = ${cleanText(alertId)}`
  return row ? { ...row } : null
}

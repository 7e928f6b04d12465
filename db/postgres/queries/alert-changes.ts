/**
 * The alerts in the order in which they changed, so that whoever has been told up to one place can be told the rest: the live stream, after its connection was lost, from any edge.
 *
 * Invariant: no change is passed over. Transactions end in another order than they began in, so only those are read before which all have ended; a change then never appears behind a
 * place that somebody has read to. An alert that has changed several times since a place is there once, as it is now.
 */
import type { Sql } from '../connect.ts'
import { joinReview, type ReviewedAlert, type ReviewedRow, reviewedAlert, reviewedColumns } from './alerts.ts'

/** Of the last change that was read: the number of its transaction, and the alert among those of one transaction. */
export interface ChangePlace {
  transaction: string
  alertId: string
}

export interface AlertChange {
  place: ChangePlace
  alert: ReviewedAlert
}

export interface ChangesQuestion {
  after: ChangePlace
  /** The last one that is wanted; missing: all that can be read now. */
  until?: ChangePlace
  limit: number
}

/** In order, from behind the place on. */
export async function alertChanges(sql: Sql, { after, until, limit }: ChangesQuestion): Promise<AlertChange[]> {
  const rows = await sql<(ReviewedRow & { changed_in: string })[]>`
    SELECT ${reviewedColumns(sql)}, c.changed_in::text AS changed_in
    FROM alert_changes c JOIN fraud_alerts f ON f.alert_id = c.alert_id ${joinReview(sql)}
    WHERE (c.changed_in, c.alert_id) > (${after.transaction}::text::xid8, ${after.alertId})
      AND c.changed_in < pg_snapshot_xmin(pg_current_snapshot())
      ${until === undefined ? sql`` : sql`AND (c.changed_in, c.alert_id) <= (${until.transaction}::text::xid8, ${until.alertId})`}
    ORDER BY c.changed_in, c.alert_id LIMIT ${limit}`
  return rows.map(({ changed_in, ...row }) => ({
    place: { transaction: changed_in, alertId: row.alert_id },
    alert: reviewedAlert(row),
  }))
}

/** Behind all that can be read now. */
export async function newestChange(sql: Sql): Promise<ChangePlace> {
  const [row] = await sql<{ xmin: string }[]>`SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS xmin`
  return { transaction: row!.xmin, alertId: '' }
}

/** Whether this database can have given the place out: not where it was filled anew from a dump. */
export async function isKnownPlace(sql: Sql, { transaction }: ChangePlace): Promise<boolean> {
  const [row] = await sql<{ known: boolean }[]>`
    SELECT ${transaction}::text::xid8 <= pg_snapshot_xmax(pg_current_snapshot()) AS known`
  return row!.known
}

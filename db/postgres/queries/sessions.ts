/** A user's sessions, newest first. Sessions that were merged into another are not shown: their events are in the survivor. */
import type { SessionRow } from '../../../streams/contract/results.ts'
import type { Sql } from '../connect.ts'
import { cleanText } from '../result-version.ts'
import { decodeCursor, type Page, toPage } from './cursor.ts'
import { timeSql } from './numbers.ts'

/** @throws QueryError for a cursor that is none. */
export async function userSessions(
  sql: Sql,
  userId: string,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Promise<Page<SessionRow>> {
  const after = cursor === undefined ? null : decodeCursor(cursor)
  const rows = await sql<SessionRow[]>`
    SELECT * FROM sessions WHERE user_id = ${cleanText(userId)} AND merged_into IS NULL
      ${after === null ? sql`` : sql`AND (started_at, session_id) < (${timeSql(sql, after.at)}, ${after.id})`}
    ORDER BY started_at DESC, session_id DESC LIMIT ${limit + 1}`
  return toPage(
    rows.map((row) => ({ ...row })),
    limit,
    (row) => ({ at: row.started_at, id: row.session_id }),
  )
}

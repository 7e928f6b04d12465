/**
 * Whether the streams have forgotten: told by what they have noted, in PostgreSQL.
 *
 * Invariant: a partition has forgotten when its task is behind the erasure record and no checkpoint is left from before it. A checkpoint is saved after its cut was flushed, so results and features
 * are without the person by then.
 */
import type { LogPlace } from '../../db/postgres/batch-schema.ts'
import type { Sql } from '../../db/postgres/connect.ts'

/** @returns those that the streams have not forgotten yet */
export async function notForgotten(sql: Sql, records: readonly LogPlace[]): Promise<LogPlace[]> {
  const rows = await sql<LogPlace[]>`
    SELECT r.topic, r.partition, r."offset" FROM jsonb_to_recordset(${JSON.stringify(records)}::text::jsonb) AS r (topic text, partition int, "offset" bigint)
    WHERE NOT EXISTS (SELECT 1 FROM tasks t WHERE t.topic = r.topic AND t.partition = r.partition AND t.next_offset > r."offset")
      OR NOT EXISTS (SELECT 1 FROM checkpoints c WHERE c.topic = r.topic AND c.partition = r.partition AND c.next_offset > r."offset")
      OR EXISTS (SELECT 1 FROM checkpoints c WHERE c.topic = r.topic AND c.partition = r.partition AND c.next_offset <= r."offset")`
  return rows.map((row) => ({ ...row }))
}

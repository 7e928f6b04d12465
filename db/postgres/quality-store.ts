/**
 * Where the checks of a day are kept: one run per stage and run of a workflow, with its results. queries/quality.ts reads them.
 *
 * Invariants: a run is stored whole or not at all, and once: whoever stores it again finds the first one and changes nothing. How many are kept is bounded, by number and by age.
 */
import type { InferSelectModel } from 'drizzle-orm'
import type { quality_results, quality_runs } from './batch-schema.ts'
import { timestampOf } from './columns.ts'
import type { Sql } from './connect.ts'

export type QualityRun = InferSelectModel<typeof quality_runs>
export type QualityResult = Omit<InferSelectModel<typeof quality_results>, 'run_id' | 'ordinal'>

/** Of one stage of one day. */
const RUNS_KEPT = 20
const DAYS_KEPT = 400

/** @returns false, and changes nothing, when the run is stored already */
export async function storeQualityRun(
  sql: Sql,
  run: QualityRun,
  results: readonly QualityResult[],
  { runsKept = RUNS_KEPT, daysKept = DAYS_KEPT } = {},
): Promise<boolean> {
  const record = { ...run, started_at: timestampOf(run.started_at), finished_at: timestampOf(run.finished_at) }
  const rows = results.map((result, ordinal) => ({ ...result, run_id: run.id, ordinal }))
  // One statement: a worker that is frozen in the middle leaves no transaction open that the next one would wait for.
  const [stored] = await sql<{ count: number }[]>`
    WITH run AS (
      INSERT INTO quality_runs SELECT * FROM jsonb_populate_record(NULL::quality_runs, ${JSON.stringify(record)}::text::jsonb)
      ON CONFLICT (id) DO NOTHING RETURNING id
    ), results AS (
      INSERT INTO quality_results
      SELECT r.* FROM jsonb_populate_recordset(NULL::quality_results, ${JSON.stringify(rows)}::text::jsonb) AS r
      JOIN run ON run.id = r.run_id
    )
    SELECT count(*) AS count FROM run`
  if (stored?.count !== 1) return false
  await sql`
    DELETE FROM quality_runs
    WHERE finished_at < ${record.finished_at}::timestamptz - ${daysKept}::int * interval '1 day'
      OR id IN (
        SELECT id FROM quality_runs WHERE day = ${run.day} AND stage = ${run.stage}
        ORDER BY finished_at DESC, id DESC OFFSET ${runsKept}
      )`
  return true
}

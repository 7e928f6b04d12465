/**
 * Where runs and schedules of workflows are kept that workers copy from Temporal (workflows/mirror.ts); queries/workflows.ts reads them.
 *
 * Invariants: a run that is stored as closed never changes, so workers that copy at once, one of them late, can't undo each other's rows; runs before `closed_to` are complete.
 */
import type { InferSelectModel } from 'drizzle-orm'
import type { pipeline_runs, pipeline_schedules } from './batch-schema.ts'
import { timestampOf } from './columns.ts'
import type { Sql } from './connect.ts'
import { cleanText } from './result-version.ts'

export type PipelineRun = InferSelectModel<typeof pipeline_runs>
export type PipelineSchedule = InferSelectModel<typeof pipeline_schedules>

export interface MirrorPlace {
  taskQueue: string
  namespace: string
  /** Of Temporal's UI; null: unknown. */
  uiUrl: string | null
}

/** Workers that have looked without a longer gap than this have been there all the time. */
const GAP = '2 minutes'

/**
 * One worker looks at a time, as long as each look is shorter than `everyMs`; by the database's clock.
 * @returns null: another one's turn has just been. `closedTo`: null before the first look came to its end.
 */
export async function takeTurn(
  sql: Sql,
  { taskQueue, namespace, uiUrl }: MirrorPlace,
  everyMs: number,
): Promise<{ closedTo: number | null } | null> {
  const [turn] = await sql<{ closed_to: number | null }[]>`
    INSERT INTO pipeline_mirror AS m (task_queue, namespace, ui_url, looked_at, since)
    VALUES (${taskQueue}, ${namespace}, ${uiUrl}, now(), now())
    ON CONFLICT (task_queue) DO UPDATE SET namespace = excluded.namespace, ui_url = excluded.ui_url, looked_at = now(), left_at = NULL,
      since = CASE WHEN m.looked_at < now() - ${GAP}::interval THEN now() ELSE m.since END
      WHERE m.looked_at <= now() - ${everyMs}::float8 * interval '1 millisecond' OR m.left_at IS NOT NULL
    RETURNING closed_to`
  return turn ? { closedTo: turn.closed_to } : null
}

/** All runs that were closed before have been copied. */
export async function endTurn(sql: Sql, taskQueue: string, closedTo: number): Promise<void> {
  await sql`
    UPDATE pipeline_mirror SET mirrored_at = now(), closed_to = greatest(closed_to, ${timestampOf(closedTo)}::timestamptz)
    WHERE task_queue = ${taskQueue}`
}

/** A worker stops as it was asked to. Others that are there take it back with their next turn. */
export async function leaveMirror(sql: Sql, taskQueue: string): Promise<void> {
  await sql`UPDATE pipeline_mirror SET left_at = now() WHERE task_queue = ${taskQueue}`
}

const SHOWN = 2_000

export async function storeRuns(sql: Sql, runs: readonly PipelineRun[]): Promise<void> {
  if (runs.length === 0) return
  const records = runs.map((run) => ({
    ...run,
    started_at: timestampOf(run.started_at),
    closed_at: run.closed_at === null ? null : timestampOf(run.closed_at),
    scheduled_at: run.scheduled_at === null ? null : timestampOf(run.scheduled_at),
    failure: run.failure?.slice(0, SHOWN) ?? null,
  }))
  await sql`
    INSERT INTO pipeline_runs AS r
    SELECT DISTINCT ON (run_id) * FROM jsonb_populate_recordset(NULL::pipeline_runs, ${jsonText(records)}::text::jsonb)
    ORDER BY run_id, closed_at NULLS LAST
    ON CONFLICT (run_id) DO UPDATE SET status = excluded.status, closed_at = excluded.closed_at, memo = excluded.memo, day = excluded.day,
      failure = excluded.failure
      WHERE r.closed_at IS NULL AND (excluded.closed_at IS NOT NULL OR excluded.memo <> r.memo)`
}

/** Which of these runs are stored as closed. */
export async function closedAmong(sql: Sql, runIds: readonly string[]): Promise<Set<string>> {
  const rows = await sql<{ run_id: string }[]>`
    SELECT run_id FROM pipeline_runs WHERE closed_at IS NOT NULL
      AND run_id IN (SELECT jsonb_array_elements_text(${jsonText(runIds)}::text::jsonb))`
  return new Set(rows.map(({ run_id }) => run_id))
}

/** Stored as running, the oldest first. */
export async function openRuns(sql: Sql, taskQueue: string): Promise<PipelineRun[]> {
  const rows = await sql<PipelineRun[]>`
    SELECT * FROM pipeline_runs WHERE task_queue = ${taskQueue} AND closed_at IS NULL ORDER BY started_at`
  return rows.map((row) => ({ ...row }))
}

/** What is not among these is there no longer. */
export async function storeSchedules(
  sql: Sql,
  taskQueue: string,
  schedules: readonly Omit<PipelineSchedule, 'created_at' | 'task_queue'>[],
): Promise<void> {
  const records = jsonText(
    schedules.map((each) => ({ ...each, next_at: each.next_at === null ? null : timestampOf(each.next_at) })),
  )
  await sql`
    INSERT INTO pipeline_schedules AS s (schedule_id, task_queue, workflow, note, paused, next_at, period_ms, created_at)
    SELECT schedule_id, ${taskQueue}, workflow, note, paused, next_at, period_ms, now()
    FROM jsonb_populate_recordset(NULL::pipeline_schedules, ${records}::text::jsonb) ORDER BY schedule_id
    ON CONFLICT (schedule_id) DO UPDATE SET task_queue = excluded.task_queue, workflow = excluded.workflow, note = excluded.note,
      paused = excluded.paused, next_at = excluded.next_at, period_ms = coalesce(excluded.period_ms, s.period_ms)
      WHERE (s.task_queue, s.workflow, s.note, s.paused, s.next_at, s.period_ms) IS DISTINCT FROM
        (excluded.task_queue, excluded.workflow, excluded.note, excluded.paused, excluded.next_at, coalesce(excluded.period_ms, s.period_ms))`
  await sql`
    DELETE FROM pipeline_schedules WHERE task_queue = ${taskQueue} AND schedule_id NOT IN (
      SELECT schedule_id FROM jsonb_populate_recordset(NULL::pipeline_schedules, ${records}::text::jsonb))`
}

/** Forgets closed runs that are older than `keptMs`, and of each workflow all but the newest `keptRuns`. @returns how many */
export async function trimRuns(
  sql: Sql,
  taskQueue: string,
  { keptMs, keptRuns }: { keptMs: number; keptRuns: number },
): Promise<number> {
  const { count } = await sql`
    DELETE FROM pipeline_runs WHERE run_id IN (
      SELECT run_id FROM (
        SELECT run_id, closed_at, row_number() OVER (PARTITION BY workflow ORDER BY started_at DESC) AS place
        FROM pipeline_runs WHERE task_queue = ${taskQueue}
      ) AS placed
      WHERE closed_at < now() - ${keptMs}::float8 * interval '1 millisecond' OR (closed_at IS NOT NULL AND place > ${keptRuns}))`
  return count
}

/** What comes from outside may hold text that PostgreSQL refuses. */
const jsonText = (value: unknown): string =>
  JSON.stringify(value, (_, each) => (typeof each === 'string' ? cleanText(each) : each))

/** How the batch workflows are, from what workers have copied of Temporal (pipeline-store.ts): their last runs, their schedules, and how old the copy is. */
import type { Sql } from '../connect.ts'
import type { PipelineRun, PipelineSchedule } from '../pipeline-store.ts'

export interface WorkflowState {
  workflow: string
  /** The newest first. */
  recent: PipelineRun[]
  lastSuccess: PipelineRun | null
  /** The last that a schedule started and that failed or took too long, where none has succeeded that was started since. */
  lastScheduledFailure: PipelineRun | null
  /** The newest day that a successful run was about; null: runs are not about days. */
  lastDay: string | null
  schedules: PipelineSchedule[]
}

export interface WorkflowsState {
  /** By name. Those that have run or are scheduled. */
  workflows: WorkflowState[]
  /** Null: no worker has ever looked. */
  mirror: WorkflowsMirror | null
}

/** Times are epoch ms. */
export interface WorkflowsMirror {
  namespace: string
  /** Of Temporal's UI, without a slash at its end. */
  ui_url: string | null
  /** When the copy was last complete. */
  mirrored_at: number | null
  /** Since when workers have been there without a gap. */
  since: number
  /** When the last of the workers was stopped; null: there should be one. */
  left_at: number | null
}

type Found = PipelineRun & { name: string; what: 'recent' | 'success' | 'failure' | 'day' }

/** @param recent so many runs of each workflow */
export async function workflows(sql: Sql, { recent }: { recent: number }): Promise<WorkflowsState> {
  // A database that has seen several task queues is about the one that was looked at last.
  const [mirror] = await sql<(WorkflowsMirror & { task_queue: string })[]>`
    SELECT task_queue, namespace, ui_url, mirrored_at, since, left_at FROM pipeline_mirror ORDER BY looked_at DESC LIMIT 1`
  if (!mirror) return { workflows: [], mirror: null }
  const { task_queue: queue, ...place } = mirror
  // A run over all tables starts one of its own kind for each: those are parts of it. Asked row by row, so that the newest few are found without reading all.
  const isWhole = sql`(SELECT p.workflow FROM pipeline_runs AS p WHERE p.run_id = r.parent_run_id) IS DISTINCT FROM r.workflow`
  const of = sql`FROM pipeline_runs AS r WHERE r.task_queue = ${queue} AND r.workflow = names.workflow`
  const lastSuccess = sql`${of} AND r.status = 'completed' AND ${isWhole} ORDER BY r.started_at DESC LIMIT 1`
  const [found, schedules] = await Promise.all([
    sql<Found[]>`
      WITH RECURSIVE names AS (
        (SELECT workflow FROM pipeline_runs WHERE task_queue = ${queue} ORDER BY workflow LIMIT 1)
        UNION ALL
        SELECT (SELECT workflow FROM pipeline_runs WHERE task_queue = ${queue} AND workflow > names.workflow ORDER BY workflow LIMIT 1)
        FROM names WHERE names.workflow IS NOT NULL
      )
      SELECT names.workflow AS name, runs.* FROM names CROSS JOIN LATERAL (
        (SELECT 'recent' AS what, r.* ${of} AND ${isWhole} ORDER BY r.started_at DESC LIMIT ${recent})
        UNION ALL
        (SELECT 'success', r.* ${lastSuccess})
        UNION ALL
        (SELECT 'failure', r.* ${of} AND r.status IN ('failed', 'timed_out') AND r.schedule_id IS NOT NULL
          AND r.started_at > coalesce((SELECT r.started_at ${lastSuccess}), '-infinity') ORDER BY r.started_at DESC LIMIT 1)
        UNION ALL
        (SELECT 'day', r.* ${of} AND r.status = 'completed' AND r.day IS NOT NULL ORDER BY r.day DESC LIMIT 1)
      ) AS runs ORDER BY names.workflow, runs.started_at DESC`,
    sql<PipelineSchedule[]>`SELECT * FROM pipeline_schedules WHERE task_queue = ${queue} ORDER BY schedule_id`,
  ])
  const names = [...new Set([...found.map(({ name }) => name), ...schedules.map(({ workflow }) => workflow)])].sort()
  const states = names.map((workflow): WorkflowState => {
    const mine = found.filter(({ name }) => name === workflow)
    const first = (what: Found['what']): PipelineRun | null => mine.find((run) => run.what === what) ?? null
    return {
      workflow,
      recent: mine.filter(({ what }) => what === 'recent'),
      lastSuccess: first('success'),
      lastScheduledFailure: first('failure'),
      lastDay: first('day')?.day ?? null,
      schedules: schedules.filter((schedule) => schedule.workflow === workflow).map((row) => ({ ...row })),
    }
  })
  return { workflows: states, mirror: place }
}

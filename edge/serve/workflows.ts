/**
 * How the batch workflows are: what ran last, what is due, and whether somebody has to look. Pure.
 *
 * A scheduled workflow is `failed` when the last run that its schedule started failed and none has succeeded since; `overdue` when it has not succeeded for two of its periods, one of which it
 * is normally old. Runs that a person started, cancelled or terminated are that person's business. Time in which no worker was there does not count: after a night switched off nothing is
 * overdue. Workers that fall silent without having been stopped are missed after ten minutes; a platform that never had one, or whose workers were stopped, misses none.
 */
import { toIso } from '../../streams/contract/time-text.ts'
import type { PipelineRun, WorkflowState, WorkflowsState } from '../ports.ts'

/** `waiting`: it has never ended a run. */
export const WORKFLOW_STATUSES = ['ok', 'running', 'waiting', 'paused', 'overdue', 'failed'] as const
export type WorkflowStatus = (typeof WORKFLOW_STATUSES)[number]

export interface RunView {
  workflow_id: string
  run_id: string
  status: PipelineRun['status']
  scheduled_at: string | null
  started_at: string
  closed_at: string | null
  /** So far, of one that runs. */
  duration_seconds: number
  memo: PipelineRun['memo']
  failure: string | null
  /** In Temporal's UI. */
  url: string | null
}

export interface WorkflowHealth {
  workflow: string
  status: WorkflowStatus
  last_run: RunView | null
  last_success: RunView | null
  recent_runs: RunView[]
  next_run_at: string | null
  paused: boolean
  lag_seconds: number | null
  schedules: {
    id: string
    note: string
    paused: boolean
    next_run_at: string | null
    period_seconds: number | null
    url: string | null
  }[]
}

export interface WorkflowsHealth {
  workflows: WorkflowHealth[]
  mirrored_at: string | null
  /** Why somebody has to look: a sentence each. */
  problems: string[]
}

const DAY_MS = 86_400_000
/** Workers tell every few seconds. */
const SILENT_AFTER_MS = 600_000

export function workflowsHealth({ workflows, mirror }: WorkflowsState, nowMs: number): WorkflowsHealth {
  if (mirror === null) return { workflows: [], mirrored_at: null, problems: [] }
  const links = linksTo(mirror)
  const problems: string[] = []
  const silentMs = nowMs - (mirror.mirrored_at ?? mirror.since)
  if (mirror.left_at === null && silentMs > SILENT_AFTER_MS)
    problems.push(
      `No worker has told of the workflows for ${spanText(silentMs)}: is one running, and does Temporal answer?`,
    )
  const shown = workflows.map((state): WorkflowHealth => {
    const { schedules, lastSuccess, recent } = state
    const active = schedules.filter(({ paused }) => !paused)
    const next = leastOf(active.flatMap(({ next_at }) => next_at ?? []))
    // Where workers were stopped on purpose nothing is due.
    const late = mirror.left_at === null ? overdueMs(state, mirror.since, nowMs) : null
    const failure = failureOf(state)
    if (active.length > 0 && failure)
      problems.push(`${state.workflow} failed: ${failure.failure ?? `its run ended as ${failure.status}`}`)
    else if (late !== null)
      problems.push(
        `${state.workflow} has not succeeded for ${spanText(late.ms)}; it is due every ${spanText(late.periodMs)}.`,
      )
    const [last] = recent
    return {
      workflow: state.workflow,
      status: failure
        ? 'failed'
        : late !== null
          ? 'overdue'
          : last?.status === 'running'
            ? 'running'
            : schedules.length > 0 && active.length === 0
              ? 'paused'
              : lastSuccess
                ? 'ok'
                : 'waiting',
      last_run: last ? viewOf(last, nowMs, links) : null,
      last_success: lastSuccess && viewOf(lastSuccess, nowMs, links),
      recent_runs: recent.map((run) => viewOf(run, nowMs, links)),
      next_run_at: next === null ? null : toIso(next),
      paused: schedules.length > 0 && active.length === 0,
      lag_seconds: lagOf(state, nowMs),
      schedules: schedules.map(({ schedule_id, note, paused, next_at, period_ms }) => ({
        id: schedule_id,
        note,
        paused,
        next_run_at: next_at === null ? null : toIso(next_at),
        period_seconds: period_ms === null ? null : period_ms / 1000,
        url: links.schedule(schedule_id),
      })),
    }
  })
  return { workflows: shown, mirrored_at: mirror.mirrored_at === null ? null : toIso(mirror.mirrored_at), problems }
}

/** Of a scheduled one that of its schedule; of another one that of its last run which came to its own end. Until one succeeds. */
function failureOf({ schedules, recent, lastScheduledFailure }: WorkflowState): PipelineRun | null {
  if (schedules.length > 0) return lastScheduledFailure
  const ended = recent.find(({ status }) => status === 'completed' || status === 'failed' || status === 'timed_out')
  return ended && ended.status !== 'completed' ? ended : null
}

function overdueMs({ schedules, lastSuccess }: WorkflowState, presentSinceMs: number, nowMs: number) {
  const active = schedules.filter(({ paused, period_ms }) => !paused && period_ms !== null)
  const periodMs = leastOf(active.map(({ period_ms }) => period_ms!))
  if (periodMs === null) return null
  const knownSinceMs = leastOf(active.map(({ created_at }) => created_at))!
  const ms = nowMs - Math.max(lastSuccess?.closed_at ?? 0, presentSinceMs, knownSinceMs)
  return ms > 2 * periodMs ? { ms, periodMs } : null
}

/** Since the end of the last day that was done; of a workflow that is not about days since its last success. */
function lagOf({ lastDay, lastSuccess }: WorkflowState, nowMs: number): number | null {
  const until = lastDay === null ? (lastSuccess?.closed_at ?? null) : Date.parse(lastDay) + DAY_MS
  return until === null ? null : Math.max(0, Math.round((nowMs - until) / 1000))
}

function viewOf(run: PipelineRun, nowMs: number, links: ReturnType<typeof linksTo>): RunView {
  return {
    workflow_id: run.workflow_id,
    run_id: run.run_id,
    status: run.status,
    scheduled_at: run.scheduled_at === null ? null : toIso(run.scheduled_at),
    started_at: toIso(run.started_at),
    closed_at: run.closed_at === null ? null : toIso(run.closed_at),
    duration_seconds: Math.max(0, Math.round(((run.closed_at ?? nowMs) - run.started_at) / 100) / 10),
    memo: run.memo,
    failure: run.failure,
    url: links.run(run),
  }
}

function linksTo({ ui_url, namespace }: NonNullable<WorkflowsState['mirror']>) {
  const at = (...path: string[]): string | null =>
    ui_url === null ? null : [ui_url, 'namespaces', ...[namespace, ...path].map(encodeURIComponent)].join('/')
  return {
    run: ({ workflow_id, run_id }: PipelineRun) => at('workflows', workflow_id, run_id),
    schedule: (id: string) => at('schedules', id),
  }
}

const leastOf = (numbers: readonly number[]): number | null => (numbers.length > 0 ? Math.min(...numbers) : null)

function spanText(ms: number): string {
  const hours = Math.floor(ms / 3_600_000)
  if (hours === 0) return `${Math.floor(ms / 60_000)} min`
  return hours < 72 ? `${hours} h` : `${Math.floor(hours / 24)} days`
}

/** As the live stream has it, each second: the earlier runs as [status, start, seconds]. */
export const briefOf = ({ workflows, mirrored_at }: WorkflowsHealth) => ({
  mirrored_at,
  workflows: workflows.map(
    ({ workflow, status, paused, lag_seconds, next_run_at, last_run, recent_runs, schedules }) => ({
      workflow,
      status,
      paused,
      lag_seconds,
      next_run_at,
      schedule_url: schedules[0]?.url ?? null,
      last_run,
      recent: recent_runs.map((run) => [run.status, run.started_at, run.duration_seconds] as const),
    }),
  ),
})

/** A run and a schedule as Temporal tells them, as the rows that are kept of them. Pure. */
import {
  ActivityFailure,
  ChildWorkflowFailure,
  type ScheduleSummary,
  type WorkflowExecutionInfo,
  WorkflowFailedError,
} from '@temporalio/client'
import type { PipelineRunStatus } from '../db/postgres/batch-schema.ts'
import type { PipelineRun, PipelineSchedule } from '../db/postgres/pipeline-store.ts'
import { day } from './input.ts'

type Info = Pick<
  WorkflowExecutionInfo,
  | 'type'
  | 'workflowId'
  | 'runId'
  | 'taskQueue'
  | 'startTime'
  | 'closeTime'
  | 'memo'
  | 'searchAttributes'
  | 'parentExecution'
> & { status: { name: string } }

const CLOSED: Readonly<Record<string, PipelineRunStatus>> = {
  COMPLETED: 'completed',
  FAILED: 'failed',
  TIMED_OUT: 'timed_out',
  CANCELLED: 'cancelled',
  TERMINATED: 'terminated',
  CONTINUED_AS_NEW: 'continued_as_new',
}

/** @param failure of one that ended badly */
export function runOf(info: Info, failure: string | null = null): PipelineRun {
  const { searchAttributes, parentExecution } = info
  const memo = memoOf(info.memo)
  const scheduledAt = searchAttributes.TemporalScheduledStartTime?.[0]
  const status = CLOSED[info.status.name]
  return {
    run_id: info.runId,
    task_queue: info.taskQueue,
    workflow_id: info.workflowId,
    workflow: info.type,
    status: status ?? 'running',
    started_at: info.startTime.getTime(),
    closed_at: status === undefined ? null : (info.closeTime ?? info.startTime).getTime(),
    scheduled_at: scheduledAt instanceof Date ? scheduledAt.getTime() : null,
    schedule_id: stringOf(searchAttributes.TemporalScheduledById?.[0]),
    parent_id: stringOf(parentExecution?.workflowId),
    parent_run_id: stringOf(parentExecution?.runId),
    memo,
    day: day.safeParse(memo.date).data ?? null,
    failure,
  }
}

const stringOf = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null)

const MEMO_FIELDS = 20
const MEMO_TEXT = 200

/** What is plain and short: a memo may hold anything, of any size. */
export function memoOf(memo: Readonly<Record<string, unknown>> = {}): PipelineRun['memo'] {
  const kept: PipelineRun['memo'] = {}
  for (const [name, value] of Object.entries(memo).slice(0, MEMO_FIELDS)) {
    if (!/^\w{1,50}$/.test(name)) continue
    if (typeof value === 'string') kept[name] = value.slice(0, MEMO_TEXT)
    else if (typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))) kept[name] = value
  }
  return kept
}

/** What a person can mend: the first failure that is not one of Temporal's wrappers ("Activity task failed"). */
export function failureSentence(error: unknown): string {
  let cause = error
  while (
    cause instanceof Error &&
    cause.cause instanceof Error &&
    (cause instanceof WorkflowFailedError || cause instanceof ActivityFailure || cause instanceof ChildWorkflowFailure)
  )
    cause = cause.cause
  return cause instanceof Error ? cause.message || cause.name : String(cause)
}

export function scheduleOf({
  scheduleId,
  action,
  state,
  info,
}: Pick<ScheduleSummary, 'scheduleId' | 'action' | 'state' | 'info'>): Omit<
  PipelineSchedule,
  'created_at' | 'task_queue'
> {
  const [next, afterNext] = info.nextActionTimes
  return {
    schedule_id: scheduleId,
    workflow: action?.workflowType ?? '',
    note: state.note ?? '',
    paused: state.paused,
    // Temporal goes on to tell when a paused schedule would be due.
    next_at: state.paused || next === undefined ? null : next.getTime(),
    period_ms: next && afterNext ? afterNext.getTime() - next.getTime() : null,
  }
}

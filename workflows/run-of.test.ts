import { ActivityFailure, ApplicationFailure, ChildWorkflowFailure, WorkflowFailedError } from '@temporalio/client'
import { expect, test } from 'vitest'
import { failureSentence, memoOf, runOf, scheduleOf } from './run-of.ts'

const at = new Date('2026-11-20T00:15:00Z')
const info = {
  type: 'dailyAggregation',
  workflowId: 'daily-aggregation-2026-11-20T00:15:00Z',
  runId: 'r1',
  taskQueue: 'streamforge',
  status: { name: 'COMPLETED' },
  startTime: new Date('2026-11-20T00:15:01Z'),
  closeTime: new Date('2026-11-20T00:16:00Z'),
  memo: { date: '2026-11-19' },
  searchAttributes: { TemporalScheduledById: ['daily-aggregation'], TemporalScheduledStartTime: [at] },
}

test('a scheduled run is kept with its schedule, its times and its day', () => {
  expect(runOf(info)).toEqual({
    run_id: 'r1',
    task_queue: 'streamforge',
    workflow_id: 'daily-aggregation-2026-11-20T00:15:00Z',
    workflow: 'dailyAggregation',
    status: 'completed',
    started_at: Date.parse('2026-11-20T00:15:01Z'),
    closed_at: Date.parse('2026-11-20T00:16:00Z'),
    scheduled_at: at.getTime(),
    schedule_id: 'daily-aggregation',
    parent_id: null,
    parent_run_id: null,
    memo: { date: '2026-11-19' },
    day: '2026-11-19',
    failure: null,
  })
})

test('a run that is under way, paused or of a state that is not known yet has not ended', () => {
  for (const name of ['RUNNING', 'PAUSED', 'UNKNOWN']) {
    const { closeTime, ...running } = info
    expect(runOf({ ...running, status: { name } })).toMatchObject({ status: 'running', closed_at: null })
  }
})

test('of a memo what is plain and short is kept; a date that is none is no day', () => {
  expect(memoOf({ date: '2026-11-19', files: 3, whole: true, list: [1], 'a b': 'x', bad: Number.NaN })).toEqual({
    date: '2026-11-19',
    files: 3,
    whole: true,
  })
  expect(memoOf({ note: 'x'.repeat(1_000) }).note).toHaveLength(200)
  expect(runOf({ ...info, memo: { date: '2026-02-31' } }).day).toBeNull()
})

test('the sentence is that of the first failure which is not a wrapper', () => {
  const own = ApplicationFailure.create({ message: 'The gate "staging" failed.', cause: new Error('a detail') })
  const activity = new ActivityFailure('Activity task failed', 'a', '1', 'IN_PROGRESS', 'w', own)
  const child = new ChildWorkflowFailure('default', { workflowId: 'w' }, 'c', 'IN_PROGRESS', activity)
  expect(failureSentence(new WorkflowFailedError('Workflow execution failed', child, 'IN_PROGRESS'))).toBe(
    'The gate "staging" failed.',
  )
  expect(failureSentence(new WorkflowFailedError('Workflow execution failed', undefined, 'IN_PROGRESS'))).toBe(
    'Workflow execution failed',
  )
  expect(failureSentence('odd')).toBe('odd')
})

test('a schedule is kept with its next run and its period; a paused one has no next run', () => {
  const summary = {
    scheduleId: 'compact-tables',
    action: { type: 'startWorkflow', workflowType: 'compactTable' } as const,
    state: { paused: false, note: 'hourly' },
    info: { recentActions: [], nextActionTimes: [at, new Date(at.getTime() + 3_600_000)] },
  }
  const kept = { schedule_id: 'compact-tables', workflow: 'compactTable', note: 'hourly', period_ms: 3_600_000 }
  expect(scheduleOf(summary)).toEqual({ ...kept, paused: false, next_at: at.getTime() })
  expect(scheduleOf({ ...summary, state: { paused: true } })).toEqual({
    ...kept,
    note: '',
    paused: true,
    next_at: null,
  })
})

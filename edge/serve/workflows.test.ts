import { describe, expect, it } from 'vitest'
import type { PipelineRun, WorkflowState, WorkflowsState } from '../ports.ts'
import { createHarness, NOW, sampleReader } from '../testing/harness.ts'
import { workflowsHealth } from './workflows.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const run = (over: Partial<PipelineRun> = {}): PipelineRun => ({
  run_id: 'r/1',
  task_queue: 'streamforge',
  workflow_id: 'compact-tables-2026-01-31T11:05:00Z',
  workflow: 'compactTable',
  status: 'completed',
  started_at: NOW - 55 * MINUTE,
  closed_at: NOW - 54 * MINUTE,
  scheduled_at: NOW - 55 * MINUTE,
  schedule_id: 'compact-tables',
  parent_id: null,
  parent_run_id: null,
  memo: {},
  day: null,
  failure: null,
  ...over,
})
const schedule = (over: Partial<WorkflowState['schedules'][number]> = {}) => ({
  schedule_id: 'compact-tables',
  task_queue: 'streamforge',
  workflow: 'compactTable',
  note: 'hourly',
  paused: false,
  next_at: NOW + 5 * MINUTE,
  period_ms: HOUR,
  created_at: NOW - 30 * DAY,
  ...over,
})
const state = (over: Partial<WorkflowState> = {}): WorkflowState => ({
  workflow: 'compactTable',
  recent: [run()],
  lastSuccess: run(),
  lastScheduledFailure: null,
  lastDay: null,
  schedules: [schedule()],
  ...over,
})
const mirror: NonNullable<WorkflowsState['mirror']> = {
  namespace: 'default',
  ui_url: 'http://127.0.0.1:8233',
  mirrored_at: NOW - 1_000,
  since: NOW - 30 * DAY,
  left_at: null,
}
const healthOf = (over: Partial<WorkflowState>, at: Partial<typeof mirror> = {}) => {
  const { workflows, problems } = workflowsHealth({ workflows: [state(over)], mirror: { ...mirror, ...at } }, NOW)
  return { ...workflows[0]!, problems }
}
const failed = run({
  status: 'failed',
  failure: 'Table raw.orders is damaged.',
  started_at: NOW - 10 * MINUTE,
  closed_at: NOW - 9 * MINUTE,
})
const hoursAgo = (hours: number): Partial<PipelineRun> => ({
  started_at: NOW - hours * HOUR - MINUTE,
  closed_at: NOW - hours * HOUR,
})

describe('a workflow', () => {
  it('tells of its last run, its next one, and where Temporal shows them', () => {
    const { problems, ...health } = healthOf({})
    expect(problems).toEqual([])
    expect(health).toMatchObject({
      workflow: 'compactTable',
      status: 'ok',
      next_run_at: '2026-01-31T12:05:00.000Z',
      paused: false,
      lag_seconds: 54 * 60,
      last_run: {
        status: 'completed',
        started_at: '2026-01-31T11:05:00.000Z',
        duration_seconds: 60,
        url: 'http://127.0.0.1:8233/namespaces/default/workflows/compact-tables-2026-01-31T11%3A05%3A00Z/r%2F1',
      },
      schedules: [
        {
          id: 'compact-tables',
          period_seconds: 3600,
          url: 'http://127.0.0.1:8233/namespaces/default/schedules/compact-tables',
        },
      ],
    })
    expect(healthOf({}, { ui_url: null }).last_run?.url).toBeNull()
  })

  it('has failed when its schedule started a run that failed, and none has succeeded since', () => {
    const recent = [failed, run()]
    expect(healthOf({ recent, lastScheduledFailure: failed })).toMatchObject({
      status: 'failed',
      problems: ['compactTable failed: Table raw.orders is damaged.'],
    })
    // One that is under way has not succeeded yet.
    const running = run({ status: 'running', closed_at: null, started_at: NOW - 90_000 })
    expect(healthOf({ recent: [running, ...recent], lastScheduledFailure: failed })).toMatchObject({
      status: 'failed',
      last_run: { status: 'running', duration_seconds: 90 },
    })
  })

  it('is not held responsible for what a person did: by hand, cancelled, terminated', () => {
    const mistyped = run({ ...failed, schedule_id: null, status: 'failed', failure: "The input can't be used" })
    expect(healthOf({ recent: [mistyped, run()] })).toMatchObject({ status: 'ok', problems: [] })
    const cancelled = run({ status: 'cancelled', started_at: NOW - MINUTE })
    expect(healthOf({ recent: [cancelled, run()] })).toMatchObject({ status: 'ok', problems: [] })
    // Without a schedule its failure shows, and degrades nothing.
    expect(healthOf({ recent: [mistyped], lastSuccess: null, schedules: [] })).toMatchObject({
      status: 'failed',
      next_run_at: null,
      problems: [],
    })
  })

  it('is overdue when it has not succeeded for two of its periods', () => {
    expect(healthOf({ lastSuccess: run(hoursAgo(1.9)) }).status).toBe('ok')
    expect(healthOf({ lastSuccess: run(hoursAgo(2.1)) })).toMatchObject({
      status: 'overdue',
      problems: ['compactTable has not succeeded for 2 h; it is due every 1 h.'],
    })
    expect(healthOf({ recent: [], lastSuccess: null }).status).toBe('overdue')
  })

  it('is not overdue for what no worker was there to do', () => {
    const old = { lastSuccess: run(hoursAgo(60)) }
    expect(healthOf(old, { since: NOW - HOUR }).status).toBe('ok')
    expect(healthOf(old, { left_at: NOW - 50 * HOUR }).status).toBe('ok')
    expect(healthOf({ ...old, schedules: [schedule({ created_at: NOW - HOUR })] }).status).toBe('ok')
    expect(healthOf({ ...old, schedules: [schedule({ paused: true, next_at: null })] })).toMatchObject({
      status: 'paused',
      paused: true,
      next_run_at: null,
      problems: [],
    })
  })

  it('is somebody’s to look at when workers fall silent without having been stopped', () => {
    const silent = { mirrored_at: NOW - 11 * MINUTE }
    expect(healthOf({}, silent)).toMatchObject({
      status: 'ok',
      problems: ['No worker has told of the workflows for 11 min: is one running, and does Temporal answer?'],
    })
    expect(healthOf({}, { ...silent, left_at: NOW - 11 * MINUTE }).problems).toEqual([])
    expect(healthOf({}, { mirrored_at: NOW - 9 * MINUTE }).problems).toEqual([])
  })

  it('waits before its first run', () => {
    const fresh = { recent: [], lastSuccess: null, schedules: [schedule({ created_at: NOW })] }
    expect(healthOf(fresh)).toMatchObject({ status: 'waiting', last_run: null, lag_seconds: null })
  })

  it('that is about days lags since the end of the last one', () => {
    expect(healthOf({ lastDay: '2026-01-30' }).lag_seconds).toBe(12 * 3600)
    expect(healthOf({ lastDay: '2026-01-28' }).lag_seconds).toBe(60 * 3600)
    expect(healthOf({ lastDay: '2026-01-31' }).lag_seconds).toBe(0)
  })
})

describe('the health of the pipelines', () => {
  const withWorkflows = async (workflows: WorkflowsState) => {
    const edge = await createHarness({ reader: sampleReader({ workflows: async () => workflows }) })
    const response = await edge.get('/health/pipelines')
    return { status: response.status, ...((await response.json()) as { data: unknown }) }
  }

  it('is fine on a platform without workflows', async () => {
    expect(await withWorkflows({ workflows: [], mirror: null })).toMatchObject({
      status: 200,
      data: { status: 'ok', problems: [], workflows: [], mirrored_at: null },
    })
  })

  it('is degraded by a scheduled workflow that failed, and says by which', async () => {
    const lastScheduledFailure = failed
    expect(await withWorkflows({ workflows: [state({ lastScheduledFailure })], mirror })).toMatchObject({
      status: 200,
      data: {
        status: 'degraded',
        problems: ['compactTable failed: Table raw.orders is damaged.'],
        lag: 0,
        pipelines: [{ status: 'idle' }],
        workflows: [{ workflow: 'compactTable', status: 'failed' }],
        mirrored_at: '2026-01-31T11:59:59.000Z',
      },
    })
  })
})

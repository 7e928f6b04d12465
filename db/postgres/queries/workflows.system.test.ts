/** What workers store of runs and schedules, and what readers find of it, on a real PostgreSQL. */
import { describe, expect, it } from 'vitest'
import { withPostgres } from '../../testing/postgres.ts'
import type { Sql } from '../connect.ts'
import {
  closedAmong,
  endTurn,
  leaveMirror,
  openRuns,
  type PipelineRun,
  storeRuns,
  storeSchedules,
  takeTurn,
  trimRuns,
} from '../pipeline-store.ts'
import { workflows } from './workflows.ts'

const postgres = withPostgres()
const PLACE = { taskQueue: 'q', namespace: 'default', uiUrl: 'http://ui' }
const T = Date.UTC(2026, 10, 20)
const HOUR = 3_600_000
let made = 0

const run = (over: Partial<PipelineRun> = {}): PipelineRun => ({
  run_id: `r${++made}`,
  task_queue: 'q',
  workflow_id: 'w',
  workflow: 'compactTable',
  status: 'completed',
  started_at: T,
  closed_at: T + 1_000,
  scheduled_at: null,
  schedule_id: null,
  parent_id: null,
  parent_run_id: null,
  memo: {},
  day: null,
  failure: null,
  ...over,
})
const empty = async (): Promise<Sql> => {
  const { sql } = await postgres.database()
  await takeTurn(sql, PLACE, 0)
  return sql
}

describe('runs', () => {
  it('that were closed never change, those that run do', async () => {
    const sql = await empty()
    const open = run({ status: 'running', closed_at: null })
    await storeRuns(sql, [open])
    await storeRuns(sql, [{ ...open, memo: { date: '2026-11-19' }, day: '2026-11-19' }])
    expect(await openRuns(sql, 'q')).toMatchObject([{ run_id: open.run_id, memo: { date: '2026-11-19' } }])
    const closed = { ...open, status: 'failed', closed_at: T + 5, failure: 'It\0 \ud800failed' } as const
    // Another worker's list may be a moment behind, and one batch may have both.
    await storeRuns(sql, [open, closed])
    await storeRuns(sql, [open, { ...closed, status: 'completed' }])
    expect(await openRuns(sql, 'q')).toEqual([])
    expect(await closedAmong(sql, [open.run_id, 'other'])).toEqual(new Set([open.run_id]))
    expect((await workflows(sql, { recent: 5 })).workflows[0]?.recent).toMatchObject([
      { status: 'failed', started_at: T, closed_at: T + 5, failure: 'It\ufffd \ufffdfailed' },
    ])
  })

  it('are found by workflow: the newest, the last success, the last failure of a schedule, the last day', async () => {
    const sql = await empty()
    const whole = run({ started_at: T + HOUR })
    const day = (date: string, at: number) =>
      run({ workflow: 'dailyAggregation', memo: { date }, day: date, started_at: at, closed_at: at + 1 })
    await storeRuns(sql, [
      run(),
      whole,
      run({ started_at: T + HOUR + 1, parent_run_id: whole.run_id, memo: { table: 'raw.orders' } }),
      run({ started_at: T + 2 * HOUR, status: 'failed', schedule_id: 's' }),
      run({ started_at: T + 3 * HOUR, status: 'running', closed_at: null }),
      run({ started_at: T + 9 * HOUR, task_queue: 'other' }),
      day('2026-11-18', T),
      // Made up for later.
      day('2026-11-15', T + HOUR),
      run({ workflow: 'validateQuality', parent_run_id: whole.run_id }),
    ])
    await storeSchedules(sql, 'q', [
      { schedule_id: 's', workflow: 'removeOrphans', note: '', paused: false, next_at: T, period_ms: HOUR },
    ])
    const { workflows: found, mirror } = await workflows(sql, { recent: 3 })
    expect(mirror).toMatchObject({ namespace: 'default', ui_url: 'http://ui', mirrored_at: null, left_at: null })
    expect(found.map(({ workflow }) => workflow)).toEqual([
      'compactTable',
      'dailyAggregation',
      'removeOrphans',
      'validateQuality',
    ])
    const [compact, daily, orphans, quality] = found
    expect(compact!.recent.map(({ status, started_at }) => [status, started_at - T])).toEqual([
      ['running', 3 * HOUR],
      ['failed', 2 * HOUR],
      ['completed', HOUR],
    ])
    expect(compact!.lastSuccess?.run_id).toBe(whole.run_id)
    expect(compact!.lastScheduledFailure?.started_at).toBe(T + 2 * HOUR)
    await storeRuns(sql, [run({ started_at: T + 4 * HOUR })])
    expect((await workflows(sql, { recent: 3 })).workflows[0]!.lastScheduledFailure).toBeNull()
    expect(daily).toMatchObject({ lastDay: '2026-11-18', lastSuccess: { day: '2026-11-15' } })
    expect(orphans).toMatchObject({ recent: [], lastSuccess: null, schedules: [{ next_at: T, period_ms: HOUR }] })
    expect(quality!.recent).toHaveLength(1)
  })

  it('are kept for a time, and so many of each workflow; those that run stay', async () => {
    const sql = await empty()
    const now = Date.now()
    const hoursAgo = (hours: number) => ({ started_at: now - hours * HOUR, closed_at: now - hours * HOUR })
    await storeRuns(sql, [
      ...[1, 2, 3, 4, 5].map((hours) => run(hoursAgo(hours))),
      run({ ...hoursAgo(50), workflow: 'removeOrphans' }),
      run({ ...hoursAgo(50), closed_at: null, status: 'running' }),
    ])
    expect(await trimRuns(sql, 'q', { keptMs: 48 * HOUR, keptRuns: 3 })).toBe(3)
    const left = await sql<{ workflow: string; status: string }[]>`SELECT workflow, status FROM pipeline_runs`
    expect(left.map(({ status }) => status).sort()).toEqual(['completed', 'completed', 'completed', 'running'])
  })
})

describe('schedules', () => {
  it('are as they were last seen; a period that can not be told now is the one before', async () => {
    const sql = await empty()
    const one = { schedule_id: 'one', workflow: 'compactTable', note: 'a', paused: false, next_at: T, period_ms: HOUR }
    await storeSchedules(sql, 'q', [one, { ...one, schedule_id: 'two' }])
    const held = async () =>
      (await workflows(sql, { recent: 1 })).workflows.flatMap(({ schedules }) => schedules.map((each) => ({ ...each })))
    const { created_at } = (await held())[0]!
    await storeSchedules(sql, 'q', [{ ...one, paused: true, next_at: null, period_ms: null, note: 'b' }])
    expect(await held()).toEqual([{ ...one, paused: true, next_at: null, note: 'b', task_queue: 'q', created_at }])
    await storeSchedules(sql, 'q', [])
    expect(await held()).toEqual([])
  })
})

describe('turns', () => {
  it('are taken by one at a time, and go on where the last complete look ended', async () => {
    const { sql } = await postgres.database()
    const all = await Promise.all(Array.from({ length: 5 }, () => takeTurn(sql, PLACE, 60_000)))
    expect(all.filter((turn) => turn !== null)).toEqual([{ closedTo: null }])
    await endTurn(sql, 'q', T)
    // A slow one that ends later takes nothing back.
    await endTurn(sql, 'q', T - 1)
    expect(await takeTurn(sql, PLACE, 60_000)).toBeNull()
    expect(await takeTurn(sql, PLACE, 0)).toEqual({ closedTo: T })
    const mirror = async () => (await workflows(sql, { recent: 1 })).mirror
    expect(await mirror()).toMatchObject({ mirrored_at: expect.any(Number), left_at: null })
    await leaveMirror(sql, 'q')
    expect(await mirror()).toMatchObject({ left_at: expect.any(Number) })
    // Whoever is still there takes the farewell back at once.
    expect(await takeTurn(sql, { ...PLACE, uiUrl: null }, 60_000)).toEqual({ closedTo: T })
    expect(await mirror()).toMatchObject({ left_at: null, ui_url: null })
  })

  it('tell since when somebody has been there', async () => {
    const sql = await empty()
    const since = async () => (await workflows(sql, { recent: 1 })).mirror!.since
    await sql`UPDATE pipeline_mirror SET since = now() - interval '1 day', looked_at = now() - interval '1 minute'`
    const first = await since()
    await takeTurn(sql, PLACE, 0)
    expect(await since()).toBe(first)
    await sql`UPDATE pipeline_mirror SET looked_at = now() - interval '3 minutes'`
    await takeTurn(sql, PLACE, 0)
    expect(await since()).toBeGreaterThan(first + HOUR)
  })
})

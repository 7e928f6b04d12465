/** Runs of checks in a real PostgreSQL: stored whole and once, the latest of each stage, how a check went, and no more of them than are to be kept. */
import { expect, test } from 'vitest'
import { withPostgres } from '../testing/postgres.ts'
import { type QualityResult, type QualityRun, storeQualityRun } from './quality-store.ts'
import { checkHistory, latestQuality, qualityRun } from './queries/quality.ts'

const postgres = withPostgres()
const T = Date.parse('2026-11-21T02:00:00.123Z')
const DAY_MS = 86_400_000

const runOf = (id: string, changes: Partial<QualityRun> = {}): QualityRun => ({
  id,
  day: '2026-11-20',
  stage: 'staging',
  outcome: 'passed',
  passed: 1,
  warned: 0,
  failed: 0,
  skipped: 0,
  engine: 'duckdb',
  workflow_id: 'validateQuality',
  workflow_run_id: id,
  started_at: T - 1_000,
  finished_at: T,
  ...changes,
})
const resultOf = (check_name: string, changes: Partial<QualityResult> = {}): QualityResult => ({
  check_name,
  table_name: 'analytics.stg_orders',
  kind: 'unique',
  severity: 'error',
  outcome: 'failed',
  observed: 2,
  expected: "0 rows that repeat 'it'",
  reason: 'Because.',
  sample: [{ order_id: 'ş"\\', n: 2, gone: null }],
  duration_ms: 12,
  ...changes,
})

test('a run is stored whole and once; what it holds comes back as it was', async () => {
  const { sql } = await postgres.database()
  const results = [
    resultOf('b'),
    resultOf('a', { observed: null, sample: [] }),
    resultOf('c', { observed: '2026-11-20' }),
  ]
  const stored = await Promise.all([1, 2, 3].map(() => storeQualityRun(sql, runOf('r1'), results)))
  expect(stored.sort()).toEqual([false, false, true])
  expect(await qualityRun(sql, 'r1')).toEqual({ ...runOf('r1'), results })
  expect(await qualityRun(sql, 'r2')).toBeNull()
  // One result that can not be kept, and nothing is.
  const broken = [resultOf('a'), resultOf('b', { reason: null as never })]
  await expect(storeQualityRun(sql, runOf('r2'), broken)).rejects.toThrow(/null value/)
  expect(await qualityRun(sql, 'r2')).toBeNull()
})

test('the latest run of each stage of a day, of the newest day when none is named; and how a check went', async () => {
  const { sql } = await postgres.database()
  expect(await latestQuality(sql)).toEqual([])
  await storeQualityRun(sql, runOf('s1'), [resultOf('a')])
  await storeQualityRun(sql, runOf('s2', { finished_at: T + 5 }), [resultOf('a', { observed: 0, outcome: 'passed' })])
  await storeQualityRun(sql, runOf('f1', { stage: 'facts', finished_at: T + 3 }), [])
  await storeQualityRun(sql, runOf('old', { day: '2026-11-19', finished_at: T + 9 }), [resultOf('a')])
  const ids = async (...asked: Parameters<typeof latestQuality> extends [unknown, ...infer R] ? R : never) =>
    (await latestQuality(sql, ...asked)).map(({ id }) => id)
  expect(await ids()).toEqual(['f1', 's2'])
  expect(await ids({ stage: 'staging' })).toEqual(['s2'])
  expect(await ids({ day: '2026-11-19' })).toEqual(['old'])
  expect(await ids({ day: '2026-11-18' })).toEqual([])
  expect(await ids({ stage: "no'such\0stage" })).toEqual([])
  expect((await latestQuality(sql, { stage: 'staging' }))[0]!.results).toMatchObject([{ check_name: 'a', observed: 0 }])

  const history = await checkHistory(sql, { check: 'a', limit: 2 })
  expect(history.items).toEqual([
    expect.objectContaining({ day: '2026-11-19', outcome: 'failed', observed: 2, finished_at: T + 9 }),
    expect.objectContaining({ day: '2026-11-20', outcome: 'passed', observed: 0, workflow_run_id: 's2' }),
  ])
  const all = await checkHistory(sql, { check: 'a', limit: 10 })
  const [first, second] = [history, await checkHistory(sql, { check: 'a', limit: 2, cursor: history.next! })]
  expect([...first.items, ...second.items].slice(0, 3)).toEqual(all.items.slice(0, 3))
})

test('as many runs of a stage of a day are kept as are of use, and none that is too old', async () => {
  const { sql } = await postgres.database()
  const kept = { runsKept: 3, daysKept: 10 }
  const store = (id: string, changes: Partial<QualityRun>) =>
    storeQualityRun(sql, runOf(id, changes), [resultOf('a')], kept)
  await store('old', { day: '2026-11-01', finished_at: T - 11 * DAY_MS })
  await store('other', { stage: 'facts', finished_at: T - 9 * DAY_MS })
  for (let i = 0; i < 5; i++) await store(`r${i}`, { finished_at: T + i })
  const left = await sql<{ id: string }[]>`SELECT id FROM quality_runs ORDER BY id`
  expect(left.map(({ id }) => id)).toEqual(['other', 'r2', 'r3', 'r4'])
  const [results] = await sql`SELECT count(*) AS count FROM quality_results`
  expect(results!.count).toBe(4)
})

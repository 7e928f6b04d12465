/** The gates by real workflows, on a Temporal server, a PostgreSQL and a lake in a folder: what is planted in a good day is found, named, stored once, and stops whoever waits for the gate. */
import { expect, onTestFinished, test, vi } from 'vitest'
import { alterSchema } from '../../db/lake/index.ts'
import { tableOf } from '../../db/models/build.ts'
import { STAGES } from '../../db/models/checks/index.ts'
import { modelNamed } from '../../db/models/models.ts'
import { goodDay, putGoodDay } from '../../db/models/testing/good-day.ts'
import { type ModelRow, noon, putRows } from '../../db/models/testing/put-rows.ts'
import { checkHistory, latestQuality } from '../../db/postgres/queries/quality.ts'
import { withPostgres } from '../../db/testing/postgres.ts'
import { createLogger } from '../../observability/log.ts'
import { createRegistry } from '../../observability/metrics.ts'
import { IMPATIENT, openBatchWorld } from '../testing/batch-world.ts'
import { failureOf } from '../testing/failure-of.ts'
import { withTemporal } from '../testing/with-temporal.ts'
import { startWorker } from '../worker.ts'
import { QUALITY_STAGES } from './validate-quality.ts'

const DAY = '2026-11-10'
const temporal = withTemporal()
const postgres = withPostgres()
/** A worker that is dead is given up after two seconds. */

const GOOD = goodDay(DAY)
/** The rows of a good day, with the first one changed. */
const spoiled = (model: string, change: ModelRow): ModelRow[] =>
  GOOD[model]!.map((row, i) => (i === 0 ? { ...row, ...change } : row))
const clicks = (count: number, more: ModelRow = {}): ModelRow[] =>
  Array.from({ length: count }, (_, i) => ({ event_id: `e${i}`, event_type: 'page_view', visitor_id: 'u1', ...more }))
const HOUR = 3_600_000_000n

/** One defect of each kind: what is put in place of a table's rows, and what the failure then says. */
const DEFECTS: readonly { stage: string; model: string; rows: ModelRow[]; says: RegExp; sample: object[] }[] = [
  {
    stage: 'facts',
    model: 'fact_transactions',
    rows: spoiled('fact_transactions', { net_minor: null }),
    says: /^1 gate of facts failed for 2026-11-10\. analytics\.fact_transactions, fact_transactions\.not_null\.net_minor: found 1, expected 0 rows without net_minor\. Every order says what it earns/,
    sample: [{ transaction_id: 'o1', event_time: '2026-11-10T12:00:00.000000Z', net_minor: null }],
  },
  {
    stage: 'facts',
    model: 'fact_events',
    rows: [...GOOD.fact_events!, GOOD.fact_events![1]!],
    says: /fact_events\.unique\.event_id: found 1, expected 0 rows that repeat event_id/,
    sample: [{ event_id: 'e2', n: 2 }],
  },
  {
    stage: 'facts',
    model: 'fact_events',
    rows: spoiled('fact_events', { user_id: 'nobody' }),
    says: /fact_events\.referential\.user_id: found 1, expected 0 rows whose user_id is not in dim_users/,
    sample: [{ event_id: 'e1', event_time: '2026-11-10T12:00:00.000000Z', user_id: 'nobody' }],
  },
  {
    stage: 'facts',
    model: 'fact_events',
    rows: GOOD.fact_events!.slice(1),
    says: /stg_clickstream_events\.referential\.event_id: found 1, expected 0 rows whose event_id is not in fact_events/,
    sample: [{ event_id: 'e1', event_time: '2026-11-10T12:00:00.000000Z' }],
  },
  {
    stage: 'staging',
    model: 'stg_orders',
    rows: spoiled('stg_orders', { status: 'stolen' }),
    says: /stg_orders\.accepted_values\.status: found 1, expected 0 rows whose status is none of success, failed, refunded/,
    sample: [expect.objectContaining({ order_id: 'o1', status: 'stolen' })],
  },
  {
    stage: 'staging',
    model: 'stg_trips',
    rows: spoiled('stg_trips', { event_time: noon(DAY) + 12n * HOUR }),
    says: /stg_trips\.range\.event_time: found 1, expected 0 rows whose event_time is not within the day/,
    sample: [expect.objectContaining({ trip_id: 't1', event_time: '2026-11-11T00:00:00.000000Z' })],
  },
  {
    stage: 'staging',
    model: 'stg_clickstream_events',
    rows: clicks(2),
    says: /stg_clickstream_events\.row_count_change: found 0\.01667, expected 0\.02 to 50 times the 120 rows that the 3 days before have on average; there are 2/,
    sample: [],
  },
  {
    stage: 'staging',
    model: 'stg_clickstream_events',
    rows: clicks(120, { event_time: noon(DAY) - 9n * HOUR }),
    says: /stg_clickstream_events\.freshness\.event_time: found 2026-11-10T03:00:00\.000000Z, expected a row of 2026-11-10T04:00:00\.000Z or later/,
    sample: [],
  },
  {
    stage: 'metrics',
    model: 'metrics_daily_kpis',
    rows: [],
    says: /^2 gates of metrics failed for 2026-11-10\. analytics\.fact_events, fact_events\.referential\.day: found 3/,
    sample: [{ event_id: 'e1' }, { event_id: 'e2' }, { event_id: 'e3' }].map((each) => expect.objectContaining(each)),
  },
]

test('a good day passes, stage by stage; a defect of any kind stops it with a sentence and is stored with the rows', {
  timeout: 240_000,
}, async () => {
  const world = await openBatchWorld(temporal, postgres)
  await putGoodDay(world.lake, DAY)
  await world.worker()
  const { sql } = world.database
  const run = await world.start('validateQuality', { date: DAY })
  expect(await run.result()).toMatchObject(
    STAGES.map((stage) => ({ stage, outcome: 'passed', failed: 0, warned: 0, skipped: 0 })),
  )
  expect((await run.describe()).memo).toEqual({ date: DAY, stage: 'all' })
  expect(await run.query('progress')).toMatchObject({ date: DAY, stage: null, done: [{}, {}, {}] })
  const good = await latestQuality(sql)
  expect(good.map(({ stage, outcome, day, engine }) => ({ stage, outcome, day, engine }))).toEqual(
    STAGES.map((stage) => ({ stage, outcome: 'passed', day: DAY, engine: 'duckdb' })),
  )
  expect(good[0]).toMatchObject({ workflow_id: run.workflowId, workflow_run_id: run.firstExecutionRunId })

  for (const day of ['2026-11-07', '2026-11-08', '2026-11-09'])
    await putRows(world.lake, 'stg_clickstream_events', day, clicks(120))
  for (const { stage, model, rows, says, sample } of DEFECTS) {
    await putRows(world.lake, model, DAY, rows)
    const failure = await failureOf((await world.start('validateQuality', { date: DAY, stage })).result())
    expect(failure).toMatchObject({ type: 'QualityGateFailed', nonRetryable: true })
    expect(failure.message).toMatch(says)
    const [stored] = await latestQuality(sql, { day: DAY, stage })
    const found = stored!.results.find(({ outcome, severity }) => outcome === 'failed' && severity === 'error')!
    expect(failure.message).toContain(found.check_name)
    expect(found.sample).toEqual(expect.arrayContaining(sample))
    expect(found.sample).toHaveLength(sample.length)
    await putRows(world.lake, model, DAY, GOOD[model]!)
  }
  const { items: history } = await checkHistory(sql, { check: 'fact_events.unique.event_id', limit: 10 })
  expect(history.map(({ outcome, observed }) => [outcome, observed])).toEqual([
    ['passed', 0],
    ['passed', 0],
    ['failed', 1],
    ['passed', 0],
    ['passed', 0],
  ])
})

test('a warning stops nothing; a column that is gone fails the schema, and everything else is still checked', async () => {
  const world = await openBatchWorld(temporal, postgres)
  await putGoodDay(world.lake, DAY)
  await putRows(world.lake, 'stg_orders', DAY, spoiled('stg_orders', { currency: 'QQQ' }))
  const metrics = createRegistry()
  const logger = createLogger({ level: 'silent', component: 'test' })
  const worker = await startWorker(world.settings, { logger, metrics })
  onTestFinished(() => worker.stop())
  const { sql } = world.database
  const warned = await world.start('validateQuality', { date: DAY, stage: 'staging' })
  expect(await warned.result()).toMatchObject([
    { outcome: 'passed', warned: 1, failed: 0, problems: [{ severity: 'warn' }] },
  ])

  await alterSchema(world.lake, tableOf(modelNamed('fact_trips')), [
    { change: 'rename', column: 'duration_s', to: 'seconds' },
  ])
  const failure = await failureOf((await world.start('validateQuality', { date: DAY })).result())
  expect(failure.message).toBe(
    '1 gate of facts failed for 2026-11-10. analytics.fact_trips, fact_trips.schema: found 1 columns that differ, expected the 9 columns of the model, with their types. The table has the columns of its model: whatever is built on it reads them by name and type.',
  )
  const reports = await latestQuality(sql, { day: DAY })
  expect(reports.map(({ stage, outcome, skipped }) => [stage, outcome, skipped])).toEqual([
    ['staging', 'passed', 0],
    ['facts', 'failed', 1],
    ['metrics', 'passed', 0],
  ])
  expect(reports[1]!.results.find(({ kind, outcome }) => kind === 'schema' && outcome === 'failed')!.sample).toEqual([
    { column: 'duration_s', expected: 'long', found: null },
  ])
  const text = await metrics.metrics()
  expect(text).toContain('streamforge_quality_checks_total{stage="staging",outcome="warned"} 2')
  expect(text).toContain('streamforge_quality_checks_total{stage="facts",outcome="failed"} 1')
  expect(text).toContain('streamforge_quality_failed_gates{stage="facts"} 1')
  expect(text).toContain('streamforge_quality_failed_gates{stage="staging"} 0')
})

test('a lake without any of the tables fails the gates and crashes nothing; input that can not be meant is refused', async () => {
  const world = await openBatchWorld(temporal, postgres)
  await world.worker()
  const failure = await failureOf((await world.start('validateQuality', { date: DAY })).result())
  expect(failure.type).toBe('QualityGateFailed')
  expect(failure.message).toMatch(
    /^14 gates of staging and facts and metrics failed .* found no such table, .* There are 11 more: GET \/quality\/latest\?date=2026-11-10 has all of them\.$/,
  )
  const bad = await failureOf((await world.start('validateQuality', { date: '2026-11-31' })).result())
  expect(bad.message).toMatch(/^The input can't be used: date: must be a day such as/)
  const early = await failureOf((await world.start('validateQuality', { date: '2999-01-01' })).result())
  expect(early).toMatchObject({ type: 'BadInput' })
  expect(early.message).toMatch(/is yet to come/)
})

test('a worker that is killed while it stores leaves all of its results or none; another one ends the runs, and each has one result', {
  timeout: 240_000,
}, async () => {
  const world = await openBatchWorld(temporal, postgres)
  await putGoodDay(world.lake, DAY)
  const { sql } = world.database
  const doomed = await world.process(IMPATIENT)
  const start = () => world.start('validateQuality', { date: DAY, stage: 'metrics' })
  const untilThere = (count: number, find: () => Promise<readonly { pid: number }[]>) =>
    vi.waitFor(
      async () => {
        const found = await find()
        expect(found).toHaveLength(count)
        return found
      },
      { timeout: 90_000, interval: 50 },
    )
  const heldBehind = () =>
    sql<{ pid: number }[]>`SELECT pid FROM pg_locks WHERE NOT granted AND locktype = 'advisory' AND objid = 77`
  const heldBefore = () =>
    sql<{ pid: number }[]>`SELECT pid FROM pg_locks WHERE NOT granted AND relation = 'quality_results'::regclass`
  // One run is held behind what it stores, the other one before.
  await sql`
    CREATE FUNCTION wait_here() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_advisory_xact_lock(77); RETURN NULL; END'`
  await sql`
    CREATE TRIGGER held BEFORE DELETE ON quality_runs FOR EACH STATEMENT EXECUTE FUNCTION wait_here()`
  const runs = [] as Awaited<ReturnType<typeof start>>[]
  await sql.begin(async (tx) => {
    await tx`SELECT pg_advisory_xact_lock(77)`
    runs.push(await start())
    await untilThere(1, heldBehind)
    await tx`LOCK TABLE quality_results IN EXCLUSIVE MODE`
    runs.push(await start())
    const [held] = await untilThere(1, heldBefore)
    doomed.signal('SIGKILL')
    await doomed.ended
    // A server finds out that a client is gone when it wants to answer; a statement that had arrived whole would still be done.
    await sql`SELECT pg_terminate_backend(${held!.pid})`
    await untilThere(0, heldBefore)
  })
  expect(await sql`SELECT 1 FROM quality_runs`).toHaveLength(1)
  await world.worker(IMPATIENT)
  for (const run of runs) expect(await run.result()).toMatchObject([{ stage: 'metrics', outcome: 'passed' }])
  const stored = await sql`
    SELECT workflow_run_id, passed, (SELECT count(*) FROM quality_results WHERE run_id = id) AS results FROM quality_runs`
  expect(stored.map((run) => run.workflow_run_id).sort()).toEqual(runs.map((run) => run.firstExecutionRunId).sort())
  for (const { passed, results } of stored) expect(results).toBe(passed)
})

test('the stages of the definition are those of the expectations', () => {
  expect(QUALITY_STAGES).toEqual(STAGES)
})

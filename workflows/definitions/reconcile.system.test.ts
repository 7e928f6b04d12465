/** Reconciliation and replay by real workflows, over results of the streams and a lake filled by the lake-writer: run, asked, decided, refused, cancelled, and with a worker killed in the middle. */
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { latestReconciliation } from '../../db/postgres/queries/reconciliation.ts'
import { promoteShadow } from '../../db/postgres/queries/replays.ts'
import { withPostgres } from '../../db/testing/postgres.ts'
import { START_MS, troubledHours, workOff } from '../../streams/shadow/testing/shadow-world.ts'
import { type BatchWorld, IMPATIENT, openBatchWorld } from '../testing/batch-world.ts'
import { failureOf } from '../testing/failure-of.ts'
import { withTemporal } from '../testing/with-temporal.ts'
import type { ReplayProgress } from './replay-job.ts'

const temporal = withTemporal()
const postgres = withPostgres()

const HOUR_MS = 3_600_000
const iso = (hours: number): string => new Date(START_MS + hours * HOUR_MS).toISOString()
const RANGE = { from: iso(2), to: iso(4) }

let opened: Promise<BatchWorld> | undefined
/** One for all tests of the file: each leaves it as it was. */
function theWorld(): Promise<BatchWorld> {
  opened ??= (async () => {
    const world = await openBatchWorld(temporal, postgres)
    await workOff(world.database, world.lake, join(world.dataDir, 'objects'), troubledHours(5, 6))
    return world
  })()
  return opened
}

const schemasIn = async ({ database }: BatchWorld): Promise<string[]> =>
  (await database.sql<{ name: string }[]>`SELECT nspname AS name FROM pg_namespace WHERE nspname LIKE 'shadow%'`).map(
    ({ name }) => name,
  )
const alertsIn = async ({ database }: BatchWorld) => [
  ...(await database.sql<{ alert_id: string; rule_version: number }[]>`SELECT * FROM fraud_alerts ORDER BY alert_id`),
]
type Handle = Awaited<ReturnType<BatchWorld['start']>>
const isReady = (run: Handle) =>
  vi.waitFor(async () => expect(await run.query('progress')).toMatchObject({ state: 'ready' }), {
    timeout: 60_000,
    interval: 100,
  })
const CHANGED = { job: 'fraud-detector', ...RANGE, rule: { id: 'rapid-high-value-orders', orders: 2 } }

test('a reconciliation comes through, is stored and measured; a fault fails it in a sentence', async () => {
  const world = await theWorld()
  const { sql } = world.database
  await world.worker()
  const run = await world.start('reconcile', RANGE)
  expect(await run.result()).toMatchObject({ outcome: 'passed', unexplained: 0 })
  expect(await run.query('progress')).toMatchObject({ ...RANGE, state: 'passed' })
  expect((await run.describe()).memo).toEqual({ date: '2026-03-01', ...RANGE })
  const stored = await latestReconciliation(sql)
  expect(stored).toMatchObject({ outcome: 'passed', workflow_id: run.workflowId, from_at: START_MS + 2 * HOUR_MS })
  expect(stored!.differences.length).toBeGreaterThan(3)
  expect(stored!.differences.find(({ cause }) => cause === 'late')!.sample[0]).toMatch(/^[\w.]+:\d+:\d+$/)

  const [changed] = await sql`
    UPDATE revenue_by_minute SET revenue_minor = revenue_minor + 1 WHERE ctid = (
      SELECT ctid FROM revenue_by_minute WHERE window_start >= ${RANGE.from} AND window_start < ${RANGE.to} AND partition = 1 LIMIT 1) RETURNING *`
  const failed = await world.start('reconcile', RANGE)
  const failure = await failureOf(failed.result())
  expect(failure).toMatchObject({ type: 'Unexplained', nonRetryable: true })
  expect(failure.message).toContain(
    `${RANGE.from} to ${RANGE.to}: 1 difference has no explanation (1 minor units of ${changed!.currency}). The first, in revenue_by_minute: The live row is not the one that the jobs make of the lake.`,
  )
  expect(failure.message).toMatch(/ GET \/reconciliation\/latest has all of it\.$/)
  expect(await latestReconciliation(sql)).toMatchObject({
    outcome: 'incident',
    unexplained_minor: { [changed!.currency]: 1 },
  })
  await sql`UPDATE revenue_by_minute SET revenue_minor = revenue_minor - 1 WHERE window_start = ${new Date(changed!.window_start).toISOString()} AND partition = 1
    AND category = ${changed!.category} AND currency = ${changed!.currency}`
  expect(await schemasIn(world)).toEqual([])
})

test('what can not be done is said at once', async () => {
  const world = await theWorld()
  await world.worker()
  const fails = async (workflow: string, input: object) => failureOf((await world.start(workflow, input)).result())
  expect((await fails('reconcile', { from: iso(2) })).message).toMatch(/^Name a date, or both from and to/)
  expect((await fails('reconcile', { from: iso(2.5), to: iso(3) })).message).toMatch(/^The range must be whole hours/)
  const early = await world.start('reconcile', { from: iso(3), to: iso(9) })
  expect(await failureOf(early.result())).toMatchObject({
    type: 'NotFinal',
    message: expect.stringMatching(/are not final yet/),
  })
  // A night's run waits for it instead.
  const patient = await world.start('reconcile', { from: iso(3), to: iso(9), wait_hours: 1 })
  await vi.waitFor(
    async () =>
      expect(await patient.query('progress')).toMatchObject({
        state: 'waiting',
        message: expect.stringMatching(/are not final yet/),
      }),
    { timeout: 30_000, interval: 100 },
  )
  await patient.cancel()
  await expect(patient.result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } })
  const unknown = await world.start('replayJob', { job: 'nope', ...RANGE })
  await expect(unknown.result()).rejects.toMatchObject({
    cause: {
      cause: { type: 'UnknownJob', message: /^There is no job "nope" that can be replayed\. There are: sessions, / },
    },
  })
  expect(await schemasIn(world)).toEqual([])
})

test('a changed rule is tried on the past, looked at, and takes the place of the live alerts, once', async () => {
  const world = await theWorld()
  await world.worker()
  const before = await alertsIn(world)
  const run = await world.start('replayJob', CHANGED)
  await run.signal('promote')
  await isReady(run)
  const diff = await run.query<{ compared: Record<string, object>; rows: Record<string, object[]> }>('diff')
  expect(diff.compared.fraud_alerts).toMatchObject({ changed: 0, missing: expect.any(Number) })
  expect(diff.rows.fraud_alerts!.length).toBeGreaterThan(0)
  expect(await alertsIn(world), 'nothing is live before it is promoted').toEqual(before)
  await run.signal('promote')
  await run.signal('promote')
  const done = (await run.result()) as ReplayProgress
  expect(done).toMatchObject({ state: 'promoted', replaced: { fraud_alerts: { removed: expect.any(Number) } } })
  const after = await alertsIn(world)
  expect(after.length - before.length).toBe(done.replaced!.fraud_alerts!.written - done.replaced!.fraud_alerts!.removed)
  expect(after.filter(({ rule_version }) => rule_version === 2)).toHaveLength(done.replaced!.fraud_alerts!.written)
  expect(await world.database.sql`SELECT state FROM replays WHERE workflow_id = ${run.workflowId}`).toEqual([
    { state: 'promoted' },
  ])
  expect(await schemasIn(world)).toEqual([])

  // Asked again, as after a worker that has died on it: it is done, and stays as it was done.
  const again = { id: run.firstExecutionRunId, nowMs: Date.now(), tables: () => [] }
  expect(await promoteShadow(world.database.sql, again)).toEqual(done.replaced)
  const reconciled = await world.start('reconcile', RANGE)
  expect(((await reconciled.result()) as { message: string }).message).toMatch(/ Alerts were left out: /)

  // And back: the rule as it is live gives the very rows that were there.
  const back = await world.start('replayJob', { job: 'fraud-detector', ...RANGE })
  await isReady(back)
  await back.signal('promote')
  expect(await back.result()).toMatchObject({ state: 'promoted' })
  expect(await alertsIn(world)).toEqual(before)
})

test('discarded, undecided and cancelled, a replay leaves nothing', async () => {
  const world = await theWorld()
  await world.worker()
  const before = await alertsIn(world)
  const [discarded, undecided, cancelled] = await Promise.all([
    world.start('replayJob', CHANGED),
    world.start('replayJob', { ...CHANGED, decide_within_hours: 0.0002 }),
    world.start('replayJob', CHANGED),
  ])
  await isReady(discarded)
  await discarded.signal('discard')
  expect(await discarded.result()).toMatchObject({ state: 'discarded', reason: 'It was discarded.' })
  expect(await undecided.result()).toMatchObject({
    state: 'discarded',
    reason: 'Nobody has decided within 0.0002 hours.',
  })
  await isReady(cancelled)
  expect(await schemasIn(world)).toHaveLength(1)
  await cancelled.cancel()
  await expect(cancelled.result()).rejects.toThrow(/cancelled/i)
  expect(await schemasIn(world)).toEqual([])
  expect(await alertsIn(world)).toEqual(before)
  expect(await world.database.sql`SELECT 1 FROM replays WHERE state = 'ready'`).toHaveLength(0)
})

test('a worker killed in the middle: another begins anew, and nothing is left of the first', async () => {
  const world = await theWorld()
  const { sql } = world.database
  const before = await alertsIn(world)
  const doomed = await world.process(IMPATIENT)
  const [replay, reconciliation] = await Promise.all([
    world.start('replayJob', CHANGED),
    world.start('reconcile', RANGE),
  ])
  // All has been computed, and is about to be written down.
  await sql.begin(async (tx) => {
    await tx`LOCK TABLE replays, reconciliations IN EXCLUSIVE MODE`
    await vi.waitFor(
      async () => {
        const waiting = await sql`
          SELECT relation FROM pg_locks WHERE relation IN ('replays'::regclass, 'reconciliations'::regclass) AND NOT granted`
        expect(waiting).toHaveLength(2)
      },
      { timeout: 90_000, interval: 100 },
    )
    doomed.signal('SIGKILL')
    await doomed.ended
  })
  expect(await latestReconciliation(sql)).not.toMatchObject({ workflow_id: reconciliation.workflowId })
  await world.worker(IMPATIENT)
  expect(await reconciliation.result()).toMatchObject({ outcome: 'passed' })
  await isReady(replay)
  expect(await schemasIn(world)).toEqual([expect.stringMatching(/_2$/)])
  await replay.signal('discard')
  await replay.result()
  expect(await alertsIn(world)).toEqual(before)
  expect(await schemasIn(world)).toEqual([])
}, 240_000)

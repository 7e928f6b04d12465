/** What workers copy of a real Temporal into a real PostgreSQL: all ways a run can end, schedules, and going on after either was away. */
import { randomUUID } from 'node:crypto'
import { expect, onTestFinished, test } from 'vitest'
import { createTable, schemaOf, tableName } from '../db/lake/index.ts'
import { withPostgres } from '../db/testing/postgres.ts'
import { createLogger } from '../observability/log.ts'
import { systemClock } from '../streams/time/clock.ts'
import { openTemporal } from './client.ts'
import { ensureSchedules } from './ensure-schedules.ts'
import { startMirror } from './mirror.ts'
import { SCHEDULES, scheduleId } from './schedules.ts'
import { type BatchWorld, openBatchWorld } from './testing/batch-world.ts'
import { withTemporal } from './testing/with-temporal.ts'

const temporal = withTemporal()
const postgres = withPostgres()
const PATIENCE = { timeout: 60_000, interval: 100 }
const OFTEN = { mirrorMs: 200, temporalUiUrl: 'http://127.0.0.1:8233' }
const logger = createLogger({ level: 'silent', component: 'test' })

interface Kept {
  workflow_id: string
  status: string
  failure: string | null
  parent_id: string | null
  schedule_id: string | null
  scheduled_at: number | null
  closed_at: number | null
  memo: object
}
const runs = ({ database }: BatchWorld) => database.sql<Kept[]>`SELECT * FROM pipeline_runs ORDER BY started_at, run_id`
const run = async (world: BatchWorld, id: string) => (await runs(world)).find((each) => each.workflow_id === id)
/** Null while it can't be asked. */
const statusOf = (world: BatchWorld, id: string) => () =>
  run(world, id).then(
    (found) => found?.status,
    () => null,
  )

test('the worker copies runs with how they ended and why, children with their parent, those of schedules with their time', async () => {
  const world = await openBatchWorld(temporal, postgres)
  const { client, database, taskQueue } = world
  await world.worker({ ...OFTEN, schedules: true })
  await createTable(world.lake, tableName('a.one'), { schema: schemaOf([{ name: 'id', type: 'long' }]) })
  const done = await world.start('compactTable')
  const failed = await world.start('compactTable', { table: 'no.such' })
  const mistyped = await world.start('expireSnapshots', { keep: 0 })
  await expect.poll(statusOf(world, done.workflowId), PATIENCE).toBe('completed')
  await expect.poll(statusOf(world, 'compactTable:a.one'), PATIENCE).toBe('completed')
  expect(await run(world, 'compactTable:a.one')).toMatchObject({ parent_id: done.workflowId, memo: { table: 'a.one' } })
  await expect.poll(statusOf(world, failed.workflowId), PATIENCE).toBe('failed')
  expect(await run(world, failed.workflowId)).toMatchObject({
    failure: expect.stringContaining('no.such'),
    memo: { table: 'no.such' },
  })
  await expect.poll(statusOf(world, mistyped.workflowId), PATIENCE).toBe('failed')
  expect((await run(world, mistyped.workflowId))?.failure).toMatch(/^The input can't be used: keep: /)
  expect(await database.sql`SELECT * FROM pipeline_mirror`).toMatchObject([
    { task_queue: taskQueue, namespace: 'default', ui_url: OFTEN.temporalUiUrl, left_at: null },
  ])

  const handle = client.schedule.getHandle(scheduleId(taskQueue, 'remove-orphans'))
  const [start, end] = [new Date('2026-11-17T00:00:00Z'), new Date('2026-11-19T23:59:59Z')]
  await handle.backfill({ start, end, overlap: 'BUFFER_ALL' })
  const times = async () =>
    (await runs(world))
      .filter(({ status, schedule_id }) => status === 'completed' && schedule_id === handle.scheduleId)
      // Where the test runs at its hour there is one of today.
      .filter(({ scheduled_at }) => scheduled_at! <= end.getTime())
      .map(({ scheduled_at }) => new Date(scheduled_at!).toISOString())
  await expect
    .poll(times, PATIENCE)
    .toEqual(['2026-11-17T03:50:00.000Z', '2026-11-18T03:50:00.000Z', '2026-11-19T03:50:00.000Z'])

  // Tables that can't be listed keep it busy until it is ended.
  await database.sql`ALTER TABLE iceberg_tables RENAME TO iceberg_tables_away`
  const cancelled = await world.start('compactTable')
  await expect.poll(statusOf(world, cancelled.workflowId), PATIENCE).toBe('running')
  await cancelled.cancel()
  await expect.poll(statusOf(world, cancelled.workflowId), PATIENCE).toBe('cancelled')
})

test('several mirrors agree, go on after Temporal was killed and the database was away, and say when they leave', async () => {
  const world = await openBatchWorld(temporal, postgres)
  const { client, database, taskQueue } = world
  const { address, namespace } = temporal.server
  const mirrors = [1, 2].map(() => {
    const own = openTemporal({ address, namespace })
    const place = { taskQueue, namespace, uiUrl: null }
    const mirror = startMirror({ client: own, database, place, clock: systemClock, logger, intervalMs: 200 })
    onTestFinished(async () => {
      await mirror.stop({ leaves: false })
      await own.close()
    })
    return mirror
  })
  // No worker serves the queue: nothing ends by itself.
  const first = await world.start('removeOrphans')
  const second = await world.start('removeOrphans')
  await expect.poll(statusOf(world, first.workflowId), PATIENCE).toBe('running')
  await first.terminate('It is not wanted')
  await expect.poll(statusOf(world, first.workflowId), PATIENCE).toBe('terminated')
  expect(await run(world, first.workflowId)).toMatchObject({
    failure: 'It is not wanted',
    closed_at: expect.any(Number),
  })
  expect(await run(world, second.workflowId)).toMatchObject({ status: 'running', closed_at: null })

  await database.sql`
    INSERT INTO pipeline_runs (run_id, task_queue, workflow_id, workflow, status, started_at, memo)
    VALUES (${randomUUID()}, ${taskQueue}, 'of-another-temporal', 'compactTable', 'running', now() - interval '1 day', '{}')`
  await expect.poll(statusOf(world, 'of-another-temporal'), PATIENCE).toBe('lost')

  await temporal.kill()
  await temporal.start()
  await second.terminate()
  await expect.poll(statusOf(world, second.workflowId), PATIENCE).toBe('terminated')
  await postgres.restart()
  const third = await world.start('removeOrphans')
  await expect.poll(statusOf(world, third.workflowId), PATIENCE).toBe('running')
  await third.terminate()
  await expect.poll(statusOf(world, third.workflowId), PATIENCE).toBe('terminated')
  expect(await runs(world)).toHaveLength(4)

  const schedules = () => database.sql`SELECT * FROM pipeline_schedules ORDER BY schedule_id`
  await ensureSchedules(client, { taskQueue, logger })
  const own = `of-a-person-${randomUUID()}`
  await client.schedule.create({
    scheduleId: own,
    spec: { intervals: [{ every: '7 days' }] },
    action: { type: 'startWorkflow', workflowType: 'importFile', taskQueue, args: [] },
  })
  await expect.poll(async () => (await schedules()).length, PATIENCE).toBe(SCHEDULES.length + 1)
  const id = scheduleId(taskQueue, 'expire-snapshots')
  await client.schedule.getHandle(id).pause('Not today')
  const paused = { schedule_id: id, paused: true, note: 'Not today', next_at: null, period_ms: 2 * 3_600_000 }
  await expect.poll(schedules, PATIENCE).toContainEqual(expect.objectContaining(paused))
  const weekly = { schedule_id: own, workflow: 'importFile', period_ms: 7 * 86_400_000 }
  expect(await schedules()).toContainEqual(expect.objectContaining(weekly))
  await client.schedule.getHandle(own).delete()
  await expect.poll(async () => (await schedules()).length, PATIENCE).toBe(SCHEDULES.length)

  const leftAt = async () => (await database.sql`SELECT left_at FROM pipeline_mirror`)[0]?.left_at
  await mirrors[0]?.stop({ leaves: true })
  await expect.poll(leftAt, PATIENCE).toBeNull()
  await mirrors[1]?.stop({ leaves: true })
  expect(await leftAt()).toEqual(expect.any(Number))
})

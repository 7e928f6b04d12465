/** What workers copy of a real Temporal into a real PostgreSQL: all ways a run can end, schedules, and going on after either was away. */
import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { createTable, schemaOf, tableName } from '../db/lake/index.ts'
import { withPostgres } from '../db/testing/postgres.ts'
import { createLogger } from '../observability/log.ts'
import { ensureSchedules } from './ensure-schedules.ts'
import { SCHEDULES, scheduleId } from './schedules.ts'
import { type BatchWorld, openBatchWorld } from './testing/batch-world.ts'
import { withTemporal } from './testing/with-temporal.ts'

const temporal = withTemporal()
const postgres = withPostgres()
const PATIENCE = { timeout: 30_000, interval: 50 }
const MIRRORED = { mirrorMs: 100, temporalUiUrl: 'http://127.0.0.1:8233' }

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
const statusOf = (world: BatchWorld, id: string) => async () => (await run(world, id))?.status

test('runs are there with how they ended and why, children with their parent', async () => {
  const world = await openBatchWorld(temporal, postgres)
  const first = await world.worker(MIRRORED)
  await world.worker(MIRRORED)
  await createTable(world.lake, tableName('a.one'), { schema: schemaOf([{ name: 'id', type: 'long' }]) })
  const done = await world.start('compactTable')
  const failed = await world.start('compactTable', { table: 'no.such' })
  const mistyped = await world.start('expireSnapshots', { keep: 0 })
  await expect.poll(statusOf(world, done.workflowId), PATIENCE).toBe('completed')
  await expect.poll(statusOf(world, 'compactTable:a.one'), PATIENCE).toBe('completed')
  expect(await run(world, 'compactTable:a.one')).toMatchObject({ parent_id: done.workflowId, memo: { table: 'a.one' } })
  await expect.poll(statusOf(world, failed.workflowId), PATIENCE).toBe('failed')
  await expect.poll(statusOf(world, mistyped.workflowId), PATIENCE).toBe('failed')
  expect(await run(world, failed.workflowId)).toMatchObject({
    failure: expect.stringContaining('no.such'),
    memo: { table: 'no.such' },
  })
  expect((await run(world, mistyped.workflowId))?.failure).toMatch(/^The input can't be used: keep: /)

  // On a queue that no worker serves nothing ends by itself.
  await first.stop()
  const [mirror] = await world.database.sql`SELECT * FROM pipeline_mirror`
  expect(mirror).toMatchObject({
    task_queue: world.taskQueue,
    namespace: 'default',
    ui_url: 'http://127.0.0.1:8233',
  })
})

test('runs under way, cancelled and terminated ones; what Temporal does not know is lost; schedules', async () => {
  const world = await openBatchWorld(temporal, postgres)
  const { database, client, taskQueue } = world
  // Its tables can't be listed: it runs until it is ended.
  const worker = await world.worker(MIRRORED)
  await database.sql`ALTER TABLE iceberg_tables RENAME TO iceberg_tables_away`
  const ids = await Promise.all(
    ['one', 'two', 'three'].map(
      async (name) => (await world.start('compactTable', {}, `${name}-${randomUUID()}`)).workflowId,
    ),
  )
  const [cancelled, terminated, running] = ids as [string, string, string]
  for (const id of ids) await expect.poll(statusOf(world, id), PATIENCE).toBe('running')
  await client.workflow.getHandle(cancelled).cancel()
  await client.workflow.getHandle(terminated).terminate('It is not wanted')
  await expect.poll(statusOf(world, cancelled), PATIENCE).toBe('cancelled')
  await expect.poll(statusOf(world, terminated), PATIENCE).toBe('terminated')
  expect(await run(world, terminated)).toMatchObject({ failure: 'It is not wanted', closed_at: expect.any(Number) })
  expect(await run(world, running)).toMatchObject({ closed_at: null })
  await client.workflow.getHandle(running).terminate()

  await database.sql`
    INSERT INTO pipeline_runs (run_id, task_queue, workflow_id, workflow, status, started_at, memo)
    VALUES (${randomUUID()}, ${taskQueue}, 'of-another-temporal', 'compactTable', 'running', now() - interval '1 day', '{}')`
  await expect.poll(statusOf(world, 'of-another-temporal'), PATIENCE).toBe('lost')

  const schedules = () => database.sql`SELECT * FROM pipeline_schedules ORDER BY schedule_id`
  const logger = createLogger({ level: 'silent', service: 'test' })
  await ensureSchedules(client, { taskQueue, logger })
  const id = scheduleId(taskQueue, 'expire-snapshots')
  const own = `of-a-person-${randomUUID()}`
  await client.schedule.create({
    scheduleId: own,
    spec: { intervals: [{ every: '7 days' }] },
    action: { type: 'startWorkflow', workflowType: 'importFile', taskQueue, args: [] },
  })
  await expect.poll(async () => (await schedules()).length, PATIENCE).toBe(SCHEDULES.length + 1)
  await client.schedule.getHandle(id).pause('Not today')
  const paused = { schedule_id: id, paused: true, note: 'Not today', next_at: null, period_ms: 2 * 3_600_000 }
  await expect.poll(schedules, PATIENCE).toContainEqual(expect.objectContaining(paused))
  expect(await schedules()).toContainEqual(
    expect.objectContaining({ schedule_id: own, workflow: 'importFile', period_ms: 7 * 86_400_000 }),
  )
  await client.schedule.getHandle(own).delete()
  await expect.poll(async () => (await schedules()).length, PATIENCE).toBe(SCHEDULES.length)

  expect(await database.sql`SELECT left_at FROM pipeline_mirror`).toEqual([{ left_at: null }])
  await worker.stop()
  expect(await database.sql`SELECT left_at FROM pipeline_mirror`).toEqual([{ left_at: expect.any(Number) }])
})

test('a backfill of three days is three runs, one after the other, of those days', async () => {
  const world = await openBatchWorld(temporal, postgres)
  const { client, taskQueue } = world
  await world.worker({ ...MIRRORED, schedules: true })
  const handle = client.schedule.getHandle(scheduleId(taskQueue, 'remove-orphans'))
  await expect
    .poll(
      () =>
        handle.describe().then(
          ({ state }) => state.note,
          () => null,
        ),
      PATIENCE,
    )
    .toContain('daily')
  await handle.backfill({
    start: new Date('2026-11-17T00:00:00Z'),
    end: new Date('2026-11-19T23:59:59Z'),
    overlap: 'BUFFER_ALL',
  })
  const days = async () =>
    (await runs(world))
      .filter(({ status, schedule_id }) => status === 'completed' && schedule_id === handle.scheduleId)
      .map(({ scheduled_at }) => new Date(scheduled_at!).toISOString())
  await expect
    .poll(days, PATIENCE)
    .toEqual(['2026-11-17T03:50:00.000Z', '2026-11-18T03:50:00.000Z', '2026-11-19T03:50:00.000Z'])
})

test('it goes on after Temporal was killed, and after the database was away', async () => {
  const world = await openBatchWorld(temporal, postgres)
  await world.worker(MIRRORED)
  const before = await world.start('removeOrphans')
  await expect.poll(statusOf(world, before.workflowId), PATIENCE).toBe('completed')
  await temporal.kill()
  await temporal.start()
  const after = await world.start('removeOrphans')
  await expect.poll(statusOf(world, after.workflowId), PATIENCE).toBe('completed')
  await postgres.restart()
  const later = await world.start('removeOrphans')
  await expect.poll(() => statusOf(world, later.workflowId)().catch(() => null), PATIENCE).toBe('completed')
  expect(await runs(world)).toHaveLength(3)
})

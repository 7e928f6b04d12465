/** `streamforge schedules` against a real Temporal with a worker. */
import { expect, test } from 'vitest'
import { withPostgres } from '../../db/testing/postgres.ts'
import { openBatchWorld } from '../../workflows/testing/batch-world.ts'
import { withTemporal } from '../../workflows/testing/with-temporal.ts'
import { runCommand } from '../testing/run-command.ts'
import { schedules } from './schedules.ts'

const temporal = withTemporal()
const postgres = withPostgres()

test('a person sees the schedules, pauses, resumes, triggers and backfills them', async () => {
  const world = await openBatchWorld(temporal, postgres)
  const run = (args: string) => runCommand(schedules, args.split(' '), { env: world.env })
  expect((await run('ls')).out).toMatch(/has no schedules yet/)
  expect(await run('pause compact-tables')).toMatchObject({
    code: 1,
    err: expect.stringMatching(/the queue .* has none/),
  })

  await world.worker({ schedules: true, mirrorMs: 100 })
  await expect.poll(async () => (await run('ls')).out).toMatch(/daily 00:15.*hourly at :05.*every 2 h at :35/s)
  expect(await run('pause nothing')).toMatchObject({
    code: 1,
    err: expect.stringMatching(
      /^There is no schedule "nothing" on the queue test-.*daily-aggregation, .*compact-tables/,
    ),
  })
  expect(await run('pause compact-tables --reason Disk')).toMatchObject({ code: 0 })
  const listed = async () => JSON.parse((await run('ls --json')).out) as Record<string, unknown>[]
  const compact = async () => (await listed()).find(({ workflow }) => workflow === 'compactTable')
  expect(await compact()).toMatchObject({
    id: `${world.taskQueue}:compact-tables`,
    paused: true,
    note: 'Disk',
    next_at: null,
    overlap: 'skip',
    catch_up_seconds: 600,
    when: 'hourly at :05',
  })
  expect((await run('resume compact-tables')).out).toMatch(/runs again, next at .*:05:00Z/)
  expect(await compact()).toMatchObject({ paused: false, next_at: expect.stringContaining(':05:00') })

  expect((await run('trigger compact-tables')).out).toMatch(/^compactTable has started as .*compact-tables-20/)
  expect(await compact()).toMatchObject({ last: { workflow_id: expect.stringContaining('compact-tables-20') } })
  const { out } = await run('trigger compact-tables --input {"table":"no.such"}')
  const [, id] = /has started as (.*)\.\n/.exec(out)!
  await expect(world.client.workflow.result(id!)).rejects.toMatchObject({ cause: { cause: { type: 'NoSuchTable' } } })

  const filled = await run('backfill remove-orphans --from 2026-11-01 --to 2026-11-02')
  expect(filled.out).toBe(
    '2 runs of removeOrphans, one after the other, as scheduled at 2026-11-01 03:50:00Z, 2026-11-02 03:50:00Z.\n',
  )
  await expect
    .poll(
      () => world.database.sql`SELECT 1 FROM pipeline_runs WHERE workflow = 'removeOrphans' AND status = 'completed'`,
      { timeout: 30_000 },
    )
    .toHaveLength(2)
})

test('no Temporal is a sentence', async () => {
  const nobody = await runCommand(schedules, ['ls'], { env: { TEMPORAL_ADDRESS: '127.0.0.1:1' } })
  expect(nobody).toMatchObject({ code: 1, err: expect.stringMatching(/^Temporal does not answer at 127\.0\.0\.1:1\./) })
  const folder = await temporal.folder()
  const platform = await runCommand(schedules, ['ls', '--data', folder], { env: {} })
  expect(platform).toMatchObject({
    code: 1,
    err: expect.stringMatching(/^No platform is running on .*TEMPORAL_ADDRESS/),
  })
})

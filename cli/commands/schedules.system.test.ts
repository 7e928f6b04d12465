/** `streamforge schedules` against a real Temporal. */
import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { createLogger } from '../../observability/log.ts'
import { eventually } from '../../tests/support/eventually.ts'
import { ensureSchedules } from '../../workflows/ensure-schedules.ts'
import { SCHEDULES, timesOf } from '../../workflows/schedules.ts'
import { withTemporal } from '../../workflows/testing/with-temporal.ts'
import { runCommand } from '../testing/run-command.ts'
import { schedules } from './schedules.ts'

const temporal = withTemporal()
const MINUTE_MS = 60_000

test('a person sees the schedules, pauses, resumes, triggers and backfills them', async () => {
  const client = await temporal.client()
  const taskQueue = `test-${randomUUID()}`
  const env = {
    TEMPORAL_ADDRESS: temporal.server.address,
    TEMPORAL_TASK_QUEUE: taskQueue,
    TEMPORAL_UI_URL: 'http://ui',
  }
  const run = (args: string) => runCommand(schedules, args.split(' '), { env })
  expect((await run('ls')).out).toMatch(/has no schedules yet/)
  expect(await run('pause compact-tables')).toMatchObject({
    code: 1,
    err: expect.stringMatching(/the queue .* has none/),
  })

  // A run of its own, at five past the hour, would be under way where one is triggered.
  await eventually('no schedule is due within a minute', 3 * MINUTE_MS, () =>
    SCHEDULES.every(({ at }) => timesOf(at, Date.now(), Date.now() + MINUTE_MS).length === 0),
  )
  await ensureSchedules(client, { taskQueue, logger: createLogger({ level: 'silent', component: 'test' }) })
  expect((await run('ls')).out).toMatch(/daily 00:15.*hourly at :05.*every 2 h at :35/s)
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
    id: `${taskQueue}:compact-tables`,
    paused: true,
    note: 'Disk',
    next_at: null,
    overlap: 'skip',
    catch_up_seconds: 600,
    when: 'hourly at :05',
    url: `http://ui/namespaces/default/schedules/${taskQueue}%3Acompact-tables`,
  })
  expect((await run('resume compact-tables')).out).toMatch(/runs again, next at .*:05:00Z/)
  expect(await compact()).toMatchObject({ paused: false, next_at: expect.stringContaining(':05:00') })

  // No worker serves the queue: what has started goes on.
  expect((await run('trigger compact-tables')).out).toMatch(/^compactTable has started as .*compact-tables-20.*\nhttp:/)
  expect(await compact()).toMatchObject({
    last: { workflow_id: expect.stringContaining('compact-tables-20') },
    running: [expect.any(String)],
  })
  expect((await run('trigger compact-tables')).out).toMatch(/^compactTable starts when .*compact-tables-20.* has ended/)
  const { out } = await run('trigger compact-tables --input {"table":"raw.orders"}')
  const [, id] = /has started as (.*)\.\n/.exec(out)!
  expect(await client.workflow.getHandle(id!).describe()).toMatchObject({ type: 'compactTable', taskQueue })

  expect((await run('backfill daily-aggregation --from 2026-11-01 --to 2026-11-03')).out).toBe(
    '3 runs of dailyAggregation, one after the other, for 2026-11-01, 2026-11-02, 2026-11-03.\n',
  )
  const daily = client.schedule.getHandle(`${taskQueue}:daily-aggregation`)
  for (const date of ['2026-11-02', '2026-11-03', '2026-11-04']) {
    const current = async () => (await daily.describe()).info.runningActions[0]?.workflow.workflowId
    await expect.poll(current, { timeout: 30_000 }).toBe(`${taskQueue}:daily-aggregation-${date}T00:15:00Z`)
    await client.workflow.getHandle((await current())!).terminate()
  }
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

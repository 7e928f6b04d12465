/** Schedules as Temporal itself holds them: registered by workers, changed by versions, paused by people. */
import { randomUUID } from 'node:crypto'
import type { ScheduleDescription } from '@temporalio/client'
import { expect, test } from 'vitest'
import { createLogger } from '../observability/log.ts'
import { ensureSchedules } from './ensure-schedules.ts'
import { SCHEDULES, scheduleId } from './schedules.ts'
import { withTemporal } from './testing/with-temporal.ts'

const temporal = withTemporal()
/** The list of schedules is behind, by more on a busy machine. */
const SOON = { timeout: 60_000, interval: 100 }
const logger = createLogger({ level: 'silent', component: 'test' })
const [hourly] = SCHEDULES.filter(({ id }) => id === 'compact-tables')

async function place() {
  const client = await temporal.client()
  const taskQueue = `test-${randomUUID()}`
  return {
    client,
    taskQueue,
    ensure: (schedules = SCHEDULES) => ensureSchedules(client, { taskQueue, schedules, logger }),
    describe: (id: string): Promise<ScheduleDescription> =>
      client.schedule.getHandle(scheduleId(taskQueue, id)).describe(),
    /** Its list is a moment behind. */
    listed: async () => {
      const ids: string[] = []
      for await (const { scheduleId: id } of client.schedule.list()) if (id.startsWith(taskQueue)) ids.push(id)
      return ids.sort()
    },
  }
}
const nothing = { created: [], updated: [], deleted: [], foreign: [] }

test('several workers at once make one set, and a later start changes nothing', async () => {
  const { ensure, listed, describe, taskQueue } = await place()
  const all = await Promise.all([ensure(), ensure(), ensure()])
  const ids = SCHEDULES.map(({ id }) => scheduleId(taskQueue, id)).sort()
  expect(all.flatMap(({ created }) => created).sort()).toEqual(ids)
  expect(all.flatMap(({ updated, deleted, foreign }) => [...updated, ...deleted, ...foreign])).toEqual([])
  expect(await ensure()).toEqual(nothing)
  await expect.poll(listed, SOON).toEqual(ids)
  const { action, policies, state, info } = await describe('expire-snapshots')
  expect(action).toMatchObject({
    workflowType: 'expireSnapshots',
    taskQueue,
    args: [{ older_than_hours: 6, keep: 1_000 }],
  })
  expect(policies).toEqual({ overlap: 'SKIP', catchupWindow: 600_000, pauseOnFailure: false })
  expect(state).toMatchObject({ paused: false, note: expect.stringContaining('every two hours') })
  const [first, second] = info.nextActionTimes
  expect(first!.toISOString()).toMatch(/T\d[02468]:35:00.000Z$/)
  expect(second!.getTime() - first!.getTime()).toBe(2 * 3_600_000)
})

test('a changed declaration changes the schedule; that a person has paused it, and why, stays', async () => {
  const { ensure, describe, client, taskQueue } = await place()
  await ensure([hourly!])
  await client.schedule.getHandle(scheduleId(taskQueue, 'compact-tables')).pause('The disk is being changed')
  const changed = { ...hourly!, at: { minute: 7, hour: 4 }, input: { min_files: 3 }, catchUpMs: 120_000 }
  expect(await ensure([changed])).toMatchObject({ updated: [scheduleId(taskQueue, 'compact-tables')] })
  const held = await describe('compact-tables')
  expect(held.state).toMatchObject({ paused: true, note: 'The disk is being changed' })
  expect(held.action.args).toEqual([{ min_files: 3 }])
  expect(held.policies.catchupWindow).toBe(120_000)
  expect(held.info.nextActionTimes[0]!.toISOString()).toContain('T04:07')
  expect(await ensure([changed])).toEqual(nothing)
  // A schedule that a person has changed is what is declared again.
  await client.schedule
    .getHandle(scheduleId(taskQueue, 'compact-tables'))
    .update((previous) => ({ ...previous, policies: { ...previous.policies, overlap: 'ALLOW_ALL' } }))
  expect((await ensure([changed])).updated).toHaveLength(1)
  expect((await describe('compact-tables')).policies.overlap).toBe('SKIP')
})

test('what an earlier version declared goes, what others made stays as it is', async () => {
  const { ensure, describe, client, taskQueue, listed } = await place()
  await ensure([hourly!, { ...hourly!, id: 'of-yesterday', workflow: 'gone' }])
  const own = (id: string) =>
    client.schedule.create({
      scheduleId: scheduleId(taskQueue, id),
      spec: { intervals: [{ every: '1 day' }] },
      action: { type: 'startWorkflow', workflowType: 'importFile', taskQueue, args: [] },
    })
  await own('remove-orphans')
  await own('of-a-person')
  await expect.poll(listed, SOON).toHaveLength(4)
  const ensured = await ensure()
  expect(ensured.deleted).toEqual([scheduleId(taskQueue, 'of-yesterday')])
  expect(ensured.foreign).toEqual([scheduleId(taskQueue, 'remove-orphans')])
  expect((await describe('remove-orphans')).action.workflowType).toBe('importFile')
  expect((await describe('of-a-person')).spec.intervals).toHaveLength(1)
  await expect(describe('of-yesterday')).rejects.toThrow('not found')
  expect(await ensure()).toMatchObject({ created: [], updated: [] })
})

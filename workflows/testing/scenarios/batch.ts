/** The daily aggregation and its gates, imports, reconciliation and replay: runs that come through, ones that are refused, decided by a signal, and left to time out. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { vi } from 'vitest'
import { dayNumber } from '../../../db/models/render.ts'
import { putGoodDay } from '../../../db/models/testing/good-day.ts'
import { appendRaw, randomRows } from '../../../db/models/testing/raw-rows.ts'
import { START_MS, troubledHours, workOff } from '../../../streams/shadow/testing/shadow-world.ts'
import { ORDERS_SPEC, ordersFile } from '../../imports/testing/import-job.ts'
import { DAY_MS, toDay } from '../../input.ts'
import { childOf, ended, type Scenario } from './scenario.ts'

const DAY = '2026-11-10'
const HOUR_MS = 3_600_000

/** A day that was asked for, and the day before, which is open. */
export const aggregation: Scenario = async (world) => {
  const from = (dayNumber(DAY) - 1) * DAY_MS
  await appendRaw(world.lake, randomRows({ seed: 11, from, days: 2, events: 20 }))
  const run = await world.start('dailyAggregation', { date: DAY })
  await run.result()
  const day = await childOf(world, run, 'dailyAggregation')
  return {
    'dailyAggregation-run': run,
    'dailyAggregation-day': day,
    'validateQuality-gate': await childOf(world, day, 'validateQuality'),
  }
}

export const quality: Scenario = async (world) => {
  await putGoodDay(world.lake, DAY)
  const passed = await world.start('validateQuality', { date: DAY })
  const failed = await world.start('validateQuality', { date: toDay(Date.parse(DAY) - DAY_MS), stage: 'facts' })
  await ended(passed)
  await ended(failed)
  return { 'validateQuality-all': passed, 'validateQuality-another-day': failed }
}

export const imports: Scenario = async (world) => {
  await mkdir(join(world.dataDir, 'imports'))
  await writeFile(join(world.dataDir, 'imports', 'orders.csv'), [...ordersFile(20)].join(''))
  const done = await world.start('importFile', { file: 'orders.csv', mapping: ORDERS_SPEC })
  const missing = await world.start('importFile', { file: 'none.csv', mapping: ORDERS_SPEC })
  await ended(done)
  await ended(missing)
  return { 'importFile-done': done, 'importFile-missing': missing }
}

/** Over results of the streams, troubled ones. */
export const reconciliation: Scenario = async (world) => {
  await workOff(world.database, world.lake, join(world.dataDir, 'objects'), troubledHours(5, 6))
  const [from, to] = [2, 4].map((hours) => new Date(START_MS + hours * HOUR_MS).toISOString())
  const passed = await world.start('reconcile', { from, to })
  await ended(passed)
  const input = { job: 'fraud-detector', from, to, rule: { id: 'rapid-high-value-orders', orders: 2 } }
  const promoted = await world.start('replayJob', input)
  const late = await world.start('replayJob', { ...input, decide_within_hours: 0.000_2 })
  const unknown = await world.start('replayJob', { ...input, job: 'nope' })
  await vi.waitFor(
    async () => {
      if ((await promoted.query<{ state: string }>('progress')).state !== 'ready') throw new Error('It is not ready.')
    },
    { timeout: 120_000, interval: 200 },
  )
  await promoted.signal('promote')
  for (const run of [promoted, late, unknown]) await ended(run)
  return {
    'reconcile-passed': passed,
    'replayJob-promoted': promoted,
    'replayJob-timed-out': late,
    'replayJob-unknown': unknown,
  }
}

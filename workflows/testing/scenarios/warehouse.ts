/** The warehouse: its publication, as asked for and with input that can't be meant; and an aggregation that looks whether there is one. */
import { dayNumber } from '../../../db/models/render.ts'
import { appendRaw, randomRows } from '../../../db/models/testing/raw-rows.ts'
import { DAY_MS } from '../../input.ts'
import { ended, type Scenario } from './scenario.ts'

const DAY = '2026-11-10'

export const warehouse: Scenario = async (world) => {
  await appendRaw(world.lake, randomRows({ seed: 3, from: dayNumber(DAY) * DAY_MS, days: 1, events: 20 }))
  const runs = {
    'dailyAggregation-before-warehouse': await world.start('dailyAggregation', { date: DAY, late: false }),
    'publishWarehouse-done': await world.start('publishWarehouse'),
    'publishWarehouse-bad-input': await world.start('publishWarehouse', { table: 'fact_events' }),
  }
  for (const run of Object.values(runs)) await ended(run)
  return runs
}

/** Registrations with BigQuery: one as asked for, where there is none, and one with input that can't be meant. */
import { ended, type Scenario } from './scenario.ts'

export const registrations: Scenario = async (world) => {
  const runs = {
    'registerTables-done': await world.start('registerTables'),
    'registerTables-bad-input': await world.start('registerTables', { table: 'fact_events' }),
  }
  for (const run of Object.values(runs)) await ended(run)
  return runs
}

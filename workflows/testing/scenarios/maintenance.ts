/** Upkeep of one table and of all of them; a table that is in the way of itself alone; bad input; a cancellation in the middle of a child. */
import { loadTable, planScan, tableName } from '../../../db/lake/index.ts'
import { workflowId } from '../../policy.ts'
import { holdCommits } from '../hold-commits.ts'
import { smallFilesTable } from '../small-files.ts'
import { ended, type Scenario } from './scenario.ts'

const HEALTHY = 'raw.healthy'
const DAMAGED = 'raw.damaged'

export const upkeepOfOne: Scenario = async (world) => {
  await smallFilesTable(world.lake, HEALTHY)
  const runs = {
    'compactTable-one': await world.start('compactTable', { table: HEALTHY }),
    'compactTable-bad-input': await world.start('compactTable', { tabel: HEALTHY }),
    'compactTable-no-such-table': await world.start('compactTable', { table: 'raw.none' }),
    'expireSnapshots-one': await world.start('expireSnapshots', { table: HEALTHY, keep: 1 }),
    'removeOrphans-one': await world.start('removeOrphans', { table: HEALTHY }),
  }
  for (const run of Object.values(runs)) await ended(run)
  return runs
}

/** One table's files are gone: that child fails, the other comes through, and the parent says both. */
export const upkeepOfAll: Scenario = async (world) => {
  for (const name of [HEALTHY, DAMAGED]) await smallFilesTable(world.lake, name)
  const { files } = await planScan(world.lake, (await loadTable(world.lake, tableName(DAMAGED))).metadata)
  await world.lake.files.delete(files.map(({ file }) => file.path))
  const all = await world.start('compactTable')
  await ended(all)
  const child = (table: string) => world.client.workflow.getHandle(workflowId('compactTable', table))
  const expired = await world.start('expireSnapshots', { keep: 1 })
  const orphans = await world.start('removeOrphans')
  await ended(expired)
  await ended(orphans)
  return {
    'compactTable-all': all,
    'compactTable-child': child(HEALTHY),
    'compactTable-child-failed': child(DAMAGED),
    'expireSnapshots-all': expired,
    'removeOrphans-all': orphans,
  }
}

/** The parent is cancelled while its child is about to commit. */
export const upkeepCancelled: Scenario = async (world) => {
  await smallFilesTable(world.lake, HEALTHY)
  const hold = await holdCommits(world)
  const all = await world.start('compactTable')
  await hold.reached()
  await all.cancel()
  const child = world.client.workflow.getHandle(workflowId('compactTable', HEALTHY))
  await hold.cancelDelivered(child)
  await hold.letGo()
  await ended(all)
  return { 'compactTable-all-cancelled': all, 'compactTable-child-cancelled': child }
}

/**
 * A process that works on one table, for tests that kill it: `node --import cli/typescript.mjs lake-process.ts '<LakeTask as JSON>'`.
 *
 * It kills itself at the call that it is told (`mortal-lake.ts`). What it prints it has been acknowledged.
 */
import { connect } from '../../postgres/connect.ts'
import {
  appendFiles,
  compact,
  expireSnapshots,
  type Lake,
  loadTable,
  openWriter,
  removeOrphans,
  type TableName,
} from '../index.ts'
import { openMortalLake } from './mortal-lake.ts'

export interface LakeTask {
  url: string
  /** Of the object store. */
  objects: string
  /** For temporary files. */
  scratch: string
  table: TableName
  work: 'append' | 'compact' | 'expire' | 'orphans'
  /** Dies before the call of this number, counted from 1. Default: never. */
  dieAt?: number
  /** The ids that its rows have, commit by commit; for `append`. */
  ids?: number[][]
}

const DAY_US = 86_400_000_000n
const LATER_MS = 73 * 3_600_000
const small = { memoryMb: 64, threads: 1 }

/** Of every table here: two partitions, by whether the id is odd. */
export const rowOf = (id: number) => ({ id: BigInt(id), event_time: BigInt(id % 2) * DAY_US, user: `u${id}` })

async function main(task: LakeTask): Promise<void> {
  const database = connect(task.url, { max: 2 })
  const { lake, step, steps } = await openMortalLake(database.sql, task)
  await run(lake, task)
  // After the last call, before anybody knows.
  await step()
  process.stdout.write(`done after ${steps()}\n`)
  await database.close()
}

async function run(lake: Lake, { table, work, scratch, ids = [] }: LakeTask): Promise<void> {
  const duck = { ...small, parent: scratch }
  switch (work) {
    case 'append':
      for (const each of ids) {
        const writer = await openWriter(lake, (await loadTable(lake, table)).metadata, duck)
        await writer.appendRows(each.map(rowOf))
        await appendFiles(lake, table, await writer.finish())
        process.stdout.write(`has ${each.join(',')}\n`)
      }
      break
    case 'compact':
      await compact(lake, table, { minFiles: 2, sortBy: ['id'], ...duck })
      break
    case 'expire':
      await expireSnapshots(lake, table, { olderThanMs: lake.clock.now() + 1 })
      break
    case 'orphans':
      await removeOrphans({ ...lake, clock: { ...lake.clock, now: () => Date.now() + LATER_MS } }, table)
  }
}

// Imported for its types and rows, it does nothing.
if (process.argv[2]?.startsWith('{')) await main(JSON.parse(process.argv[2]) as LakeTask)

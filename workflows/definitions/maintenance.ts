/**
 * Upkeep of the lake's tables: `compactTable`, `expireSnapshots`, `removeOrphans`. Without a table each goes over all of them, one child workflow per table: what is in the way of one table
 * (another writer, a damaged file) is that child's failure, and the others' upkeep goes on.
 */
import {
  ApplicationFailure,
  defineQuery,
  executeChild,
  isCancellation,
  ParentClosePolicy,
  proxyActivities,
  setHandler,
  upsertMemo,
  WorkflowIdReusePolicy,
} from '@temporalio/workflow'
import { z } from 'zod'
import type { MaintenanceActivities, TableUpkeep } from '../activities/maintenance.ts'
import { parseInput, table } from '../input.ts'
import { LONG, QUICK, workflowId } from '../policy.ts'
import { reason } from './reason.ts'

const { lakeTables } = proxyActivities<MaintenanceActivities>(QUICK)
const activities = proxyActivities<MaintenanceActivities>(LONG)

export interface UpkeepProgress {
  table: string | null
  /** Of a run over all tables. */
  done: string[]
  failed: string[]
  left: string[]
}
export const upkeepProgress = defineQuery<UpkeepProgress>('progress')

const compactInput = z.strictObject({
  table: table.optional(),
  /** Files of a group are rewritten when there are at least so many. */
  min_files: z.int().min(2).max(10_000).optional(),
})
export type CompactInput = z.input<typeof compactInput>

/** Small files become large ones, sorted; deletes are applied for good. */
export async function compactTable(given?: CompactInput): Promise<TableUpkeep[]> {
  const input = parseInput(compactInput, given, { table: 'raw.orders' })
  return upkeep('compactTable', input, (one) =>
    activities.compactTable({ ...one, ...(input.min_files !== undefined && { minFiles: input.min_files }) }),
  )
}

const expireInput = z.strictObject({
  table: table.optional(),
  older_than_hours: z
    .number()
    .positive()
    .max(24 * 3_650)
    .default(24 * 5),
  /** Kept whatever their age. */
  keep: z.int().min(1).max(100_000).default(10),
})
export type ExpireInput = z.input<typeof expireInput>

/** Old snapshots, and the files that only they name, go: time travel ends there. */
export async function expireSnapshots(given?: ExpireInput): Promise<TableUpkeep[]> {
  const input = parseInput(expireInput, given, { table: 'raw.orders', older_than_hours: 120, keep: 10 })
  return upkeep('expireSnapshots', input, (one) =>
    activities.expireSnapshots({ ...one, olderThanMs: input.older_than_hours * 3_600_000, keep: input.keep }),
  )
}

const orphansInput = z.strictObject({
  table: table.optional(),
  /** Younger files may belong to a commit that is under way. */
  older_than_hours: z
    .number()
    .min(1)
    .max(24 * 3_650)
    .default(24 * 3),
})
export type OrphansInput = z.input<typeof orphansInput>

/** Files in the tables' folders that no snapshot names: what killed writers left. */
export async function removeOrphans(given?: OrphansInput): Promise<TableUpkeep[]> {
  const input = parseInput(orphansInput, given, { table: 'raw.orders', older_than_hours: 72 })
  return upkeep('removeOrphans', input, (one) =>
    activities.removeOrphans({ ...one, olderThanMs: input.older_than_hours * 3_600_000 }),
  )
}

async function upkeep(
  workflow: string,
  input: { table?: string | undefined },
  work: (one: { table: string }) => Promise<TableUpkeep>,
): Promise<TableUpkeep[]> {
  const progress: UpkeepProgress = { table: input.table ?? null, done: [], failed: [], left: [] }
  setHandler(upkeepProgress, () => progress)
  if (input.table !== undefined) {
    upsertMemo({ table: input.table })
    return [await work({ table: input.table })]
  }
  progress.left = await lakeTables()
  const results: TableUpkeep[] = []
  const whys: string[] = []
  for (const name of [...progress.left]) {
    try {
      results.push(
        ...(await executeChild<(input: object) => Promise<TableUpkeep[]>>(workflow, {
          workflowId: workflowId(workflow, name),
          args: [{ ...input, table: name }],
          parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
          workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
        })),
      )
      progress.done.push(name)
    } catch (error) {
      if (isCancellation(error)) throw error
      progress.failed.push(name)
      whys.push(`${name}: ${reason(error)}`)
    }
    progress.left.shift()
  }
  if (whys.length > 0)
    throw ApplicationFailure.nonRetryable(
      `${workflow} did not come through for ${whys.length} of ${progress.done.length + whys.length} tables. ${whys.join('; ')}`,
      'UpkeepFailed',
      progress,
    )
  return results
}

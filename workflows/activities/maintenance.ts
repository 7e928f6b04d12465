/**
 * Upkeep of one table of the lake, as activities. Each is safe to repeat: it plans on what the table is by then, and what an earlier attempt has done is not there to be done again.
 */
import {
  allTables,
  compact,
  currentSchema,
  expireSnapshots,
  loadTable,
  removeOrphans,
  tableName,
  tableText,
} from '../../db/lake/index.ts'
import { NAMESPACE, SCRATCH } from '../../db/models/models.ts'
import { SORTED_BY } from '../../streams/contract/lake-tables.ts'
import type { ActivityDeps } from './deps.ts'
import { withHeartbeat } from './heartbeat.ts'

/** What was done to a table. */
export interface TableUpkeep {
  table: string
  /** Counts, by what they count. */
  [counted: string]: string | number
}

export type MaintenanceActivities = ReturnType<typeof maintenanceActivities>

export const maintenanceActivities = ({ lake, clock, settings }: ActivityDeps) => ({
  /** Names of all tables that stay, sorted. */
  async lakeTables(): Promise<string[]> {
    const names = (await allTables(lake)).map(tableText)
    return names.filter((name) => !name.startsWith(`${NAMESPACE}.${SCRATCH}`)).sort()
  },

  /** One commit per group of files; those that another writer changed meanwhile are left for the next run. */
  compactTable: ({ table, minFiles }: { table: string; minFiles?: number }): Promise<TableUpkeep> =>
    withHeartbeat(clock, async (signal) => {
      const name = tableName(table)
      const { metadata } = await loadTable(lake, name)
      const columns = new Set(currentSchema(metadata).fields.map((field) => field.name))
      const done = await compact(lake, name, {
        memoryMb: settings.memoryMb,
        threads: settings.threads,
        parent: settings.temporaryDir,
        sortBy: SORTED_BY.filter((column) => columns.has(column)),
        ...(minFiles !== undefined && { minFiles }),
        signal,
      })
      signal.throwIfAborted()
      const { groups, filesBefore, filesAfter, rows, refused } = done
      return { table, groups: groups.length, filesBefore, filesAfter, rows, refused: refused.length }
    }),

  expireSnapshots: (given: { table: string; olderThanMs: number; keep: number }): Promise<TableUpkeep> =>
    withHeartbeat(clock, async () => {
      const { table, olderThanMs, keep } = given
      const expired = await expireSnapshots(lake, tableName(table), {
        olderThanMs: clock.now() - olderThanMs,
        retainLast: keep,
      })
      return { table, snapshots: expired.snapshots.length, files: expired.files.length }
    }),

  removeOrphans: ({ table, olderThanMs }: { table: string; olderThanMs: number }): Promise<TableUpkeep> =>
    withHeartbeat(clock, async () => {
      const orphans = await removeOrphans(lake, tableName(table), { safetyAgeMs: olderThanMs })
      return { table, files: orphans.length, bytes: orphans.reduce((sum, file) => sum + file.bytes, 0) }
    }),
})

/**
 * The lake as the edge asks it about single events: rows by SQL over pinned snapshots, and what a table's snapshots say of the log.
 *
 * Invariant: what one question takes is bounded in time, memory and in how many run at once; who comes beyond that is refused, and never waits behind others.
 */
import { type Lake, loadTable, type SqlEngine, SqlError, type TableMetadata, tableName } from '../../db/lake/index.ts'
import { allObjects } from '../shadow/index.ts'

export type LakeRow = Awaited<ReturnType<typeof allObjects>>[number]

export interface LakeReader {
  /** null: there is no such table (yet). */
  metadata(table: string): Promise<TableMetadata | null>
  /** @throws LakeBusy; SqlError of code TIMED_OUT, and others of the lake's */
  rows(sql: string): Promise<LakeRow[]>
}

/** As many questions as may run are running. */
export class LakeBusy extends Error {
  override readonly name = 'LakeBusy'
}

export interface LakeReaderOptions {
  atOnceMax?: number
  timeoutMs?: number
}

export function createLakeReader(
  lake: Lake,
  engine: SqlEngine,
  { atOnceMax = 2, timeoutMs = 10_000 }: LakeReaderOptions = {},
): LakeReader {
  let running = 0
  return {
    async metadata(table) {
      const name = tableName(table)
      return (await lake.catalog.metadataLocation(name)) === null ? null : (await loadTable(lake, name)).metadata
    },
    async rows(sql) {
      if (running >= atOnceMax) throw new LakeBusy(`${atOnceMax} questions are asked of the lake already.`)
      running++
      try {
        return await allObjects(engine, sql, { timeoutMs })
      } catch (error) {
        if (error instanceof SqlError && error.code === 'UNKNOWN_TABLE') return []
        throw error
      } finally {
        running--
      }
    },
  }
}

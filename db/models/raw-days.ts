/**
 * What the raw tables hold of which day, from their manifests alone: the snapshots that a day's build reads, with the rows it will find there.
 *
 * Invariant: counts and pins are of the same snapshots. Rows that were deleted by position are not counted.
 */
import {
  currentSnapshot,
  defaultSpec,
  type Lake,
  type Long,
  loadTable,
  NoSuchTable,
  planScan,
  type TableMetadata,
  tableName,
} from '../lake/index.ts'
import type { Pins } from './build.ts'
import { RAW_COLUMNS } from './models.ts'
import { dayNumber, dayText } from './render.ts'

/** Rows by `namespace.table`; tables without rows of the day are left out. */
export type RawCounts = Readonly<Record<string, number>>

export interface PinnedDay {
  day: string
  pins: Pins
  counts: RawCounts
  /** Of the pinned snapshots: a higher one saw more. */
  sequences: Readonly<Record<string, number>>
}

export async function pinDay(lake: Lake, day: string): Promise<PinnedDay> {
  const number = dayNumber(day)
  const pins: Record<string, string | null> = {}
  const counts: Record<string, number> = {}
  const sequences: Record<string, number> = {}
  for (const table of RAW_COLUMNS.keys()) {
    const metadata = await metadataOf(lake, table)
    const snapshot = metadata && currentSnapshot(metadata)
    const snapshotId = snapshot?.['snapshot-id'] ?? null
    pins[table] = snapshotId === null ? null : String(snapshotId)
    if (!metadata || !snapshot || snapshotId === null) continue
    sequences[table] = Number(snapshot['sequence-number'])
    const rows = (await rowsByDay(lake, metadata, snapshotId)).get(number) ?? 0
    if (rows > 0) counts[table] = rows
  }
  return { day, pins, counts, sequences }
}

/** Of every day that any raw table has rows of, as the tables are now. */
export async function rawDays(lake: Lake): Promise<Map<string, RawCounts>> {
  const days = new Map<string, Record<string, number>>()
  for (const table of RAW_COLUMNS.keys()) {
    const metadata = await metadataOf(lake, table)
    if (!metadata) continue
    for (const [number, rows] of await rowsByDay(lake, metadata)) {
      const day = dayText(number)
      days.set(day, { ...days.get(day), [table]: rows })
    }
  }
  return days
}

const metadataOf = async (lake: Lake, table: string): Promise<TableMetadata | null> => {
  try {
    return (await loadTable(lake, tableName(table))).metadata
  } catch (error) {
    if (error instanceof NoSuchTable) return null
    throw error
  }
}

/** By days since 1970. @throws Error where files are not partitioned by day alone */
async function rowsByDay(lake: Lake, metadata: TableMetadata, snapshotId?: Long): Promise<Map<number, number>> {
  const spec = defaultSpec(metadata)
  const { files } = await planScan(lake, metadata, snapshotId === undefined ? {} : { snapshotId })
  const rows = new Map<number, number>()
  const deletes = new Map<string, { day: number; rows: number }>()
  for (const { file, deletes: of } of files) {
    const [day] = file.partition
    if (file.specId !== spec['spec-id'] || file.partition.length !== 1 || typeof day !== 'number')
      throw new Error(
        `The file ${file.path} is not of one day: the raw tables are partitioned by the day of event_time alone. Have the engine that wrote it rewrite it.`,
      )
    rows.set(day, (rows.get(day) ?? 0) + file.recordCount)
    for (const each of of) deletes.set(each.path, { day, rows: each.recordCount })
  }
  for (const each of deletes.values()) rows.set(each.day, (rows.get(each.day) ?? 0) - each.rows)
  return rows
}

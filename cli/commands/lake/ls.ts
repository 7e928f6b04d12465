/** `streamforge lake ls`: the tables, how big they are, and when they were last written. */
import {
  allTables,
  currentSnapshot,
  loadTable,
  sizeOfTable,
  sqlName,
  type TableName,
  type TableSize,
} from '../../../db/lake/index.ts'
import type { CommandIo } from '../../command.ts'
import { ago, counted, humanBytes, humanCount } from '../../human.ts'
import { type OpenedLake, withLake } from '../../lake.ts'
import { textTable } from '../../text-table.ts'
import { type Asked, iso } from './table.ts'

interface Listed extends TableName {
  size: TableSize
  snapshots: number
  committedMs: number | null
  operation: string | null
  /** Why nothing is known of it. */
  problem?: string
}

/** @returns 1 where a table can't be read; the others are shown all the same */
export const ls = ({ json, data }: Asked, io: CommandIo): Promise<number> =>
  withLake({ data }, io, async ({ lake }) => {
    const tables: Listed[] = []
    for (const name of await allTables(lake)) tables.push(await listedOf(lake, name))
    if (json) io.out(`${JSON.stringify(tables.map(forPrograms))}\n`)
    else io.out(forPeople(tables, io.clock.now()))
    const broken = tables.filter(({ problem }) => problem !== undefined)
    for (const table of broken) if (!json) io.err(`${sqlName(table)}: ${table.problem}\n`)
    return broken.length === 0 ? 0 : 1
  })

const UNKNOWN: TableSize = { rows: null, dataFiles: null, deleteFiles: null, bytes: null }

async function listedOf(lake: OpenedLake['lake'], name: TableName): Promise<Listed> {
  try {
    const table = await loadTable(lake, name)
    const snapshot = currentSnapshot(table.metadata)
    return {
      ...name,
      size: await sizeOfTable(lake, table),
      snapshots: table.metadata.snapshots.length,
      committedMs: snapshot?.['timestamp-ms'] ?? null,
      operation: snapshot?.summary?.operation ?? null,
    }
  } catch (error) {
    // One damaged table must not hide the others.
    return {
      ...name,
      size: UNKNOWN,
      snapshots: 0,
      committedMs: null,
      operation: null,
      problem: (error as Error).message,
    }
  }
}

const orUnknown = (count: number | null, text: (count: number) => string): string =>
  count === null ? '?' : text(count)

function forPeople(tables: readonly Listed[], nowMs: number): string {
  if (tables.length === 0) return 'The lake has no tables yet.\n'
  const rows = tables.map((table) => [
    sqlName(table),
    orUnknown(table.size.rows, humanCount),
    orUnknown(table.size.dataFiles, humanCount),
    orUnknown(table.size.bytes, humanBytes),
    table.problem ? '?' : humanCount(table.snapshots),
    table.problem
      ? 'can not be read'
      : table.committedMs === null
        ? 'never written'
        : `${ago(table.committedMs, nowMs)} (${table.operation ?? '?'})`,
  ])
  const sum = (of: (size: TableSize) => number | null) => tables.reduce((total, { size }) => total + (of(size) ?? 0), 0)
  const total =
    tables.length > 1
      ? `\n${counted(tables.length, 'table')}, ${counted(
          sum((size) => size.rows),
          'row',
        )}, ${counted(
          sum((size) => size.dataFiles),
          'file',
        )}, ${humanBytes(sum((size) => size.bytes))}\n`
      : ''
  return textTable(['TABLE', 'ROWS', 'FILES', 'SIZE', 'SNAPSHOTS', 'LAST COMMIT'], rows, [1, 2, 3, 4]) + total
}

const forPrograms = ({ namespace, name, size, snapshots, committedMs, operation, problem }: Listed) => ({
  namespace,
  name,
  rows: size.rows,
  data_files: size.dataFiles,
  delete_files: size.deleteFiles,
  bytes: size.bytes,
  snapshots,
  last_commit: committedMs === null ? null : iso(committedMs),
  operation,
  ...(problem !== undefined && { problem }),
})

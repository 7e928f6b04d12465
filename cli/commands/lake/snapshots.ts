/** `streamforge lake snapshots TABLE`: what was committed when, the newest first; `sql --snapshot` takes their ids. */
import { type SnapshotInfo, snapshotsOf } from '../../../db/lake/index.ts'
import type { CommandIo } from '../../command.ts'
import { ago, counted, humanBytes, humanCount, humanTime } from '../../human.ts'
import { withLake } from '../../lake.ts'
import { textTable } from '../../text-table.ts'
import { type AskedTable, findTable, iso } from './table.ts'

const SHOWN = 20

export const snapshots = (
  { json, data, table: name, limit }: AskedTable & { limit: number | undefined },
  io: CommandIo,
): Promise<number> =>
  withLake({ data }, io, async ({ lake }) => {
    const { metadata } = await findTable(lake, name)
    const all = snapshotsOf(metadata)
    const shown = all.slice(0, (limit ?? (json ? 0 : SHOWN)) || all.length)
    if (json) {
      io.out(`${JSON.stringify(shown.map(forPrograms))}\n`)
      return 0
    }
    if (all.length === 0) {
      io.out('The table has no snapshots yet: it has never been written.\n')
      return 0
    }
    io.out(forPeople(shown, io.clock.now()))
    if (shown.length < all.length)
      io.err(`${counted(all.length - shown.length, 'older one')} not shown; --limit 0 shows all.\n`)
    return 0
  })

const orUnknown = (count: number | null, text: (count: number) => string = humanCount): string =>
  count === null ? '?' : text(count)

/** `+1,000 −20`; nothing where nothing changed. */
function change(added: number | null, deleted: number | null): string {
  if (added === null && deleted === null) return '?'
  return (
    [added ? `+${humanCount(added)}` : '', deleted ? `-${humanCount(deleted)}` : ''].filter(Boolean).join(' ') || '0'
  )
}

function forPeople(shown: readonly SnapshotInfo[], nowMs: number): string {
  const rows = shown.map((each) => [
    each.isCurrent ? '*' : '',
    each.snapshotId,
    humanTime(each.committedMs),
    ago(each.committedMs, nowMs),
    each.operation ?? '?',
    change(each.addedRows, each.deletedRows),
    change(each.addedFiles, each.deletedFiles),
    orUnknown(each.total.rows),
    orUnknown(each.total.dataFiles),
    orUnknown(each.total.bytes, humanBytes),
    each.parentId ?? '-',
    each.refs.filter((ref) => ref !== 'main').join(', '),
  ])
  const header = [
    '',
    'SNAPSHOT',
    'COMMITTED',
    '',
    'OPERATION',
    'ROWS',
    'FILES',
    'TOTAL ROWS',
    'FILES',
    'SIZE',
    'PARENT',
    '',
  ]
  return textTable(header, rows, [3, 5, 6, 7, 8, 9])
}

const forPrograms = (each: SnapshotInfo) => ({
  snapshot_id: each.snapshotId,
  parent_id: each.parentId,
  sequence_number: each.sequenceNumber,
  committed_at: iso(each.committedMs),
  operation: each.operation,
  added_rows: each.addedRows,
  deleted_rows: each.deletedRows,
  added_data_files: each.addedFiles,
  deleted_data_files: each.deletedFiles,
  total_rows: each.total.rows,
  total_data_files: each.total.dataFiles,
  total_delete_files: each.total.deleteFiles,
  total_bytes: each.total.bytes,
  current: each.isCurrent,
  refs: each.refs,
  schema_id: each.schemaId,
  summary: each.summary,
})

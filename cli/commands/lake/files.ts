/** `streamforge lake files TABLE`: the files of a snapshot, with what readers leave them out by: partition and bounds. */
import { type FileInfo, filesOfTable, type Long, type Table } from '../../../db/lake/index.ts'
import { CommandFailed, type CommandIo, UsageError } from '../../command.ts'
import { counted, humanBytes, humanCount } from '../../human.ts'
import { withLake } from '../../lake.ts'
import { cut, textTable } from '../../text-table.ts'
import { type AskedTable, findTable } from './table.ts'

export interface AskedFiles extends AskedTable {
  limit: number | undefined
  choice: { snapshotId?: Long; asOfMs?: number }
  columns: readonly string[] | undefined
}

const SHOWN = 100
const COLUMNS = 2
const BOUND_WIDTH = 30

export const files = (
  { json, data, table: name, limit, choice, columns }: AskedFiles,
  io: CommandIo,
): Promise<number> =>
  withLake({ data }, io, async ({ lake }) => {
    const table = await findTable(lake, name)
    const { metadata } = table
    if (
      choice.snapshotId !== undefined &&
      !metadata.snapshots.some((each) => each['snapshot-id'] === choice.snapshotId)
    )
      throw noSuchSnapshot(table, choice.snapshotId, name)
    const found = await filesOfTable(lake, metadata, choice)
    const unknown = columns?.find((column) => !found.columns.includes(column))
    if (unknown !== undefined)
      throw new UsageError(`There is no column "${unknown}" with bounds. There are ${found.columns.join(', ')}.`)
    const shown = found.files.slice(0, (limit ?? (json ? 0 : SHOWN)) || found.files.length)
    if (json) {
      const { location } = metadata
      io.out(`${JSON.stringify({ snapshot_id: found.snapshotId, location, files: shown.map(forPrograms) })}\n`)
      return 0
    }
    if (found.files.length === 0) {
      io.out(
        found.snapshotId === null
          ? 'The table has no files: it has never been written.\n'
          : 'The snapshot has no files.\n',
      )
      return 0
    }
    io.out(forPeople(shown, metadata.location, columns ?? found.columns.slice(0, COLUMNS)))
    const sum = (of: (file: FileInfo) => number) => found.files.reduce((total, file) => total + of(file), 0)
    const rest = found.files.length - shown.length
    io.err(
      `${counted(found.files.length, 'file')}, ${humanBytes(sum((file) => file.bytes))}, snapshot ${found.snapshotId}${rest > 0 ? `; ${humanCount(rest)} not shown, --limit 0 shows all` : ''}\n`,
    )
    return 0
  })

function noSuchSnapshot({ metadata }: Table, id: Long, name: string): CommandFailed {
  const newest = metadata.snapshots.slice(-10).reverse()
  const there =
    newest.length === 0
      ? 'it has none yet'
      : `there are ${newest.map((each) => each['snapshot-id']).join(', ')}${metadata.snapshots.length > 10 ? ' and older ones' : ''}`
  return new CommandFailed(`The table ${name} has no snapshot ${id}: ${there}.`)
}

function forPeople(shown: readonly FileInfo[], location: string, columns: readonly string[]): string {
  const partitioned = shown.some(({ partition }) => Object.keys(partition).length > 0)
  const deletes = shown.some((file) => file.content !== 'data' || file.deletes > 0)
  const header = [
    ...(partitioned ? ['PARTITION'] : []),
    'ROWS',
    'SIZE',
    ...(deletes ? ['DELETES'] : []),
    ...columns.map((column) => column.toUpperCase()),
    'FILE',
  ]
  const rows = shown.map((file) => [
    ...(partitioned
      ? [
          Object.values(file.partition)
            .map((value) => value ?? 'null')
            .join(', '),
        ]
      : []),
    humanCount(file.rows),
    humanBytes(file.bytes),
    ...(deletes
      ? [file.content === 'data' ? (file.deletes > 0 ? counted(file.deletes, 'file') : '') : file.content]
      : []),
    ...columns.map((column) => range(file, column)),
    file.path.startsWith(`${location}/`) ? file.path.slice(location.length + 1) : file.path,
  ])
  const first = partitioned ? 1 : 0
  return textTable(header, rows, [first, first + 1])
}

/** `a .. b`; one value alone where there is no other, `?` where nothing is known. */
function range({ lower, upper, nulls, rows, content }: FileInfo, column: string): string {
  const [from, to] = [lower[column], upper[column]]
  if (content !== 'data') return ''
  if (from === undefined && to === undefined) return nulls[column] === rows && rows > 0 ? 'only null' : '?'
  if (from === to) return cut(from!, BOUND_WIDTH)
  return `${cut(from ?? '?', BOUND_WIDTH)} .. ${cut(to ?? '?', BOUND_WIDTH)}`
}

const forPrograms = (file: FileInfo) => ({
  path: file.path,
  content: file.content,
  format: file.format,
  partition: file.partition,
  rows: file.rows,
  bytes: file.bytes,
  lower_bounds: file.lower,
  upper_bounds: file.upper,
  null_counts: file.nulls,
  added_by_snapshot: file.addedBy === '' ? null : file.addedBy,
  delete_files: file.deletes,
})

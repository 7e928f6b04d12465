/** `streamforge lake compact | expire | orphans TABLE`: the table's upkeep by hand, each with --dry-run; readers and writers go on meanwhile. */
import {
  type Compacted,
  compact as compactFiles,
  currentSchema,
  expireSnapshots,
  removeOrphans,
  type Schema,
  type TableName,
} from '../../../db/lake/index.ts'
import { SORTED_BY } from '../../../streams/contract/lake-tables.ts'
import { CommandFailed, type CommandIo } from '../../command.ts'
import { counted, humanBytes, humanCount } from '../../human.ts'
import { type OpenedLake, withLake } from '../../lake.ts'
import { type AskedTable, findTable } from './table.ts'

interface Upkeep extends AskedTable {
  dryRun: boolean
}

/** What was done: told to programs as it is, to people in a sentence. */
interface Done {
  told: object
  sentence: string
}

const upkeep = (
  { data, json, table: text }: Upkeep,
  io: CommandIo,
  work: (opened: OpenedLake, name: TableName, schema: Schema) => Promise<Done>,
): Promise<number> =>
  withLake({ data }, io, async (opened) => {
    const { name, metadata } = await findTable(opened.lake, text)
    const { told, sentence } = await work(opened, name, currentSchema(metadata))
    io.out(json ? `${JSON.stringify(told)}\n` : `${sentence}\n`)
    return 0
  })

/** @param sortBy columns; undefined: by user and time, as far as the table has them */
export const compact = (
  asked: Upkeep & { sortBy: readonly string[] | undefined; targetBytes: number | undefined },
  io: CommandIo,
): Promise<number> =>
  upkeep(asked, io, async ({ lake }, name, { fields }) => {
    const has = (column: string): boolean => fields.some((field) => field.name === column)
    const unknown = asked.sortBy?.find((column) => !has(column))
    if (unknown !== undefined)
      throw new CommandFailed(
        `The table has no column ${unknown}. It has ${fields.map((field) => field.name).join(', ')}.`,
      )
    const sortBy = asked.sortBy ?? SORTED_BY.filter(has)
    const { targetBytes, dryRun } = asked
    const done = await compactFiles(lake, name, {
      sortBy,
      dryRun,
      signal: io.signal,
      ...(targetBytes === undefined ? {} : { targetBytes }),
    })
    return { told: compactionForPrograms(done, sortBy, dryRun), sentence: compactionForPeople(done, dryRun) }
  })

const filesOf = ({ groups }: Compacted): number => groups.reduce((sum, { files }) => sum + files.length, 0)
const bytesOf = ({ groups }: Compacted): number => groups.reduce((sum, { bytes }) => sum + bytes, 0)

function compactionForPeople(done: Compacted, dryRun: boolean): string {
  const { groups, filesBefore, filesAfter, rows, refused } = done
  if (groups.length === 0) return 'There is nothing to compact.'
  if (dryRun)
    return `${counted(filesOf(done), 'file')}, ${humanBytes(bytesOf(done))}, would be rewritten in ${counted(groups.length, 'group')}.`
  const left = refused.map(({ group, why }) => `\n${counted(group.files.length, 'file')} left as they are: ${why}`)
  return `${counted(filesBefore, 'file')} became ${humanCount(filesAfter)}, with ${counted(rows, 'row')}.${left.join('')}`
}

const compactionForPrograms = (done: Compacted, sortedBy: readonly string[], dryRun: boolean) => ({
  dry_run: dryRun,
  sorted_by: sortedBy,
  groups: done.groups.length,
  files: filesOf(done),
  bytes: bytesOf(done),
  files_before: done.filesBefore,
  files_after: done.filesAfter,
  rows: done.rows,
  refused: done.refused.map(({ group, why }) => ({ files: group.files.length, why })),
})

/** Which files people are shown of a long list. */
const SHOWN = 20

const listed = (uris: readonly string[]): string =>
  [
    ...uris.slice(0, SHOWN).map((uri) => `\n  ${uri}`),
    ...(uris.length > SHOWN ? [`\n  … and ${humanCount(uris.length - SHOWN)} more; --json lists all`] : []),
  ].join('')

const wouldOrWere = (dryRun: boolean): string => (dryRun ? 'would be removed' : 'removed')

/** @param olderThanMs epoch ms */
export const expire = (asked: Upkeep & { olderThanMs: number; keep: number }, io: CommandIo): Promise<number> =>
  upkeep(asked, io, async ({ lake }, name) => {
    const { olderThanMs, keep, dryRun } = asked
    const { snapshots, files } = await expireSnapshots(lake, name, { olderThanMs, retainLast: keep, dryRun })
    return {
      // Texts, since ids of other engines may have 19 digits.
      told: { dry_run: dryRun, snapshots: snapshots.map(String), files },
      sentence:
        snapshots.length === 0
          ? 'No snapshot is that old.'
          : `${counted(snapshots.length, 'snapshot')} ${wouldOrWere(dryRun)}, with ${counted(files.length, 'file')} that only they need${dryRun ? '' : 'ed'}.${dryRun ? listed(files) : ''}`,
    }
  })

/** @param safetyAgeMs a duration; undefined: as the lake has it */
export const orphans = (asked: Upkeep & { safetyAgeMs: number | undefined }, io: CommandIo): Promise<number> =>
  upkeep(asked, io, async ({ lake }, name) => {
    const { safetyAgeMs, dryRun } = asked
    const found = await removeOrphans(lake, name, { dryRun, ...(safetyAgeMs === undefined ? {} : { safetyAgeMs }) })
    const bytes = found.reduce((sum, file) => sum + file.bytes, 0)
    return {
      told: { dry_run: dryRun, files: found.map(({ uri, bytes }) => ({ file: uri, bytes })) },
      sentence:
        found.length === 0
          ? 'There are no orphans.'
          : `${counted(found.length, 'orphan')}, ${humanBytes(bytes)}, ${wouldOrWere(dryRun)}.${dryRun ? listed(found.map(({ uri }) => uri)) : ''}`,
    }
  })

/**
 * Compaction: the groups of a plan are rewritten, sorted, and replaced in the table, one commit a group.
 *
 * Readers and writers go on meanwhile: appends are kept; a group whose files another writer changed is left alone and reported. Memory is DuckDB's limit, it sorts on disk.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { TableName } from '../catalog/catalog.ts'
import { CommitRefused, forgetFailed } from '../commit/commit.ts'
import { type Lake, loadTable } from '../commit/lake.ts'
import { replaceFiles } from '../commit/replace.ts'
import type { DataFile } from '../manifest/data-file.ts'
import { currentSchema } from '../metadata/table-metadata.ts'
import { copyToDataFiles } from '../parquet/copy.ts'
import {
  type DuckOptions,
  identifier,
  isOutOfMemory,
  openDuck,
  returnMemorySooner,
  withLessMemory,
} from '../parquet/duck.ts'
import { checkWritable } from '../parquet/writer.ts'
import { whichIsDamaged } from '../scan/check-files.ts'
import { planScan } from '../scan/plan.ts'
import { relationOf } from '../scan/relation.ts'
import { lakeSpan } from '../spans.ts'
import { fieldNamed } from '../types/schema.ts'
import {
  type CompactionGroup,
  type CompactionOptions,
  DEFAULT_TARGET_BYTES,
  planCompaction,
} from './compaction-plan.ts'

export interface CompactOptions extends CompactionOptions, DuckOptions {
  /** Columns that rows of a group are sorted by. Default: not sorted. */
  sortBy?: readonly string[]
  /** Gives the plan, and does nothing. */
  dryRun?: boolean
  /** Stops between groups; what is committed stays. */
  signal?: AbortSignal
}

export interface Compacted {
  groups: CompactionGroup[]
  /** Of the groups that were replaced. */
  filesBefore: number
  filesAfter: number
  rows: number
  /** Groups that other writers changed meanwhile, with the reason; they are as they were. */
  refused: { group: CompactionGroup; why: string }[]
}

/** Of files, which hold several times as much once read: from here on memory is what matters. */
const LARGE_GROUP_BYTES = 64 * 1024 * 1024

export const compact = (lake: Lake, name: TableName, options: CompactOptions = {}): Promise<Compacted> =>
  lakeSpan('compact', name, () => compactGroups(lake, name, options))

async function compactGroups(lake: Lake, name: TableName, options: CompactOptions): Promise<Compacted> {
  const { metadata } = await loadTable(lake, name)
  const schema = currentSchema(metadata)
  const plan = await planScan(lake, metadata)
  const targetBytes =
    options.targetBytes ?? (Number(metadata.properties['write.target-file-size-bytes']) || DEFAULT_TARGET_BYTES)
  for (const { name, type } of schema.fields) checkWritable(name, type)
  const groups = planCompaction(plan.files, metadata['default-spec-id'], { ...options, targetBytes })
  const order = (options.sortBy ?? []).map((column) => identifier(fieldNamed(schema, column).name)).join(', ')
  const done: Compacted = { groups, filesBefore: 0, filesAfter: 0, rows: 0, refused: [] }
  if (options.dryRun || groups.length === 0) return done

  const duck = await openDuck(options)
  try {
    if (groups.some(({ bytes }) => bytes > LARGE_GROUP_BYTES)) await returnMemorySooner(duck)
    for (const group of groups) {
      if (options.signal?.aborted) break
      const copies = await mkdtemp(join(duck.folder, 'copies-'))
      let added: DataFile[] = []
      try {
        const planned = { ...plan, files: group.files, schema }
        const relation = await relationOf(lake, planned, schema.fields, copies)
        const query = order === '' ? relation : `${relation} ORDER BY ${order}`
        const copy = () => copyToDataFiles(lake, duck, metadata, query, { ...group, targetBytes })
        added = await withLessMemory(duck, copy).catch(async (error) => {
          throw isOutOfMemory(error) ? error : await whichIsDamaged(lake, duck, planned, { folder: copies, error })
        })
        await replaceFiles(lake, name, {
          operation: 'replace',
          removed: group.files.map(({ file }) => file),
          added,
          plannedAt: metadata['last-sequence-number'],
          check: (now) => {
            if (now['current-schema-id'] !== metadata['current-schema-id'])
              throw new CommitRefused('The schema was changed meanwhile; plan again.')
          },
        })
        done.filesBefore += group.files.length
        done.filesAfter += added.length
        done.rows += added.reduce((sum, file) => sum + file.recordCount, 0)
      } catch (error) {
        await forgetFailed(lake, error, added)
        if (!(error instanceof CommitRefused)) throw error
        done.refused.push({ group, why: error.message })
      } finally {
        await rm(copies, { recursive: true, force: true })
      }
    }
    return done
  } finally {
    await duck.close()
  }
}

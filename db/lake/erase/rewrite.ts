/**
 * The files of the current snapshot that tell of a person, rewritten without them: partition by partition, a commit for each batch of files.
 *
 * Readers and writers go on meanwhile: appends are kept, and where somebody else replaced a file that is worked on, the commit is refused and the table is looked at again. Invariant: rows that others
 * deleted stay deleted, all others are there once; what a killed run has committed need not be done again.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { CommitRefused, forgetFailed } from '../commit/commit.ts'
import type { Table } from '../commit/lake.ts'
import { replaceFiles } from '../commit/replace.ts'
import { type DataFile, EQUALITY_DELETES } from '../manifest/data-file.ts'
import { partitionedBy } from '../manifest/manifest-reader.ts'
import { currentSchema, type TableMetadata } from '../metadata/table-metadata.ts'
import { copyToDataFiles } from '../parquet/copy.ts'
import { isOutOfMemory, withLessMemory } from '../parquet/duck.ts'
import { whichIsDamaged } from '../scan/check-files.ts'
import type { DeleteFile } from '../scan/deletes.ts'
import { planScan, type ScanFile, type ScanPlan } from '../scan/plan.ts'
import { relationOf } from '../scan/relation.ts'
import { groupBy } from '../types/group-by.ts'
import { partitionKey, partitionPath } from '../types/partition-spec.ts'
import { erased } from './person.ts'
import { batchesOf, rowsOfPerson, type Search, searchBatch } from './search.ts'

export interface Rewritten {
  rows: number
  files: number
  partitions: Set<string>
  /** After the last commit; what the table was when nothing was to be done. */
  table: Table
}

export interface Rewriting extends Search {
  /** Paths that are known to tell nothing; files never change, so they are not looked at again. */
  clean: Set<string>
  targetBytes: number
  onProgress?: ((what: string) => void) | undefined
}

/**
 * Looks at every file that is not known to be clean, and rewrites those that tell of the person.
 * @param done is added to, commit by commit
 * @throws CommitRefused where another writer changed a file meanwhile: call it again
 */
export async function rewrite(rewriting: Rewriting, table: Table, done: Rewritten): Promise<void> {
  const { lake, clean, signal, onProgress } = rewriting
  const { metadata } = table
  done.table = table
  const plan = await planScan(lake, metadata)
  const alsoOf = await deletesOfPerson(rewriting, plan)
  let looked = 0
  let telling: { each: ScanFile; rows: number }[] = []
  const flush = async () => {
    for (const batch of batchesOf(telling, ({ each }) => each.file)) {
      signal?.throwIfAborted()
      const files = batch.map(({ each }) => each)
      done.table = await replaceBatch(rewriting, table, plan, files)
      done.rows += batch.reduce((sum, { rows }) => sum + rows, 0)
      done.files += files.length
      for (const { file } of files) {
        const { spec, types } = partitionedBy(metadata, file.specId)
        done.partitions.add(partitionPath(spec, types, file.partition))
      }
      onProgress?.(`${done.files} files rewritten`)
    }
    telling = []
  }
  const unknown = plan.files.filter(({ file }) => !clean.has(file.path))
  for (const batch of batchesOf(unknown, ({ file }) => file)) {
    const rows = await rowsOfPerson(
      rewriting,
      batch.map(({ file }) => file),
    )
    for (const each of batch) {
      const found = rows.get(each.file.path)
      if (found !== undefined || each.deletes.some((file) => alsoOf.has(file.path)))
        telling.push({ each, rows: found ?? 0 })
      else clean.add(each.file.path)
    }
    looked += batch.length
    onProgress?.(`${looked} of ${unknown.length} files looked through`)
    // As many as one commit takes; the rest waits for more.
    if ([...batchesOf(telling, ({ each }) => each.file)].length > 1) await flush()
  }
  await flush()
}

/** Equality deletes name the rows that they delete by their values. @returns paths of those that name the person */
async function deletesOfPerson(search: Search, plan: ScanPlan): Promise<Set<string>> {
  const deletes = new Map<string, DeleteFile>()
  for (const { deletes: of } of plan.files) for (const each of of) deletes.set(each.path, each)
  const found = new Set<string>()
  for (const each of deletes.values())
    if (await isDeleteOfPerson(search, each, each.equalityFields)) found.add(each.path)
  return found
}

/** @param equalityFields null where they are not known: then it may be */
export async function isDeleteOfPerson(
  search: Search,
  file: DataFile,
  equalityFields: readonly { id: number }[] | null,
): Promise<boolean> {
  if (file.content !== EQUALITY_DELETES) return false
  if (equalityFields === null) return true
  const { ids, searched } = search.person
  const named = new Set(equalityFields.map(({ id }) => id))
  const fields = [...new Map([...ids, ...searched].map((field) => [field.id, field])).values()].filter(({ id }) =>
    named.has(id),
  )
  // When the rows came that it deletes, it does not say.
  const atAnyTime = { ...search, person: { ...search.person, later: null } }
  return fields.length > 0 && (await searchBatch(atAnyTime, [file], fields)).size > 0
}

async function replaceBatch(
  { lake, duck, person, targetBytes }: Rewriting,
  { name, metadata }: Table,
  plan: ScanPlan,
  files: readonly ScanFile[],
): Promise<Table> {
  const { fields } = currentSchema(metadata)
  const added: DataFile[] = []
  try {
    for (const group of groupBy(files, ({ file }) => partitionKey(file.specId, file.partition)).values()) {
      const { specId, partition } = group[0]!.file
      const copies = await mkdtemp(join(duck.folder, 'copies-'))
      try {
        const planned = { ...plan, files: group, predicates: [] }
        const query = erased(person, await relationOf(lake, planned, fields, copies), fields)
        const copy = () => copyToDataFiles(lake, duck, metadata, query, { partition, specId, targetBytes })
        added.push(
          ...(await withLessMemory(duck, copy).catch(async (error) => {
            throw isOutOfMemory(error) ? error : await whichIsDamaged(lake, duck, planned, { folder: copies, error })
          })),
        )
      } finally {
        await rm(copies, { recursive: true, force: true })
      }
    }
    return await replaceFiles(lake, name, {
      operation: 'overwrite',
      removed: files.map(({ file }) => file),
      added,
      plannedAt: metadata['last-sequence-number'],
      traceless: true,
      check: requireShape(metadata),
    })
  } catch (error) {
    await forgetFailed(lake, error, added)
    throw error
  }
}

/** For a commit's check. @throws CommitRefused when the table is another one, or has other columns, than what was written */
export const requireShape = (planned: TableMetadata) => (now: TableMetadata) => {
  if (now['table-uuid'] !== planned['table-uuid'] || now['current-schema-id'] !== planned['current-schema-id'])
    throw new CommitRefused('The table or its schema was changed meanwhile; plan again.')
}

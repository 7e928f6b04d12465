/**
 * Which of some files hold rows that tell of a person: a few of each file's columns are read, deleted rows included, since those are in the file all the same.
 *
 * Invariant: what can't be read is an error, never a "no". Memory and disk are bounded by the batch, however many files there are.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Lake } from '../commit/lake.ts'
import { inBatches } from '../files/in-batches.ts'
import type { DataFile } from '../manifest/data-file.ts'
import { type Duck, queryObjects } from '../parquet/duck.ts'
import { checkFiles, unreadable, whichIsDamaged } from '../scan/check-files.ts'
import { readParquet } from '../scan/relation.ts'
import type { Field } from '../types/types.ts'
import { findsIn, mayTellOf, type Person } from './person.ts'

export interface Search {
  lake: Lake
  duck: Duck
  person: Person
  /** The table's, for errors. */
  location: string
  signal?: AbortSignal | undefined
}

/** Files that are worked on together: enough that a commit is worth it, few enough for copies of them to lie on this machine. */
const BATCH_FILES = 500
const BATCH_BYTES = 256 * 1024 * 1024

export function* batchesOf<T>(items: readonly T[], fileOf: (item: T) => DataFile): Generator<T[]> {
  let [batch, bytes]: [T[], number] = [[], 0]
  for (const item of items) {
    if (batch.length === BATCH_FILES || (batch.length > 0 && bytes + fileOf(item).bytes > BATCH_BYTES)) {
      yield batch
      ;[batch, bytes] = [[], 0]
    }
    batch.push(item)
    bytes += fileOf(item).bytes
  }
  if (batch.length > 0) yield batch
}

/** @returns how many rows each has that tells of the person, by path; files without any are left out */
export async function rowsOfPerson(search: Search, files: readonly DataFile[]): Promise<Map<string, number>> {
  const { person } = search
  const found = new Map<string, number>()
  const fields = [...new Map([...person.ids, ...person.searched].map((field) => [field.id, field])).values()]
  const candidates = files.filter((file) => mayTellOf(person, file))
  for (const batch of batchesOf(candidates, (file) => file))
    for (const [path, rows] of await searchBatch(search, batch, fields)) found.set(path, rows)
  return found
}

/** Files of the same columns. @param fields those of the person's that they have, at least one */
export async function searchBatch(
  { lake, duck, person, location, signal }: Search,
  batch: readonly DataFile[],
  fields: readonly Field[],
): Promise<Map<string, number>> {
  signal?.throwIfAborted()
  const folder = await mkdtemp(join(duck.folder, 'searched-'))
  try {
    const copies = await inBatches(batch, (file) => {
      if (file.format !== 'PARQUET')
        throw unreadable(
          { location },
          `the file ${file.path} is of the format ${file.format}; only Parquet is read here.`,
        )
      return lake.files.local(file.path, folder)
    })
    const columns = [
      ...new Map([...fields, ...(person.later?.columns ?? [])].map((field) => [field.id, field])).values(),
    ]
    const paths = new Map(copies.map((copy, i) => [copy, batch[i]!.path]))
    await checkFiles({ location }, batch, new Map(batch.map((file, i) => [file.path, copies[i]!])))
    const query = `SELECT filename, count(*)::DOUBLE AS rows FROM ${readParquet(copies, columns, 'filename = true')} WHERE ${findsIn(person, fields)} GROUP BY filename`
    const rows = await queryObjects(duck.connection, query).catch(async (error) => {
      signal?.throwIfAborted()
      const plan = {
        location,
        schema: { type: 'struct' as const, 'schema-id': 0, fields: columns },
        predicates: [],
        files: batch.map(alone),
      }
      throw await whichIsDamaged(lake, duck, plan, { folder, error })
    })
    return new Map(rows.map((row) => [paths.get(String(row.filename))!, Number(row.rows)]))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const alone = (file: DataFile) => ({ file, sequenceNumber: 0, snapshotId: 0, deletes: [] })

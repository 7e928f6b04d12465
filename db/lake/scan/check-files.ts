/**
 * Whether the files of a plan are the ones that its manifests describe, before a row of them is read; and which one is damaged when reading failed all the same.
 *
 * Invariant: errors name the file, the table and the snapshot, and say what to do.
 */
import type { Lake } from '../commit/lake.ts'
import { inBatches } from '../files/in-batches.ts'
import { type DataFile, POSITION_DELETES } from '../manifest/data-file.ts'
import { type Duck, literalPath } from '../parquet/duck.ts'
import { readFooter } from '../parquet/footer.ts'
import type { PlannedFiles } from './plan.ts'

type Where = Pick<PlannedFiles, 'location' | 'snapshot'>

/** @param what a sentence that goes on after a colon */
export function unreadable({ location, snapshot }: Where, what: string): Error {
  const of = snapshot ? `, snapshot ${snapshot['snapshot-id']}` : ''
  return new Error(location === undefined ? upperFirst(what) : `The table at ${location}${of} can't be read: ${what}`)
}

const upperFirst = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
const damaged = (where: Where, file: DataFile, why: string): Error =>
  unreadable(
    where,
    `the file ${file.path} is damaged: ${why}. Bring it back from a copy, or read a snapshot that does not need it.`,
  )

/** @param local paths by the files' own @throws Error */
export async function checkFiles(
  where: Where,
  files: readonly DataFile[],
  local: ReadonlyMap<string, string>,
): Promise<void> {
  await inBatches(files, async (file) => {
    const footer = await readFooter(local.get(file.path)!, file.bytes).catch((error: Error) => {
      throw damaged(where, file, error.message)
    })
    if (footer.rows !== file.recordCount)
      throw damaged(where, file, `it has ${footer.rows} rows where the manifest says ${file.recordCount}`)
    // Position deletes are read by name; every other file without ids would be nothing but nulls.
    if (footer.fieldIds.size === 0 && file.content !== POSITION_DELETES)
      throw unreadable(
        where,
        `the file ${file.path} has no field ids, by which columns are found here: it was added as it is by another program. Have an engine that knows the table's name mapping rewrite it.`,
      )
  })
}

/**
 * Reads each file alone, to find the one at which reading all of them failed.
 * @param folder for copies of files that are not local; the caller removes it
 * @returns the error to throw: the one given where every file can be read by itself
 */
export async function whichIsDamaged(
  lake: Lake,
  { connection }: Duck,
  plan: PlannedFiles,
  { folder, error }: { folder: string; error: unknown },
): Promise<unknown> {
  for (const file of filesOf(plan)) {
    const path = await lake.files.local(file.path, folder)
    try {
      await connection.run(`SELECT max(hash(file)) FROM read_parquet(${literalPath(path)}) AS file`)
    } catch (cause) {
      const why = (cause instanceof Error ? cause.message : String(cause)).replace(/\s+/g, ' ').slice(0, 300)
      return Object.assign(damaged(plan, file, why), { cause: error })
    }
  }
  return error
}

/** Data and delete files, each once. */
export function filesOf({ files }: Pick<PlannedFiles, 'files'>): DataFile[] {
  const all = new Map<string, DataFile>()
  for (const { file } of files) all.set(file.path, file)
  for (const { deletes } of files) for (const each of deletes) all.set(each.path, each)
  return [...all.values()]
}

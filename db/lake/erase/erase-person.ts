/**
 * A person is erased from a table: the rows that tell of them are rewritten, then every older snapshot goes with the files that only it names, so that no travel in time and no search through the files
 * finds them. Rows stay: what is counted and summed over them is what it was.
 *
 * Safe to do again at any time, also after a kill: it goes on where it stopped, and finds nothing when all is done. Rows that are written while it works, or later, are for the next call.
 */
import type { TableName } from '../catalog/catalog.ts'
import { CommitRefused } from '../commit/commit.ts'
import { type Lake, loadTable, type Table } from '../commit/lake.ts'
import { replaceFiles } from '../commit/replace.ts'
import { DEFAULT_TARGET_BYTES } from '../maintenance/compaction-plan.ts'
import { removeOrphans } from '../maintenance/orphans.ts'
import { currentSchema, currentSnapshot } from '../metadata/table-metadata.ts'
import { type DuckOptions, interruptedBy, openDuck, returnMemorySooner } from '../parquet/duck.ts'
import { checkWritable } from '../parquet/writer.ts'
import { lakeSpan } from '../spans.ts'
import { tellsInThePast } from './past.ts'
import { createErased, type Later, type PersonalColumns, type Pseudonyms, personIn } from './person.ts'
import { purgeBefore, removeListed } from './purge.ts'
import { type Rewriting, type Rewritten, requireShape, rewrite } from './rewrite.ts'

export interface ErasePersonOptions extends DuckOptions {
  /** Rows that are left alone. */
  later?: Later | undefined
  /** Stops between two steps; what is committed stays, and the next call goes on from there. */
  signal?: AbortSignal | undefined
  /** Told after every step, in words that say nothing of the person. */
  onProgress?: ((what: string) => void) | undefined
}

/** What was done; zeros where nothing of the person was there. Says nothing of the person. */
export interface PersonErased {
  /** That told of the person, and say nothing of them now. */
  rows: number
  /** Data files that held them. */
  files: number
  /** Where they lay, as `event_time_day=2026-01-31`; '' where the table is not partitioned. */
  partitions: string[]
  snapshotsExpired: number
  /** Tags and branches that were dropped: they would have kept what is erased. */
  refsDropped: string[]
  /** Removed from the store: data, deletes, manifests, lists, statistics, metadata. */
  filesRemoved: number
  bytesRemoved: number
  /** The snapshot in which the person is gone; null for a table without any. A text, since other engines' ids have more digits than a double holds. */
  snapshotId: string | null
}

/** Of files that were planned and replaced by others before they were rewritten. */
const REFUSED_MAX = 20

/**
 * @throws CommitRefused where others are faster again and again, CommitConflict, UnknownOutcome: call it again. Error in a sentence for a table that can't be rewritten so.
 */
export const erasePerson = (
  lake: Lake,
  name: TableName,
  columns: PersonalColumns,
  pseudonyms: Pseudonyms,
  options: ErasePersonOptions = {},
): Promise<PersonErased> => lakeSpan('erase', name, () => erase(lake, name, columns, pseudonyms, options))

async function erase(
  lake: Lake,
  name: TableName,
  columns: PersonalColumns,
  pseudonyms: Pseudonyms,
  options: ErasePersonOptions,
): Promise<PersonErased> {
  const { signal, onProgress } = options
  const removed = await removeListed(lake, name)
  const remove = ({ files, bytes }: { files: number; bytes: number }) => {
    removed.files += files
    removed.bytes += bytes
  }
  const looked = await look(lake, name, columns, pseudonyms, options)
  let purged = { snapshots: 0, refs: [] as string[] }
  const snapshot = currentSnapshot(looked.table.metadata)
  if (snapshot && looked.isToPurge) {
    signal?.throwIfAborted()
    purged = await purgeBefore(lake, name, snapshot['snapshot-id'])
    onProgress?.(`${purged.snapshots} snapshots expired`)
    remove(await removeListed(lake, name))
  }
  // What killed writers have left, where it is old enough that nobody can be about to name it.
  const orphans = await removeOrphans(lake, name)
  remove({ files: orphans.length, bytes: orphans.reduce((sum, file) => sum + file.bytes, 0) })
  onProgress?.(`${removed.files} files removed`)
  return {
    rows: looked.rows,
    files: looked.files,
    partitions: [...looked.partitions].sort(),
    snapshotsExpired: purged.snapshots,
    refsDropped: purged.refs,
    filesRemoved: removed.files,
    bytesRemoved: removed.bytes,
    snapshotId: snapshot === null ? null : String(snapshot['snapshot-id']),
  }
}

/** Rewrites what is to be rewritten. The table it gives is clean, and `isToPurge` says whether what came before is. */
async function look(
  lake: Lake,
  name: TableName,
  columns: PersonalColumns,
  pseudonyms: Pseudonyms,
  { signal, onProgress, later, ...options }: ErasePersonOptions,
): Promise<Rewritten & { isToPurge: boolean }> {
  const done: Rewritten = { rows: 0, files: 0, partitions: new Set(), table: await loadTable(lake, name) }
  if (pseudonyms.size === 0) return { ...done, isToPurge: false }
  const duck = await openDuck(options)
  const calledOff = interruptedBy(signal, duck)
  try {
    signal?.throwIfAborted()
    await returnMemorySooner(duck)
    await duck.connection.run(createErased(pseudonyms))
    const clean = new Set<string>()
    for (let refused = 0; ; ) {
      const table = await loadTable(lake, name)
      const { metadata } = table
      const person = personIn(metadata, columns, pseudonyms, later)
      const rewriting: Rewriting = {
        ...{ lake, duck, person, clean, signal, onProgress },
        location: metadata.location,
        targetBytes: Number(metadata.properties['write.target-file-size-bytes']) || DEFAULT_TARGET_BYTES,
      }
      for (const { name, type } of currentSchema(metadata).fields) checkWritable(name, type)
      try {
        await rewrite(rewriting, table, done)
        if (done.files > 0) return { ...done, isToPurge: true }
        if (!(await tellsInThePast(rewriting, metadata))) return { ...done, isToPurge: false }
        return { ...done, table: await withoutTraces(lake, table), isToPurge: true }
      } catch (error) {
        signal?.throwIfAborted()
        if (!(error instanceof CommitRefused) || ++refused > REFUSED_MAX) throw error
        onProgress?.('others were faster: looked at again')
      }
    }
  } finally {
    calledOff()
    await duck.close()
  }
}

/** The same rows in a snapshot that says nothing of files that are gone. */
const withoutTraces = (lake: Lake, { name, metadata }: Table): Promise<Table> =>
  replaceFiles(lake, name, {
    operation: 'replace',
    removed: [],
    added: [],
    plannedAt: metadata['last-sequence-number'],
    traceless: true,
    check: requireShape(metadata),
  })

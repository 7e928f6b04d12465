/**
 * Replacing files by others: compaction (`replace`: the same rows), `overwrite` and `delete`.
 *
 * Plans are made on one snapshot and committed on another. Appends in between are kept; if a file to be replaced is gone, or rows of it were deleted meanwhile, the commit is
 * refused, since its rows would be lost or come back. Invariant: rows deleted by anybody stay deleted, rows added by anybody stay added, once.
 */
import { type TableName, tableText } from '../catalog/catalog.ts'
import {
  DATA,
  type DataFile,
  DELETED,
  EQUALITY_DELETES,
  isLive,
  type LiveEntry,
  type ManifestEntry,
  onlyFile,
} from '../manifest/data-file.ts'
import type { ManifestFile } from '../manifest/manifest-list.ts'
import { type Operation, summaryOf } from '../metadata/summary.ts'
import { currentSnapshot, type TableMetadata } from '../metadata/table-metadata.ts'
import { groupBy } from '../types/group-by.ts'
import type { Long } from '../types/json.ts'
import { asAdded, isUseful, nextSequence, putSnapshot } from './append.ts'
import { CommitRefused, commit, forget } from './commit.ts'
import type { Lake, Table } from './lake.ts'
import { carried, manifestOf, putManifest } from './manifests.ts'
import { uselessDeletes } from './useless-deletes.ts'

export interface Replacement {
  operation: Exclude<Operation, 'append'>
  removed: readonly DataFile[]
  /** Data files, or delete files. */
  added: readonly DataFile[]
  /** `last-sequence-number` of the metadata that the plan was made on. */
  plannedAt: Long
  summary?: Readonly<Record<string, string>>
  /** Called before every attempt with the table as it is then; throws (`CommitRefused`) when this must not be committed any more. */
  check?: (metadata: TableMetadata) => void | Promise<void>
  /**
   * Nothing that the new snapshot names tells what was in files that have left the table: what is removed keeps its name and loses the figures of its columns, which have values among them,
   * and what was removed before is not carried on. There may then be nothing to replace.
   */
  traceless?: boolean
}

/** @throws CommitRefused when what was planned no longer fits; CommitConflict, UnknownOutcome */
export async function replaceFiles(lake: Lake, name: TableName, replacement: Replacement): Promise<Table> {
  const { operation, removed, added, summary, check, traceless } = replacement
  if (removed.length === 0 && added.length === 0 && !traceless) throw new Error('There is nothing to replace.')
  const snapshotId = lake.ids.snapshotId()
  return commit(lake, name, async ({ metadata }) => {
    await check?.(metadata)
    const written: string[] = []
    try {
      const { manifests, dropped } = await manifestsAfter(lake, name, metadata, replacement, { snapshotId, written })
      const change = { added, removed: [...removed, ...dropped] }
      const summaryText = summaryOf(operation, change, currentSnapshot(metadata), summary)
      const prepared = await putSnapshot(lake, metadata, { snapshotId, operation, manifests, summary: summaryText })
      return { ...prepared, written: [...(prepared.written ?? []), ...written] }
    } catch (error) {
      await forget(lake, written)
      throw error
    }
  })
}

/**
 * @param written is added to: the manifests that this attempt wrote
 * @returns also the delete files that nothing is left for
 */
async function manifestsAfter(
  lake: Lake,
  name: TableName,
  metadata: TableMetadata,
  { operation, removed, added, plannedAt, traceless = false }: Replacement,
  { snapshotId, written }: { snapshotId: Long; written: string[] },
): Promise<{ manifests: ManifestFile[]; dropped: DataFile[] }> {
  const manifests: ManifestFile[] = []
  const ids = { snapshotId, sequenceNumber: nextSequence(metadata) }
  const put = async (entries: readonly ManifestEntry[]) => {
    const manifest = await putManifest(lake, metadata, entries, ids)
    written.push(manifest.path)
    manifests.push(manifest)
  }
  const existing = (await lake.manifests.list(currentSnapshot(metadata))).filter(isUseful)
  await refuseNewDeletes(lake, name, metadata, existing, { operation, removed, plannedAt })
  // Rows of a replacement are as old as those they replace: equality deletes that came meanwhile still apply to them.
  const sequence = operation === 'replace' ? plannedAt : null
  for (const files of groupBy(added, manifestOf).values()) await put(files.map(asAdded(snapshotId, sequence)))

  const gone = (entry: LiveEntry): LiveEntry => ({
    ...entry,
    status: DELETED,
    snapshotId,
    file: traceless ? withoutFigures(entry.file) : entry.file,
  })
  const tells = (manifest: ManifestFile) => traceless && manifest.deletedFiles > 0
  const missing = new Set(removed.map((file) => file.path))
  const touched: LiveEntry[] = []
  for (const manifest of existing) {
    if (manifest.content === 'deletes') continue
    const isRead = missing.size > 0 || tells(manifest)
    const live = isRead ? (await lake.manifests.entries(metadata, manifest)).filter(isLive) : []
    if (tells(manifest) || live.some((entry) => missing.has(entry.file.path)))
      touched.push(...live.map((entry) => (missing.delete(entry.file.path) ? gone(entry) : carried(entry))))
    else manifests.push(manifest)
  }
  if (missing.size > 0)
    throw new CommitRefused(
      `${missing.size} of ${removed.length} files of ${tableText(name)} that were to be replaced are no longer in it, e.g. ${[...missing][0]}: another writer replaced or deleted them. Nothing was committed; plan again.`,
    )

  await putTogether(touched, put)

  const dropped = await dropDeletes(lake, metadata, existing, {
    removed,
    added,
    sequence: sequence ?? ids.sequenceNumber,
    traceless,
  })
  for (const manifest of existing) {
    if (manifest.content === 'data') continue
    const live = (await lake.manifests.entries(metadata, manifest)).filter(isLive)
    if (tells(manifest) || live.some((entry) => dropped.has(entry.file.path)))
      await put(live.map((entry) => (dropped.has(entry.file.path) ? gone(entry) : carried(entry))))
    else manifests.push(manifest)
  }
  return { manifests, dropped: [...dropped.values()] }
}

/** Of one manifest. */
const MAX_ENTRIES = 10_000

/**
 * Entries of the manifests that a replacement touches, in as few new ones as they need: many small commits leave many small manifests, and writing each of them anew would take longer
 * than rewriting their files. Those of removed files stand by themselves, so that the next commit has nothing to carry on from them.
 */
async function putTogether(
  touched: readonly LiveEntry[],
  put: (entries: readonly ManifestEntry[]) => Promise<void>,
): Promise<void> {
  for (const entries of groupBy(touched, ({ file, status }) => `${manifestOf(file)}:${status === DELETED}`).values())
    for (let i = 0; i < entries.length; i += MAX_ENTRIES) await put(entries.slice(i, i + MAX_ENTRIES))
}

/** @returns delete files that nothing is left for, by path */
async function dropDeletes(
  lake: Lake,
  metadata: TableMetadata,
  existing: readonly ManifestFile[],
  {
    removed,
    added,
    sequence,
    traceless,
  }: Required<Pick<Replacement, 'removed' | 'added' | 'traceless'>> & { sequence: Long },
): Promise<Map<string, DataFile>> {
  const paths = new Set(removed.map((file) => file.path))
  const deletes: LiveEntry[] = []
  const kept: LiveEntry[] = []
  // Without delete files, which is how most tables are, no manifest needs to be read for this.
  if ((removed.length === 0 && !traceless) || existing.every(({ content }) => content === 'data')) return new Map()
  for (const manifest of existing) {
    const live = (await lake.manifests.entries(metadata, manifest)).filter(isLive)
    if (manifest.content === 'deletes') deletes.push(...live)
    else kept.push(...live.filter(({ file }) => !paths.has(file.path)))
  }
  const data = added.filter((file) => file.content === DATA)
  const useless = uselessDeletes(metadata, deletes, kept, { files: data, sequence })
  return new Map([...useless].map(({ file }) => [file.path, file]))
}

const withoutFigures = (file: DataFile): DataFile => {
  const none = new Map<number, never>()
  return {
    ...file,
    columnSizes: none,
    valueCounts: none,
    nullCounts: none,
    nanCounts: none,
    lowerBounds: none,
    upperBounds: none,
  }
}

async function refuseNewDeletes(
  lake: Lake,
  name: TableName,
  metadata: TableMetadata,
  manifests: readonly ManifestFile[],
  { operation, removed, plannedAt }: Pick<Replacement, 'operation' | 'removed' | 'plannedAt'>,
): Promise<void> {
  if (removed.length === 0) return
  const paths = new Set(removed.map((file) => file.path))
  for (const manifest of manifests) {
    if (manifest.content !== 'deletes' || manifest.sequenceNumber <= plannedAt) continue
    for (const { status, sequenceNumber, file } of await lake.manifests.entries(metadata, manifest)) {
      if (status === DELETED || sequenceNumber <= plannedAt) continue
      // Rows that are only rewritten stay as old as they were, so equality deletes still find them. Others would come back under a new number.
      if (file.content === EQUALITY_DELETES ? operation === 'replace' : isElsewhere(file, paths)) continue
      throw new CommitRefused(
        `Rows of files of ${tableText(name)} that were to be replaced were deleted meanwhile (${file.path}). Nothing was committed; plan again.`,
      )
    }
  }
}

function isElsewhere(deletes: DataFile, paths: ReadonlySet<string>): boolean {
  const only = onlyFile(deletes)
  return only !== null && !paths.has(only)
}

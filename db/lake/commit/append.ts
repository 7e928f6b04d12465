/**
 * Append: new data files become a snapshot on top of whatever the table is by then.
 *
 * Invariant: an append conflicts with nothing but the writer's own check; the manifest of the new files is written once, however often the commit is tried.
 */
import type { TableName } from '../catalog/catalog.ts'
import { ADDED, type DataFile, type ManifestEntry } from '../manifest/data-file.ts'
import { type ManifestFile, writeManifestList } from '../manifest/manifest-list.ts'
import { addSnapshot, notBefore, setProperties } from '../metadata/changes.ts'
import { type Operation, summaryOf } from '../metadata/summary.ts'
import { currentSnapshot, type TableMetadata } from '../metadata/table-metadata.ts'
import { groupBy } from '../types/group-by.ts'
import type { Long } from '../types/json.ts'
import { commit, forgetFailed, type Prepared } from './commit.ts'
import { type Lake, loadTable, type Table } from './lake.ts'
import { manifestOf, mergeManifests, metadataFolder, putManifest } from './manifests.ts'

type Texts = Readonly<Record<string, string>>

export interface AppendOptions {
  /** Keys of the caller's own in the snapshot's summary, e.g. the log's offsets up to which its rows come. A function is asked before every attempt, with the table as it is then. */
  summary?: Texts | ((metadata: TableMetadata) => Texts)
  /** Properties of the table that change in the same commit; asked before every attempt. What they say outlives the snapshot. */
  properties?: (metadata: TableMetadata) => Texts
  /** Called before every attempt with the table as it is then; throws (`CommitRefused`) when these files must not be committed any more. */
  check?: (metadata: TableMetadata) => void
}

/**
 * @param files written by this lake's writer or described alike; none: the summary alone is committed
 * @throws CommitConflict, CommitRefused, UnknownOutcome
 */
export async function appendFiles(
  lake: Lake,
  name: TableName,
  files: readonly DataFile[],
  { summary, properties, check }: AppendOptions = {},
): Promise<Table> {
  const snapshotId = lake.ids.snapshotId()
  const { metadata } = await loadTable(lake, name)
  const added: ManifestFile[] = []
  const group = groupBy(files, manifestOf)
  for (const each of group.values())
    added.push(await putManifest(lake, metadata, each.map(asAdded(snapshotId)), { snapshotId, sequenceNumber: 0 }))
  try {
    return await commit(lake, name, async ({ metadata }) => {
      check?.(metadata)
      const parent = currentSnapshot(metadata)
      const sequenceNumber = nextSequence(metadata)
      const existing = (await lake.manifests.list(parent)).filter(isUseful)
      const merged = await mergeManifests(lake, metadata, existing, { snapshotId, sequenceNumber })
      const own = added.map((manifest) => ({ ...manifest, sequenceNumber, minSequenceNumber: sequenceNumber }))
      const extra = typeof summary === 'function' ? summary(metadata) : summary
      const prepared = await putSnapshot(lake, metadata, {
        snapshotId,
        operation: 'append',
        manifests: [...own, ...merged.manifests],
        summary: summaryOf('append', { added: files, removed: [] }, parent, extra),
      })
      return {
        metadata: setProperties(prepared.metadata, properties?.(metadata) ?? {}, prepared.metadata['last-updated-ms']),
        written: [...(prepared.written ?? []), ...merged.written],
      }
    })
  } catch (error) {
    await forgetFailed(lake, error, added)
    throw error
  }
}

export const asAdded =
  (snapshotId: Long, sequenceNumber: Long | null = null) =>
  (file: DataFile): ManifestEntry => ({ status: ADDED, snapshotId, sequenceNumber, fileSequenceNumber: null, file })

/** A manifest with nothing but removed files says nothing to the snapshots after it. */
export const isUseful = (manifest: ManifestFile): boolean => manifest.addedFiles + manifest.existingFiles > 0

export const nextSequence = (metadata: TableMetadata): Long => {
  const last = metadata['last-sequence-number']
  return typeof last === 'bigint' ? last + 1n : last + 1
}

/** Writes the manifest list and gives the metadata with the snapshot on top. */
export async function putSnapshot(
  lake: Lake,
  metadata: TableMetadata,
  snapshot: {
    snapshotId: Long
    operation: Operation
    manifests: readonly ManifestFile[]
    summary: Readonly<Record<string, string>>
  },
): Promise<Prepared> {
  const { snapshotId, operation, manifests, summary } = snapshot
  const parentId = currentSnapshot(metadata)?.['snapshot-id'] ?? null
  const sequenceNumber = nextSequence(metadata)
  const list = `${metadataFolder(metadata)}/snap-${snapshotId}-1-${lake.ids.uuid()}.avro`
  await lake.files.write(list, writeManifestList(manifests, { snapshotId, parentId, sequenceNumber }))
  return {
    metadata: addSnapshot(metadata, {
      'snapshot-id': snapshotId,
      ...(parentId === null ? {} : { 'parent-snapshot-id': parentId }),
      'sequence-number': sequenceNumber,
      'timestamp-ms': notBefore(metadata, lake.clock.now()),
      'manifest-list': list,
      summary: { ...summary, operation },
      'schema-id': metadata['current-schema-id'],
    }),
    written: [list],
  }
}

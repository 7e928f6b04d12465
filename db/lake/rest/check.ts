/**
 * The last look at metadata before it becomes a table's: what a client has put together must be a table that can be read, and be inside the warehouse.
 *
 * Invariant: what passes is read by our own reader, and names no file outside of the warehouse: neither in its metadata nor in the manifests that the commit adds.
 */
import type { LakeFiles } from '../files/lake-files.ts'
import { createManifestReader, partitionedBy } from '../manifest/manifest-reader.ts'
import {
  currentSchema,
  currentSnapshot,
  defaultSpec,
  parseMetadata,
  type Snapshot,
  snapshotById,
  type TableMetadata,
  writeMetadata,
} from '../metadata/table-metadata.ts'
import { fieldById } from '../types/schema.ts'
import { badRequest, CatalogRefused } from './refused.ts'
import { checkWithin } from './within.ts'

/** Properties that say where files go. */
const PLACES = [
  'write.metadata.path',
  'write.data.path',
  'write.object-storage.path',
  'write.folder-storage.path',
] as const

/**
 * @param base what the table was, null for a new one
 * @throws CatalogRefused
 */
export function checkMetadata(files: LakeFiles, base: TableMetadata | null, next: TableMetadata): void {
  checkPlaces(files, base, next)
  checkNames(next)
  let read: TableMetadata
  try {
    read = parseMetadata(writeMetadata(next).toString('utf8'), 'of this commit')
    currentSnapshot(read)
    for (const spec of read['partition-specs']) partitionedBy(read, spec['spec-id'])
  } catch (cause) {
    throw badRequest(`The table could not be read after this commit: ${(cause as Error).message}`, cause)
  }
}

function checkPlaces(files: LakeFiles, base: TableMetadata | null, next: TableMetadata): void {
  if (next.location !== base?.location) checkWithin(files, next.location, "The table's location")
  for (const key of PLACES) {
    const place = next.properties[key]
    if (place !== undefined && place !== base?.properties[key])
      checkWithin(files, place.replace(/\/+$/, ''), `The property ${key},`)
  }
  for (const snapshot of snapshotsAdded(base, next)) checkWithin(files, snapshot['manifest-list'], 'The manifest list')
  for (const key of ['statistics', 'partition-statistics'] as const)
    for (const file of next[key] ?? [])
      if (!base?.[key]?.includes(file)) checkWithin(files, file['statistics-path'], 'The statistics file')
}

const snapshotsAdded = (base: TableMetadata | null, next: TableMetadata): Snapshot[] =>
  next.snapshots.filter((snapshot) => !base?.snapshots.includes(snapshot))

/** What names something names something that is there. */
function checkNames(metadata: TableMetadata): void {
  const head = metadata.refs.main?.['snapshot-id'] ?? -1
  for (const [name, ref] of Object.entries(metadata.refs))
    if (!snapshotById(metadata, ref['snapshot-id']))
      throw badRequest(
        `The snapshot ${ref['snapshot-id']} is the head of "${name}" and can't be removed. Move "${name}" or remove it in the same commit.`,
      )
  if ((metadata['current-snapshot-id'] ?? -1) !== head)
    throw badRequest(`The current snapshot is ${metadata['current-snapshot-id']}, and "main" is at ${head}.`)
  const schema = currentSchema(metadata)
  const order = metadata['sort-orders'].find((each) => each['order-id'] === metadata['default-sort-order-id'])
  const sorted = (order?.fields ?? []) as readonly { 'source-id': number; transform: string }[]
  for (const { 'source-id': id, transform } of [...defaultSpec(metadata).fields, ...sorted])
    if (transform !== 'void' && !fieldById(schema, id))
      throw badRequest(
        `The current schema lacks the field ${id}, by which the table is partitioned or sorted. Change that first, or keep the column.`,
      )
}

/** More in one commit would take the server's memory. */
const ENTRIES_MAX = 2_000_000

/**
 * Reads what the snapshots of a commit name: the manifest list, and those manifests that are new with it.
 * @throws CatalogRefused when a file is missing, can't be read here, or names another outside of the warehouse
 */
export async function checkSnapshotFiles(
  files: LakeFiles,
  base: TableMetadata | null,
  next: TableMetadata,
): Promise<void> {
  // Nothing of it may be remembered: a client that is sent back names the same manifests under another sequence number.
  const manifests = createManifestReader(files)
  for (const snapshot of snapshotsAdded(base, next)) {
    const refuse = (cause: unknown): never => {
      if (cause instanceof CatalogRefused) throw cause
      throw badRequest(`The snapshot ${snapshot['snapshot-id']} can't be read: ${(cause as Error).message}`, cause)
    }
    const list = await manifests.list(snapshot).catch(refuse)
    for (const manifest of list) {
      checkWithin(files, manifest.path, 'The manifest')
      if (manifest.addedSnapshotId !== snapshot['snapshot-id']) continue
      if (manifest.addedFiles + manifest.existingFiles + manifest.deletedFiles > ENTRIES_MAX)
        throw badRequest(`The manifest ${manifest.path} names more than ${ENTRIES_MAX} files. Write several.`)
      for (const { file } of await manifests.entries(next, manifest).catch(refuse))
        checkWithin(files, file.path, 'The data file')
    }
  }
}

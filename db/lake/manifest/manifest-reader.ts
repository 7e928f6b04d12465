/**
 * Manifests and manifest lists from the lake's files, parsed once: they never change, and a commit that is tried again reads the same ones.
 *
 * Invariant: the cache is bounded by the entries it holds; errors name the file.
 */
import type { LakeFiles } from '../files/lake-files.ts'
import { type Snapshot, schemaById, specById, type TableMetadata } from '../metadata/table-metadata.ts'
import { partitionTypes } from '../types/partition-spec.ts'
import type { LiveEntry, ManifestEntry } from './data-file.ts'
import { type PartitionedBy, readManifest } from './manifest.ts'
import { type ManifestFile, readManifestList } from './manifest-list.ts'
import { inherit } from './summarise.ts'

export interface ManifestReader {
  /** Empty for null, a table without snapshots. */
  list(snapshot: Snapshot | null): Promise<ManifestFile[]>
  /** Entries of all statuses, with what they inherit. */
  entries(metadata: TableMetadata, manifest: ManifestFile): Promise<LiveEntry[]>
}

const MAX_CACHED_ENTRIES = 50_000

/** The spec of an id and the types of its values, the current schema first. */
export function partitionedBy(metadata: TableMetadata, specId: number): PartitionedBy {
  const spec = specById(metadata, specId)
  const current = schemaById(metadata, metadata['current-schema-id'])
  return { spec, types: partitionTypes(spec, [current, ...metadata.schemas]) }
}

export function createManifestReader(files: LakeFiles): ManifestReader {
  const cache = new Map<string, LiveEntry[]>()
  let cached = 0
  const parse = async <T>(path: string, read: (file: Buffer) => T): Promise<T> => {
    const file = await files.read(path)
    try {
      return read(file)
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause)
      throw new Error(
        `The lake's manifest file ${path} can't be read: ${why}. Bring it back from a copy, or read a snapshot that does not need it.`,
        { cause },
      )
    }
  }
  return {
    list: async (snapshot) => (snapshot ? parse(snapshot['manifest-list'], wholeList(snapshot)) : []),
    async entries(metadata, manifest) {
      const known = cache.get(manifest.path)
      if (known) return known
      const by = partitionedBy(metadata, manifest.specId)
      const entries = await parse(manifest.path, (file) => {
        if (file.length !== manifest.bytes)
          throw new Error(`it has ${file.length} bytes where its list says ${manifest.bytes}`)
        return inherit(wholeManifest(readManifest(file, by), manifest), manifest)
      })
      for (const [path, oldest] of cache) {
        if (cached + entries.length <= MAX_CACHED_ENTRIES) break
        cache.delete(path)
        cached -= oldest.length
      }
      if (entries.length <= MAX_CACHED_ENTRIES && !cache.has(manifest.path)) {
        cache.set(manifest.path, entries)
        cached += entries.length
      }
      return entries
    },
  }
}

/** Cut between two blocks, an Avro file looks whole: the snapshot's summary knows that there was something. */
const wholeList =
  ({ summary }: Snapshot) =>
  (file: Buffer): ManifestFile[] => {
    const manifests = readManifestList(file)
    const total = summary?.['total-data-files'] ?? '0'
    if (manifests.length === 0 && /^[1-9]\d*$/.test(total))
      throw new Error(`it is empty, and the snapshot has ${total} data files`)
    return manifests
  }

function wholeManifest(entries: ManifestEntry[], { addedFiles, existingFiles, deletedFiles }: ManifestFile) {
  const count = addedFiles + existingFiles + deletedFiles
  if (entries.length < count) throw new Error(`it has ${entries.length} entries where its list says ${count}`)
  return entries
}

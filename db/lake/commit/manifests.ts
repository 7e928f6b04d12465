/** Manifests of a commit: written with what the manifest list says about them, and merged when there are many. */
import { DATA, type DataFile, EXISTING, isLive, type LiveEntry, type ManifestEntry } from '../manifest/data-file.ts'
import { writeManifest } from '../manifest/manifest.ts'
import type { ManifestFile } from '../manifest/manifest-list.ts'
import { partitionedBy } from '../manifest/manifest-reader.ts'
import { describeManifest } from '../manifest/summarise.ts'
import { currentSchema, type TableMetadata } from '../metadata/table-metadata.ts'
import { groupBy } from '../types/group-by.ts'
import type { Long } from '../types/json.ts'
import type { Lake } from './lake.ts'

export interface CommitIds {
  snapshotId: Long
  /** Of the next snapshot; it changes when a commit is tried again. */
  sequenceNumber: Long
}

export const metadataFolder = (metadata: TableMetadata): string => `${metadata.location}/metadata`

/** Files with the same answer may stand in one manifest: those of one spec, and not data beside deletes. */
export const manifestOf = ({ specId, content }: DataFile): string =>
  `${content === DATA ? 'data' : 'deletes'}:${specId}`

/** @param entries not empty, of one `manifestOf` */
export async function putManifest(
  lake: Lake,
  metadata: TableMetadata,
  entries: readonly ManifestEntry[],
  ids: CommitIds,
): Promise<ManifestFile> {
  const { specId, content } = entries[0]!.file
  const by = partitionedBy(metadata, specId)
  const kind = content === DATA ? 'data' : 'deletes'
  const body = writeManifest(entries, by, currentSchema(metadata), kind)
  const path = `${metadataFolder(metadata)}/${lake.ids.uuid()}-m0.avro`
  await lake.files.write(path, body)
  return describeManifest(entries, by, { path, bytes: body.length, content: kind, ...ids })
}

/** An entry that is carried into another manifest: everything that it inherited is written out. */
export const carried = (entry: LiveEntry): LiveEntry => ({ ...entry, status: EXISTING })

const DEFAULT_MIN_COUNT = 100
const DEFAULT_TARGET_BYTES = 8 * 1024 * 1024

/**
 * Rewrites small data manifests into few when there are `commit.manifest.min-count-to-merge` of a spec, as Iceberg's own appends do. Entries of removed files, which only
 * the snapshot that removed them needs, are left out.
 * @returns the manifests, and which of them are new
 */
export async function mergeManifests(
  lake: Lake,
  metadata: TableMetadata,
  manifests: readonly ManifestFile[],
  ids: CommitIds,
): Promise<{ manifests: ManifestFile[]; written: string[] }> {
  const property = (key: string, fallback: number) => Number(metadata.properties[key] ?? fallback) || fallback
  const minCount = property('commit.manifest.min-count-to-merge', DEFAULT_MIN_COUNT)
  const targetBytes = property('commit.manifest.target-size-bytes', DEFAULT_TARGET_BYTES)
  const enabled = metadata.properties['commit.manifest-merge.enabled'] !== 'false'
  const result: ManifestFile[] = []
  const written: string[] = []
  for (const group of groupBy(manifests, (each) => `${each.content}:${each.specId}`).values()) {
    if (!enabled || group[0]!.content === 'deletes' || group.length < minCount) {
      result.push(...group)
      continue
    }
    for (const bin of binsOf(group, targetBytes)) {
      if (bin.length === 1) {
        result.push(bin[0]!)
        continue
      }
      const entries: ManifestEntry[] = []
      for (const manifest of bin)
        entries.push(...(await lake.manifests.entries(metadata, manifest)).filter(isLive).map(carried))
      if (entries.length === 0) continue
      const merged = await putManifest(lake, metadata, entries, ids)
      written.push(merged.path)
      result.push(merged)
    }
  }
  return { manifests: result, written }
}

/** Neighbours together until they reach the target: newest first, so that what is merged stays merged. */
function binsOf(manifests: readonly ManifestFile[], targetBytes: number): ManifestFile[][] {
  const bins: ManifestFile[][] = []
  let bytes = Number.POSITIVE_INFINITY
  for (const manifest of manifests) {
    if (bytes + manifest.bytes > targetBytes) {
      bins.push([])
      bytes = 0
    }
    bins.at(-1)!.push(manifest)
    bytes += manifest.bytes
  }
  return bins
}

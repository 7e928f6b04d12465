/**
 * Every file that a table's snapshots need: manifest lists, manifests, data and delete files, statistics. URIs in the one spelling of `normalise`.
 */
import type { Lake, Table } from '../commit/lake.ts'
import { isLive } from '../manifest/data-file.ts'
import type { TableMetadata } from '../metadata/table-metadata.ts'

/**
 * @param skip manifests that are known already: they, and what they name, are left out
 * @throws MissingFile: what can't be read can't be said to need nothing
 */
export async function reachableFiles(
  lake: Lake,
  metadata: TableMetadata,
  { skip }: { skip?: ReadonlySet<string> } = {},
): Promise<Set<string>> {
  const files = new Set<string>()
  const add = (uri: unknown) => {
    if (typeof uri === 'string') files.add(lake.files.normalise(uri))
  }
  const seen = new Set<string>()
  for (const snapshot of metadata.snapshots) {
    add(snapshot['manifest-list'])
    for (const manifest of await lake.manifests.list(snapshot)) {
      const path = lake.files.normalise(manifest.path)
      if (seen.has(path) || skip?.has(path)) continue
      seen.add(path)
      files.add(path)
      for (const entry of await lake.manifests.entries(metadata, manifest)) if (isLive(entry)) add(entry.file.path)
    }
  }
  for (const each of [...(metadata.statistics ?? []), ...(metadata['partition-statistics'] ?? [])])
    add(each['statistics-path'])
  return files
}

/** The current metadata file and those that its log names. */
export const metadataFiles = (lake: Lake, { metadata, metadataLocation }: Table): string[] =>
  [metadataLocation, ...metadata['metadata-log'].map((each) => each['metadata-file'])].map(lake.files.normalise)

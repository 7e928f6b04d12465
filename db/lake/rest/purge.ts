/**
 * The files of a table that is dropped for good: everything that its metadata reaches, and its metadata files.
 *
 * Invariant: nothing outside of the warehouse, and nothing in the folder of another table, whatever the metadata names.
 */
import type { Lake, Table } from '../commit/lake.ts'
import { reachableFiles } from '../maintenance/reachable.ts'
import { folderOfMetadata, isBelow } from './within.ts'

/** To be asked before the table is dropped, while its files are sure to be there. @throws MissingFile and others where its manifests can't be read */
export async function filesToPurge(lake: Lake, { metadata, metadataLocation }: Table): Promise<string[]> {
  // Iceberg's own switch for tables whose files belong to others.
  if (metadata.properties['gc.enabled'] === 'false') return []
  const { files, catalog } = lake
  const named = await reachableFiles(lake, metadata)
  for (const each of [metadataLocation, ...metadata['metadata-log'].map((entry) => entry['metadata-file'])])
    named.add(files.normalise(each))
  const others = (await catalog.metadataLocations())
    .filter((each) => each.metadataLocation !== metadataLocation)
    .map((each) => folderOfMetadata(each.metadataLocation))
  return [...named].filter(
    (file) => isBelow(files, files.warehouse, file) && !others.some((folder) => isBelow(files, folder, file)),
  )
}

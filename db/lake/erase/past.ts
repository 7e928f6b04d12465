/**
 * Whether anything that a table still names tells of a person though its current rows do not: files of older snapshots, of tags and branches, deletes by their values, and what manifests keep of files
 * that are gone.
 *
 * Invariant: "no" is certain. What can't be read any more of the past may tell; an object store that does not answer is an error.
 */
import { ObjectStoreError } from '../../objects/object-store.ts'
import { MissingFile } from '../files/lake-files.ts'
import { DATA, type DataFile, isLive } from '../manifest/data-file.ts'
import type { TableMetadata } from '../metadata/table-metadata.ts'
import { isNamedByBounds } from './person.ts'
import { isDeleteOfPerson, type Rewriting } from './rewrite.ts'
import { batchesOf, rowsOfPerson } from './search.ts'

/** Once the current snapshot's files are known to be clean. */
export async function tellsInThePast(rewriting: Rewriting, metadata: TableMetadata): Promise<boolean> {
  const { lake, person, clean, signal, onProgress } = rewriting
  const seen = new Set<string>()
  const unknown: DataFile[] = []
  const deletes = new Map<string, DataFile>()
  for (const snapshot of metadata.snapshots) {
    signal?.throwIfAborted()
    for (const manifest of await lake.manifests.list(snapshot)) {
      if (seen.has(manifest.path)) continue
      seen.add(manifest.path)
      for (const entry of await lake.manifests.entries(metadata, manifest)) {
        const { file } = entry
        if (!isLive(entry)) {
          if (isNamedByBounds(person, file)) return true
        } else if (file.content !== DATA) deletes.set(file.path, file)
        else if (!clean.has(file.path) && !seen.has(file.path)) {
          seen.add(file.path)
          unknown.push(file)
        }
      }
    }
  }
  const certain = async (tells: () => Promise<boolean>): Promise<boolean> => {
    try {
      return await tells()
    } catch (error) {
      signal?.throwIfAborted()
      if (error instanceof ObjectStoreError) throw error
      return !(error instanceof MissingFile)
    }
  }
  for (const file of deletes.values()) {
    const fields = file.equalityIds?.map((id) => ({ id })) ?? null
    if (await certain(() => isDeleteOfPerson(rewriting, file, fields))) return true
  }
  let looked = 0
  for (const batch of batchesOf(unknown, (file) => file)) {
    if (await certain(async () => (await rowsOfPerson(rewriting, batch)).size > 0)) return true
    for (const file of batch) clean.add(file.path)
    looked += batch.length
    onProgress?.(`${looked} of ${unknown.length} files of older snapshots looked through`)
  }
  return false
}

/**
 * Removal of orphans: files in a table's folder that nothing names, left by writers that were killed.
 *
 * Invariants: a file younger than the safety age is never touched, since a commit may be about to name it; the folder is listed before the metadata is read, so that what is
 * committed in between is known.
 */
import type { TableName } from '../catalog/catalog.ts'
import { type Lake, loadTable } from '../commit/lake.ts'
import type { FileInfo } from '../files/lake-files.ts'
import { lakeSpan } from '../spans.ts'
import { metadataFiles, reachableFiles } from './reachable.ts'

export interface OrphanOptions {
  /** Longer than any writer takes from its first file to its commit. At least an hour. Default: 3 days. */
  safetyAgeMs?: number
  /** Lists what would be removed, and removes nothing. */
  dryRun?: boolean
}

const HOUR_MS = 3_600_000
const DEFAULT_SAFETY_AGE_MS = 72 * HOUR_MS

export const removeOrphans = (lake: Lake, name: TableName, options: OrphanOptions = {}): Promise<FileInfo[]> =>
  lakeSpan('orphans', name, () => sweep(lake, name, options))

async function sweep(
  lake: Lake,
  name: TableName,
  { safetyAgeMs = DEFAULT_SAFETY_AGE_MS, dryRun = false }: OrphanOptions,
): Promise<FileInfo[]> {
  if (!(safetyAgeMs >= HOUR_MS))
    throw new Error(
      'The safety age of orphans must be an hour at least: a younger file may belong to a commit on its way.',
    )
  const { metadata: first } = await loadTable(lake, name)
  const before = lake.clock.now() - safetyAgeMs
  const old: FileInfo[] = []
  for await (const page of lake.files.list(`${first.location}/`))
    for (const file of page) if (file.modifiedMs < before) old.push({ ...file, uri: lake.files.normalise(file.uri) })

  const table = await loadTable(lake, name)
  const { metadata } = table
  if (metadata['table-uuid'] !== first['table-uuid'])
    throw new Error('The table was replaced by another one meanwhile. Nothing was removed.')
  const needed = await reachableFiles(lake, metadata)
  for (const uri of metadataFiles(lake, table)) needed.add(uri)
  const orphans = old.filter((file) => !needed.has(file.uri) && !file.uri.endsWith('/version-hint.text'))
  if (!dryRun) await lake.files.delete(orphans.map((file) => file.uri))
  return orphans
}

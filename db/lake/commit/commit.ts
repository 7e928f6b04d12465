/**
 * The commit loop: read the table, compute the next metadata, write it, swap it in; on a conflict read again and compute anew.
 *
 * Invariants: a metadata file is complete before the catalog names it; when the swap's outcome is unknown (the connection broke) nothing is removed and the catalog is asked;
 * what an attempt wrote and the catalog never named is removed.
 */
import { type TableName, tableText } from '../catalog/catalog.ts'
import { MissingFile } from '../files/lake-files.ts'
import { logPrevious } from '../metadata/changes.ts'
import { snapshotById, type TableMetadata, writeMetadata } from '../metadata/table-metadata.ts'
import { lakeSpan } from '../spans.ts'
import type { Long } from '../types/json.ts'
import { hasChanged, type Lake, loadTable, type Table } from './lake.ts'

export interface Prepared {
  metadata: TableMetadata
  /** Files that this attempt wrote and that only its metadata names. */
  written?: readonly string[]
}

/** null: there is nothing to change, the table is returned as it is. A `CommitRefused` ends the loop. */
export type Change = (table: Table) => Promise<Prepared | null> | Prepared | null

/** What was to be committed no longer fits the table: trying again as it is would not help, planning again may. */
export class CommitRefused extends Error {
  override readonly name = 'CommitRefused'
}

/** Other writers were faster each time. */
export class CommitConflict extends Error {
  override readonly name = 'CommitConflict'
}

const MAX_ATTEMPTS = 60
const MAX_DELAY_MS = 500
const SWAP_ATTEMPTS = 3

/** @throws CommitConflict after 60 lost races, CommitRefused from the change */
export const commit = (lake: Lake, name: TableName, change: Change): Promise<Table> =>
  lakeSpan('commit', name, () => commitOrAgain(lake, name, change))

async function commitOrAgain(lake: Lake, name: TableName, change: Change): Promise<Table> {
  for (let attempt = 1; ; attempt++) {
    const table = await loadTable(lake, name)
    let prepared: Prepared | null
    try {
      prepared = await change(table)
    } catch (error) {
      // Behind another commit its snapshot may have expired, and its files are gone: that race is lost like any other.
      if (attempt < MAX_ATTEMPTS && error instanceof MissingFile && (await hasChanged(lake, table))) continue
      throw error
    }
    if (prepared === null) return table
    const next = logPrevious(prepared.metadata, { location: table.metadataLocation, metadata: table.metadata })
    const location = nextLocation(table, lake.ids.uuid())
    const written = [...(prepared.written ?? []), location]
    let swapped: boolean
    try {
      await lake.files.write(location, writeMetadata(next.metadata))
      swapped = await swap(lake, name, {
        from: table.metadataLocation,
        to: location,
        snapshotId: newSnapshot(table.metadata, next.metadata),
      })
    } catch (error) {
      if (!(error instanceof UnknownOutcome)) await forget(lake, written)
      throw error
    }
    if (swapped) {
      if (next.metadata.properties['write.metadata.delete-after-commit.enabled'] === 'true')
        await forget(lake, next.dropped)
      return { name, metadata: next.metadata, metadataLocation: location }
    }
    await forget(lake, written)
    if (attempt === MAX_ATTEMPTS)
      throw new CommitConflict(
        `The table ${tableText(name)} was changed by other writers ${MAX_ATTEMPTS} times while this commit was tried. Nothing was committed; try again when fewer write at once.`,
      )
    await lake.clock.sleep(lake.ids.jitter() * Math.min(MAX_DELAY_MS, 5 * 2 ** attempt))
  }
}

/** Whether the commit happened can't be known: the database can't be reached. */
export class UnknownOutcome extends Error {
  override readonly name = 'UnknownOutcome'
}

const newSnapshot = (before: TableMetadata, after: TableMetadata): Long | null => {
  const id = after['current-snapshot-id'] ?? null
  return id === null || snapshotById(before, id) ? null : id
}

/** A swap that failed on the way may have happened all the same: it is repeated, which changes nothing if it had, and the table is asked. */
async function swap(
  lake: Lake,
  name: TableName,
  { from, to, snapshotId }: { from: string; to: string; snapshotId: Long | null },
): Promise<boolean> {
  for (let attempt = 1; ; attempt++) {
    try {
      if (await lake.catalog.swap(name, from, to)) return true
      if (attempt === 1) return false
      const { metadata, metadataLocation } = await loadTable(lake, name)
      if (metadataLocation === to || metadata['metadata-log'].some((each) => each['metadata-file'] === to)) return true
      // The log of metadata may be short, and others may have committed since.
      return snapshotId !== null && snapshotById(metadata, snapshotId) !== undefined
    } catch (cause) {
      if (attempt === SWAP_ATTEMPTS)
        throw new UnknownOutcome(
          `Whether the commit to ${tableText(name)} happened is unknown: the catalog can't be reached. Its files were kept; read the table before writing again.`,
          { cause },
        )
      await lake.clock.sleep(lake.ids.jitter() * 1_000 * attempt)
    }
  }
}

/** `00042-<uuid>.metadata.json`; the number is for people, and continues other engines' numbers. */
export function nextLocation({ metadata, metadataLocation }: Table, uuid: string): string {
  const folder = (metadata.properties['write.metadata.path'] ?? `${metadata.location}/metadata`).replace(/\/+$/, '')
  const [, number] = /(?:^|\/)(\d+)-[^/]*$/.exec(metadataLocation) ?? []
  return `${folder}/${String(Number(number ?? 0) + 1).padStart(5, '0')}-${uuid}.metadata.json`
}

/** Files that nothing names. What can't be removed now is left for the removal of orphans. */
export async function forget(lake: Lake, files: readonly string[]): Promise<void> {
  if (files.length > 0) await lake.files.delete(files).catch(() => {})
}

/** The files of a commit that failed with `error`; they stay where it may have happened all the same. */
export async function forgetFailed(
  lake: Lake,
  error: unknown,
  files: readonly { readonly path: string }[],
): Promise<void> {
  if (error instanceof UnknownOutcome) return
  await forget(
    lake,
    files.map(({ path }) => path),
  )
}

/**
 * The commit of clients by REST, to one table or to several at once: read, check and compute anew on what the tables are, write the metadata files, one compare-and-swap.
 *
 * Invariants: all tables change or none; a metadata file is complete before the catalog names it; what an attempt wrote and the catalog never named is removed; when the outcome
 * is unknown nothing is removed, and the client is told so.
 */
import { type TableName, tableText } from '../catalog/catalog.ts'
import { forget, nextLocation } from '../commit/commit.ts'
import { type Lake, loadTable, type Table } from '../commit/lake.ts'
import { logPrevious } from '../metadata/changes.ts'
import { snapshotById, type TableMetadata, writeMetadata } from '../metadata/table-metadata.ts'
import type { Long } from '../types/json.ts'
import { CatalogRefused } from './refused.ts'

export interface TableChange {
  name: TableName
  /** @param table null: there is none. @returns the metadata to be, or that of the table itself when nothing changes. @throws CatalogRefused */
  change(table: Table | null): Promise<TableMetadata> | TableMetadata
}

/** A client whose requirements still hold is not sent back for having been slow; beyond that it tries again itself. */
const ATTEMPTS = 20
/** A name that can't be had although no table has it so often. */
const CREATE_ATTEMPTS = 3
const MAX_DELAY_MS = 300
const SWAP_ATTEMPTS = 3
/** Failures to connect: nothing was asked of the database. */
const NEVER_SENT = new Set(['ECONNREFUSED', 'CONNECT_TIMEOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'])

/** @returns the tables as committed, in the order of the changes. @throws CatalogRefused */
export async function commitTables(lake: Lake, changes: readonly TableChange[]): Promise<Table[]> {
  for (let attempt = 1; ; attempt++) {
    const planned = await Promise.all(changes.map((each) => plan(lake, each)))
    const writes = planned.filter((each) => each.to !== each.from)
    const locations = writes.map((each) => each.to)
    let swapped: boolean
    try {
      for (const { to, metadata } of writes) await lake.files.write(to, writeMetadata(metadata))
      swapped = writes.length === 0 || (await swap(lake, writes))
    } catch (error) {
      if (!(error instanceof CatalogRefused && error.reason === 'state_unknown')) await forget(lake, locations)
      throw error
    }
    if (swapped) {
      await forget(
        lake,
        writes.flatMap((each) => each.dropped),
      )
      return planned.map(({ name, metadata, to }) => ({ name, metadata, metadataLocation: to }))
    }
    await forget(lake, locations)
    const taken = attempt >= CREATE_ATTEMPTS ? writes.find((each) => each.from === null) : undefined
    if (taken)
      throw new CatalogRefused(
        'table_exists',
        `The name ${tableText(taken.name)} is taken, though by no table: another program's view has it. Choose another name.`,
      )
    if (attempt === ATTEMPTS)
      throw new CatalogRefused(
        'commit_failed',
        `${changes.map(({ name }) => tableText(name)).join(', ')}: other writers were faster ${ATTEMPTS} times. Nothing was committed; try again.`,
      )
    await lake.clock.sleep(lake.ids.jitter() * Math.min(MAX_DELAY_MS, 5 * 2 ** attempt))
  }
}

interface Planned {
  name: TableName
  from: string | null
  /** As `from` where nothing changes. */
  to: string
  metadata: TableMetadata
  /** One that the commit adds, if it does. */
  snapshotId: Long | null
  /** Old metadata files to remove after the commit. */
  dropped: readonly string[]
}

async function plan(lake: Lake, { name, change }: TableChange): Promise<Planned> {
  const table = await tableOrNull(lake, name)
  const metadata = await change(table)
  if (table === null) {
    const to = `${metadata.location}/metadata/00000-${lake.ids.uuid()}.metadata.json`
    return { name, from: null, to, metadata, snapshotId: newSnapshot(null, metadata), dropped: [] }
  }
  const from = table.metadataLocation
  if (metadata === table.metadata) return { name, from, to: from, metadata, snapshotId: null, dropped: [] }
  const logged = logPrevious(metadata, { location: from, metadata: table.metadata })
  const removes = logged.metadata.properties['write.metadata.delete-after-commit.enabled'] === 'true'
  const to = nextLocation({ ...table, metadata: logged.metadata }, lake.ids.uuid())
  const snapshotId = newSnapshot(table.metadata, metadata)
  return { name, from, to, metadata: logged.metadata, snapshotId, dropped: removes ? logged.dropped : [] }
}

const newSnapshot = (before: TableMetadata | null, after: TableMetadata): Long | null =>
  after.snapshots.find((each) => !before?.snapshots.includes(each))?.['snapshot-id'] ?? null

/** null: there is none. */
export async function tableOrNull(lake: Lake, name: TableName): Promise<Table | null> {
  return (await lake.catalog.metadataLocation(name)) === null ? null : loadTable(lake, name)
}

/** A swap that failed on the way may have happened all the same: it is repeated, which changes nothing if it had, and the tables are asked. */
async function swap(lake: Lake, writes: readonly Planned[]): Promise<boolean> {
  let mayHaveHappened = false
  for (let attempt = 1; ; attempt++) {
    try {
      if (await swapOnce(lake, writes)) return true
      if (attempt === 1) return false
      // All or none: what holds of one holds of all.
      const { name, to, snapshotId } = writes[0]!
      const table = await tableOrNull(lake, name)
      if (table === null) return false
      const { metadata, metadataLocation } = table
      if (metadataLocation === to || metadata['metadata-log'].some((each) => each['metadata-file'] === to)) return true
      // The log of metadata may be short, and others may have committed since.
      return snapshotId !== null && snapshotById(metadata, snapshotId) !== undefined
    } catch (cause) {
      mayHaveHappened ||= !NEVER_SENT.has(String((cause as { code?: unknown }).code))
      if (attempt === SWAP_ATTEMPTS) {
        const names = writes.map(({ name }) => tableText(name)).join(', ')
        throw mayHaveHappened
          ? new CatalogRefused(
              'state_unknown',
              `Whether the commit to ${names} happened is unknown: the catalog can't be reached. Its files were kept; read the table before writing again.`,
              { cause },
            )
          : new CatalogRefused(
              'unavailable',
              `The catalog's database can't be reached. Nothing was committed to ${names}; try again in a moment.`,
              { cause },
            )
      }
      await lake.clock.sleep(lake.ids.jitter() * 1_000 * attempt)
    }
  }
}

async function swapOnce({ catalog }: Lake, writes: readonly Planned[]): Promise<boolean> {
  const [first] = writes
  if (writes.length > 1 || !first)
    return catalog.swapAll(writes.map(({ name, from, to }) => ({ table: name, from, to })))
  return first.from === null ? catalog.create(first.name, first.to) : catalog.swap(first.name, first.from, first.to)
}

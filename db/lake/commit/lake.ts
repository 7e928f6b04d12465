/**
 * A lake: a catalog, its files, a clock and a source of ids. Tables are loaded from it and made in it; commits are in `commit.ts`.
 */
import { randomInt, randomUUID } from 'node:crypto'
import { type Clock, systemClock } from '../../../streams/time/clock.ts'
import { type Catalog, NoSuchTable, type TableName, tableText } from '../catalog/catalog.ts'
import { type LakeFiles, MissingFile } from '../files/lake-files.ts'
import type { ManifestEntry } from '../manifest/data-file.ts'
import type { ManifestFile } from '../manifest/manifest-list.ts'
import { createManifestReader, type ManifestReader } from '../manifest/manifest-reader.ts'
import { createMetadata, type NewTable } from '../metadata/create.ts'
import { METADATA_REMEDY, parseMetadata, type TableMetadata, writeMetadata } from '../metadata/table-metadata.ts'

export interface Ids {
  uuid(): string
  /** Positive and below 2^53, so that every language reads it exactly. */
  snapshotId(): number
  /** 0 to 1, for waiting times. */
  jitter(): number
}

export const randomIds: Ids = {
  uuid: randomUUID,
  snapshotId: () => randomInt(1, 2 ** 47) * 32 + randomInt(32),
  jitter: Math.random,
}

export interface Lake {
  readonly catalog: Catalog
  readonly files: LakeFiles
  readonly clock: Clock
  readonly ids: Ids
  readonly manifests: ManifestReader
}

export interface Table {
  readonly name: TableName
  readonly metadata: TableMetadata
  readonly metadataLocation: string
}

export type { ManifestEntry, ManifestFile }

export const openLake = (
  catalog: Catalog,
  files: LakeFiles,
  { clock = systemClock, ids = randomIds }: { clock?: Clock; ids?: Ids } = {},
): Lake => ({ catalog, files, clock, ids, manifests: createManifestReader(files) })

/** @throws NoSuchTable */
export async function loadTable(lake: Lake, name: TableName): Promise<Table> {
  const metadataLocation = await lake.catalog.metadataLocation(name)
  if (metadataLocation === null) throw new NoSuchTable(name)
  try {
    const file = await lake.files.read(metadataLocation)
    return { name, metadata: parseMetadata(file.toString('utf8'), metadataLocation), metadataLocation }
  } catch (error) {
    if (!(error instanceof MissingFile)) throw error
    // A commit since the catalog was asked may have removed it: an erasure's does, and that of a table whose log of metadata is short.
    if (await hasChanged(lake, { name, metadataLocation })) return loadTable(lake, name)
    throw new MissingFile(metadataLocation, METADATA_REMEDY)
  }
}

/** Whether the catalog names other metadata by now, or none. */
export const hasChanged = async (
  { catalog }: Lake,
  { name, metadataLocation }: Pick<Table, 'name' | 'metadataLocation'>,
): Promise<boolean> => (await catalog.metadataLocation(name)) !== metadataLocation

/**
 * @param at where its files go; default: a folder of its own, since the files of a dropped table of the same name must not mix with this one's
 * @throws Error when the table exists. Its namespace is made if need be.
 */
export async function createTable(lake: Lake, name: TableName, table: NewTable, at?: string): Promise<Table> {
  const uuid = lake.ids.uuid()
  const folder = `${name.namespace.replaceAll('.', '/')}/${name.name}-${uuid.slice(0, 8)}`
  const location = at ?? `${lake.files.warehouse}/${folder}`
  const metadata = createMetadata(table, { location, uuid, nowMs: lake.clock.now() })
  const metadataLocation = `${location}/metadata/00000-${lake.ids.uuid()}.metadata.json`
  await lake.catalog.createNamespace(name.namespace)
  await lake.files.write(metadataLocation, writeMetadata(metadata))
  if (!(await lake.catalog.create(name, metadataLocation))) {
    await lake.files.delete([metadataLocation])
    throw new Error(`The table ${tableText(name)} exists already.`)
  }
  return { name, metadata, metadataLocation }
}

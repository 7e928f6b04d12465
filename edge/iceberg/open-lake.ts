/** The lake as an edge serves it: the catalog in the platform's database, the files where its objects are. */
import type { Lake } from '../../db/lake/index.ts'
import { openJdbcCatalog, openLake, openLakeFiles, openRestCatalog } from '../../db/lake/rest/index.ts'
import { type ObjectsSettings, openObjects } from '../../db/objects/open.ts'
import type { Sql } from '../../db/postgres/connect.ts'
import type { ServedLake } from './routes.ts'

/** Served to clients, and read here. */
export interface OpenedLake extends ServedLake {
  tables: Lake
}

/** @throws ObjectStoreError where an S3 server refuses the settings */
export async function openServedLake(sql: Sql, settings: ObjectsSettings): Promise<OpenedLake> {
  const [catalog, objects] = await Promise.all([openJdbcCatalog(sql), openObjects(settings)])
  const tables = openLake(catalog, openLakeFiles(objects))
  return {
    tables,
    catalog: openRestCatalog(tables),
    clientDefaults: clientDefaults(settings),
  }
}

/**
 * Where the files are, by the names of PyIceberg and of Iceberg's Java library; never the keys. As defaults: a client in another network may know the server by another address.
 */
function clientDefaults(settings: ObjectsSettings): Record<string, string> {
  // Files named gs:// are read by Google's own interface, which has one address and no keys of ours.
  if (settings.kind === 'folder' || settings.scheme === 'gs') return {}
  const { endpoint, region } = settings
  return {
    's3.region': region,
    'client.region': region,
    ...(endpoint !== null && { 's3.endpoint': endpoint, 's3.path-style-access': 'true' }),
  }
}

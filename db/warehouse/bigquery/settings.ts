/** Which dataset of BigQuery reads the lake, and by which connection. No secret is among it: who this process is at Google, its metadata server tells (`workload-token.ts`). */
import type { Config } from '../../config.ts'

export interface BigQuerySettings {
  project: string
  dataset: string
  /** In full, as the API names it: `projects/P/locations/L/connections/C`. */
  connection: string
  /** Of the API, an origin. */
  endpoint: string
  /** `host` or `host:port` of the metadata server. */
  metadataHost: string
}

/** null: none is named. */
export function bigQuerySettings(
  config: Pick<Config, 'bigQueryDataset' | 'bigQueryConnection' | 'bigQueryEndpoint' | 'gceMetadataHost'>,
): BigQuerySettings | null {
  const { bigQueryDataset, bigQueryConnection, bigQueryEndpoint: endpoint, gceMetadataHost: metadataHost } = config
  if (bigQueryDataset === '' || bigQueryConnection === '') return null
  const [project, dataset] = bigQueryDataset.split('.') as [string, string]
  const [owner, location, connection] = bigQueryConnection.split('.')
  return {
    project,
    dataset,
    connection: `projects/${owner}/locations/${location}/connections/${connection}`,
    endpoint,
    metadataHost,
  }
}

/** Warehouses as activities. Safe to repeat: what is there already is left alone. */
import { createDuckdbEngine, tracedEngine } from '../../db/lake/index.ts'
import { type Registration, registerStarSchema } from '../../db/warehouse/bigquery/register.ts'
import { workloadToken } from '../../db/warehouse/bigquery/workload-token.ts'
import { publishStarSchema } from '../../db/warehouse/publish.ts'
import type { Published } from '../../db/warehouse/publish-table.ts'
import type { ActivityDeps } from './deps.ts'
import { withHeartbeat } from './heartbeat.ts'

export type WarehouseActivities = ReturnType<typeof warehouseActivities>

export const warehouseActivities = (
  { lake, database, clock, warehouse, bigQuery, settings }: ActivityDeps,
  // One for all runs, since it keeps its token.
  token = bigQuery && workloadToken(bigQuery.metadataHost),
) => ({
  hasWarehouse: async (): Promise<boolean> => warehouse !== null,

  /** @returns the tables that the lake has; none where there is no warehouse */
  publishStarSchema: async (): Promise<Published[]> => {
    if (warehouse === null) return []
    const { memoryMb, threads, temporaryDir: parent } = settings
    // Whole tables, as they are: no work for a Trino.
    const engine = tracedEngine(createDuckdbEngine(lake, { memoryMb, threads, parent }))
    return withHeartbeat(clock, (signal, report) =>
      publishStarSchema(warehouse, {
        lake,
        engine,
        sql: database.sql,
        signal,
        onTable: (table) => report({ table }),
      }),
    )
  },

  /** @returns the tables that the lake or BigQuery has; none where there is no BigQuery */
  registerStarSchema: async (): Promise<Registration[]> => {
    if (bigQuery === null || token === null) return []
    return withHeartbeat(clock, (signal, report) =>
      registerStarSchema(bigQuery, { lake, token, clock, signal, onTable: (table) => report({ table }) }),
    )
  },
})

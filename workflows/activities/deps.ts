/**
 * What activities need from outside, opened once per worker by `workflows/worker.ts`; tests bring their own. Activities are the only part of a workflow that touches the world.
 */
import type { Lake, SqlEngine } from '../../db/lake/index.ts'
import type { ModelEngine } from '../../db/models/build.ts'
import type { BulkObjectStore } from '../../db/objects/object-store.ts'
import type { Database } from '../../db/postgres/connect.ts'
import type { BigQuerySettings } from '../../db/warehouse/bigquery/settings.ts'
import type { WarehouseSettings } from '../../db/warehouse/warehouse.ts'
import type { Logger } from '../../observability/log.ts'
import type { Registry } from '../../observability/metrics.ts'
import type { Topic } from '../../streams/contract/topics.ts'
import type { EventLog } from '../../streams/log/event-log.ts'
import type { Clock } from '../../streams/time/clock.ts'

export interface ActivityDeps {
  lake: Lake
  /** SQL over the lake: DuckDB, or Trino where TRINO_URL names one. */
  engine: SqlEngine
  /** Builds the star schema, with the same engine. */
  models: ModelEngine
  database: Database
  /** For connections with settings of their own. A secret. */
  databaseUrl: string
  objects: BulkObjectStore
  /** Where the star schema is copied to; null: nowhere. */
  warehouse: WarehouseSettings | null
  /** Where tables of the star schema read the lake in place; null: nowhere. */
  bigQuery: BigQuerySettings | null
  /** The event log, for what appends to it; null: this worker has not been given one. */
  openLog: OpenLog | null
  clock: Clock
  logger: Logger
  metrics: Registry
  settings: ActivitySettings
}

/** Opened by the activity that needs it, and closed by it. @throws Error, with a sentence, where there is none */
export type OpenLog = () => Promise<OpenedLog>

export interface OpenedLog {
  log: EventLog
  /** Those that the platform has made, and whose retention is its own. */
  topics: readonly Topic[]
}

/** Plain data. */
export interface ActivitySettings {
  /** Of events that name none. */
  currency: string
  /** Files to import lie below it; there may be no such folder. */
  importDir: string
  /** A folder of this worker's own for what is spilled or copied; goes with it. */
  temporaryDir: string
  /** Of DuckDB, for each activity that uses it. */
  memoryMb: number
  threads: number
}

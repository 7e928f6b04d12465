/**
 * What activities need from outside, opened once per worker by `workflows/worker.ts`; tests bring their own. Activities are the only part of a workflow that touches the world.
 */
import type { Lake, SqlEngine } from '../../db/lake/index.ts'
import type { ModelEngine } from '../../db/models/build.ts'
import type { BulkObjectStore } from '../../db/objects/object-store.ts'
import type { Database } from '../../db/postgres/connect.ts'
import type { Logger } from '../../observability/log.ts'
import type { Registry } from '../../observability/metrics.ts'
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
  clock: Clock
  logger: Logger
  metrics: Registry
  settings: ActivitySettings
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

/**
 * Starts `registerTables` when a table of the star schema was committed to since the last run: by a day that was built, by upkeep, by an erasure. Part of every worker that has a BigQuery.
 *
 * A look is one question to the catalog, so it is done often; a schedule would start some three hundred runs a day, of which nearly all had nothing to do. Invariants: one run at a time, however many
 * workers look; what counts as registered is what a run has told, so a commit that came while it ran is followed by another.
 */
import { WorkflowFailedError } from '@temporalio/client'
import type { Lake } from '../db/lake/index.ts'
import { tableText } from '../db/lake/index.ts'
import { NAMESPACE } from '../db/models/models.ts'
import type { Registration } from '../db/warehouse/bigquery/register.ts'
import { PUBLISHED } from '../db/warehouse/publish.ts'
import type { Logger } from '../observability/log.ts'
import type { Clock } from '../streams/time/clock.ts'
import type { TemporalClient } from './client.ts'
import { keepLooking } from './keep-looking.ts'
import { workflowId } from './policy.ts'

export interface RegistrationStarterOptions {
  client: TemporalClient
  lake: Lake
  taskQueue: string
  clock: Clock
  logger: Logger
  intervalMs?: number
}

const TABLES = new Set(PUBLISHED.map(({ name }) => `${NAMESPACE}.${name}`))
/** A run that failed has already tried again what can be. */
const AFTER_FAILURE_MS = 5 * 60_000

export function startRegistrations(options: RegistrationStarterOptions): { stop(): Promise<void> } {
  const { client, lake, taskQueue, clock, logger, intervalMs = 15_000 } = options
  /** Where each table was in the lake when the last run looked at it. */
  let told = new Map<string, string | null>()

  async function look(signal: AbortSignal): Promise<void> {
    const locations = await lake.catalog.metadataLocations()
    const isBehind = locations.some(
      ({ table, metadataLocation }) => TABLES.has(tableText(table)) && told.get(tableText(table)) !== metadataLocation,
    )
    if (!isBehind) return
    const registered: Registration[] = await client.withAbortSignal(signal, () =>
      client.workflow.execute('registerTables', {
        taskQueue,
        workflowId: workflowId('registerTables', taskQueue),
        args: [{}],
        workflowIdConflictPolicy: 'USE_EXISTING',
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      }),
    )
    told = new Map(registered.map(({ table, inLake }) => [table, inLake]))
  }

  return keepLooking(look, {
    part: 'bigquery',
    failing: 'Tables of the lake can not be registered with BigQuery at the moment; it goes on trying',
    afterFailureMs: (error) => (error instanceof WorkflowFailedError ? AFTER_FAILURE_MS : intervalMs),
    ...{ intervalMs, clock, logger },
  })
}

/**
 * Starts the workflow of every erasure that was asked for: the edge, which has no client of Temporal, leaves a row. Part of every worker.
 *
 * Invariant: however many workers see a row, and however often, there is one run of it at a time: its workflow's id is the erasure's. A run that is there is left alone; one whose erasure has been
 * silent for hours (its Temporal is gone, or somebody has terminated it) is followed by another, which goes on where it stopped.
 */

import type { Sql } from '../db/postgres/connect.ts'
import { erasuresToStart } from '../db/postgres/erasure-progress.ts'
import type { Logger } from '../observability/log.ts'
import type { Clock } from '../streams/time/clock.ts'
import type { TemporalClient } from './client.ts'
import { keepLooking } from './keep-looking.ts'
import { workflowId } from './policy.ts'

export interface ErasureStarterOptions {
  client: TemporalClient
  sql: Sql
  taskQueue: string
  clock: Clock
  logger: Logger
  intervalMs?: number
}

const CALL_MAX_MS = 10_000

export function startErasures(options: ErasureStarterOptions): { stop(): Promise<void> } {
  const { client, sql, taskQueue, clock, logger, intervalMs = 3_000 } = options

  async function look(signal: AbortSignal): Promise<void> {
    for (const id of await erasuresToStart(sql, clock.now())) {
      if (signal.aborted) return
      await client.withDeadline(clock.now() + CALL_MAX_MS, () =>
        client.workflow.start('eraseSubject', {
          taskQueue,
          workflowId: workflowId('eraseSubject', id),
          args: [{ erasure_id: id }],
          workflowIdConflictPolicy: 'USE_EXISTING',
          workflowIdReusePolicy: 'ALLOW_DUPLICATE',
        }),
      )
    }
  }

  return keepLooking(look, {
    part: 'erasures',
    failing: 'Erasures can not be started at the moment; it goes on trying',
    ...{ intervalMs, clock, logger },
  })
}

/**
 * The star schema as activities: models are built day by day, published, and noted with what they were built on. Each may be repeated: a build replaces its day, so does publishing.
 */
import { ApplicationFailure, Context } from '@temporalio/activity'
import type { Built, Pins } from '../../db/models/build.ts'
import { figuresOf } from '../../db/models/figures.ts'
import { modelNamed } from '../../db/models/models.ts'
import { overtakenDays } from '../../db/models/overtaken-days.ts'
import { type PinnedDay, pinDay, rawDays } from '../../db/models/raw-days.ts'
import { noteDay, type OpenDay, openDays } from '../../db/postgres/batch-days.ts'
import { publishDay } from '../../db/postgres/publish-day.ts'
import type { ActivityDeps } from './deps.ts'
import { withHeartbeat } from './heartbeat.ts'

export type ModelActivities = ReturnType<typeof modelActivities>

export const modelActivities = ({ lake, database, clock, models }: ActivityDeps) => ({
  /** The snapshots of the raw tables that the whole day is built on, with what they hold of it. */
  pinDay: ({ day }: { day: string }): Promise<PinnedDay> => withHeartbeat(clock, () => pinDay(lake, day)),

  buildModel: ({ model, day, pins }: { model: string; day: string; pins: Pins }): Promise<Built> =>
    withHeartbeat(clock, async (signal, report) => {
      const { runId } = Context.current().info.workflowExecution ?? {}
      try {
        return await models.build(modelNamed(model), {
          day,
          pins,
          signal,
          ...(runId !== undefined && { runId }),
          onProgress: (step) => report({ model, step }),
        })
      } catch (error) {
        if (!(error instanceof Error) || error.name !== 'SnapshotGone') throw error
        throw ApplicationFailure.create({ message: error.message, type: error.name, nonRetryable: true, cause: error })
      }
    }),

  /** From the metrics tables of the lake into the tables that the API serves. */
  publishDay: ({ day }: { day: string }): Promise<Record<string, number>> =>
    withHeartbeat(clock, async (signal) =>
      publishDay(database.sql, day, await figuresOf(lake, day, signal), clock.now()),
    ),

  /** That the day is built, on what; other days that lose a row by it are open again. */
  noteDay: ({ day, counts, sequences }: Omit<PinnedDay, 'pins'>): Promise<void> =>
    withHeartbeat(clock, async (signal) => {
      const overtaken = await overtakenDays(lake, day, signal)
      const runId = Context.current().info.workflowExecution?.runId ?? ''
      await noteDay(database.sql, { day, counts, sequences, overtaken, runId, nowMs: clock.now() })
    }),

  /** Days before the one given that are not what they would be if they were built now, the oldest first. */
  openDays: ({ before }: { before: string }): Promise<OpenDay[]> =>
    withHeartbeat(clock, async () => {
      const open = await openDays(database.sql, await rawDays(lake))
      return open.filter(({ day }) => day < before)
    }),
})

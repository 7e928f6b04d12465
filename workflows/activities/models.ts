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
import { postgresSpan } from '../../db/spans.ts'
import { TrinoError } from '../../db/trino/client.ts'
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
        throw asFailure(error, model)
      }
    }),

  /** From the metrics tables of the lake into the tables that the API serves. */
  publishDay: ({ day }: { day: string }): Promise<Record<string, number>> =>
    withHeartbeat(clock, async (signal) => {
      const figures = await figuresOf(lake, day, signal)
      return postgresSpan('write', 'publish day', () => publishDay(database.sql, day, figures, clock.now()))
    }),

  /** That the day is built, on what; other days that lose a row by it are open again. */
  noteDay: ({ day, counts, sequences }: Omit<PinnedDay, 'pins'>): Promise<void> =>
    withHeartbeat(clock, async (signal) => {
      const overtaken = await overtakenDays(lake, day, signal)
      const runId = Context.current().info.workflowExecution?.runId ?? ''
      const note = { day, counts, sequences, overtaken, runId, nowMs: clock.now() }
      await postgresSpan('write', 'note day', () => noteDay(database.sql, note))
    }),

  /** Days before the one given that are not what they would be if they were built now, the oldest first. */
  openDays: ({ before }: { before: string }): Promise<OpenDay[]> =>
    withHeartbeat(clock, async () => {
      const raw = await rawDays(lake)
      const open = await postgresSpan('read', 'open days', () => openDays(database.sql, raw))
      return open.filter(({ day }) => day < before)
    }),
})

/** Kinds of DuckDB's errors that are the same however often the SQL is run. */
const SAME_AGAIN = /^(Binder|Catalog|Constraint|Conversion|Invalid Input|Not implemented|Out of Range|Parser) Error/

/** What no repetition mends fails the day at once, with a sentence; all else is tried again. */
function asFailure(error: unknown, model: string): unknown {
  if (!(error instanceof Error)) return error
  const failure = (message: string, type: string) =>
    ApplicationFailure.create({ message, type, nonRetryable: true, cause: error })
  if (error.message.startsWith('Out of Memory Error'))
    return failure(
      `${model} takes more memory than DuckDB has here: ${error.message} Give workers more (STREAMFORGE_WORKER_MEMORY_MB), or have a Trino build the models (TRINO_URL).`,
      'OutOfMemory',
    )
  const isTrinos =
    error instanceof TrinoError && error.type === 'USER_ERROR' && !['CANCELLED', 'TIMED_OUT'].includes(error.code)
  return isTrinos || SAME_AGAIN.test(error.message) ? failure(`${model}: ${error.message}`, 'ModelFailed') : error
}

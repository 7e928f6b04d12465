/**
 * Replay of a job over a range, in three activities: the run into a schema of its own, and the two ways to decide on it.
 *
 * Invariants: live rows change in one transaction only, which also says that they did; a replay is promoted at most once, and never after it was discarded. Each is safe to repeat.
 */
import { Context } from '@temporalio/activity'
import { ApplicationFailure } from '@temporalio/common'
import type { ComparedTable } from '../../db/postgres/batch-schema.ts'
import { discardedReplay, promoteShadow, type Replaced, readyReplay } from '../../db/postgres/queries/replays.ts'
import { postgresSpan } from '../../db/spans.ts'
import {
  createShadow,
  differences,
  dropShadow,
  jobsFor,
  type RowDifference,
  type RuleChange,
  runShadow,
  settledAfterMs,
  shadowName,
  sweepShadows,
  TABLE_RANGES,
  tablesOf,
} from '../../streams/shadow/index.ts'
import { finalRange } from '../reconciliation/final-range.ts'
import type { ActivityDeps } from './deps.ts'
import { withHeartbeat } from './heartbeat.ts'

export interface ReplayRequest {
  job: string
  fromMs: number
  toMs: number
  rule: RuleChange | null
  /** Of the decision. */
  waitMs: number
}

export interface ReplayDiff {
  /** By table. */
  compared: Record<string, ComparedTable>
  /** The first rows that differ, by table. */
  rows: Record<string, RowDifference[]>
  records: number
  /** Partitions whose last rows are not final, as `<topic>-<partition>`: they stay as they are. */
  open: string[]
}

export type ReplayActivities = ReturnType<typeof replayActivities>

const SAMPLES = 20
const DAY_MS = 86_400_000

export const replayActivities = ({ database, databaseUrl, lake, engine, clock, settings }: ActivityDeps) => ({
  replayIntoShadow: ({ job, fromMs, toMs, rule, waitMs }: ReplayRequest): Promise<ReplayDiff> =>
    withHeartbeat(clock, async (signal, report) => {
      const { attempt, workflowExecution } = Context.current().info
      const { workflowId, runId } = workflowExecution!
      const name = shadowName(runId, attempt)
      const nowMs = clock.now()
      try {
        const choice = jobsFor(job, rule ?? undefined)
        const tables = tablesOf(choice.jobs)
        const topics = new Set(tables.flatMap((table) => TABLE_RANGES[table].topics))
        await sweepShadows(database.sql, { nowMs, attemptsOf: name })
        const final = await finalRange(
          { sql: database.sql, lake, engine },
          { toMs, afterMs: settledAfterMs(choice.jobs), topics, signal },
        )
        const shadow = await createShadow(database, databaseUrl, { name, nowMs, keepMs: waitMs + 2 * DAY_MS })
        try {
          const sort = { memoryMb: settings.memoryMb, threads: settings.threads, parent: settings.temporaryDir }
          const partitions = await runShadow(
            { lake, engine, shadow, sort },
            { ...choice, fromMs, toMs, until: final.until, signal, onProgress: report },
          )
          const diff: ReplayDiff = {
            compared: {},
            rows: {},
            records: partitions.reduce((sum, run) => sum + run.records, 0),
            open: final.open,
          }
          for (const table of tables) {
            const { rows, missing, extra, changed, samples } = await differences(database.sql, name, table, {
              fromMs,
              toMs,
              partitions,
              samples: SAMPLES,
            })
            diff.compared[table] = { rows, missing, extra, changed }
            diff.rows[table] = samples
          }
          await readyReplay(
            database.sql,
            {
              id: runId,
              job,
              from_at: fromMs,
              to_at: toMs,
              rule: rule && { ...rule },
              schema_name: name,
              compared: diff.compared,
              workflow_id: workflowId,
              created_at: nowMs,
            },
            partitions.filter(({ passed }) => passed),
          )
          return diff
        } finally {
          await shadow.close()
        }
      } catch (error) {
        await dropShadow(database.sql, name)
        throw error
      }
    }),

  /** Its rows take the place of the live ones. @returns how many, by table; the same whenever it is asked again */
  async promoteReplay(): Promise<Replaced> {
    const { runId } = Context.current().info.workflowExecution!
    const tables = (job: string) =>
      tablesOf(jobsFor(job).jobs).map((table) => ({
        table,
        column: TABLE_RANGES[table].column,
        topics: TABLE_RANGES[table].topics,
      }))
    const replaced = await postgresSpan('write', 'promote replay', () =>
      promoteShadow(database.sql, { id: runId, nowMs: clock.now(), tables }),
    )
    if (replaced === null)
      throw ApplicationFailure.nonRetryable(
        'There is nothing to promote: the replay was discarded, or its rows were removed. Run it again.',
        'NothingToPromote',
      )
    return replaced
  },

  async discardReplay(): Promise<void> {
    const { runId } = Context.current().info.workflowExecution!
    const nowMs = clock.now()
    await discardedReplay(database.sql, { id: runId, nowMs })
    await sweepShadows(database.sql, { nowMs, attemptsOf: shadowName(runId, 0) })
  },
})

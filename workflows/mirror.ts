/**
 * Copies what Temporal knows of the queue's runs and schedules into PostgreSQL, every few seconds: so the edge needs no Temporal, and history outlives Temporal's retention. Part of every
 * worker; they take turns.
 *
 * Invariants: a look that fails leaves what is there and is made good by the next; no run is missed that was closed while nobody looked; how much is read at once, and kept, is bounded.
 */
import {
  ServiceError,
  type WorkflowExecutionInfo,
  WorkflowFailedError,
  WorkflowNotFoundError,
} from '@temporalio/client'
import type { Database } from '../db/postgres/connect.ts'
import {
  closedAmong,
  endTurn,
  leaveMirror,
  type MirrorPlace,
  openRuns,
  type PipelineRun,
  storeRuns,
  storeSchedules,
  takeTurn,
  trimRuns,
} from '../db/postgres/pipeline-store.ts'
import type { Logger } from '../observability/log.ts'
import type { Clock } from '../streams/time/clock.ts'
import type { TemporalClient } from './client.ts'
import { markedQueue } from './ensure-schedules.ts'
import { DAY_MS } from './input.ts'
import { keepLooking } from './keep-looking.ts'
import { failureSentence, runOf, scheduleOf } from './run-of.ts'

export interface MirrorOptions {
  client: TemporalClient
  database: Pick<Database, 'sql'>
  place: MirrorPlace
  clock: Clock
  logger: Logger
  /** Done before the first look, and again before each next one until it succeeds. */
  prepare?: () => Promise<unknown>
  intervalMs?: number
}

export interface Mirror {
  /**
   * Resolves when nothing of it runs any more.
   * @param leaves whether its worker stops because it was asked to: where no worker is wanted, none is missed
   */
  stop(how: { leaves: boolean }): Promise<void>
}

const PAGE = 100
/** Read in one look, newest first; older ones than that would hardly be kept. */
const CLOSED_MAX = 20_000
const OPEN_MAX = 2_000
const SCHEDULES_MAX = 200
/** Asked for one by one in a look. */
const GONE_MAX = 100
/** Temporal's lists are a moment behind, and its clock may be another than ours. */
const OVERLAP_MS = 5 * 60_000
const KEPT = { keptMs: 90 * DAY_MS, keptRuns: 10_000 }
const TRIM_EVERY_MS = 3_600_000
const LOOK_MAX_MS = 120_000
/** Ended badly, or by somebody: there is a sentence to be told. */
const TOLD = new Set<PipelineRun['status']>(['failed', 'timed_out', 'terminated'])

export function startMirror(options: MirrorOptions): Mirror {
  const { client, database, place, clock, logger, prepare = async () => {}, intervalMs = 3_000 } = options
  const { sql } = database
  const { taskQueue } = place
  const queueOf = queuesOfSchedules(client)
  let isPrepared = false
  let trimmedMs = Number.NEGATIVE_INFINITY

  async function look(): Promise<void> {
    // What keeps schedules from being declared is told, and keeps nothing from being copied.
    let unprepared: unknown = null
    if (!isPrepared) {
      try {
        await prepare()
        isPrepared = true
      } catch (error) {
        unprepared = error
      }
    }
    await copy()
    if (unprepared) throw unprepared
  }

  async function copy(): Promise<void> {
    // A little early, so that a lone worker never misses its own turn.
    const turn = await takeTurn(sql, place, intervalMs * 0.8)
    if (!turn) return
    const startedMs = clock.now()
    const open = await copyOpen()
    await copyClosed((turn.closedTo ?? startedMs - KEPT.keptMs) - OVERLAP_MS)
    await askForGone(open)
    await copySchedules()
    await endTurn(sql, taskQueue, startedMs)
    if (startedMs - trimmedMs > TRIM_EVERY_MS) {
      await trimRuns(sql, taskQueue, KEPT)
      trimmedMs = startedMs
    }
  }

  const queue = `TaskQueue = '${taskQueue.replaceAll("'", "''")}'`
  const list = (query: string, max: number) =>
    pagesOf(client.workflow.list({ query: `${queue} AND ${query}`, pageSize: PAGE }), max)

  /** @returns ids of the runs that Temporal lists as running */
  async function copyOpen(): Promise<Set<string>> {
    const open = new Set<string>()
    for await (const page of list('CloseTime IS NULL', OPEN_MAX)) {
      await storeRuns(
        sql,
        page.map((info) => runOf(info)),
      )
      for (const { runId } of page) open.add(runId)
    }
    return open
  }

  async function copyClosed(sinceMs: number): Promise<void> {
    for await (const page of list(`CloseTime >= '${new Date(sinceMs).toISOString()}'`, CLOSED_MAX)) {
      const ids = page.map(({ runId }) => runId)
      const known = await closedAmong(sql, ids)
      const fresh = page.filter(({ runId }) => !known.has(runId))
      await storeRuns(sql, await Promise.all(fresh.map(told)))
    }
  }

  /** Runs that are stored as running and listed neither so nor as closed: the lists may be behind, and Temporal may have forgotten them, or be another one than before. */
  async function askForGone(open: ReadonlySet<string>): Promise<void> {
    const gone = (await openRuns(sql, taskQueue)).filter(({ run_id }) => !open.has(run_id)).slice(0, GONE_MAX)
    await storeRuns(sql, await Promise.all(gone.map(asked)))
  }

  async function asked(run: PipelineRun): Promise<PipelineRun> {
    try {
      return await told(await client.workflow.getHandle(run.workflow_id, run.run_id).describe())
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error
      return { ...run, status: 'lost', closed_at: clock.now(), failure: 'Temporal no longer knows this run.' }
    }
  }

  /** With why it failed, where it did. */
  async function told(info: Parameters<typeof runOf>[0]): Promise<PipelineRun> {
    const run = runOf(info)
    if (!TOLD.has(run.status)) return run
    try {
      await client.workflow.getHandle(run.workflow_id, run.run_id, { followRuns: false }).result()
      return run
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return run
      if (!(error instanceof WorkflowFailedError)) throw error
      return { ...run, failure: failureSentence(error) }
    }
  }

  async function copySchedules(): Promise<void> {
    const schedules: ReturnType<typeof scheduleOf>[] = []
    for await (const schedule of client.schedule.list({ pageSize: PAGE })) {
      if ((await queueOf(schedule)) === taskQueue) schedules.push(scheduleOf(schedule))
      if (schedules.length === SCHEDULES_MAX) break
    }
    await storeSchedules(sql, taskQueue, schedules)
  }

  const looking = keepLooking(
    (signal) => client.withDeadline(clock.now() + LOOK_MAX_MS, () => client.withAbortSignal(signal, look)),
    {
      part: 'mirror',
      failing: 'Runs and schedules can not be copied from Temporal to PostgreSQL at the moment; it goes on trying',
      again: 'Runs and schedules are copied from Temporal again',
      ...{ intervalMs, clock, logger },
    },
  )
  return {
    async stop({ leaves }) {
      await looking.stop()
      // Where it can't be told, it is missed.
      if (leaves) await leaveMirror(sql, taskQueue).catch(() => {})
    },
  }
}

/** In arrays, so that rows are written together; ends behind `max` of them. */
async function* pagesOf(infos: AsyncIterable<WorkflowExecutionInfo>, max: number) {
  let page: WorkflowExecutionInfo[] = []
  let read = 0
  for await (const info of infos) {
    page.push(info)
    read++
    if (page.length === PAGE) {
      yield page
      page = []
    }
    if (read === max) break
  }
  if (page.length > 0) yield page
}

/** Which task queue a schedule is for. The list tells that of our own alone; another's is asked for once. */
function queuesOfSchedules(client: TemporalClient) {
  const known = new Map<string, string | null>()
  return async (schedule: { scheduleId: string; memo?: Record<string, unknown> }): Promise<string | null> => {
    const marked = markedQueue(schedule)
    if (marked !== null) return marked
    const id = schedule.scheduleId
    const queue = known.get(id)
    if (queue !== undefined) return queue
    const found = await client.schedule
      .getHandle(id)
      .describe()
      .then(
        ({ action }) => action.taskQueue,
        (error: unknown) => {
          if (error instanceof ServiceError) throw error
          // It is gone meanwhile, or of another kind: none of ours.
          return null
        },
      )
    known.set(id, found)
    return found
  }
}

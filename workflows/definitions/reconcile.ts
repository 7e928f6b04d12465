/**
 * `reconcile`: live results of a range against the lake, row by row and to the minor unit. What nothing explains fails the workflow, in a sentence; all that was found is in PostgreSQL by then.
 */
import {
  ActivityFailure,
  ApplicationFailure,
  defineQuery,
  proxyActivities,
  setHandler,
  sleep,
  upsertMemo,
} from '@temporalio/workflow'
import { z } from 'zod'
import type { ReconcileSummary, ReconciliationActivities } from '../activities/reconciliation.ts'
import { badInput, DAY_MS, day, instant, parseInput, toDay } from '../input.ts'
import { LONG } from '../policy.ts'
import { yesterday } from './moment.ts'

const { reconcileRange } = proxyActivities<ReconciliationActivities>(LONG)

const HOUR_MS = 3_600_000
export const UNEXPLAINED = 'Unexplained'
/** The type of the activity's failure. */
const NOT_FINAL = 'NotFinal'

const reconcileInput = z.strictObject({
  /** UTC. Default: the day before the one that the run was scheduled for. */
  date: day.optional(),
  /** Or whole hours; the end is exclusive. */
  from: instant.optional(),
  to: instant.optional(),
  /**
   * Results are final when the log has gone on for an hour behind them; by night that may take longer. Tried again for so long. Default: 20, so that a night's run is over before the next; of a range
   * that was named: 0.
   */
  wait_hours: z.number().min(0).max(168).optional(),
})
export type ReconcileInput = z.input<typeof reconcileInput>

export interface ReconcileProgress {
  from: string
  to: string
  state: 'reconciling' | 'waiting' | 'passed' | 'incident'
  /** What is waited for. */
  message: string | null
  result: ReconcileSummary | null
}
export const reconcileProgress = defineQuery<ReconcileProgress>('progress')

export async function reconcile(given?: ReconcileInput): Promise<ReconcileSummary> {
  const { fromMs, toMs, waitHours } = rangeOf(given)
  const progress: ReconcileProgress = {
    from: new Date(fromMs).toISOString(),
    to: new Date(toMs).toISOString(),
    state: 'reconciling',
    message: null,
    result: null,
  }
  setHandler(reconcileProgress, () => progress)
  upsertMemo({ date: toDay(fromMs), from: progress.from, to: progress.to })
  const summary = await whenFinal(waitHours, progress, () => reconcileRange({ fromMs, toMs }))
  progress.state = summary.outcome
  progress.result = summary
  if (summary.outcome === 'incident')
    throw ApplicationFailure.nonRetryable(
      `${summary.message} GET /reconciliation/latest has all of it.`,
      UNEXPLAINED,
      summary,
    )
  return summary
}

const LOOK_AGAIN_MS = 10 * 60_000

/** An hour after midnight nothing may have happened since: then there is nothing to do but wait. */
async function whenFinal<R>(waitHours: number, progress: ReconcileProgress, attempt: () => Promise<R>): Promise<R> {
  for (let left = Math.ceil((waitHours * HOUR_MS) / LOOK_AGAIN_MS); ; left--) {
    try {
      return await attempt()
    } catch (error) {
      const cause = error instanceof ActivityFailure ? error.cause : undefined
      if (!(cause instanceof ApplicationFailure && cause.type === NOT_FINAL)) throw error
      if (left <= 0) throw ApplicationFailure.nonRetryable(cause.message, NOT_FINAL)
      Object.assign(progress, { state: 'waiting', message: cause.message } satisfies Partial<ReconcileProgress>)
      await sleep(LOOK_AGAIN_MS)
      Object.assign(progress, { state: 'reconciling', message: null } satisfies Partial<ReconcileProgress>)
    }
  }
}

function rangeOf(given: ReconcileInput | undefined): { fromMs: number; toMs: number; waitHours: number } {
  const example = { from: '2026-11-20T06:00Z', to: '2026-11-20T12:00Z' }
  const { date, from, to, wait_hours } = parseInput(reconcileInput, given, example)
  if (from === undefined && to === undefined) {
    const fromMs = Date.parse(date ?? yesterday())
    return { fromMs, toMs: fromMs + DAY_MS, waitHours: wait_hours ?? (date === undefined ? 20 : 0) }
  }
  if (from === undefined || to === undefined || date !== undefined)
    throw badInput(`Name a date, or both from and to. An example: ${JSON.stringify(example)}`)
  if (from % HOUR_MS !== 0 || to % HOUR_MS !== 0 || from >= to)
    throw badInput(
      `The range must be whole hours, from before to: some results are of an hour. An example: ${JSON.stringify(example)}`,
    )
  return { fromMs: from, toMs: to, waitHours: wait_hours ?? 0 }
}

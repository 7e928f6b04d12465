/**
 * `reconcile`: live results of a range against the lake, row by row and to the minor unit. What nothing explains fails the workflow, in a sentence; all that was found is in PostgreSQL by then.
 */
import { ApplicationFailure, defineQuery, proxyActivities, setHandler, upsertMemo } from '@temporalio/workflow'
import { z } from 'zod'
import type { ReconcileSummary, ReconciliationActivities } from '../activities/reconciliation.ts'
import { badInput, DAY_MS, day, instant, parseInput, toDay } from '../input.ts'
import { LONG } from '../policy.ts'
import { yesterday } from './moment.ts'

const { reconcileRange } = proxyActivities<ReconciliationActivities>(LONG)

const HOUR_MS = 3_600_000
export const UNEXPLAINED = 'Unexplained'

const reconcileInput = z.strictObject({
  /** UTC. Default: the day before the one that the run was scheduled for. */
  date: day.optional(),
  /** Or whole hours; the end is exclusive. */
  from: instant.optional(),
  to: instant.optional(),
})
export type ReconcileInput = z.input<typeof reconcileInput>

export interface ReconcileProgress {
  from: string
  to: string
  state: 'reconciling' | 'passed' | 'incident'
  result: ReconcileSummary | null
}
export const reconcileProgress = defineQuery<ReconcileProgress>('progress')

export async function reconcile(given?: ReconcileInput): Promise<ReconcileSummary> {
  const { fromMs, toMs } = rangeOf(given)
  const progress: ReconcileProgress = {
    from: new Date(fromMs).toISOString(),
    to: new Date(toMs).toISOString(),
    state: 'reconciling',
    result: null,
  }
  setHandler(reconcileProgress, () => progress)
  upsertMemo({ date: toDay(fromMs), from: progress.from, to: progress.to })
  const summary = await reconcileRange({ fromMs, toMs })
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

function rangeOf(given: ReconcileInput | undefined): { fromMs: number; toMs: number } {
  const example = { from: '2026-11-20T06:00Z', to: '2026-11-20T12:00Z' }
  const { date, from, to } = parseInput(reconcileInput, given, example)
  if (from === undefined && to === undefined) {
    const fromMs = Date.parse(date ?? yesterday())
    return { fromMs, toMs: fromMs + DAY_MS }
  }
  if (from === undefined || to === undefined || date !== undefined)
    throw badInput(`Name a date, or both from and to. An example: ${JSON.stringify(example)}`)
  if (from % HOUR_MS !== 0 || to % HOUR_MS !== 0 || from >= to)
    throw badInput(
      `The range must be whole hours, from before to: some results are of an hour. An example: ${JSON.stringify(example)}`,
    )
  return { fromMs: from, toMs: to }
}

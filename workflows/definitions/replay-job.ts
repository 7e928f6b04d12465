/**
 * `replayJob`: a job run again over a range of the lake, beside the live results, perhaps with a changed fraud rule. The query `diff` says what would change; the signal `promote` puts the rows in the
 * place of the live ones, `discard` (or nobody deciding in time, or a cancellation) lets them go.
 *
 * Invariant: live rows change when promoted, once, and then wholly.
 */
import {
  CancellationScope,
  condition,
  defineQuery,
  defineSignal,
  proxyActivities,
  setHandler,
  upsertMemo,
} from '@temporalio/workflow'
import { z } from 'zod'
import type { ReplayActivities, ReplayDiff } from '../activities/replay.ts'
import { badInput, instant, parseInput, toDay } from '../input.ts'
import { LONG, QUICK } from '../policy.ts'

const { replayIntoShadow } = proxyActivities<ReplayActivities>(LONG)
const { discardReplay } = proxyActivities<ReplayActivities>({ ...QUICK, heartbeatTimeout: undefined })
// As many rows as there are: more than a moment.
const { promoteReplay } = proxyActivities<ReplayActivities>({
  ...QUICK,
  heartbeatTimeout: undefined,
  startToCloseTimeout: '1 hour',
})

const MINUTE_MS = 60_000

const replayInput = z.strictObject({
  job: z.string().min(1).max(100),
  from: instant,
  /** Exclusive. */
  to: instant,
  /** Of the job fraud-detector: what is to be different about a rule. */
  rule: z
    .strictObject({
      id: z.string().min(1).max(200),
      version: z.int().min(1).max(1_000_000).optional(),
      orders: z.int().min(2).max(1_000).optional(),
      above_minor: z.int().min(0).optional(),
      currency: z
        .string()
        .regex(/^[A-Z]{3}$/, 'must be a currency such as TRY')
        .optional(),
      within_seconds: z.int().min(1).max(86_400).optional(),
    })
    .optional(),
  /** Nobody having decided by then, the rows are discarded. */
  decide_within_hours: z
    .number()
    .positive()
    .max(24 * 30)
    .default(24),
})
export type ReplayInput = z.input<typeof replayInput>

export type ReplayState = 'running' | 'ready' | 'promoted' | 'discarded'

export interface ReplayProgress {
  job: string
  from: string
  to: string
  state: ReplayState
  /** What discarded it. */
  reason: string | null
  /** By table, once promoted. */
  replaced: Record<string, { removed: number; written: number }> | null
}
export const replayProgress = defineQuery<ReplayProgress>('progress')
/** Null until it is there. */
export const replayDiff = defineQuery<ReplayDiff | null>('diff')
/** Only what is there to be looked at can be promoted: a signal that comes before is not kept. */
export const promote = defineSignal('promote')
export const discard = defineSignal('discard')

const EXAMPLE = {
  job: 'fraud-detector',
  from: '2026-11-01',
  to: '2026-11-02',
  rule: { id: 'rapid-high-value-orders', orders: 2 },
}

export async function replayJob(given?: ReplayInput): Promise<ReplayProgress> {
  const { job, from, to, rule, decide_within_hours } = parseInput(replayInput, given, EXAMPLE)
  if (from % MINUTE_MS !== 0 || to % MINUTE_MS !== 0 || from >= to)
    throw badInput(`The range must be whole minutes, from before to. An example: ${JSON.stringify(EXAMPLE)}`)
  const progress: ReplayProgress = {
    job,
    from: new Date(from).toISOString(),
    to: new Date(to).toISOString(),
    state: 'running',
    reason: null,
    replaced: null,
  }
  let diff: ReplayDiff | null = null
  let decision: 'promote' | 'discard' | null = null
  setHandler(replayProgress, () => progress)
  setHandler(replayDiff, () => diff)
  setHandler(promote, () => {
    if (progress.state === 'ready') decision ??= 'promote'
  })
  setHandler(discard, () => {
    decision ??= 'discard'
  })
  upsertMemo({ date: toDay(from), job })
  const waitMs = decide_within_hours * 3_600_000
  try {
    diff = await replayIntoShadow({ job, fromMs: from, toMs: to, rule: changeOf(rule), waitMs })
    progress.state = 'ready'
    const isDecided = await condition(() => decision !== null, waitMs)
    if (decision === 'promote') {
      // Either it is done or it is not: a cancellation waits for that.
      progress.replaced = await CancellationScope.nonCancellable(() => promoteReplay())
      progress.state = 'promoted'
      return progress
    }
    progress.reason = isDecided
      ? 'It was discarded.'
      : `Nobody has decided within ${decide_within_hours} ${decide_within_hours === 1 ? 'hour' : 'hours'}.`
    progress.state = 'discarded'
  } finally {
    if (progress.state !== 'promoted') await CancellationScope.nonCancellable(() => discardReplay())
  }
  return progress
}

function changeOf(rule: z.output<typeof replayInput>['rule']) {
  if (rule === undefined) return null
  const { id, version, orders, above_minor, currency, within_seconds } = rule
  return {
    id,
    version,
    orders,
    aboveMinor: above_minor,
    currency,
    withinMs: within_seconds === undefined ? undefined : within_seconds * 1_000,
  }
}

/**
 * `dailyAggregation`: a day of the star schema: staging, dimensions and facts, metrics, with a gate behind each, and then what the API serves of them. Then days whose rows have changed since they were built
 * (events that came late, files that were imported), and days that were never built, are built as well; and what is built goes to the warehouse, where there is one.
 *
 * Invariants: at most one run builds a day at a time, since its id names the day; nothing that a gate has refused is published, and what was published before stays; a day that fails stays open, so
 * that the next run builds it again.
 */
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common'
import {
  ApplicationFailure,
  defineQuery,
  executeChild,
  isCancellation,
  ParentClosePolicy,
  patched,
  proxyActivities,
  setHandler,
  startChild,
  upsertMemo,
  WorkflowIdReusePolicy,
  workflowInfo,
} from '@temporalio/workflow'
import { z } from 'zod'
import type { ModelActivities } from '../activities/models.ts'
import type { WarehouseActivities } from '../activities/warehouse.ts'
import { DAY_MS, day, parseInput, toDay } from '../input.ts'
import { LONG, QUICK, workflowId } from '../policy.ts'
import { scheduledMs, yesterday } from './moment.ts'
import { reason } from './reason.ts'

const { buildModel } = proxyActivities<ModelActivities>(LONG)
const { pinDay, publishDay, noteDay, openDays } = proxyActivities<ModelActivities>(QUICK)
const { hasWarehouse } = proxyActivities<WarehouseActivities>(QUICK)

const NAME = 'dailyAggregation'

/** In the order of their dependencies, each with a gate behind it; all models of db/models/models.ts, which a test compares. */
export const STAGES = [
  {
    stage: 'staging',
    models: [
      'stg_clickstream_repeats',
      'stg_orders_repeats',
      'stg_trips_repeats',
      'stg_clickstream_events',
      'stg_orders',
      'stg_trips',
    ],
  },
  {
    stage: 'facts',
    models: [
      'int_sessions',
      'int_user_days',
      'int_product_days',
      'int_shop_products',
      'dim_users',
      'dim_products',
      'dim_time',
      'fact_events',
      'fact_transactions',
      'fact_trips',
    ],
  },
  {
    stage: 'metrics',
    models: [
      'metrics_daily_kpis',
      'metrics_daily_revenue',
      'metrics_revenue_by_category',
      'metrics_top_regions',
      'metrics_conversion_funnel',
    ],
  },
] as const

/** Of one run; the next one goes on. */
const LATE_DAYS_MAX = 31

const dailyInput = z.strictObject({
  /** UTC. Default: the day before the one that the run was scheduled for. */
  date: day.optional(),
  /** So many days, the last of them `date`. */
  days: z.int().min(1).max(366).default(1),
  /** Whether days that are open are built as well. */
  late: z.boolean().default(true),
})
export type DailyInput = z.input<typeof dailyInput>

export interface DailyProgress {
  date: string
  state: 'building' | 'checking' | 'publishing' | 'later days' | 'done'
  /** What is being built or checked. */
  at: string | null
  /** Rows by model, of those that are built. */
  rows: Record<string, number>
  /** Rows by published table. */
  published: Record<string, number>
  /** Of a run over several days: what has come of the others. */
  days: { date: string; why: string; outcome: 'built' | 'failed' | 'built by another run' }[]
}
export const dailyProgress = defineQuery<DailyProgress>('progress')

export async function dailyAggregation(given?: DailyInput): Promise<DailyProgress> {
  const input = parseInput(dailyInput, given, { date: '2026-11-20' })
  const date = input.date ?? yesterday()
  const progress: DailyProgress = { date, state: 'building', at: null, rows: {}, published: {}, days: [] }
  setHandler(dailyProgress, () => progress)
  upsertMemo({ date })
  if (workflowInfo().workflowId === workflowId(NAME, date)) await buildDay(date, progress)
  else await overDays(input, date, progress)
  return Object.assign(progress, { state: 'done', at: null } as const)
}

async function buildDay(date: string, progress: DailyProgress): Promise<void> {
  const pinned = await pinDay({ day: date })
  for (const { stage, models } of STAGES) {
    for (const model of models) {
      // Runs that began before there was this model go on without it.
      if (model === 'int_shop_products' && !patched('shop products')) continue
      Object.assign(progress, { state: 'building', at: model })
      const { rows } = await buildModel({ model, day: date, pins: pinned.pins })
      progress.rows[model] = rows
    }
    Object.assign(progress, { state: 'checking', at: stage })
    await passGate(date, stage)
  }
  Object.assign(progress, { state: 'publishing', at: null })
  progress.published = await publishDay({ day: date })
  await noteDay(pinned)
}

async function passGate(date: string, stage: string): Promise<void> {
  try {
    await executeChild('validateQuality', {
      workflowId: workflowId('validateQuality', date, stage, workflowInfo().runId),
      args: [{ date, stage }],
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    })
  } catch (error) {
    if (isCancellation(error)) throw error
    throw ApplicationFailure.nonRetryable(
      `${date} stopped at the gate "${stage}"; nothing of it was published. ${reason(error)}`,
      'GateFailed',
    )
  }
}

/** Days are built one after the other, each by a run of its own. */
async function overDays(
  { days, late }: { days: number; late: boolean },
  date: string,
  progress: DailyProgress,
): Promise<void> {
  const asked = Array.from({ length: days }, (_, i) => toDay(Date.parse(date) - (days - 1 - i) * DAY_MS))
  const failures: string[] = []
  for (const each of asked) failures.push(...(await asChild({ day: each, why: 'It was asked for.' }, progress)))
  if (late) {
    progress.state = 'later days'
    const before = toDay(scheduledMs())
    const open = (await openDays({ before })).filter((each) => !asked.includes(each.day))
    for (const each of open.slice(0, LATE_DAYS_MAX)) failures.push(...(await asChild(each, progress)))
  }
  await toWarehouse()
  if (failures.length > 0)
    throw ApplicationFailure.nonRetryable(
      `${failures.length} of ${progress.days.length} days were not built. ${failures.join(' ')}`,
      'DaysFailed',
      progress,
    )
}

/** By a run of its own: a warehouse that is away for hours holds up no day. What is under way in another run goes on beside it. */
async function toWarehouse(): Promise<void> {
  if (!patched('warehouse') || !(await hasWarehouse())) return
  await startChild('publishWarehouse', {
    workflowId: workflowId('publishWarehouse', workflowInfo().runId),
    parentClosePolicy: ParentClosePolicy.ABANDON,
  })
}

/** @returns why it failed, if it did */
async function asChild({ day, why }: { day: string; why: string }, progress: DailyProgress): Promise<string[]> {
  progress.at = day
  const told = (outcome: DailyProgress['days'][number]['outcome']): void => {
    progress.days.push({ date: day, why, outcome })
  }
  try {
    const done = await executeChild(dailyAggregation, {
      workflowId: workflowId(NAME, day),
      args: [{ date: day }],
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
    })
    if (day === progress.date) Object.assign(progress, { rows: done.rows, published: done.published })
    told('built')
    return []
  } catch (error) {
    if (isCancellation(error)) throw error
    if (error instanceof WorkflowExecutionAlreadyStartedError) {
      told('built by another run')
      return []
    }
    told('failed')
    return [reason(error)]
  }
}

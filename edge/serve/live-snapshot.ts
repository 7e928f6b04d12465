/** What the live stream shows each second, whole in itself: the numbers of the hour and of the one before, series, products, alerts, and how the pipelines are. */
import { toMajor } from '../../streams/contract/money.ts'
import { toIso } from '../../streams/contract/time-text.ts'
import type { MetricReader, Pipeline, TimeRange } from '../ports.ts'
import { alertOf } from './alert-view.ts'
import type { Cache } from './cache.ts'
import { lastMomentOf, overviewOf, previousOf } from './overview.ts'
import { ceilTo } from './params.ts'
import { healthOf, watermarkOf } from './pipelines.ts'
import { productOf } from './products.ts'
import { briefOf, workflowsHealth } from './workflows.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

/** [epoch ms, events per second that the log took, events per second that the streams read] */
export type RateSample = [timeMs: number, accepted: number, processed: number]

/**
 * The hour that is shown: the last one by wall clock; where the newest data is older than that (a replayed history), the hour in which it ends.
 */
export function rangeToShow(newestMs: number | null, now: number): TimeRange & { live: boolean } {
  const live = newestMs === null || newestMs > now - HOUR_MS
  const to = ceilTo(live ? now : newestMs + 1, MINUTE_MS)
  return { from: to - HOUR_MS, to, live }
}

export type Snapshot = Awaited<ReturnType<typeof snapshotOf>>

/** @param previousFigures those of the hour before are kept for a minute: nothing but late corrections moves them */
export async function snapshotOf(
  reader: MetricReader,
  currency: string,
  pipelines: readonly Pipeline[],
  samples: readonly RateSample[],
  now: number,
  previousFigures: Cache,
) {
  const { watermarkMs } = watermarkOf(pipelines)
  const { live, ...range } = rangeToShow(watermarkMs, now)
  const before = previousOf(range)
  const [overview, previous, revenue, products, alerts, batch] = await Promise.all([
    reader.overview({ ...range, now: lastMomentOf(range, now) }),
    previousFigures(String(before.from), () => reader.overview({ ...before, now: before.to })),
    reader.revenueTimeseries({ ...range, bucketMs: MINUTE_MS }),
    reader.topProducts({ ...range, by: 'views', limit: 10, currency }),
    reader.fraudAlerts({ limit: 12 }),
    reader.workflows(),
  ])
  return {
    generated_at: toIso(now),
    watermark: watermarkMs === null ? null : toIso(watermarkMs),
    freshness_ms: watermarkMs === null ? null : now - watermarkMs,
    range: { from: toIso(range.from), to: toIso(range.to), live },
    overview: overviewOf(overview),
    /** The same of the hour before. */
    previous: overviewOf(previous),
    rates: samples,
    revenue: revenue.map((p) => ({
      time_ms: p.start,
      currency: p.currency,
      revenue: toMajor(p.revenue_minor, p.currency),
      final: p.final,
    })),
    products: products.items.map(productOf),
    alerts: alerts.items.map((row) => {
      const { evidence, ...alert } = alertOf(row)
      return { ...alert, orders: evidence.length }
    }),
    pipelines: pipelines.map((state) => healthOf(state, now)),
    batch: briefOf(workflowsHealth(batch, now)),
  }
}

/** Revenue of successful orders over time, in the currency with the most of it; what can still change is lighter. */
import type { Chart, Line } from '../charts.ts'
import { axis, money, moneyShort } from '../format.ts'
import type { RangeChoice, Span } from '../ranges.ts'
import { timesOf } from './traffic.ts'

const FINAL: Line = { label: 'final', stroke: '--money', fill: '--money', kind: 'bars' }
const PROVISIONAL: Line = { label: 'provisional', stroke: '--money-soft', fill: '--money-soft', kind: 'bars' }

export interface RevenueAt {
  time: string
  currency: string
  revenue: number
  final: boolean
}

/** The one with the most revenue: amounts of different currencies can't be in one chart. */
export function currencyOf(points: readonly RevenueAt[]): string | null {
  const sums = new Map<string, number>()
  for (const { currency, revenue } of points) sums.set(currency, (sums.get(currency) ?? 0) + revenue)
  return [...sums].sort(([, a], [, b]) => b - a)[0]?.[0] ?? null
}

export function drawRevenue(
  chart: Chart,
  all: readonly RevenueAt[],
  currency: string | null,
  range: RangeChoice,
  span: Span,
): void {
  const points = all.filter((p) => p.currency === currency)
  const sum = points.reduce((total, p) => total + p.revenue, 0)
  if (currency === null || sum === 0) {
    chart.empty(`No order is from ${range.words}.`)
    return
  }
  chart.draw({
    ...timesOf(points, span),
    lines: [FINAL, PROVISIONAL],
    data: [
      points.map((p) => Date.parse(p.time) / 1000),
      points.map((p) => (p.final ? p.revenue : null)),
      points.map((p) => (p.final ? null : p.revenue)),
    ],
    // Half a bar stands before its time.
    from: (Date.parse(points[0]!.time) - range.bucketMs / 2) / 1000,
    tick: axis,
    value: (n) => moneyShort(n, currency),
    label: `Revenue per ${range.per} in ${range.words}: ${money(sum, currency)} in all`,
  })
}

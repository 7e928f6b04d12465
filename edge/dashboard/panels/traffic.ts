/** Events per second: of the last minutes as the log takes and the streams process them, or of a range as its buckets have it. */
import type { EventsPoint } from '../../client/index.ts'
import type { Snapshot } from '../../serve/live.ts'
import type { Chart, Line, Plot } from '../charts.ts'
import { axis, minuteTime, rate } from '../format.ts'
import type { RangeChoice, Span } from '../ranges.ts'

const LIVE_SPAN_S = 300
const ACCEPTED: Line = { label: 'accepted', stroke: '--accent', fill: '--accent-fill', kind: 'line' }
const PROCESSED: Line = { label: 'processed', stroke: '--second', kind: 'dashed' }
const EVENTS: Line = { label: 'events/s', stroke: '--accent', fill: '--accent-fill', kind: 'line' }

const perSecond = { tick: axis, value: (n: number) => `${rate(n)}/s` }

export function drawLiveTraffic(chart: Chart, { rates, generated_at }: Snapshot): void {
  if (rates.length < 2) {
    chart.empty('The rate shows in a few seconds.')
    return
  }
  const to = Date.parse(generated_at) / 1000
  const [, accepted, processed] = rates.at(-1)!
  chart.draw({
    ...perSecond,
    lines: [ACCEPTED, PROCESSED],
    data: [rates.map(([t]) => t / 1000), rates.map(([, a]) => a), rates.map(([, , p]) => p)],
    from: to - LIVE_SPAN_S,
    to,
    at: (seconds) => new Date(seconds * 1000).toISOString().slice(11, 19),
    label: `Events per second over the last five minutes: now ${rate(accepted)} accepted, ${rate(processed)} processed`,
  })
}

export function drawTraffic(chart: Chart, points: readonly EventsPoint[], range: RangeChoice, span: Span): void {
  const sum = points.reduce((all, p) => all + p.events, 0)
  if (sum === 0) {
    chart.empty(`No event is from ${range.words}.`)
    return
  }
  // The last bucket may not be over yet: it is as long as what there is of it.
  const secondsOf = (p: EventsPoint) =>
    Math.min(range.bucketMs, Math.max(60_000, Date.parse(span.to) - Date.parse(p.time))) / 1000
  const values = points.map((p) => p.events / secondsOf(p))
  chart.draw({
    ...perSecond,
    ...timesOf(points, span),
    lines: [EVENTS],
    data: [points.map((p) => Date.parse(p.time) / 1000), values],
    label: `Events per second in ${range.words}: ${rate(sum / (range.spanMs / 1000))} on average, ${rate(Math.max(...values))} in the busiest ${range.per}`,
  })
}

export const timesOf = (points: readonly { time: string }[], span: Span): Pick<Plot, 'from' | 'to' | 'at'> => ({
  from: Math.min(Date.parse(span.from), Date.parse(points[0]?.time ?? span.from)) / 1000,
  to: Date.parse(span.to) / 1000,
  at: (seconds) => minuteTime(new Date(seconds * 1000).toISOString()),
})

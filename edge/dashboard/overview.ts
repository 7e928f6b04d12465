/**
 * The numbers of the chosen range. Those of the last hour come by the live stream, once a second; those of a longer range are asked for, as the server's
 * buckets, and again every minute. What the stream doesn't carry (funnel, regions) is asked for in both.
 *
 * Invariant: all panels show the same range, and say which.
 */
import type { ProductTotals } from '../client/index.ts'
import type { Snapshot } from '../serve/live.ts'
import { type Api, dataOf } from './api.ts'
import { createChart } from './charts.ts'
import { byId, el } from './dom.ts'
import { dateTime, minuteTime } from './format.ts'
import { keepFresh } from './keep-fresh.ts'
import { createPanel } from './panel.ts'
import { showFunnel } from './panels/funnel.ts'
import { showProducts } from './panels/products.ts'
import { showRegions } from './panels/regions.ts'
import { currencyOf, drawRevenue, type RevenueAt } from './panels/revenue.ts'
import { tiles } from './panels/tiles.ts'
import { drawLiveTraffic, drawTraffic } from './panels/traffic.ts'
import { clearPlace, placeOf, setPlace } from './place.ts'
import { LIVE_RANGE, RANGES, type RangeChoice, type Span, spanOf } from './ranges.ts'

const LIVE_EVERY_MS = 10_000
const RANGE_EVERY_MS = 60_000
const RATE_SAMPLES = 10
const TOP = 8

export interface OverviewPanels {
  show(snapshot: Snapshot): void
}

export function createOverview(api: Api): OverviewPanels {
  const panels = {
    glance: createPanel('glance'),
    traffic: createPanel('traffic'),
    revenue: createPanel('revenue'),
    products: createPanel('products'),
    funnel: createPanel('funnel'),
    regions: createPanel('regions'),
  }
  const trafficChart = createChart(panels.traffic, 'Events per second')
  const revenueChart = createChart(panels.revenue, 'Revenue')
  let range: RangeChoice = RANGES.find(({ id }) => id === placeOf('range')) ?? LIVE_RANGE
  let latest: Snapshot | null = null

  const isLive = () => range === LIVE_RANGE
  /** It ends now; where the newest data is older (a replayed history), where that ends. */
  const span = (): Span => spanOf(range, latest && !latest.range.live ? Date.parse(latest.range.to) : Date.now())
  const series = () => {
    const { from, to } = span()
    return { from: alignedFrom(from, range), to, bucket: range.bucket }
  }
  /** By the live stream while that shows the range, else asked for. */
  const streamed = [
    keepFresh({
      panel: panels.glance,
      everyMs: RANGE_EVERY_MS,
      load: (signal) =>
        dataOf(api.GET('/metrics/overview', { params: { query: { ...span(), compare: 'previous' } }, signal })),
      show(now) {
        panels.glance.show(tiles({ range, now, before: now.previous ?? null, eventsPerSecond: null }))
        panels.glance.note(spanNote(now.range))
      },
    }),
    keepFresh({
      panel: panels.traffic,
      everyMs: RANGE_EVERY_MS,
      load: (signal) => dataOf(api.GET('/metrics/events_timeseries', { params: { query: series() }, signal })),
      show(points) {
        drawTraffic(trafficChart, points, range, span())
        panels.traffic.note(`mean of ${range.per}`)
      },
    }),
    keepFresh({
      panel: panels.revenue,
      everyMs: RANGE_EVERY_MS,
      load: (signal) => dataOf(api.GET('/metrics/revenue_timeseries', { params: { query: series() }, signal })),
      show: (points) => showRevenue(points, span()),
    }),
    keepFresh({
      panel: panels.products,
      everyMs: RANGE_EVERY_MS,
      load: (signal) =>
        dataOf(api.GET('/metrics/top_products', { params: { query: { ...span(), by: 'views', limit: TOP } }, signal })),
      show: topProducts,
    }),
  ]
  const asked = [
    keepFresh({
      panel: panels.funnel,
      everyMs: LIVE_EVERY_MS,
      load: (signal) => dataOf(api.GET('/metrics/funnel', { params: { query: span() }, signal })),
      show(stages) {
        showFunnel(panels.funnel, stages, range)
        panels.funnel.note(range.words)
      },
    }),
    keepFresh({
      panel: panels.regions,
      everyMs: LIVE_EVERY_MS,
      load: (signal) => dataOf(api.GET('/metrics/regions', { params: { query: { ...span(), limit: TOP } }, signal })),
      show(found) {
        showRegions(panels.regions, found, range)
        panels.regions.note(range.words)
      },
    }),
  ]

  const spanNote = ({ from, to }: Span) => `${minuteTime(from)} to ${minuteTime(to)} UTC, against ${range.before}`

  function showRevenue(points: readonly RevenueAt[], of: Span): void {
    const currency = currencyOf(points)
    drawRevenue(revenueChart, points, currency, range, of)
    panels.revenue.note(`${currency ?? ''} per ${range.per}`)
  }

  function topProducts(products: readonly ProductTotals[]): void {
    showProducts(panels.products, products, range)
    panels.products.note(range.words)
  }

  function drawLive(snapshot: Snapshot): void {
    const { overview, rates, revenue, products, previous } = snapshot
    const recent = rates.slice(-RATE_SAMPLES).map(([, accepted]) => accepted)
    const eventsPerSecond = recent.length > 0 ? recent.reduce((sum, n) => sum + n, 0) / recent.length : null
    panels.glance.show(tiles({ range, now: overview, before: previous, eventsPerSecond }))
    panels.glance.note(spanNote(snapshot.range))
    drawLiveTraffic(trafficChart, snapshot)
    panels.traffic.note('the last five minutes')
    const points = revenue.map(({ time_ms, ...point }) => ({ ...point, time: new Date(time_ms).toISOString() }))
    showRevenue(points, snapshot.range)
    topProducts(products.slice(0, TOP))
  }

  /** All panels show the range that is chosen now. */
  function follow(): void {
    if (isLive()) {
      for (const each of streamed) each.rest()
      if (latest) drawLive(latest)
    } else for (const each of streamed) each.ask(true)
    for (const each of asked) each.ask(true)
  }

  byId('ranges').append(...RANGES.map((choice) => rangeOption(choice, choice === range)))
  byId('ranges').addEventListener('change', (event) => {
    const chosen = RANGES.find(({ id }) => id === (event.target as HTMLInputElement).value)
    if (!chosen) return
    range = chosen
    if (isLive()) clearPlace('range')
    else setPlace('range', range.id)
    follow()
  })
  for (const panel of Object.values(panels)) panel.loading()

  return {
    show(snapshot) {
      const isFirst = latest === null
      latest = snapshot
      if (isFirst) follow()
      else if (isLive()) drawLive(snapshot)
      showNotice(snapshot)
    },
  }
}

/** Buckets begin at multiples of their length: the first one is whole. */
const alignedFrom = (from: string, { bucketMs }: RangeChoice): string =>
  new Date(Math.ceil(Date.parse(from) / bucketMs) * bucketMs).toISOString()

function rangeOption({ id, label }: RangeChoice, checked: boolean): HTMLElement {
  return el(
    'label',
    {},
    el('input', { type: 'radio', name: 'range', value: id, checked }),
    el('span', {}, label, id === LIVE_RANGE.id && el('small', {}, ' live')),
  )
}

function showNotice({ range, watermark }: Snapshot): void {
  const notice = byId('notice')
  const text =
    watermark === null
      ? 'Nothing has arrived yet. Send an event with the curl line that npm start printed, or run npx streamforge simulate.'
      : range.live
        ? ''
        : `No event is from the last hour: the data ends at ${dateTime(watermark)} UTC, and so do the ranges here.`
  if (notice.textContent === text) return
  notice.hidden = text === ''
  notice.textContent = text
}

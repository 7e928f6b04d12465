/** `GET /metrics/*`: the live results as JSON, and `GET /metrics` for Prometheus. */
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import { METRICS_CONTENT_TYPE, mergeMetricTexts } from '../../observability/metrics.ts'
import { toMajor } from '../../streams/contract/money.ts'
import { REGION_WINDOWS } from '../../streams/contract/results.ts'
import { toIso } from '../../streams/contract/time-text.ts'
import {
  type Clock,
  type CurrencyTotals,
  type EdgeLogger,
  type EventsPoint,
  type MetricReader,
  type MetricSource,
  PRODUCT_ORDERS,
} from '../ports.ts'
import { Problem } from '../problem.ts'
import { enveloped, metaOf, problems } from './envelope.ts'
import { bucket, durationText, idParam, limit, rangeOf, rangeQuery, requireFewPoints } from './params.ts'
import { watermarkOf } from './pipelines.ts'

export interface MetricsDeps {
  reader: MetricReader
  clock: Pick<Clock, 'now'>
  /** This process's own registry first, then those of other threads. */
  sources: readonly MetricSource[]
  logger: EdgeLogger
}

const iso = z.iso.datetime()
const range = z.object({ from: iso, to: iso })
const totals = z
  .object({
    currency: z.string(),
    orders: z.number().int(),
    revenue: z.number().describe('Major units of the currency; refunds are not taken off'),
    refunds: z.number().int(),
    refunded: z.number(),
    net_revenue: z.number(),
  })
  .openapi('CurrencyTotals')
const overview = z
  .object({
    range,
    events: z.number().int(),
    events_per_second: z.number(),
    sessions: z.number().int(),
    active_sessions: z.number().int(),
    converted_sessions: z.number().int(),
    conversion_rate: z.number().nullable().describe('Sessions with a purchase among all; null without sessions'),
    orders: z.number().int(),
    totals: z.array(totals).describe('One entry per currency, the largest revenue first'),
    alerts: z.number().int(),
  })
  .openapi('Overview')
const eventsPoint = z
  .object({
    time: iso.describe('Start of the point'),
    events: z.number().int(),
    by_type: z.record(z.string(), z.number().int()),
    final: z.boolean().describe('Whether the watermark has passed: then it can not change any more'),
  })
  .openapi('EventsPoint')
const revenuePoint = totals
  .extend({ time: iso, category: z.string().nullable().describe('Null: all of them'), final: z.boolean() })
  .openapi('RevenuePoint')
const product = z
  .object({
    product_id: z.string(),
    views: z.number().int(),
    carts: z.number().int(),
    purchases: z.number().int(),
    revenue: z.array(z.object({ currency: z.string(), revenue: z.number() })),
  })
  .openapi('ProductTotals')
const regionPoint = z
  .object({
    time: iso,
    currency: z.string(),
    trips: z.number().int(),
    fare: z.number().describe('Sum, major units'),
    average_fare: z.number(),
    duration: z.number().describe('Sum, seconds'),
    average_duration: z.number(),
    distance: z.number().describe('Sum, kilometres'),
    average_distance: z.number(),
    final: z.boolean(),
  })
  .openapi('RegionPoint')

const tags = ['Metrics']
const route = {
  prometheus: createRoute({
    method: 'get',
    path: '/metrics',
    tags: ['Operation'],
    summary: 'Metrics for Prometheus',
    responses: { 200: { description: 'Text format', content: { 'text/plain': { schema: z.string() } } } },
  }),
  overview: createRoute({
    method: 'get',
    path: '/metrics/overview',
    tags,
    summary: 'The numbers of a range in one answer',
    request: { query: z.object(rangeQuery) },
    responses: {
      200: enveloped(overview, 'Totals of the range, the last hour when none is given'),
      ...problems(400, 401),
    },
  }),
  events: createRoute({
    method: 'get',
    path: '/metrics/events_timeseries',
    tags,
    summary: 'Events over time, by type',
    request: { query: z.object({ ...rangeQuery, bucket }) },
    responses: { 200: enveloped(z.array(eventsPoint), 'Points that have events, oldest first'), ...problems(400, 401) },
  }),
  revenue: createRoute({
    method: 'get',
    path: '/metrics/revenue_timeseries',
    tags,
    summary: 'Revenue of successful orders over time, by currency',
    request: {
      query: z.object({
        ...rangeQuery,
        bucket,
        category: idParam('Only this category').optional(),
        currency: z
          .string()
          .regex(/^[A-Za-z]{3}$/, 'expected a three-letter currency code')
          .transform((s) => s.toUpperCase())
          .openapi({ type: 'string', description: 'Only this currency', example: 'TRY' })
          .optional(),
      }),
    },
    responses: {
      200: enveloped(z.array(revenuePoint), 'Points that have orders, oldest first'),
      ...problems(400, 401),
    },
  }),
  products: createRoute({
    method: 'get',
    path: '/metrics/top_products',
    tags,
    summary: 'The products with the most views, carts, purchases or revenue',
    request: {
      query: z.object({ ...rangeQuery, limit: limit(100, 10), by: z.enum(PRODUCT_ORDERS).default('purchases') }),
    },
    responses: {
      200: enveloped(z.array(product), 'Products, the first is the top one; counted by whole hours'),
      ...problems(400, 401),
    },
  }),
  region: createRoute({
    method: 'get',
    path: '/metrics/region/{region_id}',
    tags,
    summary: 'Trips of a region',
    request: {
      params: z.object({ region_id: idParam('The region, as the trips name it') }),
      query: z.object({ window: z.enum(REGION_WINDOWS).default('1m'), limit: limit(500, 60) }),
    },
    responses: {
      200: enveloped(z.array(regionPoint), 'Windows that have trips, newest first'),
      ...problems(400, 401, 404),
    },
  }),
}

export function addMetricsRoutes(api: OpenAPIHono, { reader, clock, sources, logger }: MetricsDeps): void {
  const meta = async () => metaOf(clock.now(), watermarkOf(await reader.pipelines()))

  api.openapi(route.prometheus, async (c) => {
    const texts = await Promise.allSettled(sources.map((source) => source.text()))
    const known = texts.flatMap((text) => {
      if (text.status === 'fulfilled') return [text.value]
      // A thread that is gone must not take the others' metrics with it.
      logger.warn({ err: text.reason }, 'A metric source did not answer')
      return []
    })
    return c.text(mergeMetricTexts(known), 200, { 'content-type': METRICS_CONTENT_TYPE })
  })

  api.openapi(route.overview, async (c) => {
    const asked = rangeOf(c.req.valid('query'), clock.now())
    const [found, about] = await Promise.all([reader.overview(asked), meta()])
    const data = {
      range: { from: toIso(asked.from), to: toIso(asked.to) },
      events: found.events,
      events_per_second: (found.events * 1000) / (asked.to - asked.from),
      sessions: found.sessions,
      active_sessions: found.active_sessions,
      converted_sessions: found.converted_sessions,
      conversion_rate: found.sessions > 0 ? found.converted_sessions / found.sessions : null,
      orders: found.totals.reduce((sum, t) => sum + t.orders, 0),
      totals: found.totals.map(totalsOf).sort((a, b) => b.revenue - a.revenue),
      alerts: found.alerts,
    }
    return c.json({ data, meta: about }, 200)
  })

  api.openapi(route.events, async (c) => {
    const query = c.req.valid('query')
    const asked = rangeOf(query, clock.now())
    requireFewPoints(asked, query.bucket)
    const [points, about] = await Promise.all([reader.eventsTimeseries(asked, query.bucket), meta()])
    const range = { from: toIso(asked.from), to: toIso(asked.to), bucket: durationText(query.bucket) }
    return c.json({ data: byTime(points), meta: { ...about, ...range } }, 200)
  })

  api.openapi(route.revenue, async (c) => {
    const query = c.req.valid('query')
    const asked = rangeOf(query, clock.now())
    requireFewPoints(asked, query.bucket)
    const filter = { category: query.category, currency: query.currency }
    const [points, about] = await Promise.all([reader.revenueTimeseries(asked, query.bucket, filter), meta()])
    const data = points.map((p) => ({
      time: toIso(p.window_start),
      category: p.category,
      ...totalsOf(p),
      final: p.final,
    }))
    const range = { from: toIso(asked.from), to: toIso(asked.to), bucket: durationText(query.bucket) }
    return c.json({ data, meta: { ...about, ...range } }, 200)
  })

  api.openapi(route.products, async (c) => {
    const query = c.req.valid('query')
    const asked = rangeOf(query, clock.now())
    const [found, about] = await Promise.all([reader.topProducts(asked, query.by, query.limit), meta()])
    const data = found.map((p) => ({
      product_id: p.product_id,
      views: p.views,
      carts: p.carts,
      purchases: p.purchases,
      revenue: p.revenue.map((r) => ({ currency: r.currency, revenue: toMajor(r.revenue_minor, r.currency) })),
    }))
    return c.json({ data, meta: about }, 200)
  })

  api.openapi(route.region, async (c) => {
    const { region_id } = c.req.valid('param')
    const { window, limit } = c.req.valid('query')
    const [points, about] = await Promise.all([reader.region(region_id, window, limit), meta()])
    if (points.length === 0) throw new Problem('not_found', `No trips of region "${region_id}" are known.`)
    const data = points.map((p) => ({
      time: toIso(p.window_start),
      currency: p.currency,
      trips: p.trips,
      fare: toMajor(p.fare_minor, p.currency),
      average_fare: toMajor(p.fare_minor, p.currency) / p.trips,
      duration: p.duration_s,
      average_duration: p.duration_s / p.trips,
      distance: p.distance_m / 1000,
      average_distance: p.distance_m / 1000 / p.trips,
      final: p.final,
    }))
    return c.json({ data, meta: { ...about, window } }, 200)
  })
}

export function totalsOf(t: CurrencyTotals) {
  return {
    currency: t.currency,
    orders: t.orders,
    revenue: toMajor(t.revenue_minor, t.currency),
    refunds: t.refunds,
    refunded: toMajor(t.refunded_minor, t.currency),
    net_revenue: toMajor(t.revenue_minor - t.refunded_minor, t.currency),
  }
}

/** One point per time, with its types side by side. It is final when all of its parts are. */
export function byTime(points: readonly EventsPoint[]) {
  const times = new Map<number, { time: string; events: number; by_type: Record<string, number>; final: boolean }>()
  for (const point of points) {
    let at = times.get(point.window_start)
    if (!at) {
      at = { time: toIso(point.window_start), events: 0, by_type: {}, final: true }
      times.set(point.window_start, at)
    }
    at.events += point.events
    at.by_type[point.event_type] = (at.by_type[point.event_type] ?? 0) + point.events
    at.final &&= point.final
  }
  return [...times.values()]
}

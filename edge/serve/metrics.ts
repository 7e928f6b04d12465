/** `GET /metrics/*`: the live results as JSON, and `GET /metrics` for Prometheus. */
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import { PRODUCT_ORDERS } from '../../db/postgres/queries/products.ts'
import { METRICS_CONTENT_TYPE, mergeMetricTexts } from '../../observability/metrics.ts'
import { FUTURE_MAX_MS } from '../../streams/contract/input.ts'
import { toMajor } from '../../streams/contract/money.ts'
import { REGION_WINDOWS } from '../../streams/contract/results.ts'
import { toIso } from '../../streams/contract/time-text.ts'
import type {
  Clock,
  EdgeLogger,
  MetricReader,
  MetricSource,
  Overview,
  SeriesRange,
  TimeRange,
  TopProduct,
} from '../ports.ts'
import { Problem } from '../problem.ts'
import { enveloped, metaOf, problems } from './envelope.ts'
import {
  bucket,
  ceilTo,
  currency,
  durationText,
  idParam,
  limit,
  openRangeQuery,
  rangeOf,
  rangeQuery,
  seriesOf,
} from './params.ts'
import { watermarkOf } from './pipelines.ts'

export interface MetricsDeps {
  reader: MetricReader
  clock: Pick<Clock, 'now'>
  /** The platform's own currency. */
  currency: string
  /** This process's own registry first, then those of other threads. */
  sources: readonly MetricSource[]
  logger: EdgeLogger
}

const iso = z.iso.datetime()
const range = z.object({ from: iso, to: iso })
const money = z
  .object({
    currency: z.string(),
    revenue: z.number().describe('Of successful orders, major units of the currency; refunds are not taken off'),
    refunded: z.number(),
    net_revenue: z.number(),
  })
  .openapi('Revenue')
const overview = z
  .object({
    range,
    events: z.number().int(),
    events_per_second: z.number().describe('Over the last minute of the range'),
    sessions: z.number().int().describe('Sessions that began in the range'),
    active_sessions: z.number().int().describe('Sessions with an event in the last 30 minutes of the range'),
    converted_sessions: z.number().int(),
    conversion_rate: z.number().nullable().describe('Sessions with a purchase among all; null without sessions'),
    orders: z.number().int().describe('Successful orders'),
    refunds: z.number().int(),
    trips: z.number().int(),
    totals: z.array(money).describe('One entry per currency, the largest revenue first'),
    alerts: z.number().int(),
  })
  .openapi('Overview')
const counts = z.record(z.string(), z.number().int())
const eventsPoint = z
  .object({
    time: iso.describe('Start of the point'),
    events: z.number().int(),
    by_type: counts,
    users_by_type: counts
      .nullable()
      .describe('Distinct users, which cannot be added up: only for points of one minute'),
    final: z.boolean().describe('Whether the watermark has passed: then it can not change any more'),
  })
  .openapi('EventsPoint')
const revenuePoint = money
  .extend({ time: iso, orders: z.number().int(), refunds: z.number().int(), final: z.boolean() })
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
    responses: { 200: enveloped(z.array(eventsPoint), 'A point per bucket, oldest first'), ...problems(400, 401) },
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
        currency: currency.optional().openapi({ type: 'string', description: 'Only this currency', example: 'TRY' }),
      }),
    },
    responses: {
      200: enveloped(z.array(revenuePoint), 'A point per currency and bucket, oldest first'),
      ...problems(400, 401),
    },
  }),
  products: createRoute({
    method: 'get',
    path: '/metrics/top_products',
    tags,
    summary: 'The products with the most views, carts, purchases or revenue',
    request: {
      query: z.object({
        ...rangeQuery,
        limit: limit(100, 10),
        by: z.enum(PRODUCT_ORDERS).default('purchases'),
        currency: currency.optional().openapi({
          type: 'string',
          description: "Whose revenue `by=revenue` compares; the platform's own when missing",
        }),
      }),
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
    summary: 'Trips of a region, all time when no range is given',
    request: {
      params: z.object({ region_id: idParam('The region, as the trips name it') }),
      query: z.object({ window: z.enum(REGION_WINDOWS).default('1m'), limit: limit(500, 60), ...openRangeQuery }),
    },
    responses: {
      200: enveloped(z.array(regionPoint), 'Windows that have trips, newest first'),
      ...problems(400, 401, 404),
    },
  }),
}

export function addMetricsRoutes(
  api: OpenAPIHono,
  { reader, clock, currency: ownCurrency, sources, logger }: MetricsDeps,
): void {
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
    const now = clock.now()
    const asked = rangeOf(c.req.valid('query'), now)
    const [found, about] = await Promise.all([reader.overview({ ...asked, now: lastMomentOf(asked, now) }), meta()])
    const range = { from: toIso(asked.from), to: toIso(asked.to) }
    return c.json({ data: { range, ...overviewOf(found) }, meta: about }, 200)
  })

  api.openapi(route.events, async (c) => {
    const query = c.req.valid('query')
    const asked = seriesOf(query, clock.now())
    const [points, about] = await Promise.all([reader.eventsTimeseries(asked), meta()])
    const data = points.map(({ start, ...point }) => ({ time: toIso(start), ...point }))
    return c.json({ data, meta: { ...about, ...described(asked) } }, 200)
  })

  api.openapi(route.revenue, async (c) => {
    const query = c.req.valid('query')
    const asked = seriesOf(query, clock.now())
    const { category, currency } = query
    const [points, about] = await Promise.all([reader.revenueTimeseries({ ...asked, category, currency }), meta()])
    const data = points.map((p) => ({
      time: toIso(p.start),
      ...moneyOf(p.currency, p.revenue_minor, p.refunded_minor),
      orders: p.orders,
      refunds: p.refunds,
      final: p.final,
    }))
    return c.json({ data, meta: { ...about, ...described(asked), category: category ?? null } }, 200)
  })

  api.openapi(route.products, async (c) => {
    const query = c.req.valid('query')
    const asked = rangeOf(query, clock.now())
    const { by, limit, currency = ownCurrency } = query
    const [found, about] = await Promise.all([reader.topProducts({ ...asked, by, limit, currency }), meta()])
    const range = { from: toIso(asked.from), to: toIso(asked.to), by }
    return c.json({ data: found.map(productOf), meta: { ...about, ...range } }, 200)
  })

  api.openapi(route.region, async (c) => {
    const { region_id: regionId } = c.req.valid('param')
    const { window, limit, from = 0, to = clock.now() + FUTURE_MAX_MS } = c.req.valid('query')
    const asked = rangeOf({ from, to }, clock.now())
    const [points, about] = await Promise.all([reader.region({ ...asked, regionId, window, limit }), meta()])
    if (points.length === 0) throw new Problem('not_found', `No trips of region "${regionId}" are known in that time.`)
    const data = points.map((p) => ({
      time: toIso(p.window_start),
      currency: p.currency,
      trips: p.trips,
      fare: toMajor(p.fare_minor, p.currency),
      average_fare: toMajor(p.fare_minor_average, p.currency),
      duration: p.duration_s,
      average_duration: p.duration_s_average,
      distance: p.distance_m / 1000,
      average_distance: p.distance_m_average / 1000,
      final: p.final,
    }))
    return c.json({ data, meta: { ...about, region_id: regionId, window } }, 200)
  })
}

/** What "now" is for a range: its end, when that is past. */
export const lastMomentOf = (range: TimeRange, now: number): number => Math.min(range.to, ceilTo(now, 1000))

function described({ from, to, bucketMs }: SeriesRange) {
  return { from: toIso(from), to: toIso(to), bucket: durationText(bucketMs) }
}

export function moneyOf(currency: string, revenueMinor: number, refundedMinor: number) {
  return {
    currency,
    revenue: toMajor(revenueMinor, currency),
    refunded: toMajor(refundedMinor, currency),
    net_revenue: toMajor(revenueMinor - refundedMinor, currency),
  }
}

export function overviewOf(found: Overview) {
  const currencies = new Set([...Object.keys(found.revenue_minor), ...Object.keys(found.refunded_minor)])
  return {
    events: found.events,
    events_per_second: Math.round(found.events_per_second * 100) / 100,
    sessions: found.sessions,
    active_sessions: found.active_sessions,
    converted_sessions: found.converted_sessions,
    conversion_rate: found.conversion,
    orders: found.orders,
    refunds: found.refunds,
    trips: found.trips,
    totals: [...currencies]
      .map((code) => moneyOf(code, found.revenue_minor[code] ?? 0, found.refunded_minor[code] ?? 0))
      .sort((a, b) => b.revenue - a.revenue),
    alerts: found.alerts,
  }
}

export function productOf({ revenue_minor, ...product }: TopProduct) {
  const revenue = Object.entries(revenue_minor).map(([currency, minor]) => ({
    currency,
    revenue: toMajor(minor, currency),
  }))
  return { ...product, revenue }
}

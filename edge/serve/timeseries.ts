/** `GET /metrics/events_timeseries` and `/metrics/revenue_timeseries`: the live results over time, summed into buckets of any size. */
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import { toIso } from '../../streams/contract/time-text.ts'
import type { Clock, MetricReader, SeriesRange } from '../ports.ts'
import { enveloped, metaOf, problems, rangeMeta } from './envelope.ts'
import { revenueOf, revenueSchema } from './money.ts'
import { bucket, currency, durationText, idParam, query, rangeQuery, seriesOf } from './params.ts'
import { watermarkOf } from './pipelines.ts'

export interface TimeseriesDeps {
  reader: Pick<MetricReader, 'eventsTimeseries' | 'revenueTimeseries' | 'pipelines'>
  clock: Pick<Clock, 'now'>
}

const iso = z.iso.datetime()
const seriesMeta = { ...rangeMeta, bucket: z.string().describe('Width of a point') }
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
const revenuePoint = revenueSchema
  .extend({ time: iso, orders: z.number().int(), refunds: z.number().int(), final: z.boolean() })
  .openapi('RevenuePoint')
const tags = ['Metrics']
const route = {
  events: createRoute({
    method: 'get',
    path: '/metrics/events_timeseries',
    tags,
    summary: 'Events over time, by type',
    request: { query: query({ ...rangeQuery, bucket }) },
    responses: {
      200: enveloped(z.array(eventsPoint), 'A point per bucket, oldest first', seriesMeta),
      ...problems(400),
    },
  }),
  revenue: createRoute({
    method: 'get',
    path: '/metrics/revenue_timeseries',
    tags,
    summary: 'Revenue of successful orders over time, by currency',
    request: {
      query: query({
        ...rangeQuery,
        bucket,
        category: idParam('Only this category').optional(),
        currency: currency.optional().openapi({ type: 'string', description: 'Only this currency', example: 'TRY' }),
      }),
    },
    responses: {
      200: enveloped(z.array(revenuePoint), 'A point per currency and bucket, oldest first', {
        ...seriesMeta,
        category: z.string().nullable(),
      }),
      ...problems(400),
    },
  }),
}

export function addTimeseriesRoutes(api: OpenAPIHono, { reader, clock }: TimeseriesDeps): void {
  const meta = async () => metaOf(clock.now(), watermarkOf(await reader.pipelines()))

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
      ...revenueOf(p.currency, p.revenue_minor, p.refunded_minor),
      orders: p.orders,
      refunds: p.refunds,
      final: p.final,
    }))
    return c.json({ data, meta: { ...about, ...described(asked), category: category ?? null } }, 200)
  })
}

function described({ from, to, bucketMs }: SeriesRange) {
  return { from: toIso(from), to: toIso(to), bucket: durationText(bucketMs) }
}

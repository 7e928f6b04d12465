/** `GET /metrics/overview`: the numbers of a range in one answer, and how they changed against the range of the same length before. */
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import { toIso } from '../../streams/contract/time-text.ts'
import type { Clock, MetricReader, Overview, TimeRange } from '../ports.ts'
import { enveloped, metaOf, problems } from './envelope.ts'
import { revenueOf, revenueSchema } from './money.ts'
import { ceilTo, query, rangeOf, rangeQuery } from './params.ts'
import { watermarkOf } from './pipelines.ts'

export interface OverviewDeps {
  reader: Pick<MetricReader, 'overview' | 'pipelines'>
  clock: Pick<Clock, 'now'>
}

const iso = z.iso.datetime()
const figures = z
  .object({
    range: z.object({ from: iso, to: iso }),
    events: z.number().int(),
    events_per_second: z.number().describe('Over the last minute of the range'),
    sessions: z.number().int().describe('Sessions that began in the range'),
    active_sessions: z.number().int().describe('Sessions with an event in the last 30 minutes of the range'),
    converted_sessions: z.number().int(),
    conversion_rate: z.number().nullable().describe('Sessions with a purchase among all; null without sessions'),
    orders: z.number().int().describe('Successful orders'),
    refunds: z.number().int(),
    trips: z.number().int(),
    totals: z.array(revenueSchema).describe('One entry per currency, the largest revenue first'),
    alerts: z.number().int(),
  })
  .openapi('OverviewFigures')
const fraction = z
  .number()
  .nullable()
  .describe('0.25 is a quarter more than before; null where there was nothing before')
const change = z
  .object({
    events: fraction,
    events_per_second: fraction,
    sessions: fraction,
    active_sessions: fraction,
    converted_sessions: fraction,
    conversion_rate: fraction,
    orders: fraction,
    refunds: fraction,
    trips: fraction,
    alerts: fraction,
    totals: z.array(z.object({ currency: z.string(), revenue: fraction, refunded: fraction, net_revenue: fraction })),
  })
  .openapi('OverviewChange')
const overview = figures
  .extend({
    previous: figures.optional().describe('The same of the range before, where `compare=previous` asked for it'),
    change: change.optional().describe('From `previous` to this range, as fractions of what was before'),
  })
  .openapi('Overview')

const route = createRoute({
  method: 'get',
  path: '/metrics/overview',
  tags: ['Metrics'],
  summary: 'The numbers of a range in one answer',
  request: {
    query: query({
      ...rangeQuery,
      compare: z.enum(['previous']).optional().openapi({
        description: 'previous: with the figures of the range of the same length that ends where this one begins',
      }),
    }),
  },
  responses: {
    200: enveloped(overview, 'Totals of the range, the last hour when none is given'),
    ...problems(400),
  },
})

export function addOverviewRoute(api: OpenAPIHono, { reader, clock }: OverviewDeps): void {
  const figuresOf = async (range: TimeRange, now: number) => ({
    range: { from: toIso(range.from), to: toIso(range.to) },
    ...overviewOf(await reader.overview({ ...range, now })),
  })

  api.openapi(route, async (c) => {
    const query = c.req.valid('query')
    const now = clock.now()
    const range = rangeOf(query, now)
    const before = previousOf(range)
    const [current, previous, pipelines] = await Promise.all([
      figuresOf(range, lastMomentOf(range, now)),
      query.compare && figuresOf(before, lastMomentOf(before, now)),
      reader.pipelines(),
    ])
    const data = previous ? { ...current, previous, change: changeOf(previous, current) } : current
    return c.json({ data, meta: metaOf(now, watermarkOf(pipelines)) }, 200)
  })
}

/** What "now" is for a range: its end, when that is past. */
export const lastMomentOf = (range: TimeRange, now: number): number => Math.min(range.to, ceilTo(now, 1000))

/** The range of the same length that ends where this one begins. */
export const previousOf = ({ from, to }: TimeRange): TimeRange => ({ from: Math.max(0, from - (to - from)), to: from })

export type OverviewFigures = ReturnType<typeof overviewOf>

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
      .map((code) => revenueOf(code, found.revenue_minor[code] ?? 0, found.refunded_minor[code] ?? 0))
      .sort((a, b) => b.revenue - a.revenue),
    alerts: found.alerts,
  }
}

/** From one range's figures to another's, as fractions; null where there was nothing before. */
export function changeOf(before: OverviewFigures, after: OverviewFigures) {
  const of = (name: Exclude<keyof OverviewFigures, 'totals'>) => fractionOf(before[name], after[name])
  const nothing = { revenue: 0, refunded: 0, net_revenue: 0 }
  return {
    events: of('events'),
    events_per_second: of('events_per_second'),
    sessions: of('sessions'),
    active_sessions: of('active_sessions'),
    converted_sessions: of('converted_sessions'),
    conversion_rate: of('conversion_rate'),
    orders: of('orders'),
    refunds: of('refunds'),
    trips: of('trips'),
    alerts: of('alerts'),
    totals: [...new Set([...after.totals, ...before.totals].map(({ currency }) => currency))].map((currency) => {
      const was = before.totals.find((total) => total.currency === currency) ?? nothing
      const is = after.totals.find((total) => total.currency === currency) ?? nothing
      return {
        currency,
        revenue: fractionOf(was.revenue, is.revenue),
        refunded: fractionOf(was.refunded, is.refunded),
        net_revenue: fractionOf(was.net_revenue, is.net_revenue),
      }
    }),
  }
}

const fractionOf = (before: number | null, after: number | null): number | null =>
  before === null || after === null || before === 0
    ? null
    : Math.round(((after - before) / Math.abs(before)) * 10_000) / 10_000

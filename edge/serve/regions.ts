/** `GET /metrics/regions`: the regions with the most trips; `GET /metrics/region/{region_id}`: the windows of one of them. */
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import { FUTURE_MAX_MS } from '../../streams/contract/input.ts'
import { toMajor } from '../../streams/contract/money.ts'
import { REGION_WINDOWS } from '../../streams/contract/results.ts'
import { toIso } from '../../streams/contract/time-text.ts'
import type { Clock, MetricReader, RegionPoint, TopRegion } from '../ports.ts'
import { Problem } from '../problem.ts'
import { metaOf, paged, problems, rangeMeta } from './envelope.ts'
import { cursor, idParam, limit, openRangeQuery, query, rangeOf, rangeQuery } from './params.ts'
import { watermarkOf } from './pipelines.ts'

export interface RegionsDeps {
  reader: Pick<MetricReader, 'region' | 'topRegions' | 'pipelines'>
  clock: Pick<Clock, 'now'>
}

const windowName = z.enum(REGION_WINDOWS)
const regionPoint = z
  .object({
    time: z.iso.datetime(),
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
const regionTotals = z
  .object({
    region_id: z.string(),
    trips: z.number().int(),
    average_duration: z.number().describe('Seconds'),
    average_distance: z.number().describe('Kilometres'),
    fares: z
      .array(z.object({ currency: z.string(), fare: z.number().describe('Sum, major units') }))
      .describe('One entry per currency, by its code'),
  })
  .openapi('RegionTotals')

const tags = ['Metrics']
const route = {
  top: createRoute({
    method: 'get',
    path: '/metrics/regions',
    tags,
    summary: 'The regions with the most trips',
    request: { query: query({ ...rangeQuery, limit: limit(500, 10), cursor }) },
    responses: { 200: paged(regionTotals, 'Regions, the first has the most trips', rangeMeta), ...problems(400) },
  }),
  one: createRoute({
    method: 'get',
    path: '/metrics/region/{region_id}',
    tags,
    summary: 'Trips of a region, all time when no range is given',
    request: {
      params: z.object({ region_id: idParam('The region, as the trips name it') }),
      query: query({ window: windowName.default('1m'), limit: limit(500, 60), cursor, ...openRangeQuery }),
    },
    responses: {
      200: paged(regionPoint, 'Windows that have trips, newest first', { region_id: z.string(), window: windowName }),
      ...problems(400, 404),
    },
  }),
}

export function addRegionRoutes(api: OpenAPIHono, { reader, clock }: RegionsDeps): void {
  api.openapi(route.top, async (c) => {
    const now = clock.now()
    const { limit, cursor, ...asked } = c.req.valid('query')
    const range = rangeOf(asked, now)
    const [page, pipelines] = await Promise.all([reader.topRegions({ ...range, limit, cursor }), reader.pipelines()])
    const about = { from: toIso(range.from), to: toIso(range.to), next_cursor: page.next }
    return c.json({ data: page.items.map(totalsOf), meta: { ...metaOf(now, watermarkOf(pipelines)), ...about } }, 200)
  })

  api.openapi(route.one, async (c) => {
    const { region_id } = c.req.valid('param')
    const now = clock.now()
    const { window, limit, cursor, from = 0, to = now + FUTURE_MAX_MS } = c.req.valid('query')
    const range = rangeOf({ from, to }, now)
    const [page, pipelines] = await Promise.all([
      reader.region({ ...range, regionId: region_id, window, limit, cursor }),
      reader.pipelines(),
    ])
    if (page.items.length === 0 && cursor === undefined)
      throw new Problem('not_found', `No trips of region "${region_id}" are known in that time.`)
    const about = { region_id, window, next_cursor: page.next }
    return c.json({ data: page.items.map(pointOf), meta: { ...metaOf(now, watermarkOf(pipelines)), ...about } }, 200)
  })
}

const pointOf = (p: RegionPoint) => ({
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
})

const totalsOf = ({ region_id, trips, duration_s, distance_m, fare_minor }: TopRegion) => ({
  region_id,
  trips,
  average_duration: duration_s / trips,
  average_distance: distance_m / trips / 1000,
  fares: Object.entries(fare_minor)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([currency, minor]) => ({ currency, fare: toMajor(minor, currency) })),
})

/** `GET /metrics/daily*`: the published figures of days, as the daily aggregation made them: exact, without duplicates, late events included. */
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import { decodeCursor, encodeCursor } from '../../db/postgres/queries/cursor.ts'
import { toMajor } from '../../streams/contract/money.ts'
import { FUNNEL_STAGES } from '../../streams/contract/results.ts'
import { toIso } from '../../streams/contract/time-text.ts'
import type { Clock, DayRange, MetricReader } from '../ports.ts'
import { Problem } from '../problem.ts'
import { metaOf, paged, problems } from './envelope.ts'
import { cursor, DAY_MS, day, limit, query } from './params.ts'
import { watermarkOf } from './pipelines.ts'

export interface DailyDeps {
  reader: Pick<MetricReader, 'dailyKpis' | 'dailyCategories' | 'dailyRegions' | 'dailyFunnel' | 'pipelines'>
  clock: Pick<Clock, 'now'>
}

const DAYS_MAX = 400
const DAYS_USUAL = 30
/** A page has whole days: as many as are about so many rows. */
const PAGE_ROWS = 2000
const PAGE_DAYS_MAX = 100

const count = z.number().int()
const dayText = z.iso.date()
const earned = {
  currency: z.string(),
  revenue: z.number().describe('Of successful orders, major units of the currency; refunds are not taken off'),
  refunded: z.number(),
  net_revenue: z.number(),
}
const kpis = z
  .object({
    day: dayText,
    events: count,
    page_views: count,
    users: count,
    sessions: count.describe('Visits by the 30-minute rule; one that goes on past midnight is one of each day'),
    converted_sessions: count,
    conversion_rate: z.number().nullable().describe('Sessions with a purchase among all; null without sessions'),
    orders: count.describe('Successful orders'),
    failed_orders: count,
    refunds: count,
    customers: count,
    trips: count,
    totals: z
      .array(z.object({ ...earned, orders: count, refunds: count, average_order: z.number().nullable() }))
      .describe('One entry per currency, the largest revenue first'),
    published_at: z.iso.datetime(),
  })
  .openapi('DailyKpis')
const category = z
  .object({ day: dayText, category: z.string(), ...earned, orders: count, refunds: count })
  .openapi('DailyCategory')
const region = z
  .object({
    day: dayText,
    place: count.describe('1 is the region with the most trips, then the most orders'),
    region: z.string(),
    ...earned,
    orders: count,
    trips: count,
    fare: z.number().describe('Sum, major units'),
    duration: z.number().describe('Sum, seconds'),
    distance: z.number().describe('Sum, kilometres'),
  })
  .openapi('DailyRegion')
const stage = z
  .object({
    day: dayText,
    stage: z.string(),
    sessions: count.describe('Visits that reached this stage or one behind it'),
    users: count,
    rate_of_visits: z.number(),
    rate_of_previous: z
      .number()
      .nullable()
      .describe('Null at the first stage, and where no visit reached the one before'),
  })
  .openapi('DailyFunnelStage')

const days = {
  from: day(`First day, UTC; ${DAYS_USUAL} days in all when missing`).optional(),
  to: day('Last day, UTC, included; the last one that is over when missing').optional(),
}
const daily = <S extends z.ZodType>(
  path: string,
  summary: string,
  data: S,
  description: string,
  extra: z.ZodRawShape = {},
) =>
  createRoute({
    method: 'get',
    path,
    tags: ['Daily metrics'],
    summary,
    request: { query: query({ ...days, cursor, ...extra }) },
    responses: { 200: paged(data, description, { from: dayText, to: dayText }), ...problems(400) },
  })

const route = {
  kpis: daily('/metrics/daily', 'The figures of each day', kpis, 'Days that are published, newest first'),
  categories: daily(
    '/metrics/daily/revenue_by_category',
    'Revenue of each day by category and currency',
    category,
    'Newest day first, then by currency, the category with the most net revenue first',
    { limit: limit(1000, 50) },
  ),
  regions: daily('/metrics/daily/top_regions', 'The regions of each day', region, 'Newest day first, then by place', {
    limit: limit(1000, 10),
  }),
  funnel: daily(
    '/metrics/daily/conversion_funnel',
    'How far the visits of each day went',
    stage,
    'Newest day first, then from visit to purchase',
  ),
}

type Asked = { from?: string | undefined; to?: string | undefined; cursor?: string | undefined }
type Limited = Asked & { limit: number }

export function addDailyRoutes(api: OpenAPIHono, { reader, clock }: DailyDeps): void {
  /** @param perDay about how many rows a day has */
  const answer = async <T>(query: Asked, perDay: number, ask: (range: DayRange) => Promise<T[]>) => {
    const now = clock.now()
    const range = daysOf(query, now)
    const page = pageOf(range, query.cursor, Math.max(1, Math.min(PAGE_DAYS_MAX, Math.floor(PAGE_ROWS / perDay))))
    const [data, pipelines] = await Promise.all([ask(page.days), reader.pipelines()])
    return { data, meta: { ...metaOf(now, watermarkOf(pipelines)), ...range, next_cursor: page.next } }
  }

  api.openapi(route.kpis, async (c) =>
    c.json(
      await answer(c.req.valid('query') as Asked, 1, async (range) =>
        (await reader.dailyKpis(range)).map(({ revenue, published_at, ...figures }) => ({
          ...figures,
          totals: Object.entries(revenue)
            .map(([currency, of]) => ({
              ...earnedOf({ currency, ...of }),
              orders: of.orders,
              refunds: of.refunds,
              average_order: of.average_order_minor === null ? null : toMajor(of.average_order_minor, currency),
            }))
            .sort((a, b) => b.revenue - a.revenue || (a.currency < b.currency ? -1 : 1)),
          published_at: toIso(published_at),
        })),
      ),
      200,
    ),
  )
  api.openapi(route.categories, async (c) => {
    const query = c.req.valid('query') as Limited
    const rows = await answer(query, query.limit, async (range) =>
      (await reader.dailyCategories({ ...range, limit: query.limit })).map((row) => ({
        day: row.day,
        category: row.category,
        ...earnedOf(row),
        orders: row.orders,
        refunds: row.refunds,
      })),
    )
    return c.json(rows, 200)
  })
  api.openapi(route.regions, async (c) => {
    const query = c.req.valid('query') as Limited
    const rows = await answer(query, query.limit, async (range) =>
      (await reader.dailyRegions({ ...range, limit: query.limit })).map((row) => ({
        day: row.day,
        place: row.place,
        region: row.region,
        ...earnedOf(row),
        orders: row.orders,
        trips: row.trips,
        fare: toMajor(row.fare_minor, row.currency),
        duration: row.duration_s,
        distance: row.distance_m / 1000,
      })),
    )
    return c.json(rows, 200)
  })
  api.openapi(route.funnel, async (c) =>
    c.json(
      await answer(c.req.valid('query') as Asked, FUNNEL_STAGES.length, async (range) =>
        (await reader.dailyFunnel(range)).map(({ position: _, ...row }) => row),
      ),
      200,
    ),
  )
}

const earnedOf = (row: { currency: string; gross_minor: number; refunded_minor: number; net_minor: number }) => ({
  currency: row.currency,
  revenue: toMajor(row.gross_minor, row.currency),
  refunded: toMajor(row.refunded_minor, row.currency),
  net_revenue: toMajor(row.net_minor, row.currency),
})

const textOf = (ms: number): string => toIso(ms).slice(0, 10)
const startOf = (day: string): number => Date.parse(`${day}T00:00:00Z`)

/** @throws Problem */
function daysOf(query: Asked, now: number): DayRange {
  const to =
    query.to ?? (query.from !== undefined && query.from > textOf(now - DAY_MS) ? query.from : textOf(now - DAY_MS))
  const from = query.from ?? textOf(startOf(to) - (DAYS_USUAL - 1) * DAY_MS)
  if (from > to) throw new Problem('invalid_parameter', 'from: must not be after to')
  const asked = (startOf(to) - startOf(from)) / DAY_MS + 1
  if (asked > DAYS_MAX)
    throw new Problem('invalid_parameter', `from: that is ${asked} days; ask for ${DAYS_MAX} at most.`)
  return { from, to }
}

/** The days of a page, the newest first; the next one goes on with the day before. @throws Problem */
function pageOf({ from, to }: DayRange, cursor: string | undefined, daysMax: number) {
  const last = cursor === undefined ? startOf(to) : decodeCursor(cursor).at
  if (last % DAY_MS !== 0 || last < startOf(from) || last > startOf(to))
    throw new Problem('invalid_parameter', 'cursor: is of another range. Leave it out to start from the first page.')
  const first = Math.max(startOf(from), last - (daysMax - 1) * DAY_MS)
  const next = first > startOf(from) ? encodeCursor({ at: first - DAY_MS, id: '' }) : null
  return { days: { from: textOf(first), to: textOf(last) }, next }
}

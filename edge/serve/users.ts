/** `GET /features/{user_id}` and `GET /sessions/{user_id}`: what is known of one user, now or at a moment. */
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import { assembleFeatures, type UserFeatures, type Windows } from '../../streams/contract/assemble-features.ts'
import { toMajor } from '../../streams/contract/money.ts'
import { FUNNEL_STAGES, type SessionRow } from '../../streams/contract/results.ts'
import { toIso } from '../../streams/contract/time-text.ts'
import type { Clock, FeatureReader, MetricReader } from '../ports.ts'
import { Problem } from '../problem.ts'
import { enveloped, metaOf, paged, problems } from './envelope.ts'
import { cursor, idParam, limit, query, time } from './params.ts'
import { watermarkOf } from './pipelines.ts'

export interface UsersDeps {
  features: FeatureReader
  reader: Pick<MetricReader, 'userSessions' | 'pipelines'>
  clock: Pick<Clock, 'now'>
}

const iso = z.iso.datetime()
const windows = <S extends z.ZodType>(sum: S) => z.object({ last_5m: sum, last_1h: sum, last_24h: sum })
const features = z
  .object({
    user_id: z.string(),
    as_of: iso,
    events: z
      .object({
        counts: windows(z.number().int()),
        total: z
          .number()
          .int()
          .describe("Since the user's last absence of a week, as everything here that has no window"),
        purchases: z.number().int(),
        first_seen: iso,
        last_seen: iso,
        last_event_type: z.string(),
        last_page: z.string().nullable(),
      })
      .nullable()
      .describe('Null: no clickstream event of this user was seen'),
    orders: z
      .object({
        counts: windows(z.number().int()),
        spend: windows(z.number()).describe('Major units of the currency'),
        currency: z.string().nullable().describe('Null before the first successful order'),
        total: z.number().int().describe("Successful orders since the user's last absence of a week"),
        total_spend: z.number(),
        average_order: z.number().nullable(),
        failed: z.number().int(),
        refunds: z.number().int(),
        last_order_at: iso.nullable().describe('Of successful orders'),
        last_order_id: z.string().nullable(),
      })
      .nullable()
      .describe('Null: no order of this user was seen'),
    last_product: z.string().nullable(),
    cart_items: z.number().int(),
    session: z
      .object({ started_at: iso, last_event_at: iso, events: z.number().int() })
      .nullable()
      .describe('Null: none is open'),
  })
  .openapi('UserFeatures')
const session = z
  .object({
    session_id: z.string(),
    user_id: z.string(),
    started_at: iso,
    ended_at: iso,
    duration_ms: z.number().int(),
    events: z.number().int(),
    page_views: z.number().int(),
    product_views: z.number().int(),
    carts: z.number().int(),
    checkouts: z.number().int(),
    purchases: z.number().int(),
    revenue: z.array(z.object({ currency: z.string(), amount: z.number() })),
    funnel_stage: z.enum(FUNNEL_STAGES),
    entry_page: z.string().nullable(),
    exit_page: z.string().nullable(),
    final: z.boolean(),
  })
  .openapi('Session')

const tags = ['Users']
const params = z.object({ user_id: idParam('user_id, or the anonymous_id of who has none') })
const route = {
  features: createRoute({
    method: 'get',
    path: '/features/{user_id}',
    tags,
    summary: "A user's features, windows summed at a moment",
    request: {
      params,
      query: query({ as_of: time('The moment that windows reach back from; now when missing').optional() }),
    },
    responses: { 200: enveloped(features, 'The features'), ...problems(400, 404) },
  }),
  sessions: createRoute({
    method: 'get',
    path: '/sessions/{user_id}',
    tags,
    summary: "A user's sessions, newest first",
    request: { params, query: query({ limit: limit(100, 20), cursor }) },
    responses: {
      200: paged(session, 'Newest first'),
      ...problems(400, 404),
    },
  }),
}

export function addUserRoutes(api: OpenAPIHono, { features, reader, clock }: UsersDeps): void {
  const unknown = (userId: string) => new Problem('not_found', `Nothing is known of user "${userId}".`)
  const meta = async () => metaOf(clock.now(), watermarkOf(await reader.pipelines()))

  api.openapi(route.features, async (c) => {
    const { user_id } = c.req.valid('param')
    const asOf = c.req.valid('query').as_of ?? clock.now()
    const [stored, about] = await Promise.all([features.read(user_id), meta()])
    if (!stored || (!stored.clicks && !stored.orders)) throw unknown(user_id)
    return c.json({ data: featuresOf(user_id, assembleFeatures(stored, asOf)), meta: about }, 200)
  })

  api.openapi(route.sessions, async (c) => {
    const { user_id } = c.req.valid('param')
    const query = c.req.valid('query')
    const [page, about] = await Promise.all([reader.userSessions(user_id, query), meta()])
    if (page.items.length === 0 && query.cursor === undefined) throw unknown(user_id)
    return c.json({ data: page.items.map(sessionOf), meta: { ...about, next_cursor: page.next } }, 200)
  })
}

function featuresOf(userId: string, { as_of, clicks, orders, last_product, session }: UserFeatures) {
  // Without a currency nothing was bought yet: the sums are zero.
  const amountOf = (minor: number) => (orders?.currency ? toMajor(minor, orders.currency) : 0)
  return {
    user_id: userId,
    as_of: toIso(as_of),
    events: clicks && {
      counts: each(clicks.windows, (w) => w.count),
      total: clicks.total_events,
      purchases: clicks.total_purchases,
      first_seen: toIso(clicks.first_seen),
      last_seen: toIso(clicks.last_seen),
      last_event_type: clicks.last_event_type,
      last_page: clicks.last_page,
    },
    orders: orders && {
      counts: each(orders.windows, (w) => w.count),
      spend: each(orders.windows, (w) => amountOf(w.amount_minor)),
      currency: orders.currency,
      total: orders.total_orders,
      total_spend: amountOf(orders.total_minor),
      average_order: orders.average_minor === null ? null : amountOf(Math.round(orders.average_minor)),
      failed: orders.failed_orders,
      refunds: orders.refunds,
      last_order_at: orders.last_order_at === null ? null : toIso(orders.last_order_at),
      last_order_id: orders.last_order_id,
    },
    last_product,
    cart_items: clicks?.cart_items ?? 0,
    session: session && {
      started_at: toIso(session.started_at),
      last_event_at: toIso(session.last_event_at),
      events: session.events,
    },
  }
}

const each = (windows: Windows, value: (sum: Windows['last_5m']) => number) => ({
  last_5m: value(windows.last_5m),
  last_1h: value(windows.last_1h),
  last_24h: value(windows.last_24h),
})

function sessionOf(row: SessionRow) {
  return {
    session_id: row.session_id,
    user_id: row.user_id,
    started_at: toIso(row.started_at),
    ended_at: toIso(row.ended_at),
    duration_ms: row.ended_at - row.started_at,
    events: row.events,
    page_views: row.page_views,
    product_views: row.product_views,
    carts: row.carts,
    checkouts: row.checkouts,
    purchases: row.purchases,
    revenue: Object.entries(row.revenue_minor).map(([currency, minor]) => ({
      currency,
      amount: toMajor(minor, currency),
    })),
    funnel_stage: row.funnel_stage,
    entry_page: row.entry_page,
    exit_page: row.exit_page,
    final: row.final,
  }
}

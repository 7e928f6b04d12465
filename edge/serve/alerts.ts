/** `/fraud-alerts`: what fired, the evidence that made it fire, and what people make of it. What-ifs are in `explain.ts`. */
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { REVIEW_STATES } from '../../db/postgres/edge-schema.ts'
import { identityOf } from '../auth/guard.ts'
import type { AlertExplainer, AlertReviews, Clock, MetricReader } from '../ports.ts'
import { Problem } from '../problem.ts'
import { smallBody } from '../small-body.ts'
import { alert, alertDetail, alertDetailOf, alertOf } from './alert-view.ts'
import { enveloped, metaOf, paged, problems } from './envelope.ts'
import { cursor, idParam, limit, openRangeQuery, query } from './params.ts'
import { watermarkOf } from './pipelines.ts'

export interface AlertsDeps {
  reader: Pick<MetricReader, 'fraudAlerts' | 'fraudAlert' | 'pipelines'>
  reviews: AlertReviews
  explainer: Pick<AlertExplainer, 'rule' | 'arrivals'>
  /** Where traces are shown, with `{trace_id}` in it; null: nowhere. */
  traceUrl: string | null
  clock: Pick<Clock, 'now'>
  clientAddress: (c: Context) => string
}

const NOTE_MAX = 2_000

const tags = ['Fraud']
const params = z.object({ id: idParam('alert_id') })
const route = {
  list: createRoute({
    method: 'get',
    path: '/fraud-alerts',
    tags,
    summary: 'Fraud alerts, newest first',
    request: {
      query: query({
        user_id: idParam('Only of this user').optional(),
        state: z.enum(['active', 'superseded']).optional(),
        review: z
          .enum(REVIEW_STATES)
          .optional()
          .openapi({ description: 'What people made of it; `open`: nothing yet' }),
        rule_id: idParam('Only of this rule').optional(),
        ...openRangeQuery,
        limit: limit(200, 50),
        cursor,
      }),
    },
    responses: {
      200: paged(alert, 'Newest first'),
      ...problems(400, 401),
    },
  }),
  one: createRoute({
    method: 'get',
    path: '/fraud-alerts/{id}',
    tags,
    summary: 'One alert: why it fired, by which rule, when what happened, and what people made of it',
    request: { params },
    responses: { 200: enveloped(alertDetail, 'The alert'), ...problems(400, 401, 404) },
  }),
  review: createRoute({
    method: 'post',
    path: '/fraud-alerts/{id}/review',
    tags,
    summary: 'Confirm an alert, dismiss it, or open it again',
    description: 'Every review is kept with its note; the last one decides the state.',
    middleware: [smallBody()],
    request: {
      params,
      body: {
        required: true,
        content: {
          'application/json': {
            schema: z
              .strictObject({
                state: z.enum(REVIEW_STATES),
                note: z.string().min(1).max(NOTE_MAX).nullish().describe('Why'),
              })
              .openapi('AlertReview'),
          },
        },
      },
    },
    responses: { 200: enveloped(alertDetail, 'The alert with the review'), ...problems(400, 401, 403, 404, 413, 415) },
  }),
}

export function addAlertRoutes(api: OpenAPIHono, deps: AlertsDeps): void {
  const { reader, reviews, explainer, traceUrl, clock } = deps
  const meta = async () => metaOf(clock.now(), watermarkOf(await reader.pipelines()))

  async function detail(id: string) {
    const [row, about] = await Promise.all([reader.fraudAlert(id), meta()])
    if (!row) throw noSuchAlert(id)
    const [rule, arrivals] = await Promise.all([explainer.rule(row), explainer.arrivals(row)])
    return { data: alertDetailOf(row, { rule, arrivals, traceUrl }), meta: about }
  }

  api.openapi(route.list, async (c) => {
    const { user_id, rule_id, ...filter } = c.req.valid('query')
    if (filter.from !== undefined && filter.to !== undefined && filter.from >= filter.to)
      throw new Problem('invalid_parameter', 'from: must be before to')
    const [page, about] = await Promise.all([
      reader.fraudAlerts({ ...filter, userId: user_id, ruleId: rule_id }),
      meta(),
    ])
    return c.json({ data: page.items.map(alertOf), meta: { ...about, next_cursor: page.next } }, 200)
  })

  api.openapi(route.one, async (c) => c.json(await detail(c.req.valid('param').id), 200))

  api.openapi(route.review, async (c) => {
    const { id } = c.req.valid('param')
    const { state, note } = c.req.valid('json')
    const by = { username: identityOf(c).username, address: deps.clientAddress(c) }
    if (!(await reviews.review({ alertId: id, state, note: note ?? null, by, at: clock.now() }))) throw noSuchAlert(id)
    return c.json(await detail(id), 200)
  })
}

export const noSuchAlert = (id: string): Problem => new Problem('not_found', `There is no alert "${id}".`)

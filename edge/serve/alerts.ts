/** `GET /fraud-alerts` and `GET /fraud-alerts/{id}`: what fired, and the evidence that made it fire. */
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import { ORDER_STATUSES } from '../../streams/contract/events.ts'
import { toMajor } from '../../streams/contract/money.ts'
import type { AlertRow } from '../../streams/contract/results.ts'
import { toIso } from '../../streams/contract/time-text.ts'
import type { Clock, MetricReader } from '../ports.ts'
import { Problem } from '../problem.ts'
import { enveloped, metaOf, problems } from './envelope.ts'
import { cursor, idParam, limit } from './params.ts'
import { watermarkOf } from './pipelines.ts'

export interface AlertsDeps {
  reader: Pick<MetricReader, 'fraudAlerts' | 'fraudAlert' | 'pipelines'>
  clock: Pick<Clock, 'now'>
}

const iso = z.iso.datetime()
const alert = z
  .object({
    alert_id: z.string(),
    rule_id: z.string(),
    rule_version: z.number().int(),
    user_id: z.string(),
    state: z.enum(['active', 'superseded']),
    superseded_by: z.string().nullable(),
    supersedes: z.array(z.string()),
    total: z.number().describe('Of the orders in the match, major units'),
    currency: z.string(),
    first_at: iso,
    last_at: iso,
    triggered_at: iso.describe('Event time of the order whose arrival completed the match'),
    watermark: iso.nullable(),
    trace_id: z.string().nullable(),
    final: z.boolean(),
    evidence: z.array(
      z.object({
        order_id: z.string(),
        event_time: iso,
        amount: z.number(),
        status: z.enum(ORDER_STATUSES),
        topic: z.string(),
        partition: z.number().int(),
        offset: z.number().int().describe('Where the order lies in the log'),
      }),
    ),
  })
  .openapi('FraudAlert')

const tags = ['Fraud']
const route = {
  list: createRoute({
    method: 'get',
    path: '/fraud-alerts',
    tags,
    summary: 'Fraud alerts, newest first',
    request: {
      query: z.object({
        user_id: idParam('Only of this user').optional(),
        state: z.enum(['active', 'superseded']).optional(),
        limit: limit(200, 50),
        cursor,
      }),
    },
    responses: {
      200: enveloped(z.array(alert), 'A page; `meta.next_cursor` is null on the last'),
      ...problems(400, 401),
    },
  }),
  one: createRoute({
    method: 'get',
    path: '/fraud-alerts/{id}',
    tags,
    summary: 'One alert with its evidence: why it fired',
    request: { params: z.object({ id: idParam('alert_id') }) },
    responses: { 200: enveloped(alert, 'The alert'), ...problems(400, 401, 404) },
  }),
}

export function addAlertRoutes(api: OpenAPIHono, { reader, clock }: AlertsDeps): void {
  const meta = async () => metaOf(clock.now(), watermarkOf(await reader.pipelines()))

  api.openapi(route.list, async (c) => {
    const { user_id, ...filter } = c.req.valid('query')
    const [page, about] = await Promise.all([reader.fraudAlerts({ ...filter, userId: user_id }), meta()])
    return c.json({ data: page.items.map(alertOf), meta: { ...about, next_cursor: page.next } }, 200)
  })

  api.openapi(route.one, async (c) => {
    const { id } = c.req.valid('param')
    const [row, about] = await Promise.all([reader.fraudAlert(id), meta()])
    if (!row) throw new Problem('not_found', `There is no alert "${id}".`)
    return c.json({ data: alertOf(row), meta: about }, 200)
  })
}

export function alertOf(row: AlertRow) {
  return {
    alert_id: row.alert_id,
    rule_id: row.rule_id,
    rule_version: row.rule_version,
    user_id: row.user_id,
    state: row.state,
    superseded_by: row.superseded_by,
    supersedes: row.supersedes,
    total: toMajor(row.total_minor, row.currency),
    currency: row.currency,
    first_at: toIso(row.first_at),
    last_at: toIso(row.last_at),
    triggered_at: toIso(row.triggered_at),
    watermark: Number.isFinite(row.watermark) ? toIso(row.watermark) : null,
    trace_id: row.trace_id,
    final: row.final,
    evidence: row.evidence.map((e) => ({
      order_id: e.order_id,
      event_time: toIso(e.event_time),
      amount: toMajor(e.amount_minor, row.currency),
      status: e.status,
      topic: e.topic,
      partition: e.partition,
      offset: e.offset,
    })),
  }
}

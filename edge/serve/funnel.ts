/** `GET /metrics/funnel`: how far sessions go on the way to a purchase, live. Of days that are over `/metrics/daily/conversion_funnel` has the exact figures. */
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import { FUNNEL_STAGES } from '../../streams/contract/results.ts'
import { toIso } from '../../streams/contract/time-text.ts'
import type { Clock, MetricReader } from '../ports.ts'
import { enveloped, metaOf, problems, rangeMeta } from './envelope.ts'
import { query, rangeOf, rangeQuery } from './params.ts'
import { watermarkOf } from './pipelines.ts'

export interface FunnelDeps {
  reader: Pick<MetricReader, 'funnel' | 'pipelines'>
  clock: Pick<Clock, 'now'>
}

const stage = z
  .object({
    stage: z.enum(FUNNEL_STAGES),
    sessions: z.number().int().describe('Sessions that reached this stage or one behind it'),
    rate_of_visits: z.number().nullable().describe('Among all sessions; null without sessions'),
    rate_of_previous: z
      .number()
      .nullable()
      .describe(
        'What was not lost on the way from the stage before; null at the first stage, and where nobody reached the one before',
      ),
  })
  .openapi('FunnelStage')

const route = createRoute({
  method: 'get',
  path: '/metrics/funnel',
  tags: ['Metrics'],
  summary: 'How far the sessions that began in a range went',
  request: { query: query(rangeQuery) },
  responses: {
    200: enveloped(z.array(stage), 'Every stage, from visit to purchase', rangeMeta),
    ...problems(400),
  },
})

export function addFunnelRoute(api: OpenAPIHono, { reader, clock }: FunnelDeps): void {
  api.openapi(route, async (c) => {
    const now = clock.now()
    const range = rangeOf(c.req.valid('query'), now)
    const [stages, pipelines] = await Promise.all([reader.funnel(range), reader.pipelines()])
    const visits = stages[0]?.sessions ?? 0
    const data = stages.map((reached, i) => ({
      ...reached,
      rate_of_visits: shareOf(reached.sessions, visits),
      rate_of_previous: i === 0 ? null : shareOf(reached.sessions, stages[i - 1]!.sessions),
    }))
    const about = { from: toIso(range.from), to: toIso(range.to) }
    return c.json({ data, meta: { ...metaOf(now, watermarkOf(pipelines)), ...about } }, 200)
  })
}

const shareOf = (part: number, whole: number): number | null =>
  whole === 0 ? null : Math.round((part / whole) * 10_000) / 10_000

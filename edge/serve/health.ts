/** `GET /health`: is the process up; `GET /health/pipelines`: is the data flowing. */
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import type { Clock, MetricReader } from '../ports.ts'
import { Problem, retryAfter } from '../problem.ts'
import { enveloped, metaOf, problems } from './envelope.ts'
import { healthOf, PIPELINE_STATUSES, watermarkOf } from './pipelines.ts'

export interface HealthDeps {
  version: string
  reader: Pick<MetricReader, 'pipelines'>
  clock: Pick<Clock, 'now'>
}

const pipeline = z
  .object({
    topic: z.string(),
    partition: z.number().int(),
    status: z.enum(PIPELINE_STATUSES),
    lag: z.number().int().describe('Records not yet read'),
    watermark: z.iso.datetime().nullable(),
    events: z.number().int(),
    late: z.number().int(),
    duplicates: z.number().int(),
    dead_letters: z.number().int(),
    updated_at: z.iso.datetime(),
  })
  .openapi('Pipeline')
const tags = ['Operation']
const route = {
  health: createRoute({
    method: 'get',
    path: '/health',
    tags,
    summary: 'Is the edge up',
    responses: {
      200: enveloped(z.object({ status: z.literal('ok'), version: z.string(), uptime_seconds: z.number() }), 'It is'),
    },
  }),
  pipelines: createRoute({
    method: 'get',
    path: '/health/pipelines',
    tags,
    summary: 'Is the data flowing: each task with its lag and watermark',
    responses: {
      200: enveloped(
        z.object({ status: z.enum(['ok', 'starting']), lag: z.number().int(), pipelines: z.array(pipeline) }),
        'Every task moves, or has nothing to do',
      ),
      ...problems(401, 503),
    },
  }),
}

export function addHealthRoutes(api: OpenAPIHono, { version, reader, clock }: HealthDeps): void {
  const startedAt = clock.now()

  api.openapi(route.health, (c) => {
    const now = clock.now()
    const data = { status: 'ok' as const, version, uptime_seconds: Math.round((now - startedAt) / 1000) }
    return c.json({ data, meta: metaOf(now) }, 200)
  })

  api.openapi(route.pipelines, async (c) => {
    const states = await reader.pipelines()
    const now = clock.now()
    const pipelines = states.map((state) => healthOf(state, now))
    const stuck = pipelines.filter((p) => p.status === 'stuck')
    if (stuck.length > 0) {
      const names = stuck.map((p) => `${p.topic}[${p.partition}]`).join(', ')
      throw new Problem(
        'unavailable',
        `No progress on ${names} although records wait. Look at the log of the streams.`,
        {
          headers: retryAfter(10),
          members: { pipelines },
        },
      )
    }
    const lag = pipelines.reduce((sum, p) => sum + p.lag, 0)
    const status = pipelines.length === 0 ? ('starting' as const) : ('ok' as const)
    return c.json({ data: { status, lag, pipelines }, meta: metaOf(now, watermarkOf(states)) }, 200)
  })
}

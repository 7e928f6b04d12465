/** `GET /health`: is the process up; `GET /health/pipelines`: is the data flowing, and do the batch workflows run. */
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import { PIPELINE_RUN_STATUSES } from '../../db/postgres/batch-schema.ts'
import type { Clock, MetricReader } from '../ports.ts'
import { Problem, retryAfter } from '../problem.ts'
import { enveloped, metaOf, problems } from './envelope.ts'
import { healthOf, PIPELINE_STATUSES, watermarkOf } from './pipelines.ts'
import { WORKFLOW_STATUSES, workflowsHealth } from './workflows.ts'

export interface HealthDeps {
  version: string
  reader: Pick<MetricReader, 'pipelines' | 'workflows'>
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
const time = z.iso.datetime()
const run = z
  .object({
    workflow_id: z.string(),
    run_id: z.string(),
    status: z.enum(PIPELINE_RUN_STATUSES),
    scheduled_at: time.nullable().describe('When its schedule meant it to start'),
    started_at: time,
    closed_at: time.nullable(),
    duration_seconds: z.number(),
    memo: z
      .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
      .describe('What it is about: date, table'),
    failure: z.string().nullable().describe('Why it ended badly'),
    url: z.url().nullable().describe("In Temporal's UI, where that is known"),
  })
  .openapi('WorkflowRun')
const workflow = z
  .object({
    workflow: z.string(),
    status: z.enum(WORKFLOW_STATUSES),
    last_run: run.nullable(),
    last_success: run.nullable(),
    recent_runs: z.array(run).describe('The newest first'),
    next_run_at: time.nullable(),
    paused: z.boolean(),
    lag_seconds: z
      .number()
      .nullable()
      .describe(
        'Since the end of the last day that was done; of a workflow that is not about days, since its last success',
      ),
    schedules: z.array(
      z.object({
        id: z.string(),
        note: z.string(),
        paused: z.boolean(),
        next_run_at: time.nullable(),
        period_seconds: z.number().nullable(),
        url: z.url().nullable(),
      }),
    ),
  })
  .openapi('Workflow')
const mirroredAt = time.nullable().describe('When this was last copied from Temporal; null where no worker has run yet')
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
    summary: 'Is the data flowing: each task with its lag and watermark, each batch workflow with its runs',
    responses: {
      200: enveloped(
        z.object({
          status: z
            .enum(['ok', 'starting', 'degraded'])
            .describe(
              '`degraded`: the streams move, but a scheduled workflow has failed or is overdue, or the workers are silent',
            ),
          problems: z.array(z.string()).describe('Why it is degraded'),
          lag: z.number().int(),
          pipelines: z.array(pipeline),
          workflows: z.array(workflow),
          mirrored_at: mirroredAt,
        }),
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
    const [states, batch] = await Promise.all([reader.pipelines(), reader.workflows()])
    const now = clock.now()
    const { workflows, mirrored_at, problems } = workflowsHealth(batch, now)
    const pipelines = states.map((state) => healthOf(state, now))
    const stuck = pipelines.filter((p) => p.status === 'stuck')
    if (stuck.length > 0) {
      const names = stuck.map((p) => `${p.topic}[${p.partition}]`).join(', ')
      throw new Problem(
        'unavailable',
        `No progress on ${names} although records wait. Look at the log of the streams.`,
        {
          headers: retryAfter(10),
          members: { pipelines, workflows, mirrored_at },
        },
      )
    }
    const lag = pipelines.reduce((sum, p) => sum + p.lag, 0)
    const status = pipelines.length === 0 ? 'starting' : problems.length > 0 ? 'degraded' : 'ok'
    const data = { status, problems, lag, pipelines, workflows, mirrored_at } as const
    return c.json({ data, meta: metaOf(now, watermarkOf(states)) }, 200)
  })
}

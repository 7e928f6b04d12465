/** `GET /quality/latest`: what the checks of a day have found; `GET /quality/history`: how one of them went over time. */
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import { STAGES } from '../../db/models/checks/expectation.ts'
import { toIso } from '../../streams/contract/time-text.ts'
import type { Clock, MetricReader, QualityReport } from '../ports.ts'
import { enveloped, metaOf, paged, problems } from './envelope.ts'
import { cursor, day, idParam, limit, query } from './params.ts'
import { watermarkOf } from './pipelines.ts'

export interface QualityDeps {
  reader: Pick<MetricReader, 'latestQuality' | 'checkHistory' | 'pipelines'>
  clock: Pick<Clock, 'now'>
}

const iso = z.iso.datetime()
const count = z.number().int()
const status = z.enum(['passed', 'failed', 'skipped']).describe('skipped: it could not be asked; `reason` says why')
const observed = z
  .union([z.number(), z.string()])
  .nullable()
  .describe('Rows that fail, a ratio, the newest value; null where there was nothing to observe')
const severity = z.enum(['error', 'warn']).describe('error: a gate, nothing is published of a day that fails it')

const check = z
  .object({
    check: z.string().describe('Its name, the same in every run'),
    table: z.string(),
    kind: z.string(),
    severity,
    status,
    observed,
    expected: z.string(),
    reason: z.string(),
    sample: z.array(z.record(z.string(), z.unknown())).describe('Up to five of the rows that fail'),
    duration_ms: z.number().int(),
  })
  .openapi('QualityCheck')
const run = z
  .object({
    stage: z.enum(STAGES),
    status: z.enum(['passed', 'failed']),
    passed: count,
    warned: count.describe('Checks that failed and are no gates'),
    failed: count.describe('Gates that failed'),
    skipped: count,
    engine: z.string(),
    workflow_id: z.string(),
    workflow_run_id: z.string(),
    started_at: iso,
    finished_at: iso,
    checks: z.array(check),
  })
  .openapi('QualityRun')
const point = z
  .object({
    date: z.iso.date(),
    finished_at: iso,
    status,
    observed,
    expected: z.string(),
    workflow_id: z.string(),
    workflow_run_id: z.string(),
  })
  .openapi('QualityPoint')

const tags = ['Quality']
const route = {
  latest: createRoute({
    method: 'get',
    path: '/quality/latest',
    tags,
    summary: 'What the checks of a day found: the latest run of each stage',
    request: {
      query: query({
        date: day('The day that was checked, UTC; the newest when missing').optional(),
        stage: z.enum(STAGES).optional().openapi({ description: 'Only of this stage' }),
      }),
    },
    responses: {
      200: enveloped(
        z.object({
          date: z.iso.date().nullable(),
          status: z.enum(['passed', 'failed', 'none']).describe('none: nothing was checked of that day yet'),
          runs: z.array(run),
        }),
        'In the order in which the stages were checked',
      ),
      ...problems(400),
    },
  }),
  history: createRoute({
    method: 'get',
    path: '/quality/history',
    tags,
    summary: 'How one check went in its last runs, newest first',
    request: {
      query: query({
        check: idParam('Its name, as `/quality/latest` has it, e.g. fact_events.unique.event_id'),
        limit: limit(500, 30),
        cursor,
      }),
    },
    responses: { 200: paged(point, 'Runs in which it was asked, newest first'), ...problems(400) },
  }),
}

export function addQualityRoutes(api: OpenAPIHono, { reader, clock }: QualityDeps): void {
  const meta = async () => metaOf(clock.now(), watermarkOf(await reader.pipelines()))

  api.openapi(route.latest, async (c) => {
    const { date, stage } = c.req.valid('query')
    const [reports, about] = await Promise.all([reader.latestQuality({ day: date, stage }), meta()])
    const failed = reports.some(({ outcome }) => outcome === 'failed')
    const data = {
      date: date ?? reports[0]?.day ?? null,
      status: reports.length === 0 ? ('none' as const) : failed ? ('failed' as const) : ('passed' as const),
      runs: reports.map(runOf),
    }
    return c.json({ data, meta: about }, 200)
  })

  api.openapi(route.history, async (c) => {
    const [page, about] = await Promise.all([reader.checkHistory(c.req.valid('query')), meta()])
    const data = page.items.map(({ day, outcome, finished_at, ...rest }) => ({
      date: day,
      finished_at: toIso(finished_at),
      status: outcome,
      ...rest,
    }))
    return c.json({ data, meta: { ...about, next_cursor: page.next } }, 200)
  })
}

function runOf({ id: _, day: _day, outcome, stage, started_at, finished_at, results, ...rest }: QualityReport) {
  return {
    stage: stage as (typeof STAGES)[number],
    status: outcome,
    ...rest,
    started_at: toIso(started_at),
    finished_at: toIso(finished_at),
    checks: results.map(({ check_name, table_name, outcome: status, ...result }) => ({
      check: check_name,
      table: table_name,
      status,
      ...result,
    })),
  }
}

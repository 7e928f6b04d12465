/** `GET /reconciliation/latest`: whether live results were proved against the lake, what explains their differences from the exact truth, and what nothing explains. */
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import { toMajor } from '../../streams/contract/money.ts'
import { toIso } from '../../streams/contract/time-text.ts'
import type { Clock, MetricReader, Reconciled } from '../ports.ts'
import { enveloped, metaOf, problems } from './envelope.ts'
import { noQuery } from './params.ts'
import { watermarkOf } from './pipelines.ts'

export interface ReconciliationDeps {
  reader: Pick<MetricReader, 'latestReconciliation' | 'pipelines'>
  clock: Pick<Clock, 'now'>
}

const iso = z.iso.datetime()
const count = z.number().int()
const row = z.record(z.string(), z.unknown()).nullable()
const amounts = z.array(z.object({ currency: z.string(), amount: z.number().describe('Major units') }))

const difference = z
  .object({
    explained: z.boolean(),
    table: z.string().describe('A table of results; a topic, where it is about offsets; or lake'),
    cause: z
      .string()
      .describe(
        'late, duplicate, dead_letter; or what is wrong: missing, extra, changed, truth, gap, doubled, damaged',
      ),
    key: z.record(z.string(), z.union([z.string(), z.number()])),
    message: z.string(),
    records: count,
    amounts: amounts.describe('What the exact truth has more than the live result; of what is wrong, by how much'),
    live: row,
    expected: row,
    sample: z.array(z.string()).describe('Records it comes from, as topic:partition:offset'),
  })
  .openapi('ReconciliationDifference')
const reconciliation = z
  .object({
    from: iso,
    to: iso,
    message: z.string(),
    records: count.describe('Of the log, run through the jobs again'),
    compared: z
      .record(z.string(), z.object({ rows: count, missing: count, extra: count, changed: count }))
      .describe('Live rows against those of the jobs run again, by table'),
    explained: z.array(z.object({ cause: z.string(), records: count, amounts })),
    unexplained: z.object({ differences: count, amounts }),
    open_partitions: z.array(z.string()).describe('What is not final in these was left out'),
    workflow_id: z.string(),
    workflow_run_id: z.string(),
    started_at: iso,
    finished_at: iso,
    differences: z.array(difference).describe('What nothing explains comes first; the first hundred of a kind'),
  })
  .openapi('Reconciliation')

const route = createRoute({
  method: 'get',
  path: '/reconciliation/latest',
  tags: ['Quality'],
  summary: 'The newest reconciliation of live results with the lake',
  request: { query: noQuery },
  responses: {
    200: enveloped(
      z.object({
        status: z.enum(['passed', 'incident', 'none']).describe('none: nothing was reconciled yet'),
        reconciliation: reconciliation.nullable(),
      }),
      'With every difference that was found',
    ),
    ...problems(400),
  },
})

export function addReconciliationRoutes(api: OpenAPIHono, { reader, clock }: ReconciliationDeps): void {
  api.openapi(route, async (c) => {
    const [found, pipelines] = await Promise.all([reader.latestReconciliation(), reader.pipelines()])
    const data = { status: found?.outcome ?? ('none' as const), reconciliation: found && reconciliationOf(found) }
    return c.json({ data, meta: metaOf(clock.now(), watermarkOf(pipelines)) }, 200)
  })
}

const amountsOf = (minor: Readonly<Record<string, number>>) =>
  Object.entries(minor)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([currency, amount]) => ({ currency, amount: toMajor(amount, currency) }))

function reconciliationOf(found: Reconciled) {
  const { from_at, to_at, started_at, finished_at } = found
  return {
    from: toIso(from_at),
    to: toIso(to_at),
    message: found.message,
    records: found.records,
    compared: found.compared,
    explained: Object.entries(found.explained)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([cause, { records, minor }]) => ({ cause, records, amounts: amountsOf(minor) })),
    unexplained: { differences: found.unexplained, amounts: amountsOf(found.unexplained_minor) },
    open_partitions: found.open_partitions,
    workflow_id: found.workflow_id,
    workflow_run_id: found.workflow_run_id,
    started_at: toIso(started_at),
    finished_at: toIso(finished_at),
    differences: found.differences.map(({ table_name, minor, ...rest }) => ({
      table: table_name,
      amounts: amountsOf(minor),
      ...rest,
    })),
  }
}

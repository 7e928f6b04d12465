/**
 * Batch work as its traces show it, in a real Jaeger: real commands start it, real workers do it and are stopped in the middle of it, and each run is one whole trace all the same. What is awaited
 * is the trace itself.
 */
import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { type JaegerSpan, withJaeger } from '../cli/servers/testing/with-jaeger.ts'
import { withPostgres } from '../db/testing/postgres.ts'
import { CANCELLED } from '../observability/spans.ts'
import type { DailyProgress } from '../workflows/definitions/daily-aggregation.ts'
import { ORDERS_SPEC } from '../workflows/imports/testing/import-job.ts'
import { scheduleId } from '../workflows/schedules.ts'
import { IMPATIENT, openBatchWorld } from '../workflows/testing/batch-world.ts'
import { holdCommits } from '../workflows/testing/hold-commits.ts'
import { smallFilesTable } from '../workflows/testing/small-files.ts'
import { withTemporal } from '../workflows/testing/with-temporal.ts'
import { eventually } from './support/eventually.ts'
import { cleanUp, spawnCli } from './support/processes.ts'

const temporal = withTemporal()
const postgres = withPostgres()
const jaeger = withJaeger()
afterEach(cleanUp)

const SOON_MS = 180_000
const DAY = '2026-03-02'
/** The last row is no order; products have no category, which a check warns of. */
const ORDERS = `id,customer,total,at,product
o-1,ada,10.00,${DAY} 09:00:00,p-1
o-2,ada,20.00,${DAY} 10:00:00,p-2
o-3,bob,much,${DAY} 11:00:00,p-1
`
const MAPPING = { ...ORDERS_SPEC, columns: { ...ORDERS_SPEC.columns, product_id: 'product' } }

const IMPORT = `\
StartWorkflow:importFile › RunWorkflow:importFile
  StartActivity:claimImport › RunActivity:claimImport
  StartActivity:importStretch › RunActivity:importStretch
    lake commit raw.dead_letters
    lake commit raw.orders`

/** Models without rows need no commit. */
const DAILY_AGGREGATION = `\
StartWorkflow:dailyAggregation › RunWorkflow:dailyAggregation
  StartChildWorkflow:dailyAggregation › RunWorkflow:dailyAggregation
    StartActivity:pinDay › RunActivity:pinDay
    StartActivity:buildModel › RunActivity:buildModel › sql duckdb (stg_clickstream_repeats)
    StartActivity:buildModel › RunActivity:buildModel › sql duckdb (stg_orders_repeats)
    StartActivity:buildModel › RunActivity:buildModel › sql duckdb (stg_trips_repeats)
    StartActivity:buildModel › RunActivity:buildModel › sql duckdb (stg_clickstream_events)
    StartActivity:buildModel › RunActivity:buildModel › sql duckdb (stg_orders) › lake commit analytics.stg_orders
    StartActivity:buildModel › RunActivity:buildModel › sql duckdb (stg_trips)
    StartChildWorkflow:validateQuality › RunWorkflow:validateQuality › StartActivity:checkQuality › RunActivity:checkQuality
      sql duckdb (stg_clickstream_events rows)
      sql duckdb (stg_clickstream_events unique)
      sql duckdb (stg_orders rows)
      sql duckdb (stg_orders unique)
      sql duckdb (stg_trips rows)
      sql duckdb (stg_trips unique)
      write postgresql (quality run)
    StartActivity:buildModel › RunActivity:buildModel › sql duckdb (int_sessions)
    StartActivity:buildModel › RunActivity:buildModel › sql duckdb (int_user_days) › lake commit analytics.int_user_days
    StartActivity:buildModel › RunActivity:buildModel › sql duckdb (int_product_days) › lake commit analytics.int_product_days
    StartActivity:buildModel › RunActivity:buildModel › sql duckdb (int_shop_products)
    StartActivity:buildModel › RunActivity:buildModel › sql duckdb (dim_users) › lake commit analytics.dim_users
    StartActivity:buildModel › RunActivity:buildModel › sql duckdb (dim_products) › lake commit analytics.dim_products
    StartActivity:buildModel › RunActivity:buildModel › sql duckdb (dim_time) › lake commit analytics.dim_time
    StartActivity:buildModel › RunActivity:buildModel › sql duckdb (fact_events)
    StartActivity:buildModel › RunActivity:buildModel › sql duckdb (fact_transactions) › lake commit analytics.fact_transactions
    StartActivity:buildModel › RunActivity:buildModel › sql duckdb (fact_trips)
    StartChildWorkflow:validateQuality › RunWorkflow:validateQuality › StartActivity:checkQuality › RunActivity:checkQuality
      sql duckdb (dim_products rows)
      sql duckdb (dim_products sample)
      sql duckdb (dim_products unique)
      sql duckdb (dim_time rows)
      sql duckdb (dim_time unique)
      sql duckdb (dim_users rows)
      sql duckdb (dim_users unique)
      sql duckdb (fact_events referential) (repeated)
      sql duckdb (fact_events rows)
      sql duckdb (fact_events unique)
      sql duckdb (fact_transactions referential) (repeated)
      sql duckdb (fact_transactions rows)
      sql duckdb (fact_transactions unique)
      sql duckdb (fact_trips referential)
      sql duckdb (fact_trips rows)
      sql duckdb (fact_trips unique)
      sql duckdb (stg_clickstream_events referential)
      sql duckdb (stg_orders referential)
      sql duckdb (stg_trips referential)
      write postgresql (quality run)
    StartActivity:buildModel › RunActivity:buildModel › sql duckdb (metrics_daily_kpis) › lake commit analytics.metrics_daily_kpis
    StartActivity:buildModel › RunActivity:buildModel › sql duckdb (metrics_daily_revenue) › lake commit analytics.metrics_daily_revenue
    StartActivity:buildModel › RunActivity:buildModel › sql duckdb (metrics_revenue_by_category) › lake commit analytics.metrics_revenue_by_category
    StartActivity:buildModel › RunActivity:buildModel › sql duckdb (metrics_top_regions)
    StartActivity:buildModel › RunActivity:buildModel › sql duckdb (metrics_conversion_funnel)
    StartChildWorkflow:validateQuality › RunWorkflow:validateQuality › StartActivity:checkQuality › RunActivity:checkQuality
      sql duckdb (fact_events referential)
      sql duckdb (fact_transactions referential)
      sql duckdb (metrics_conversion_funnel rows)
      sql duckdb (metrics_conversion_funnel unique)
      sql duckdb (metrics_daily_kpis rows)
      sql duckdb (metrics_daily_kpis unique)
      sql duckdb (metrics_daily_revenue rows)
      sql duckdb (metrics_daily_revenue unique)
      sql duckdb (metrics_revenue_by_category referential)
      sql duckdb (metrics_revenue_by_category rows)
      sql duckdb (metrics_revenue_by_category unique)
      sql duckdb (metrics_top_regions rows)
      sql duckdb (metrics_top_regions unique)
      write postgresql (quality run)
    StartActivity:publishDay › RunActivity:publishDay
      lake scan analytics.metrics_conversion_funnel
      lake scan analytics.metrics_daily_kpis
      lake scan analytics.metrics_daily_revenue
      lake scan analytics.metrics_revenue_by_category
      lake scan analytics.metrics_top_regions
      write postgresql (publish day)
    StartActivity:noteDay › RunActivity:noteDay
      lake scan analytics.stg_clickstream_repeats
      lake scan analytics.stg_orders_repeats
      lake scan analytics.stg_trips_repeats
      write postgresql (note day)
  StartActivity:hasWarehouse › RunActivity:hasWarehouse`

it('an import and the day built of it: each one trace, from the caller to the commits, over a restart of the worker', {
  timeout: 900_000,
}, async () => {
  const world = await openBatchWorld(temporal, postgres)
  const cwd = join(world.dataDir, 'mine')
  await mkdir(cwd)
  await writeFile(join(cwd, 'orders.csv'), ORDERS)
  await writeFile(join(cwd, 'mapping.json'), JSON.stringify(MAPPING))
  const env = { ...world.env, ...jaeger.environment(), STREAMFORGE_LOG_LEVEL: 'warn' }
  const run = async ({ traceparent }: Caller, ...args: string[]): Promise<void> => {
    const command = spawnCli(args, { env: { ...env, TRACEPARENT: traceparent }, cwd })
    expect(await command.ended(SOON_MS), command.err).toBe(0)
  }
  const first = spawnCli(['worker'], { env })

  const importer = newCaller()
  await run(importer, 'import', 'orders.csv', '--mapping', 'mapping.json')
  expect(drawn(await traceFrom(importer, 'RunWorkflow:importFile'))).toBe(IMPORT)

  const schedule = world.client.schedule.getHandle(scheduleId(world.taskQueue, 'daily-aggregation'))
  await eventually('the worker has made the schedule', SOON_MS, () => schedule.describe().catch(() => undefined))
  const builder = newCaller()
  await run(builder, 'schedules', 'trigger', 'daily-aggregation', '--input', `{"date":"${DAY}","late":false}`)
  const day = world.client.workflow.getHandle(`dailyAggregation:${DAY}`)
  // Asked again and again: questions leave nothing in the trace, and change nothing in it.
  await eventually('half of the day is built', SOON_MS, async () => {
    const progress = await day.query<DailyProgress>('progress').catch(() => undefined)
    return progress !== undefined && 'fact_events' in progress.rows
  })
  // It can't come to its end before the worker is told to stop.
  const hold = await holdCommits(world)
  await hold.reached()
  first.child.kill('SIGTERM')
  await hold.letGo()
  expect(await first.ended(), first.err).toBe(0)
  expect((await day.describe()).status.name).toBe('RUNNING')
  const second = spawnCli(['worker'], { env })
  const built = withoutBrokenOff(await traceFrom(builder, 'RunWorkflow:dailyAggregation'))
  expect(drawn(built)).toBe(DAILY_AGGREGATION)

  expect(built.filter(({ failed }) => failed)).toEqual([])
  expect(new Set(built.map(({ spanId }) => spanId)).size).toBe(built.length)
  expect([...new Set(built.map(({ service }) => service))].sort()).toEqual(['streamforge-cli', 'streamforge-worker'])
  const attempts = built.filter(({ name }) => name.startsWith('RunActivity:'))
  // What an activity logs leads to its trace.
  const warned = linesOf(first.err + second.err).find(({ msg }) => msg?.startsWith('A check of the data failed'))
  expect(warned?.trace_id).toBe(builder.traceId)
  expect(attempts.map(({ spanId }) => spanId)).toContain(warned?.span_id)
})

it('a run that a schedule starts is a trace of its own; what failed in it is marked, what was cancelled is told from that', {
  timeout: 600_000,
}, async () => {
  const world = await openBatchWorld(temporal, postgres)
  await smallFilesTable(world.lake, 'a.small')
  await world.process(IMPATIENT, jaeger.environment())
  const { client, taskQueue } = world
  await client.schedule.create({
    scheduleId: `compact-${taskQueue}`,
    spec: {},
    action: { type: 'startWorkflow', workflowType: 'compactTable', taskQueue, args: [{ table: 'a.missing' }] },
    state: { triggerImmediately: true },
  })
  const failed = await traceOfRun(`compact-${taskQueue}`)
  expect(drawn(failed)).toBe(
    'RunWorkflow:compactTable FAILED › StartActivity:compactTable FAILED › RunActivity:compactTable FAILED',
  )
  expect(failed.at(-1)?.events).toEqual(['exception'])

  const hold = await holdCommits(world)
  const run = await world.start('compactTable', { table: 'a.small' })
  await hold.reached()
  await run.cancel()
  await hold.cancelDelivered(run)
  await hold.letGo()
  expect(drawn(await traceOfRun(run.workflowId))).toBe(
    'RunWorkflow:compactTable cancelled › StartActivity:compactTable cancelled › RunActivity:compactTable cancelled › lake compact a.small › lake commit a.small',
  )
})

interface Caller {
  traceId: string
  spanId: string
  traceparent: string
}

/** Somebody with a trace of their own, whose span is in no Jaeger of ours. */
function newCaller(): Caller {
  const [traceId, spanId] = [randomBytes(16).toString('hex'), randomBytes(8).toString('hex')]
  return { traceId, spanId, traceparent: `00-${traceId}-${spanId}-01` }
}

/** Once its last span is there: the run's own, under that of the command that began it. */
const traceFrom = ({ traceId, spanId }: Caller, run: string): Promise<JaegerSpan[]> =>
  eventually(`the trace ends with ${run}`, SOON_MS, async () => {
    const spans = await jaeger.trace(traceId)
    const begun = spans.find(({ parentId }) => parentId === spanId)
    return spans.some(({ name, parentId }) => name === run && parentId === begun?.spanId) && spans
  })

/** An attempt that the stop of its worker has broken off, where one was under way for longer than it is given, is made again by the next. */
function withoutBrokenOff(spans: readonly JaegerSpan[]): JaegerSpan[] {
  const gone = new Set<string | null>()
  const isGone = ({ name, attributes, parentId }: JaegerSpan) =>
    gone.has(parentId) || (name.startsWith('RunActivity:') && attributes[CANCELLED] === true)
  for (let before = -1; before < gone.size; ) {
    before = gone.size
    for (const span of spans) if (isGone(span)) gone.add(span.spanId)
  }
  return spans.filter(({ spanId }) => !gone.has(spanId))
}

/** Of a run of compactTable that nobody's trace began, by what its id begins with. */
const traceOfRun = (id: string): Promise<JaegerSpan[]> =>
  eventually(`there is a trace of ${id}`, SOON_MS, async () => {
    const traces = await jaeger.search({ service: 'streamforge-worker', operation: 'RunWorkflow:compactTable' })
    return traces.find((spans) => spans.some((span) => String(span.attributes.temporalWorkflowId).startsWith(id)))
  })

const linesOf = (text: string): Record<string, string>[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

/** The steps of a workflow in their order, what an activity does by name; a span that is the only one below another stands behind it, and of those that are alike one is shown. */
function drawn(spans: readonly JaegerSpan[]): string {
  const ids = new Set(spans.map(({ spanId }) => spanId))
  const below = (id: string | null): JaegerSpan[] =>
    spans.filter(({ parentId }) => (parentId !== null && ids.has(parentId) ? parentId : null) === id)
  const draw = (span: JaegerSpan, indent: string): string => {
    const inner = below(span.spanId)
    const line = lineOf(span)
    if (inner.length === 1) return `${line} › ${draw(inner[0]!, indent)}`
    const lines = inner.map((each) => `${indent}  ${draw(each, `${indent}  `)}`)
    if (span.name.startsWith('RunActivity:')) lines.sort()
    return [line, ...folded(lines)].join('\n')
  }
  return folded(below(null).map((span) => draw(span, ''))).join('\n')
}

function folded(lines: readonly string[]): string[] {
  const isRepeated = (line: string) => lines.indexOf(line) !== lines.lastIndexOf(line)
  return [...new Set(lines)].map((line) => (isRepeated(line) ? `${line} (repeated)` : line))
}

function lineOf({ name, failed, attributes }: JaegerSpan): string {
  const what = attributes['db.query.summary']
  const marks = [failed && 'FAILED', attributes[CANCELLED] === true && 'cancelled'].filter(Boolean)
  return [name, ...(what === undefined ? [] : [`(${what})`]), ...marks].join(' ')
}

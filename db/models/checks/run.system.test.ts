/** Every kind of check on planted defects, by DuckDB and by Trino over the same files: both find the same. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { withTrino } from '../../../cli/servers/testing/with-trino.ts'
import { icebergCatalog } from '../../../cli/servers/trino.ts'
import {
  alterSchema,
  createDuckdbEngine,
  createTrinoEngine,
  type Lake,
  loadTable,
  openJdbcCatalog,
  openLake,
  openLakeFiles,
  planScan,
  type SqlEngine,
} from '../../lake/index.ts'
import { openFolderObjects } from '../../objects/folder.ts'
import { connect, type Database } from '../../postgres/connect.ts'
import { withPostgres } from '../../testing/postgres.ts'
import { tableOf } from '../build.ts'
import { modelNamed } from '../models.ts'
import { dayNumber } from '../render.ts'
import { noon, putRows } from '../testing/put-rows.ts'
import { type Check, type CheckResult, runChecks, type TableExpectations } from './index.ts'

const DAY = '2026-11-20'
const NOW = Date.parse('2026-11-21T03:00:00Z')
const WEEK = { days: 7, daysMin: 3, rowsMin: 2 }

let folder: string
let database: Database | undefined
let lake: Lake
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'streamforge-checks-'))
})
afterAll(async () => {
  await database?.close()
  await rm(folder, { recursive: true, force: true })
})
const postgres = withPostgres()
const trino = withTrino(async () => {
  const postgresUrl = await postgres.emptyDatabase()
  database = connect(postgresUrl, { max: 4 })
  const files = openLakeFiles(await openFolderObjects(folder))
  lake = openLake(await openJdbcCatalog(database.sql, 'lake'), files)
  await plant()
  return { lake: icebergCatalog({ postgresUrl, catalogName: 'lake', warehouse: files.warehouse }) }
})

const click = (id: string, more = {}) => ({ event_id: id, event_type: 'page_view', user_id: 'u', hour: 12, ...more })

/** Two good rows a day for three days, then a day with one of each defect. */
async function plant(): Promise<void> {
  for (const day of ['2026-11-17', '2026-11-18', '2026-11-19'])
    await putRows(lake, 'fact_events', day, [click('a'), click('b')])
  await putRows(lake, 'fact_events', DAY, [
    click('a', { revenue_minor: 9_007_199_254_740_993n, event_time: noon(DAY) + 1_234_567n }),
    click('a', { product_id: null }),
    click('c', { event_type: 'swipe', hour: null }),
    click('d', { event_time: noon('2026-11-21') }),
    click('e', { user_id: 'nobody', revenue_minor: -1n }),
    click('f', { product_id: 'p'.repeat(300) }),
  ])
  await putRows(lake, 'dim_users', DAY, [{ user_id: 'u', valid_from: dayNumber(DAY) }])
  await putRows(lake, 'metrics_conversion_funnel', DAY, [
    { position: 1, stage: 'visit', rate_of_visits: Number.NaN },
    { position: 2, stage: 'cart', rate_of_visits: 0.5 },
  ])
}

const expecting = (model: string, ...checks: readonly Check[]): TableExpectations => ({
  model,
  stage: 'facts',
  shows: [...modelNamed(model).key.filter((column) => column !== 'day')],
  expectations: checks.map((check) => ({ ...check, severity: 'error', why: 'It must.' })),
})
const engines = (): SqlEngine[] => [
  createDuckdbEngine(lake, { parent: folder }),
  createTrinoEngine(trino.client({ catalog: 'lake' })),
]
async function found(...tables: TableExpectations[]): Promise<CheckResult[]> {
  const all: CheckResult[][] = []
  for (const engine of engines()) {
    const deps = { lake, engine, clock: { now: () => NOW } }
    all.push((await runChecks(deps, tables, { day: DAY })).map((each) => ({ ...each, durationMs: 0 })))
  }
  expect(all[1]).toEqual(all[0])
  return all[0]!
}

test('what single rows, groups of rows and references have wrong, with the rows', async () => {
  const results = await found(
    expecting(
      'fact_events',
      { kind: 'schema' },
      { kind: 'not_null', column: 'event_id' },
      { kind: 'not_null', column: 'hour' },
      { kind: 'unique', columns: ['event_id'] },
      { kind: 'unique', columns: ['event_id', 'hour'] },
      { kind: 'accepted_values', column: 'event_type', values: ['page_view', "it's"] },
      { kind: 'range', column: 'event_time', min: { day: 0 }, below: { day: 1 } },
      { kind: 'range', column: 'revenue_minor', min: 0, max: 1_000_000 },
      { kind: 'referential', columns: { user_id: 'user_id' }, to: 'dim_users' },
      { kind: 'referential', columns: { event_id: 'event_id' }, to: 'fact_events' },
      { kind: 'not_null', column: 'product_id' },
      { kind: 'accepted_values', column: 'product_id', values: ['p'] },
    ),
    expecting('metrics_conversion_funnel', { kind: 'range', column: 'rate_of_visits', min: 0, max: 1 }),
  )
  expect(results.map(({ name, outcome, observed }) => [name, outcome, observed])).toEqual([
    ['fact_events.schema', 'passed', '0 columns that differ'],
    ['fact_events.not_null.event_id', 'passed', 0],
    ['fact_events.not_null.hour', 'failed', 1],
    ['fact_events.unique.event_id', 'failed', 1],
    ['fact_events.unique.event_id.hour', 'failed', 1],
    ['fact_events.accepted_values.event_type', 'failed', 1],
    ['fact_events.range.event_time', 'failed', 1],
    ['fact_events.range.revenue_minor', 'failed', 2],
    ['fact_events.referential.user_id', 'failed', 1],
    ['fact_events.referential.event_id', 'passed', 0],
    ['fact_events.not_null.product_id', 'failed', 5],
    ['fact_events.accepted_values.product_id', 'failed', 1],
    ['metrics_conversion_funnel.range.rate_of_visits', 'failed', 1],
  ])
  const samples = Object.fromEntries(results.map(({ name, sample }) => [name, sample]))
  expect(samples).toMatchObject({
    'fact_events.schema': [],
    'fact_events.not_null.hour': [{ event_id: 'c', hour: null }],
    'fact_events.unique.event_id': [{ event_id: 'a', n: 2 }],
    'fact_events.accepted_values.event_type': [{ event_id: 'c', event_type: 'swipe' }],
    'fact_events.range.event_time': [{ event_id: 'd', event_time: '2026-11-21T12:00:00.000000Z' }],
    'fact_events.referential.user_id': [{ event_id: 'e', user_id: 'nobody' }],
    'metrics_conversion_funnel.range.rate_of_visits': [{ position: 1, rate_of_visits: 'NaN' }],
  })
  // Every digit, and as JSON has it.
  expect(samples['fact_events.range.revenue_minor']).toContainEqual({
    event_id: 'a',
    revenue_minor: '9007199254740993',
  })
  expect(samples['fact_events.not_null.product_id']).toHaveLength(5)
  expect(samples['fact_events.accepted_values.product_id']).toEqual([
    { event_id: 'f', product_id: `${'p'.repeat(200)}…` },
  ])
})

test('rows of the days before and the newest row, as far as there are days to compare with', async () => {
  const rows = (min: number, max: number, after = WEEK): Check => ({ kind: 'row_count_change', min, max, after })
  const fresh = (hoursMax: number): Check => ({ kind: 'freshness', column: 'event_time', hoursMax })
  const results = await found(
    expecting(
      'fact_events',
      rows(0.5, 3),
      rows(0.5, 2),
      rows(0.5, 2, { ...WEEK, rowsMin: 3 }),
      rows(0.5, 2, { ...WEEK, daysMin: 4 }),
      { kind: 'freshness', column: 'event_time', hoursMax: 12 },
    ),
    expecting('stg_orders', { kind: 'freshness', column: 'event_time', hoursMax: 12, after: WEEK }),
    expecting('dim_users', { kind: 'freshness', column: 'valid_from', hoursMax: 1 }),
    expecting('dim_products', fresh(1)),
  )
  expect(results.map(({ kind, outcome, observed }) => [kind, outcome, observed])).toEqual([
    ['row_count_change', 'passed', 3],
    ['row_count_change', 'failed', 3],
    ['row_count_change', 'passed', null],
    ['row_count_change', 'passed', null],
    ['freshness', 'passed', '2026-11-21T12:00:00.000000Z'],
    ['freshness', 'skipped', null],
    ['freshness', 'passed', '2026-11-20'],
    ['freshness', 'skipped', null],
  ])
  expect(results[1]).toMatchObject({
    expected: '0.5 to 2 times the 2 rows that the 3 days before have on average; there are 6',
    sample: [],
  })
  expect(results[2]!.expected).toBe(
    '0.5 to 2 times the rows of the days before, once 3 of the last 7 have 3 on average; 3 of them have 2',
  )
  const deps = { lake, engine: engines()[0]!, clock: { now: () => NOW } }
  const [old] = await runChecks(deps, [expecting('fact_events', fresh(11.9))], { day: '2026-11-19' })
  expect(old).toMatchObject({ outcome: 'failed', expected: 'a row of 2026-11-19T12:06:00.000Z or later' })
  // While the day lasts: against now.
  const early = { ...deps, clock: { now: () => Date.parse('2026-11-19T13:00:00Z') } }
  expect(await runChecks(early, [expecting('fact_events', fresh(2))], { day: '2026-11-19' })).toMatchObject([
    { outcome: 'passed' },
  ])
  const none = await runChecks(deps, [expecting('fact_events', fresh(2), rows(0.5, 2))], { day: '2026-11-18' })
  expect(none.map(({ outcome }) => outcome)).toEqual(['failed', 'passed'])
})

test('a table or a column that is missing, or of another type, fails the schema; what would read it is skipped with the reason', async () => {
  await putRows(lake, 'fact_trips', DAY, [{ trip_id: 't', hour: 1 }])
  await alterSchema(lake, tableOf(modelNamed('fact_trips')), [
    { change: 'rename', column: 'duration_s', to: 'seconds' },
  ])
  const results = await found(
    expecting(
      'fact_trips',
      { kind: 'schema' },
      { kind: 'range', column: 'duration_s', min: 0 },
      { kind: 'not_null', column: 'trip_id' },
      { kind: 'referential', columns: { trip_id: 'trip_id' }, to: 'stg_trips' },
    ),
    expecting('fact_transactions', { kind: 'schema' }, { kind: 'unique', columns: ['transaction_id'] }),
  )
  expect(results).toMatchObject([
    {
      outcome: 'failed',
      observed: '1 columns that differ',
      expected: 'the 9 columns of the model, with their types',
      sample: [{ column: 'duration_s', expected: 'long', found: null }],
    },
    {
      outcome: 'skipped',
      reason: 'It must. Not asked: analytics.fact_trips.duration_s is not there, where long is expected.',
    },
    { outcome: 'passed' },
    { outcome: 'skipped', reason: 'It must. Not asked: there is no table analytics.stg_trips.' },
    { outcome: 'failed', observed: 'no such table' },
    { outcome: 'skipped', reason: 'It must. Not asked: there is no table analytics.fact_transactions.' },
  ])
})

test('a day is read by its own files alone: those of other days may be gone', async () => {
  const { metadata } = await loadTable(lake, tableOf(modelNamed('fact_events')))
  const { files } = await planScan(lake, metadata)
  const others = files.filter(({ file }) => file.partition[0] !== dayNumber(DAY))
  expect(others).toHaveLength(3)
  for (const { file } of others) await rm(fileURLToPath(file.path))
  const results = await found(
    expecting(
      'fact_events',
      { kind: 'not_null', column: 'hour' },
      { kind: 'unique', columns: ['event_id'] },
      { kind: 'referential', columns: { user_id: 'user_id' }, to: 'dim_users' },
      { kind: 'row_count_change', min: 0.5, max: 3, after: WEEK },
      { kind: 'freshness', column: 'event_time', hoursMax: 12, after: WEEK },
    ),
    expecting('dim_users', { kind: 'referential', columns: { user_id: 'user_id' }, to: 'fact_events' }),
  )
  expect(results.map(({ observed }) => observed)).toEqual([1, 1, 1, 3, '2026-11-21T12:00:00.000000Z', 0])
})

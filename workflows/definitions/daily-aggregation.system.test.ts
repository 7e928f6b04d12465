/** Days of the star schema by real workflows: built, stopped at gates, opened again, broken off. */
import { WorkflowFailedError } from '@temporalio/client'
import { expect, test, vi } from 'vitest'
import { loadTable, tableName } from '../../db/lake/index.ts'
import { dayNumber } from '../../db/models/render.ts'
import { built, expected } from '../../db/models/testing/built-rows.ts'
import { appendRaw, randomRows } from '../../db/models/testing/raw-rows.ts'
import { connect } from '../../db/postgres/connect.ts'
import { withPostgres } from '../../db/testing/postgres.ts'
import { workflowId } from '../policy.ts'
import { type BatchWorld, IMPATIENT, openBatchWorld } from '../testing/batch-world.ts'
import { holdCommits } from '../testing/hold-commits.ts'
import { withTemporal } from '../testing/with-temporal.ts'
import type { DailyProgress } from './daily-aggregation.ts'

const temporal = withTemporal()
const postgres = withPostgres()

const DAY_MS = 86_400_000
/** A day is some twenty activities and a hundred checks. */
const options = { timeout: 300_000 }
const SOON = { timeout: 90_000, interval: 50 }
const days = ['2025-12-30', '2025-12-31']
const numbers = days.map(dayNumber)
const randomly = (seed: number) => randomRows({ seed, from: numbers[0]! * DAY_MS, days: 2, events: 40 })

const kpisOf = async ({ database }: BatchWorld) => [
  ...(await database.sql`SELECT day::text AS day, events, orders, trips FROM daily_kpis ORDER BY day`),
]
const figuresOf = (rows: Awaited<ReturnType<typeof built>>) =>
  days.flatMap((day, i) => {
    const [row] = rows[`metrics_daily_kpis ${numbers[i]}`]!
    return row ? [{ day, events: row.events, orders: row.orders, trips: row.trips }] : []
  })
/** Once the publication that the run has started is there. */
async function inWarehouse(url: string, world: BatchWorld, runId: string) {
  await world.client.workflow.getHandle(workflowId('publishWarehouse', runId)).result()
  const { sql, close } = connect(url, { max: 1 })
  try {
    return [...(await sql`SELECT day::text AS day, events, orders, trips FROM shop.metrics_daily_kpis ORDER BY day`)]
  } finally {
    await close()
  }
}
async function run(world: BatchWorld, input: object): Promise<DailyProgress> {
  return (await world.start('dailyAggregation', input)).result() as Promise<DailyProgress>
}

test(
  'a day, those that are open, and what came late: all built, published and equal to what loops find',
  options,
  async () => {
    const world = await openBatchWorld(temporal, postgres)
    const warehouse = { url: await postgres.emptyDatabase(), schema: 'shop' }
    await world.worker({ warehouse })
    const raw = randomly(11)
    await appendRaw(world.lake, raw)
    const handle = await world.start('dailyAggregation', { date: days[1] })
    const done = (await handle.result()) as DailyProgress
    expect(done).toMatchObject({
      date: days[1],
      state: 'done',
      days: [
        { date: days[1], why: 'It was asked for.', outcome: 'built' },
        { date: days[0], why: 'It has not been built.', outcome: 'built' },
      ],
    })
    expect(done.published.daily_kpis).toBe(1)
    expect((await handle.describe()).memo).toMatchObject({ date: days[1] })
    expect(await built(world.lake, numbers)).toEqual(expected(raw, numbers))
    expect(await kpisOf(world)).toEqual(figuresOf(expected(raw, numbers)))

    const { metadata } = await loadTable(world.lake, tableName('analytics.fact_events'))
    expect(metadata.snapshots.at(-1)?.summary).toMatchObject({
      'streamforge.model': 'fact_events',
      'streamforge.day': days[0],
    })

    expect(await inWarehouse(warehouse.url, world, handle.firstExecutionRunId)).toEqual(
      figuresOf(expected(raw, numbers)),
    )

    // A late event, of the day before; what is asked for is a day without any.
    const late = { ...raw.trips[0]!, trip_id: 'late', event_time: numbers[0]! * DAY_MS, log_offset: 1_000_000 }
    raw.trips.push(late)
    await appendRaw(world.lake, { trips: [late] })
    const again = await run(world, { date: '2026-01-01' })
    expect(again.days.map(({ date, why }) => [date, why])).toEqual([
      ['2026-01-01', 'It was asked for.'],
      [days[0], expect.stringMatching(/^Since it was built its rows have changed: raw\.trips \d+ rows, now \d+\.$/)],
    ])
    expect(await built(world.lake, numbers)).toEqual(expected(raw, numbers))
    expect(await kpisOf(world)).toEqual(figuresOf(expected(raw, numbers)))
  },
)

test(
  'a gate that fails stops the day with the reason; what was published before stays, and the day is open',
  options,
  async () => {
    const world = await openBatchWorld(temporal, postgres)
    await world.worker()
    const [trip] = randomly(5).trips
    const good = { ...trip!, event_time: numbers[1]! * DAY_MS + 5_000 }
    await appendRaw(world.lake, { trips: [{ ...good, trip_id: 'a', log_offset: 1 }] })
    await run(world, { date: days[1], late: false })
    expect(await kpisOf(world)).toMatchObject([{ day: days[1], trips: 1 }])

    await appendRaw(world.lake, { trips: [{ ...good, trip_id: 'b', log_offset: 2, fare_minor: -5 }] })
    const error = await run(world, { date: days[1], late: false }).catch((error: unknown) => error)
    expect(error).toBeInstanceOf(WorkflowFailedError)
    const { cause } = error as WorkflowFailedError
    expect(cause?.message).toMatch(
      /^1 of 1 days were not built\. 2025-12-31 stopped at the gate "staging"; nothing of it was published\. .*fare_minor/,
    )
    expect(await kpisOf(world)).toMatchObject([{ day: days[1], trips: 1 }])
    const noted = await world.database.sql`SELECT counts FROM batch_days`
    expect([...noted]).toEqual([{ counts: { 'raw.trips': 1 } }])
  },
)

test('cancelled in the middle it leaves tables whole, and the next run builds the day', options, async () => {
  const world = await openBatchWorld(temporal, postgres)
  const worker = await world.worker()
  const raw = randomly(9)
  await appendRaw(world.lake, raw)
  const handle = await world.start('dailyAggregation', { date: days[0], late: false }, `dailyAggregation:${days[0]}`)
  await vi.waitUntil(async () => Object.keys(((await handle.query('progress')) as DailyProgress).rows).length >= 4, {
    timeout: 60_000,
  })
  await handle.cancel()
  await expect(handle.result()).rejects.toThrow()
  expect((await handle.describe()).status.name).toBe('CANCELLED')
  expect(await kpisOf(world)).toEqual([])
  await worker.stop()
  await world.worker()
  await run(world, { date: days[0], late: false })
  expect(await built(world.lake, [numbers[0]!])).toEqual(expected(raw, [numbers[0]!]))
})

test(
  'workers killed while a model is committed and while the day is published: it is built once',
  options,
  async () => {
    const world = await openBatchWorld(temporal, postgres)
    const { sql } = world.database
    const raw = randomly(13)
    await appendRaw(world.lake, raw)
    const first = await world.process(IMPATIENT)
    const handle = await world.start('dailyAggregation', { date: days[0], late: false }, `dailyAggregation:${days[0]}`)
    await vi.waitUntil(async () => 'stg_orders' in ((await handle.query('progress')) as DailyProgress).rows, SOON)
    const hold = await holdCommits(world)
    const pids = await hold.reached()
    first.signal('SIGKILL')
    await first.ended
    await hold.end(pids)
    await hold.letGo()

    const second = await world.process(IMPATIENT)
    await sql.begin(async (tx) => {
      await tx`LOCK TABLE daily_kpis IN EXCLUSIVE MODE`
      const waiting = () => sql`SELECT 1 FROM pg_locks WHERE relation = 'daily_kpis'::regclass AND NOT granted`
      await vi.waitFor(async () => expect(await waiting()).toHaveLength(1), SOON)
      second.signal('SIGKILL')
      await second.ended
    })
    await world.worker(IMPATIENT)
    expect(await handle.result()).toMatchObject({ date: days[0], state: 'done' })
    expect(await built(world.lake, [numbers[0]!])).toEqual(expected(raw, [numbers[0]!]))
    expect(await kpisOf(world)).toEqual(figuresOf(expected(raw, numbers)).filter(({ day }) => day === days[0]))
    expect(await sql`SELECT day::text AS day, workflow_run_id FROM batch_days`).toMatchObject([
      { day: days[0], workflow_run_id: handle.firstExecutionRunId },
    ])
  },
)

test('input that can not be meant fails at once with a sentence', options, async () => {
  const world = await openBatchWorld(temporal, postgres)
  await world.worker()
  const error = (await run(world, { date: 'yesterday' }).catch((error: unknown) => error)) as WorkflowFailedError
  expect(error.cause?.message).toBe(
    'The input can\'t be used: date: must be a day such as 2026-11-20. An example: {"date":"2026-11-20"}',
  )
})

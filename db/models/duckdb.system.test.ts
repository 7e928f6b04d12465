/** The models built by DuckDB, against the same computed by plain loops, over random events; what hinders a build, and what does not. */
import { expect, test } from 'vitest'
import {
  alterSchema,
  appendFiles,
  compact,
  currentSchema,
  expireSnapshots,
  type Lake,
  loadTable,
  openWriter,
  planScan,
  snapshotsOf,
  tableName,
} from '../lake/index.ts'
import { createMemoryCatalog, temporaryLakes } from '../lake/testing/temporary-lake.ts'
import { ensureModelTable, tableOf } from './build.ts'
import { schemaDifferences } from './checks/schema.ts'
import { buildDay } from './day.ts'
import { createDuckdbModels } from './duckdb.ts'
import { modelNamed } from './models.ts'
import { pinDay } from './raw-days.ts'
import { dayNumber, dayText } from './render.ts'
import { built, builtRows, expected } from './testing/built-rows.ts'
import { naiveDay } from './testing/naive.ts'
import { randomProducts } from './testing/product-rows.ts'
import { noon, putRows } from './testing/put-rows.ts'
import { appendRaw, randomRows } from './testing/raw-rows.ts'

const lakes = temporaryLakes()
const FIRST = dayNumber('2025-12-30')
const DAY_MS = 86_400_000

test('every model has the rows that loops find, in whatever order days are built, and the same when one is built again', async () => {
  // The last day is quiet. Of the middle one everything comes late: its rows are there when the others have been built.
  const [middle, ...others] = [FIRST + 1, FIRST + 2, FIRST + 3, FIRST]
  const span = { seed: 1, from: FIRST * DAY_MS, days: 3, events: 50 }
  const raw = { ...randomRows(span), products: randomProducts({ ...span, events: 12 }) }
  const lake = await lakes()
  await appendRaw(lake, raw)
  const engine = createDuckdbModels(lake)
  for (const day of [...others, middle!]) await buildDay(lake, engine, dayText(day))
  const all = [...others, middle!]
  expect(await built(lake, all)).toEqual(expected(raw, all))

  const model = modelNamed('int_user_days')
  const before = await loadTable(lake, tableOf(model))
  const again = await engine.build(model, { day: dayText(FIRST), runId: 'again' })
  const after = await loadTable(lake, tableOf(model))
  expect(after.metadata.snapshots.length).toBe(before.metadata.snapshots.length + 1)
  expect(after.metadata.snapshots.at(-1)).toMatchObject({
    'snapshot-id': Number(again.snapshotId),
    summary: {
      operation: 'overwrite',
      'streamforge.model': 'int_user_days',
      'streamforge.day': dayText(FIRST),
      'streamforge.run': 'again',
      'streamforge.inputs': JSON.stringify(again.inputs),
      'added-records': String(again.rows),
      'deleted-records': String(again.rows),
    },
  })
  expect(await built(lake, all)).toEqual(expected(raw, all))
})

const DAY = '2026-01-10'
const trips = modelNamed('stg_trips')
const repeats = modelNamed('stg_trips_repeats')
const raw = randomRows({ seed: 8, from: dayNumber(DAY) * DAY_MS, days: 1, events: 60 })
const wanted = () => expected(raw, [dayNumber(DAY)])[`stg_trips ${dayNumber(DAY)}`]
const found = (lake: Lake) => builtRows(lake, trips, dayNumber(DAY))

async function withTrips() {
  const catalog = createMemoryCatalog()
  const lake = await lakes({ catalog })
  await appendRaw(lake, { trips: raw.trips })
  const engine = createDuckdbModels(lake)
  await engine.build(repeats, { day: DAY })
  return { catalog, lake, engine }
}

test('a build that is broken off, or whose SQL fails, leaves the table as it was', async () => {
  const { lake, engine } = await withTrips()
  await engine.build(trips, { day: DAY })
  const before = await loadTable(lake, tableOf(trips))
  for (const step of ['computing', 'committing']) {
    const ended = new AbortController()
    const enough = new Error(`enough while ${step}`)
    const building = engine.build(trips, {
      day: DAY,
      signal: ended.signal,
      onProgress: (now) => now === step && ended.abort(enough),
    })
    // Once it commits, it is no longer broken off.
    if (step === 'computing') await expect(building).rejects.toBe(enough)
    else await building
    if (step === 'computing')
      expect((await loadTable(lake, tableOf(trips))).metadataLocation).toBe(before.metadataLocation)
  }
  const broken = { ...trips, columns: [...trips.columns, { name: 'no_such', type: 'string' as const }] }
  await expect(engine.build(broken, { day: DAY })).rejects.toThrow(/no_such/)
  expect(await found(lake)).toEqual(wanted()!.map((row) => ({ ...row, no_such: null })))
})

test('whoever changes the day meanwhile makes it be built again: another build, a compaction, a foreign row', async () => {
  const { catalog, lake, engine } = await withTrips()
  catalog.beforeSwap = async () => {
    await createDuckdbModels(lake).build(trips, { day: DAY })
  }
  // The swap that is overtaken is the one of the commit: the table has been made by then.
  await engine.build(trips, { day: '2026-01-09' })
  await Promise.all([engine.build(trips, { day: DAY }), createDuckdbModels(lake).build(trips, { day: DAY })])
  expect(await found(lake)).toEqual(wanted())

  const { metadata } = await loadTable(lake, tableOf(trips))
  const [row] = raw.trips
  catalog.beforeSwap = async () => {
    const writer = await openWriter(lake, metadata)
    const times = { event_time: 0n, received_at: 0n, log_appended_at: 0n, ingested_at: 0n }
    const { region_id, currency } = row!
    const foreign = {
      region_id,
      currency,
      fare_minor: 1,
      duration_s: 1,
      distance_m: 1,
      log_partition: 0,
      log_offset: 0,
    }
    await writer.appendRows([{ ...foreign, ...times, trip_id: 'foreign', day: dayNumber(DAY) }])
    await appendFiles(lake, tableOf(trips), await writer.finish())
  }
  await engine.build(trips, { day: DAY })
  expect(await found(lake)).toEqual(wanted())
  catalog.beforeSwap = async () => {
    await compact(lake, tableOf(trips), { minFiles: 1 })
  }
  await engine.build(trips, { day: DAY })
  expect(await found(lake)).toEqual(wanted())
})

test('a day is built on the snapshots it was begun with, whatever is appended meanwhile; one that has expired says so', async () => {
  const { lake, engine } = await withTrips()
  const { pins, counts } = await pinDay(lake, DAY)
  expect(counts).toEqual({ 'raw.trips': raw.trips.length })
  const late = { ...raw.trips[0]!, trip_id: 'late', log_offset: 1_000_000 }
  await appendRaw(lake, { trips: [late] })
  await engine.build(trips, { day: DAY, pins })
  expect(await found(lake)).toEqual(wanted())
  await engine.build(trips, { day: DAY })
  expect(await found(lake)).toHaveLength(wanted()!.length + 1)

  const name = tableName('raw.trips')
  await expireSnapshots(lake, name, { olderThanMs: Date.parse('2100-01-01'), retainLast: 1 })
  expect(snapshotsOf((await loadTable(lake, name)).metadata)).toHaveLength(1)
  await expect(engine.build(trips, { day: DAY, pins })).rejects.toThrow(/^The snapshot \d+ of raw\.trips, .* is gone/)
})

test('columns that a model gains are added to its table, null in days built before; those that others add are left null', async () => {
  const { lake, engine } = await withTrips()
  const fewer = { ...trips, columns: trips.columns.filter(({ name }) => name !== 'distance_m') }
  await engine.build(fewer, { day: DAY })
  const before = await loadTable(lake, tableOf(trips))
  await engine.build(trips, { day: '2026-01-09' })
  const { metadata } = await loadTable(lake, tableOf(trips))
  expect(metadata['table-uuid']).toBe(before.metadata['table-uuid'])
  expect((await found(lake)).every((row) => row.distance_m === null)).toBe(true)
  await alterSchema(lake, tableOf(trips), [{ change: 'add', column: { name: 'note', type: 'string' } }])
  await engine.build(trips, { day: DAY })
  expect(await found(lake)).toEqual(wanted()!.map((row) => ({ ...row, note: null })))
})

test('a dimension that was built before shops could be followed gets their columns, and has its rows as before where none is', async () => {
  const lake = await lakes()
  const engine = createDuckdbModels(lake)
  const name = 'dim_products'
  const before = { product_id: 'p1', category: 'books', first_seen: noon(DAY), last_seen: noon(DAY) }
  const older = modelNamed(name).columns.filter((column) => Object.hasOwn(before, column.name))
  const { metadata } = await ensureModelTable(lake, { ...modelNamed(name), columns: older })
  const { product_id, category } = before
  await putRows(lake, 'int_product_days', DAY, [before])
  await engine.build(modelNamed(name))
  const nothing = { shop_product_id: null, sku: null, name: null, brand: null, price_minor: null, currency: null }
  const noonMs = Number(noon(DAY) / 1_000n)
  expect(await builtRows(lake, modelNamed(name))).toEqual([
    { product_id, category, first_seen: noonMs, last_seen: noonMs, ...nothing, is_listed: null },
  ])
  const after = await loadTable(lake, tableOf(modelNamed(name)))
  expect(after.metadata['table-uuid']).toBe(metadata['table-uuid'])
  expect(schemaDifferences(modelNamed(name), currentSchema(after.metadata))).toEqual([])
})

test('only files that may have rows of the day are read, or copies of them', async () => {
  const { lake, engine } = await withTrips()
  await appendRaw(lake, { trips: raw.trips.map((trip) => ({ ...trip, event_time: trip.event_time - 5 * DAY_MS })) })
  // A file of another day that can't be read is in the way of those who look for copies in it, and of nobody else.
  const { metadata } = await loadTable(lake, tableName('raw.trips'))
  const files = (await planScan(lake, metadata)).files.map(({ file }) => file)
  const other = files.find((file) => file.partition[0] !== dayNumber(DAY))!
  await lake.files.delete([other.path])
  await engine.build(trips, { day: DAY })
  expect(await found(lake)).toEqual(wanted())
  await expect(engine.build(repeats, { day: DAY })).rejects.toThrow(/is missing/)

  // Nor of those, where identities follow time and no copy can be in it.
  const day = '2026-02-01'
  const trip = { ...raw.trips[0]!, event_time: dayNumber(day) * DAY_MS, log_offset: 7 }
  await appendRaw(lake, {
    trips: [
      { ...trip, trip_id: 'u-1' },
      { ...trip, trip_id: 'u-1', log_offset: 8 },
    ],
  })
  expect(await engine.build(repeats, { day })).toMatchObject({ rows: 2 })
})

test('the same identity means what the jobs mean by it', () => {
  const order = randomRows({ seed: 2, from: 0, days: 1, events: 1 }).orders[0]!
  const of = (order_id: string, status: 'success' | 'failed', log_offset: number) => ({
    ...order,
    order_id,
    status,
    log_offset,
    event_time: 0,
  })
  const { stg_orders_repeats } = naiveDay(
    { clicks: [], trips: [], orders: [of('a', 'failed', 1), of('a#failed', 'success', 2), of('a', 'success', 3)] },
    0,
  )
  expect(stg_orders_repeats!.map((row) => row.identity)).toEqual(['a#failed', 'a#failed'])
})

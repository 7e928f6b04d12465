/** The models built by a real Trino, against the same computed by plain loops: as those of DuckDB, beside which and over which they can be built. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { withTrino } from '../../cli/servers/testing/with-trino.ts'
import { icebergCatalog } from '../../cli/servers/trino.ts'
import { allTables, type Lake, openJdbcCatalog, openLake, openLakeFiles, tableText } from '../lake/index.ts'
import { openFolderObjects } from '../objects/folder.ts'
import { connect, type Database } from '../postgres/connect.ts'
import { withPostgres } from '../testing/postgres.ts'
import { buildDay } from './day.ts'
import { createDuckdbModels } from './duckdb.ts'
import { modelNamed } from './models.ts'
import { dayNumber, dayText } from './render.ts'
import { built, builtRows, expected } from './testing/built-rows.ts'
import { randomProducts } from './testing/product-rows.ts'
import { appendRaw, randomRows } from './testing/raw-rows.ts'
import { createTrinoModels } from './trino.ts'

let folder: string
let database: Database | undefined
let lake: Lake
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'streamforge-models-'))
})
afterAll(async () => {
  await database?.close()
  await rm(folder, { recursive: true, force: true })
})

const postgres = withPostgres()
const trino = withTrino(async () => {
  const postgresUrl = await postgres.emptyDatabase()
  database = connect(postgresUrl, { max: 4 })
  lake = openLake(await openJdbcCatalog(database.sql), openLakeFiles(await openFolderObjects(folder)))
  return { lake: icebergCatalog({ postgresUrl, catalogName: 'lake', warehouse: lake.files.warehouse }) }
})

test('every model has the rows that loops find, over days that DuckDB has built', { timeout: 480_000 }, async () => {
  const first = dayNumber('2025-12-30')
  const days = [first, first + 1]
  const span = { seed: 3, from: first * 86_400_000, days: 2, events: 40 }
  const raw = { ...randomRows(span), products: randomProducts({ ...span, events: 15 }) }
  const { trips, ...others } = raw
  await appendRaw(lake, others)
  const duckdb = createDuckdbModels(lake)
  const engine = createTrinoModels(lake, trino.client({ catalog: 'lake' }))
  // Trips, whose table is not there yet.
  expect(await engine.build(modelNamed('stg_trips_repeats'), { day: dayText(first) })).toMatchObject({ rows: 0 })
  await appendRaw(lake, { trips })
  await buildDay(lake, duckdb, dayText(first))
  await buildDay(lake, engine, dayText(first + 1))
  expect(await built(lake, days)).toEqual(expected(raw, days))

  // What was made for Trino to write into is gone.
  expect((await allTables(lake)).map(tableText).filter((name) => name.includes('scratch'))).toEqual([])

  // Each over what the other has built.
  const model = modelNamed('metrics_daily_kpis')
  const before = await engine.build(model, { day: dayText(first) })
  const after = await duckdb.build(model, { day: dayText(first) })
  expect(after).toMatchObject({ rows: before.rows, inputs: before.inputs })
  expect(await builtRows(lake, model, first)).toEqual(expected(raw, days)[`metrics_daily_kpis ${first}`])
})

test('a build that is broken off leaves the table as it was, and nothing behind', { timeout: 120_000 }, async () => {
  const day = '2026-02-01'
  await appendRaw(lake, randomRows({ seed: 4, from: dayNumber(day) * 86_400_000, days: 1, events: 30 }))
  const ended = new AbortController()
  const engine = createTrinoModels(lake, trino.client({ catalog: 'lake' }))
  const building = engine.build(modelNamed('stg_trips'), {
    day,
    signal: ended.signal,
    onProgress: () => ended.abort(new Error('enough')),
  })
  await expect(building).rejects.toThrow()
  expect((await allTables(lake)).map(tableText).filter((name) => name.includes('scratch'))).toEqual([])
  const { rows } = await trino
    .client({ catalog: 'lake' })
    .query(`SELECT count(*) FROM analytics.stg_trips WHERE day = DATE '${day}'`)
  expect(rows.map(([count]) => Number(count))).toEqual([0])
})

/** The models built by DuckDB, against the same computed by plain loops, over random events. */
import { expect, test } from 'vitest'
import { temporaryLakes } from '../lake/testing/temporary-lake.ts'
import { buildDay } from './day.ts'
import { createDuckdbModels } from './duckdb.ts'
import { dayNumber, dayText } from './render.ts'
import { built, expected } from './testing/built-rows.ts'
import { appendRaw, randomRows } from './testing/raw-rows.ts'

const lakes = temporaryLakes()
const FIRST = dayNumber('2025-12-30')
const span = (seed: number) => ({ seed, from: FIRST * 86_400_000, days: 3, events: 60 })
const days = [FIRST, FIRST + 1, FIRST + 2]
const quiet = FIRST + 3

test.each([1, 2])('every model has the rows that loops find, random events %i', async (seed) => {
  const raw = randomRows(span(seed))
  const lake = await lakes()
  await appendRaw(lake, raw)
  const engine = createDuckdbModels(lake)
  for (const day of [...days, quiet]) await buildDay(lake, engine, dayText(day))
  expect(await built(lake, [...days, quiet])).toEqual(expected(raw, [...days, quiet]))
})

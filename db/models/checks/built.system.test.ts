/** What the models make of random events, copies and late ones among them, meets everything that is expected of it: a gate that stops good data would be worse than none. */
import { expect, test } from 'vitest'
import { createDuckdbEngine } from '../../lake/index.ts'
import { temporaryLakes } from '../../lake/testing/temporary-lake.ts'
import { buildDay } from '../day.ts'
import { createDuckdbModels } from '../duckdb.ts'
import { dayNumber, dayText } from '../render.ts'
import { randomProducts } from '../testing/product-rows.ts'
import { appendRaw, randomRows } from '../testing/raw-rows.ts'
import { EXPECTATIONS, runChecks } from './index.ts'

const lakes = temporaryLakes()
const FIRST = dayNumber('2025-12-30')
const DAY_MS = 86_400_000

test('days that were built pass every gate; a quiet one too', async () => {
  const lake = await lakes()
  const span = { seed: 3, from: FIRST * DAY_MS, days: 1, events: 80 }
  await appendRaw(lake, { ...randomRows(span), products: randomProducts(span) })
  const models = createDuckdbModels(lake)
  // The quiet day first: it has dimensions of nothing.
  const days = [FIRST + 1, FIRST].map(dayText)
  for (const day of days) await buildDay(lake, models, day)
  const deps = { lake, engine: createDuckdbEngine(lake), clock: { now: () => (FIRST + 4) * DAY_MS } }
  for (const day of days) {
    const results = await runChecks(deps, EXPECTATIONS, { day })
    expect(results.filter(({ outcome }) => outcome === 'skipped')).toEqual([])
    expect(results.filter(({ outcome, severity }) => outcome === 'failed' && severity === 'error')).toEqual([])
  }
})

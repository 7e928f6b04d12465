import { expect, it } from 'vitest'
import { createMemoryResults } from './memory-results.ts'
import { resultRow } from './result-rows.ts'
import { resultStoreSuite } from './result-store-suite.ts'

resultStoreSuite('in memory', async () => {
  const memory = createMemoryResults()
  return { ...memory, rows: async (table) => memory.rows(table) }
})

it('shares no object with whoever writes or reads', async () => {
  const memory = createMemoryResults()
  const row = resultRow('sessions')
  await memory.results.apply({ rows: { sessions: [row] }, outbox: [], progress: [] })
  row.revenue_minor.TRY = 0
  memory.rows('sessions')[0]!.revenue_minor.TRY = 1
  expect(memory.rows('sessions')).toEqual([resultRow('sessions')])
  expect(Object.keys(memory.tables())).toEqual(['sessions'])
})

import { isValidSpanId, isValidTraceId } from '@opentelemetry/api'
import { expect, it } from 'vitest'
import { newSpanIds, spanIds, withSpanIds } from './span-ids.ts'

it('ids are valid, and never twice the same', () => {
  const all = Array.from({ length: 5_000 }, newSpanIds)
  expect(all.every(({ traceId, spanId }) => isValidTraceId(traceId) && isValidSpanId(spanId))).toBe(true)
  expect(new Set(all.flatMap(({ traceId, spanId }) => [traceId, spanId])).size).toBe(10_000)
})

it('those that were asked for are given within, and to nobody afterwards', () => {
  const wanted = newSpanIds()
  const given = withSpanIds(wanted, () => ({ traceId: spanIds.generateTraceId(), spanId: spanIds.generateSpanId() }))
  expect(given).toEqual(wanted)
  expect(spanIds.generateSpanId()).not.toBe(wanted.spanId)
  expect(() => withSpanIds(wanted, () => expect.fail())).toThrow()
  expect(spanIds.generateTraceId()).not.toBe(wanted.traceId)
})

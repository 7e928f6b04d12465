import { describe, expect, it } from 'vitest'
import { bucket } from '../serve/params.ts'
import { RANGES, spanOf } from './ranges.ts'

describe.each(RANGES.map((range) => [range.id, range] as const))('the range %s', (_, range) => {
  it('has some sixty points, of a width that the API takes', () => {
    expect(bucket.parse(range.bucket)).toBe(range.bucketMs)
    const points = range.spanMs / range.bucketMs
    expect(points).toBeGreaterThanOrEqual(48)
    expect(points).toBeLessThanOrEqual(60)
  })

  it('ends with the minute that has begun, so that all who look ask the same', () => {
    const { from, to } = spanOf(range, Date.UTC(2026, 0, 31, 12, 0, 1))
    expect(to).toBe('2026-01-31T12:01:00.000Z')
    expect(Date.parse(to) - Date.parse(from)).toBe(range.spanMs)
    expect(spanOf(range, Date.UTC(2026, 0, 31, 12, 0, 59))).toEqual({ from, to })
  })
})

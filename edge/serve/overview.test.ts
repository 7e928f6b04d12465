import { describe, expect, it } from 'vitest'
import type { TimeRange } from '../ports.ts'
import { createHarness, NOW, sampleReader } from '../testing/harness.ts'
import { changeOf, overviewOf } from './overview.ts'

const HOUR_MS = 3_600_000

describe('the overview', () => {
  it('compares with the range of the same length before, and asks for it only then', async () => {
    const asked: TimeRange[] = []
    const known = sampleReader()
    const reader = sampleReader({
      overview: async (range) => {
        asked.push({ from: range.from, to: range.to })
        const found = await known.overview(range)
        return range.to === NOW ? found : { ...found, events: 3600, alerts: 0, revenue_minor: { TRY: 246_900 } }
      },
    })
    const edge = await createHarness({ reader })
    const plain = (await (await edge.get('/metrics/overview')).json()) as { data: object }
    expect(plain.data).not.toHaveProperty('previous')
    expect(asked).toEqual([{ from: NOW - HOUR_MS, to: NOW }])

    expect(await (await edge.get('/metrics/overview?compare=previous')).json()).toMatchObject({
      data: {
        events: 7200,
        previous: {
          range: { from: '2026-01-31T10:00:00.000Z', to: '2026-01-31T11:00:00.000Z' },
          events: 3600,
          totals: [{ currency: 'TRY', revenue: 2469 }],
        },
        change: {
          events: 1,
          orders: 0,
          conversion_rate: 0,
          // There was none before: no fraction says how much more that is.
          alerts: null,
          totals: [
            { currency: 'TRY', revenue: -0.5 },
            { currency: 'JPY', revenue: null },
          ],
        },
      },
    })
    expect(asked.at(-1)).toEqual({ from: NOW - 2 * HOUR_MS, to: NOW - HOUR_MS })
  })

  it('knows no change of a rate that was not known, and falls from a negative net by its size', async () => {
    const overview = overviewOf(await sampleReader().overview({ from: 0, to: 1, now: 1 }))
    const total = { currency: 'TRY', revenue: 0, refunded: 50, net_revenue: -50 }
    const before = { ...overview, conversion_rate: null, totals: [total] }
    const after = { ...overview, totals: [{ ...total, refunded: 75, net_revenue: -75 }] }
    expect(changeOf(before, after)).toMatchObject({
      conversion_rate: null,
      totals: [{ currency: 'TRY', revenue: null, refunded: 0.5, net_revenue: -0.5 }],
    })
  })

  it('names what it cannot compare with', async () => {
    const edge = await createHarness()
    const response = await edge.get('/metrics/overview?compare=yesterday')
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ detail: expect.stringMatching(/^compare: /) })
  })
})

import { describe, expect, it } from 'vitest'
import type { MetricReader } from '../ports.ts'
import { createHarness, sampleReader, sampleRegion, sampleTopRegion } from '../testing/harness.ts'

describe('the regions', () => {
  it('come with averages of a trip, fares by currency, and the place of the next page', async () => {
    const asked: Parameters<MetricReader['topRegions']>[0][] = []
    const reader = sampleReader({
      topRegions: async (range) => {
        asked.push(range)
        return { items: [sampleTopRegion], next: 'there' }
      },
    })
    const edge = await createHarness({ reader })
    expect(
      await (await edge.get('/metrics/regions?from=2026-01-01&to=2026-01-02&limit=1&cursor=here')).json(),
    ).toMatchObject({
      data: [
        {
          region_id: 'r-1',
          trips: 4,
          average_duration: 300,
          average_distance: 2,
          fares: [
            { currency: 'TRY', fare: 50.5 },
            { currency: 'USD', fare: 2 },
          ],
        },
      ],
      meta: { from: '2026-01-01T00:00:00.000Z', next_cursor: 'there' },
    })
    expect(asked).toMatchObject([{ limit: 1, cursor: 'here' }])
  })

  it('each have pages of windows, of which only the first can be missing', async () => {
    const reader = sampleReader({
      region: async ({ cursor }) => (cursor ? { items: [], next: null } : { items: [sampleRegion], next: 'more' }),
    })
    const edge = await createHarness({ reader })
    expect(await (await edge.get('/metrics/region/r-1')).json()).toMatchObject({
      data: [{ trips: 2, fare: 50.5, average_distance: 2 }],
      meta: { region_id: 'r-1', window: '1m', next_cursor: 'more' },
    })
    const last = await edge.get('/metrics/region/r-1?cursor=more')
    expect(last.status).toBe(200)
    expect(await last.json()).toMatchObject({ data: [], meta: { next_cursor: null } })
  })
})

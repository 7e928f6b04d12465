import { describe, expect, it } from 'vitest'
import { createHarness, sampleReader } from '../testing/harness.ts'

describe('the funnel', () => {
  it('gives every stage with its share of all sessions and of the stage before', async () => {
    const edge = await createHarness()
    expect(await (await edge.get('/metrics/funnel?from=2026-01-01&to=2026-01-02')).json()).toMatchObject({
      data: [
        { stage: 'visit', sessions: 40, rate_of_visits: 1, rate_of_previous: null },
        { stage: 'product_view', sessions: 30, rate_of_visits: 0.75, rate_of_previous: 0.75 },
        { stage: 'cart', sessions: 0, rate_of_visits: 0, rate_of_previous: 0 },
        { stage: 'checkout', sessions: 0, rate_of_visits: 0, rate_of_previous: null },
        { stage: 'purchase', sessions: 0, rate_of_visits: 0, rate_of_previous: null },
      ],
      meta: { from: '2026-01-01T00:00:00.000Z', to: '2026-01-02T00:00:00.000Z' },
    })
  })

  it('has no shares where nobody came', async () => {
    const edge = await createHarness({
      reader: sampleReader({ funnel: async () => [{ stage: 'visit', sessions: 0 }] }),
    })
    expect(await (await edge.get('/metrics/funnel')).json()).toMatchObject({
      data: [{ stage: 'visit', sessions: 0, rate_of_visits: null, rate_of_previous: null }],
    })
  })
})

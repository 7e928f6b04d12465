import { describe, expect, it } from 'vitest'
import { CLICKSTREAM, INPUT_TOPICS, ORDERS } from '../../streams/contract/topics.ts'
import type { EventQuestion, EventTrail } from '../../streams/evidence/index.ts'
import { createHarness, NOW } from '../testing/harness.ts'

const nothing: EventTrail = { records: [], looked: ['raw.orders in the lake'], missing: ['the log'] }
const trail: EventTrail = {
  ...nothing,
  records: [
    {
      topic: ORDERS,
      partition: 1,
      offset: 7,
      eventTimeMs: NOW,
      appendedAtMs: NOW + 5,
      identity: 'o-1',
      status: 'applied',
      duplicateOf: null,
      jobs: [{ job: 'revenue', outcome: 'applied' }],
      lake: { table: 'raw.orders', snapshotId: '7000000000000000001', committedMs: NOW + 900 },
    },
  ],
}

describe('GET /events/{event_id}/status', () => {
  it('tells what is known of the records, and asks for what the hints leave', async () => {
    const asked: EventQuestion[] = []
    const trace = async (question: EventQuestion) => {
      asked.push(question)
      return trail
    }
    const h = await createHarness({ events: { trace } })
    const response = await h.get('/events/a%2Fb/status')
    expect(await response.json()).toMatchObject({
      data: {
        event_id: 'a/b',
        status: 'applied',
        duplicates: 0,
        records: [
          { topic: ORDERS, offset: 7, jobs: [{ job: 'revenue' }], lake: { snapshot_id: '7000000000000000001' } },
        ],
        looked_in: nothing.looked,
        not_looked_in: nothing.missing,
      },
    })
    await h.get('/api/v1/events/x/status?type=event&at=2026-01-31T12:00:00Z')
    expect(asked).toEqual([
      { id: 'a/b', topics: INPUT_TOPICS, atMs: null },
      { id: 'x', topics: [CLICKSTREAM], atMs: NOW },
    ])
    for (const bad of ['type=click', 'at=noon', 'kind=event'])
      expect([bad, (await h.get(`/events/x/status?${bad}`)).status]).toEqual([bad, 400])
  })

  it('says where it looked in vain', async () => {
    const h = await createHarness({ events: { trace: async () => nothing } })
    const response = await h.get('/events/x/status')
    expect([response.status, (await response.json()).detail]).toEqual([
      404,
      'No record of "x" was found. Looked at: raw.orders in the lake. Not looked at: the log.',
    ])
  })

  it('looks for two at once and no more', async () => {
    let end!: (trail: EventTrail) => void
    const held = new Promise<EventTrail>((resolve) => {
      end = resolve
    })
    let begun = 0
    let bothBegan!: () => void
    const both = new Promise<void>((resolve) => {
      bothBegan = resolve
    })
    const trace = () => {
      if (++begun === 2) bothBegan()
      return held
    }
    const h = await createHarness({ events: { trace } })
    const first = [h.get('/events/x/status'), h.get('/events/y/status')]
    // Whoever is let in first is up to the checking of their tokens.
    await both
    const third = await h.get('/events/z/status')
    expect([third.status, third.headers.get('retry-after')]).toEqual([503, '2'])
    end(trail)
    for (const response of await Promise.all(first)) expect(response.status).toBe(200)
  })
})

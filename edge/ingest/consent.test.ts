import { describe, expect, it } from 'vitest'
import { CLICKSTREAM, ORDERS, TRIPS } from '../../streams/contract/topics.ts'
import { createHarness, type Harness, WRITE_KEY } from '../testing/harness.ts'
import { agreesToAnalytics, consentOf } from './consent.ts'

const click = (id: string, more: object = {}) => ({ event_id: id, event_type: 'page_view', user_id: 'ada', ...more })

/** An order as Segment's SDKs tell of it. */
const message = (messageId: string, context: object) => ({
  type: 'track',
  messageId,
  userId: 'ada',
  event: 'Order Completed',
  properties: { order_id: messageId, total: 5 },
  context,
})
const sendToSegment = ({ app }: Harness, batch: object[], key: string) =>
  app.request('/v1/batch', {
    method: 'POST',
    body: JSON.stringify({ batch }),
    headers: { 'content-type': 'application/json', authorization: `Basic ${btoa(`${key}:`)}` },
  })

describe('an event that says it is without consent', () => {
  it('is let go and counted, whatever else it is, and its neighbours are taken', async () => {
    const edge = await createHarness()
    const answer = await edge.json('/events', [
      click('e-1', { consent: true }),
      click('e-2', { consent: false }),
      { consent: false },
      click('e-3', { consent: null }),
    ])
    expect(answer.status).toBe(202)
    expect(await answer.json()).toEqual({ accepted: 2, duplicates: 0, rejected: [], without_consent: 2 })
    expect((await edge.events(CLICKSTREAM)).map((e) => e.event_id)).toEqual(['e-1', 'e-3'])
    // Nor was it kept in mind: once they agree, it is new.
    expect(await (await edge.json('/events', click('e-2'))).json()).toMatchObject({ accepted: 1, duplicates: 0 })
  })

  it('is no error where it is sent alone, on every topic, and in lines', async () => {
    const edge = await createHarness()
    const order = { order_id: 'o-1', user_id: 'ada', amount: 1, consent: false }
    const trip = { trip_id: 't-1', region_id: 7, fare: 1, duration: 1, distance: 1, consent: false }
    for (const [path, event] of [
      ['/events', click('e-1', { consent: false })],
      ['/orders', order],
      ['/trips', trip],
    ] as const) {
      const answer = await edge.json(path, event)
      expect(answer.status).toBe(202)
      expect(await answer.json()).toEqual({ accepted: 0, duplicates: 0, rejected: [], without_consent: 1 })
    }
    const lines = [1, 2, 3].map((n) => JSON.stringify(click(`l-${n}`, { consent: n === 2 }))).join('\n')
    const many = await edge.post('/events', lines, { 'content-type': 'application/x-ndjson' })
    expect(await many.json()).toEqual({ accepted: 1, duplicates: 0, rejected: [], without_consent: 2 })
    for (const topic of [ORDERS, TRIPS] as const) expect(await edge.events(topic)).toEqual([])
  })

  it('is refused where it says neither yes nor no: that must not pass for a yes', async () => {
    const edge = await createHarness()
    const answer = await edge.json('/events', [click('e-1', { consent: 'false' }), click('e-2', { consent: 0 })])
    expect(await answer.json()).toMatchObject({
      accepted: 0,
      rejected: [0, 1].map((index) => ({ index, code: 'wrong_type', message: 'consent: expected true or false' })),
    })
  })

  it('is counted among the edge’s metrics', async () => {
    const edge = await createHarness()
    await edge.json('/events', [click('e-1', { consent: false }), click('e-2')])
    const page = await (await edge.app.request('/metrics')).text()
    expect(page).toContain('streamforge_ingest_events_total{topic="clickstream.events",outcome="without_consent"} 1')
  })
})

describe('a write key that requires consent', () => {
  const keyOf = async (edge: Harness): Promise<string> => {
    const made = await edge.app.request('/api/v1/write-keys', {
      method: 'POST',
      headers: { ...(await edge.as('operator')), 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'asks', requires_consent: true }),
    })
    const { data } = (await made.json()) as { data: { key: string; requires_consent: boolean } }
    expect(data.requires_consent).toBe(true)
    return data.key
  }

  it('takes only what says yes; others are taken as ever', async () => {
    const edge = await createHarness()
    const events = [click('e-1'), click('e-2', { consent: true }), click('e-3', { consent: null })]
    const send = async (key: string) =>
      edge.app.request('/api/v1/events', {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-write-key': key },
        body: JSON.stringify(events),
      })
    const required = await send(await keyOf(edge))
    expect(required.status).toBe(202)
    expect(await required.json()).toEqual({ accepted: 1, duplicates: 0, rejected: [], without_consent: 2 })
    expect((await edge.events(CLICKSTREAM)).map((e) => e.event_id)).toEqual(['e-2'])
    expect(await (await send(WRITE_KEY)).json()).toEqual({ accepted: 2, duplicates: 1, rejected: [] })
  })

  it('takes messages of Segment’s that say yes to analytics, with their orders', async () => {
    const edge = await createHarness()
    const batch = [
      message('m-1', { consent: { categoryPreferences: { Analytics: true } } }),
      message('m-2', { consent: { categoryPreferences: { Advertising: true } } }),
      message('m-3', {}),
    ]
    const answer = await sendToSegment(edge, batch, await keyOf(edge))
    expect(await answer.json()).toEqual({ success: true, accepted: 1, duplicates: 0, rejected: [], without_consent: 2 })
    expect((await edge.events(ORDERS)).map((e) => e.order_id)).toEqual(['m-1'])
  })
})

describe('a message of Segment’s', () => {
  const preferring = (categoryPreferences: object) => ({ consent: { categoryPreferences } })

  it('is let go where its preferences refuse analytics, with its order', async () => {
    const edge = await createHarness()
    const batch = [
      message('m-1', preferring({ Advertising: false, Analytics: true })),
      message('m-2', preferring({ Advertising: true, Analytics: false })),
      message('m-3', {}),
    ]
    const answer = await sendToSegment(edge, batch, WRITE_KEY)
    expect(await answer.json()).toEqual({ success: true, accepted: 2, duplicates: 0, rejected: [], without_consent: 1 })
    expect((await edge.events(CLICKSTREAM)).map((e) => e.event_id)).toEqual(['m-1', 'm-3'])
    expect((await edge.events(ORDERS)).map((e) => e.order_id)).toEqual(['m-1', 'm-3'])
  })

  it('is read as yes or no only where it says so in so many words', () => {
    expect(agreesToAnalytics(preferring({ analytics: false }))).toBe(false)
    expect(agreesToAnalytics(preferring({ Analytics: true, Advertising: false }))).toBe(true)
    expect(agreesToAnalytics(preferring({ Analytics: true, analytics: false }))).toBe(false)
    for (const context of [
      null,
      {},
      { consent: null },
      preferring({}),
      preferring({ analytics: 'no' }),
      preferring({ functional: false }),
    ])
      expect(agreesToAnalytics(context)).toBe(null)
    expect(consentOf(null)).toBe('open')
    expect(consentOf(JSON.parse('{"__proto__":{"consent":false}}'))).toBe('open')
  })
})

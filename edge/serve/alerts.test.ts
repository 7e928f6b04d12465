import { describe, expect, it } from 'vitest'
import { ORDERS } from '../../streams/contract/topics.ts'
import type { Explained } from '../../streams/evidence/index.ts'
import type { AlertExplainer, AlertFilter } from '../ports.ts'
import { createHarness, type Harness, NOW, sampleAlert, sampleAlertDetail, sampleReader } from '../testing/harness.ts'

const rule = {
  id: 'three-large-orders',
  version: 1,
  description: 'Three large orders within five minutes.',
  parameters: { orders: 3, above: 5000, currency: 'TRY', within_seconds: 300 },
}
const answer: Explained = {
  fires: false,
  alerts: [],
  appearing: [],
  vanishing: [],
  explanation: 'Without o-1 only two orders above 5,000.00 TRY lie within 5 min, and the rule takes three.',
  unknown: [],
  judgedOn: { orders: 3, fromMs: NOW, toMs: NOW + 1, lake: true, log: { from: 4, to: 9 }, whole: true, missing: [] },
  steps: [
    {
      orderId: 'o-1',
      eventTimeMs: NOW,
      amountMinor: 600_000,
      currency: 'TRY',
      status: 'success',
      topic: ORDERS,
      partition: 1,
      offset: 7,
      changed: 'removed',
      isEvidence: true,
      counts: false,
      reason: 'left out, as the question asks',
      together: [],
      alertId: null,
    },
  ],
}
const explainerOf = (explain: AlertExplainer['explain']): AlertExplainer => ({
  rule: async () => rule,
  arrivals: async () => new Map([[7, { receivedAtMs: NOW + 20, appendedAtMs: NOW + 30 }]]),
  explain,
})
const explainer = explainerOf(async () => answer)

const send = async (h: Harness, role: 'viewer' | 'operator', path: string, body: unknown) =>
  h.app.request(`/api/v1${path}`, {
    method: 'POST',
    headers: { ...(await h.as(role)), 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })

describe('GET /fraud-alerts', () => {
  it('asks for what the filters say', async () => {
    const asked: AlertFilter[] = []
    const h = await createHarness({
      reader: sampleReader({
        fraudAlerts: async (filter) => {
          asked.push(filter)
          return { items: [sampleAlert], next: null }
        },
      }),
    })
    const response = await h.get(
      '/fraud-alerts?user_id=u-1&state=active&review=open&rule_id=r&from=2026-01-31T00:00:00Z&to=2026-02-01T00:00:00Z&limit=7',
    )
    expect(await response.json()).toMatchObject({ data: [{ alert_id: 'a-1', review: { state: 'open', at: null } }] })
    expect(asked).toEqual([
      {
        userId: 'u-1',
        state: 'active',
        review: 'open',
        ruleId: 'r',
        from: Date.UTC(2026, 0, 31),
        to: Date.UTC(2026, 1, 1),
        limit: 7,
      },
    ])
    for (const bad of ['review=perhaps', 'from=2026-02-01&to=2026-01-01', 'reviewed=open'])
      expect([bad, (await h.get(`/fraud-alerts?${bad}`)).status]).toEqual([bad, 400])
  })
})

describe('GET /fraud-alerts/{id}', () => {
  it('tells rule, timeline, reviews and trace', async () => {
    const row = {
      ...sampleAlertDetail,
      trace_id: 'abc123',
      review: { state: 'confirmed' as const, at: NOW + 90, by: 'ada' },
      notes: [{ at: NOW + 90, by: 'ada', state: 'confirmed' as const, note: 'called' }],
    }
    const h = await createHarness({
      reader: sampleReader({ fraudAlert: async () => row }),
      alerts: { explainer, traceUrl: 'https://traces.example/trace/{trace_id}' },
    })
    const { data } = (await (await h.get('/fraud-alerts/a-1')).json()) as { data: Record<string, unknown> }
    expect(data).toMatchObject({
      rule,
      trace_url: 'https://traces.example/trace/abc123',
      review: { state: 'confirmed', by: 'ada', notes: [{ by: 'ada', note: 'called' }], superseded: [] },
      timeline: [
        { what: 'happened', order_id: 'o-1', at: '2026-01-31T12:00:00.000Z' },
        { what: 'received', order_id: 'o-1', at: '2026-01-31T12:00:00.020Z' },
        { what: 'alerted', at: '2026-01-31T12:00:00.050Z' },
        { what: 'reviewed', by: 'ada', state: 'confirmed', note: 'called' },
      ],
    })
  })
})

describe('POST /fraud-alerts/{id}/review', () => {
  it('is for operators, and says who reviews, when and from where', async () => {
    const reviewed: unknown[] = []
    const h = await createHarness({
      alerts: {
        explainer,
        reviews: {
          review: async (review) => {
            reviewed.push(review)
            return review.alertId === 'a-1'
          },
        },
      },
    })
    expect((await send(h, 'viewer', '/fraud-alerts/a-1/review', { state: 'confirmed' })).status).toBe(403)
    expect(reviewed).toEqual([])
    expect((await send(h, 'operator', '/fraud-alerts/a-1/review', { state: 'confirmed', note: 'x' })).status).toBe(200)
    const by = { username: 'the-operator', address: '192.0.2.1' }
    expect(reviewed).toEqual([{ alertId: 'a-1', state: 'confirmed', note: 'x', by, at: NOW }])
    expect((await send(h, 'operator', '/fraud-alerts/none/review', { state: 'dismissed' })).status).toBe(404)
    for (const bad of [{}, { state: 'maybe' }, { state: 'open', note: '' }, { state: 'open', by: 'eve' }, '{'])
      expect((await send(h, 'operator', '/fraud-alerts/a-1/review', bad)).status).toBe(400)
    const long = { state: 'open', note: 'y'.repeat(20_000) }
    expect((await send(h, 'operator', '/fraud-alerts/a-1/review', long)).status).toBe(413)
  })
})

describe('POST /fraud-alerts/{id}/explain', () => {
  it('is for viewers, and gives the answer with its steps', async () => {
    const asked: unknown[] = []
    const h = await createHarness({
      alerts: {
        explainer: explainerOf(async (_, changes) => {
          asked.push(changes)
          return answer
        }),
      },
    })
    const changes = [{ without: 'o-1' }, { order_id: 'o-2', shift_seconds: 40 }, { order_id: 'o-3', amount: 49.99 }]
    const response = await send(h, 'viewer', '/fraud-alerts/a-1/explain', { changes })
    expect(response.status).toBe(200)
    expect(await response.json()).toMatchObject({
      data: {
        fires: false,
        explanation: answer.explanation,
        evaluation: [{ order_id: 'o-1', amount: 6000, evidence: true, changed: 'removed', counts: false }],
        judged_on: { orders: 3, lake: true, log: { from_offset: 4, to_offset: 9 }, whole: true },
      },
    })
    expect(asked).toEqual([
      [{ without: 'o-1' }, { orderId: 'o-2', shiftMs: 40_000 }, { orderId: 'o-3', amountMinor: 4999 }],
    ])
  })

  it('refuses what can not be asked, with a sentence', async () => {
    const h = await createHarness({ alerts: { explainer: explainerOf(async () => ({ ...answer, unknown: ['o-9'] })) } })
    const bad = [
      { changes: [{}] },
      { changes: [{ without: 'o-1', amount: 3 }] },
      { changes: [{ order_id: 'o-1', shift_seconds: 1e9 }] },
      { changes: Array.from({ length: 11 }, () => ({ without: 'o-1' })) },
      { change: [] },
    ]
    for (const body of bad) expect((await send(h, 'viewer', '/fraud-alerts/a-1/explain', body)).status).toBe(400)
    expect((await send(h, 'viewer', '/fraud-alerts/none/explain', {})).status).toBe(404)
    const unknown = await send(h, 'viewer', '/fraud-alerts/a-1/explain', { changes: [{ without: 'o-9' }] })
    expect([unknown.status, (await unknown.json()).detail]).toEqual([422, expect.stringContaining('"o-9" is none')])
    const gone = await createHarness({ alerts: { explainer: explainerOf(async () => null) } })
    expect((await send(gone, 'viewer', '/fraud-alerts/a-1/explain', {})).status).toBe(422)
  })
})

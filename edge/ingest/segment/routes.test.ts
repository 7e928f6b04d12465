import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { CLICKSTREAM, ORDERS } from '../../../streams/contract/topics.ts'
import { createHarness, type Harness, NOW, WRITE_KEY } from '../../testing/harness.ts'
import { SEGMENT_PATHS } from './routes.ts'

const BASIC = { authorization: `Basic ${btoa(`${WRITE_KEY}:`)}` }

const send = (edge: Harness, path: string, body: unknown, headers: Record<string, string> = BASIC) =>
  edge.app.request(path, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
  })
const track = (id: string, event: string, properties: object = {}, more: object = {}) => ({
  type: 'track',
  messageId: id,
  userId: 'ada',
  event,
  properties,
  ...more,
})

describe('Segment’s API', () => {
  it('takes a call and answers as Segment does, with what became of it', async () => {
    const edge = await createHarness()
    const answer = await send(edge, '/v1/track', track('m-1', 'Signed Up', { plan: 'pro' }))
    expect(answer.status).toBe(200)
    expect(await answer.json()).toEqual({ success: true, accepted: 1, duplicates: 0, rejected: [] })
    const [event] = await edge.events(CLICKSTREAM)
    expect(event).toMatchObject({ event_id: 'm-1', event_type: 'custom', user_id: 'ada', received_at: NOW })
    expect(JSON.parse(event?.properties ?? '')).toEqual({
      type: 'track',
      event: 'Signed Up',
      properties: { plan: 'pro' },
    })
  })

  it('has a path for every call, the short ones of browsers too', async () => {
    const edge = await createHarness()
    const message = { userId: 'ada', event: 'E', groupId: 'g', previousId: 'p', batch: [] }
    for (const path of SEGMENT_PATHS) expect([path, (await send(edge, path, message)).status]).toEqual([path, 200])
    expect((await send(edge, '/v1/unknown', message)).status).toBe(404)
  })

  it('takes the skew of the client’s clock out of an event’s time', async () => {
    const edge = await createHarness()
    const hourBehind = (ms: number) => new Date(NOW - 3_600_000 + ms).toISOString()
    const message = track('m-1', 'E', {}, { timestamp: hourBehind(-5_000) })
    await send(edge, '/v1/batch', { batch: [message], sentAt: hourBehind(0) })
    expect((await edge.events(CLICKSTREAM))[0]).toMatchObject({
      event_time: NOW - 5_000,
      original_time: NOW - 3_605_000,
      sent_at: NOW - 3_600_000,
    })
  })

  it('makes a sale an order and a purchase that names it, and a retry of it a duplicate', async () => {
    const edge = await createHarness()
    const sale = track('m-1', 'Order Completed', { order_id: 'o-1', total: 12.5, currency: 'EUR' })
    const refund = track('m-2', 'Order Refunded', { order_id: 'o-1', total: 12.5, currency: 'EUR' })
    const both = { batch: [sale, refund] }
    expect(await (await send(edge, '/v1/batch', both)).json()).toMatchObject({ accepted: 2, duplicates: 0 })
    expect(await (await send(edge, '/v1/batch', both)).json()).toMatchObject({ accepted: 0, duplicates: 2 })
    expect(await edge.events(ORDERS)).toMatchObject([
      { order_id: 'o-1', user_id: 'ada', amount_minor: 1250, currency: 'EUR', status: 'success' },
      { order_id: 'o-1', user_id: 'ada', amount_minor: 1250, currency: 'EUR', status: 'refunded' },
    ])
    expect(await edge.events(CLICKSTREAM)).toMatchObject([
      { event_id: 'm-1', event_type: 'purchase', order_id: 'o-1', revenue_minor: 1250 },
      { event_id: 'm-2', event_type: 'custom', order_id: 'o-1', revenue_minor: null },
    ])
  })

  it('says what is wrong with a body that is no single object', async () => {
    const edge = await createHarness()
    const told = async (body: unknown) => {
      const answer = await send(edge, '/v1/track', body, { ...BASIC, 'content-type': 'text/plain' })
      return [answer.status, ((await answer.json()) as { code: string }).code]
    }
    expect(await told('{\n  "userId": "ada",\n  "event": \n}')).toEqual([400, 'malformed_body'])
    expect(await told('{"userId":"ada","event":"A"}\n{"userId":"ada","event":"B"}')).toEqual([400, 'malformed_body'])
    expect(await told([track('m-1', 'A'), track('m-2', 'B')])).toEqual([413, 'too_many_events'])
    expect(await edge.events(CLICKSTREAM)).toEqual([])
  })

  it('gives each message that it refuses a verdict, and takes its neighbours', async () => {
    const edge = await createHarness()
    const answer = await send(edge, '/v1/batch', {
      batch: [
        track('m-0', 'E'),
        'nonsense',
        { type: 'track', event: 'E', messageId: 'm-2' },
        track('m-3', 'Order Completed', { order_id: 'o-3', total: 1, currency: 'not a currency' }),
        track('m-4', 'E', {}, { timestamp: 'yesterday' }),
        track('m-5', 'E', { text: 'x'.repeat(33_000) }),
        track('m-6', 'Order Completed', { order_id: 'o-6', total: 1 }),
      ],
    })
    expect(answer.status).toBe(200)
    const { rejected, ...counts } = (await answer.json()) as { rejected: { index: number }[] }
    expect(counts).toEqual({ success: true, accepted: 2, duplicates: 0 })
    expect(rejected).toMatchObject([
      { index: 1, event_id: null, code: 'not_an_object' },
      { index: 2, event_id: 'm-2', code: 'missing_field' },
      { index: 3, event_id: 'm-3', code: 'invalid_value' },
      { index: 4, event_id: 'm-4', code: 'invalid_value' },
      { index: 5, event_id: 'm-5', code: 'too_large' },
    ])
    expect((await edge.events(CLICKSTREAM)).map((e) => e.event_id)).toEqual(['m-0', 'm-6'])
    expect((await edge.events(ORDERS)).map((e) => e.order_id)).toEqual(['o-6'])
    const metrics = await (await edge.get('/metrics')).text()
    expect(metrics).toContain('streamforge_ingest_events_total{topic="clickstream.events",outcome="missing_field"} 1')
  })

  it('finds the write key in the body, as browsers and phones send it, in plain text or gzip', async () => {
    const edge = await createHarness()
    const withKey = (writeKey: unknown) => ({ ...track('m-1', 'E'), writeKey })
    const plain = { 'content-type': 'text/plain' }
    expect((await send(edge, '/v1/t', withKey(WRITE_KEY), plain)).status).toBe(200)
    const gzip = await edge.app.request('/v1/b', {
      method: 'POST',
      body: gzipSync(JSON.stringify({ writeKey: WRITE_KEY, batch: [track('m-2', 'E')] })),
      headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
    })
    expect(await gzip.json()).toMatchObject({ accepted: 1 })
    for (const wrong of ['another', '', null, { length: 7 }, undefined]) {
      expect((await send(edge, '/v1/t', withKey(wrong), plain)).status).toBe(401)
    }
    // A header that is wrong is not made good by the body.
    const header = { authorization: `Basic ${btoa('another:')}` }
    expect((await send(edge, '/v1/t', withKey(WRITE_KEY), header)).status).toBe(401)
    expect((await edge.events(CLICKSTREAM)).map((e) => e.event_id)).toEqual(['m-1', 'm-2'])
  })

  it('refuses what is no request of Segment’s, and what is too much', async () => {
    const edge = await createHarness()
    const status = async (path: string, body: unknown) => (await send(edge, path, body)).status
    expect(await status('/v1/track', 'not json')).toBe(400)
    expect(await status('/v1/track', [track('m', 'E')])).toBe(400)
    expect(await status('/v1/batch', { batch: { type: 'track' } })).toBe(400)
    expect(await status('/v1/batch', { batch: Array(2_501).fill({}) })).toBe(413)
    expect(await status('/v1/batch', { batch: [], padding: 'ü'.repeat(260_000) })).toBe(413)
    expect(await status('/v1/batch', { batch: [], padding: 'ü'.repeat(200_000) })).toBe(200)
    expect(edge.log.records).toEqual([])
  })

  it('is answered with 503 while the log is away, and loses nothing to that', async () => {
    const edge = await createHarness()
    edge.log.unavailable = true
    const sale = track('m-1', 'Order Completed', { order_id: 'o-1', total: 1 })
    const refused = await send(edge, '/v1/track', sale)
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '2'])
    edge.log.unavailable = false
    expect(await (await send(edge, '/v1/track', sale)).json()).toMatchObject({ accepted: 1, duplicates: 0 })
  })

  it('is open to the pages of any origin', async () => {
    const edge = await createHarness()
    const preflight = await edge.app.request('/v1/t', {
      method: 'OPTIONS',
      headers: { origin: 'https://shop.example', 'access-control-request-method': 'POST' },
    })
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get('access-control-allow-origin')).toBe('*')
  })
})

import { deflateSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { CLICKSTREAM, ORDERS, TRIPS } from '../../streams/contract/topics.ts'
import { createHarness, NOW, WRITE_KEY } from '../testing/harness.ts'

const click = (id: string, over: object = {}) => ({ event_id: id, event_type: 'page_view', user_id: 'u-1', ...over })

describe('ingestion', () => {
  it('accepts one event, an array and NDJSON, and the log then has them', async () => {
    const edge = await createHarness()
    const one = await edge.json('/events', click('e-1', { page_url: 'https://shop.example/' }))
    expect(one.status).toBe(202)
    expect(await one.json()).toEqual({ accepted: 1, duplicates: 0, rejected: [] })
    expect(await (await edge.json('/events', [click('e-2'), click('e-3')])).json()).toMatchObject({ accepted: 2 })
    const lines = `${JSON.stringify(click('e-4'))}\n\n${JSON.stringify(click('e-5'))}\r\n`
    const nd = await edge.post('/events', lines, { 'content-type': 'application/x-ndjson; charset=utf-8' })
    expect(await nd.json()).toEqual({ accepted: 2, duplicates: 0, rejected: [] })
    const events = await edge.events(CLICKSTREAM)
    expect(events.map((e) => e.event_id)).toEqual(['e-1', 'e-2', 'e-3', 'e-4', 'e-5'])
    expect(events[0]).toMatchObject({ page_url: 'https://shop.example/', received_at: NOW, event_time: NOW })
    expect(edge.log.appends).toBe(3)
  })

  it('takes orders and trips, keyed by user and region, in minor units', async () => {
    const edge = await createHarness()
    expect((await edge.json('/orders', { order_id: 'o-1', user_id: 'u-1', amount: 12.34 })).status).toBe(202)
    expect(
      (await edge.json('/trips', { trip_id: 't-1', region_id: 7, fare: 10, duration: 60, distance: 1.5 })).status,
    ).toBe(202)
    expect((await edge.events(ORDERS))[0]).toMatchObject({
      order_id: 'o-1',
      amount_minor: 1234,
      currency: 'TRY',
      status: 'success',
    })
    expect((await edge.events(TRIPS))[0]).toMatchObject({ region_id: '7', fare_minor: 1000, distance_m: 1500 })
    expect(edge.log.records.map((r) => r.key)).toEqual(['u-1', '7'])
  })

  it('understands gzip and deflate', async () => {
    const edge = await createHarness()
    const gz = await edge.post('/events', gzipSync(JSON.stringify(click('e-1'))), { 'content-encoding': 'gzip' })
    expect(await gz.json()).toMatchObject({ accepted: 1 })
    const de = await edge.post('/events', deflateSync(JSON.stringify([click('e-2')])), {
      'content-encoding': 'Deflate',
    })
    expect(await de.json()).toMatchObject({ accepted: 1 })
  })

  it('takes beacons: plain text with the key in the query, JSON or lines', async () => {
    const edge = await createHarness()
    const send = (body: string) =>
      edge.app.request(`/api/v1/events?write_key=${WRITE_KEY}`, {
        method: 'POST',
        body,
        headers: { 'content-type': 'text/plain;charset=UTF-8' },
      })
    expect(await (await send(JSON.stringify(click('e-1')))).json()).toMatchObject({ accepted: 1 })
    expect(await (await send(JSON.stringify([click('e-2')], null, 2))).json()).toMatchObject({ accepted: 1 })
    const mixed = await send(`{"broken\n${JSON.stringify(click('e-3'))}`)
    expect(mixed.status).toBe(202)
    expect(await mixed.json()).toMatchObject({ accepted: 1, rejected: [{ index: 0, code: 'malformed_line' }] })
    expect((await send('not json\nat all')).status).toBe(400)
  })

  it('gives each refused event a verdict and keeps its neighbours', async () => {
    const edge = await createHarness()
    const response = await edge.json('/events', [
      click('e-1'),
      { event_id: 'bad-1', event_type: 'nonsense', user_id: 'u' },
      null,
      'text',
      click('e-2'),
      { event_type: 'page_view' },
      click('e-3', { event_time: '1066-10-14T09:00:00Z' }),
    ])
    expect(response.status).toBe(202)
    const { accepted, rejected } = (await response.json()) as {
      accepted: number
      rejected: { index: number; code: string }[]
    }
    expect(accepted).toBe(2)
    expect(rejected.map((r) => [r.index, r.code])).toEqual([
      [1, 'invalid_value'],
      [2, 'not_an_object'],
      [3, 'not_an_object'],
      [5, 'missing_field'],
      [6, 'time_out_of_range'],
    ])
    expect(rejected[0]).toMatchObject({
      event_id: 'bad-1',
      retryable: false,
      message: expect.stringContaining('event_type'),
    })
    expect((await edge.events(CLICKSTREAM)).map((e) => e.event_id)).toEqual(['e-1', 'e-2'])
  })

  it('answers 202 with verdicts when every event of an array is refused, and 422 when the one object is', async () => {
    const edge = await createHarness()
    const many = await edge.json('/events', [{}, {}])
    expect(many.status).toBe(202)
    expect(await many.json()).toMatchObject({ accepted: 0, duplicates: 0, rejected: [{ index: 0 }, { index: 1 }] })
    const one = await edge.json('/events', { event_type: 'page_view' })
    expect(one.status).toBe(422)
    expect(one.headers.get('content-type')).toBe('application/problem+json')
    expect(await one.json()).toMatchObject({
      code: 'invalid_event',
      detail: expect.stringContaining('user_id'),
      accepted: 0,
      rejected: [{ index: 0, code: 'missing_field' }],
    })
    expect(edge.log.appends).toBe(0)
  })

  it('counts duplicates, within a request and across requests, and does not append them again', async () => {
    const edge = await createHarness()
    expect(await (await edge.json('/events', [click('e-1'), click('e-1'), click('e-2')])).json()).toMatchObject({
      accepted: 2,
      duplicates: 1,
    })
    expect(await (await edge.json('/events', [click('e-2'), click('e-3')])).json()).toMatchObject({
      accepted: 1,
      duplicates: 1,
    })
    expect(edge.log.records).toHaveLength(3)
    edge.clock.nowMs += 21 * 60_000
    expect(await (await edge.json('/events', click('e-1'))).json()).toMatchObject({ accepted: 1, duplicates: 0 })
  })

  it('takes an order that changes its status for a new fact', async () => {
    const edge = await createHarness()
    const order = (status: string) => ({ order_id: 'o-1', user_id: 'u', amount: 1, status })
    expect(
      await (
        await edge.json('/orders', [order('failed'), order('success'), order('refunded'), order('success')])
      ).json(),
    ).toMatchObject({
      accepted: 3,
      duplicates: 1,
    })
  })

  it('answers 503 with Retry-After while the log is away, and forgets that it saw the events', async () => {
    const edge = await createHarness()
    edge.log.unavailable = true
    const refused = await edge.json('/events', click('e-1'))
    expect(refused.status).toBe(503)
    expect(refused.headers.get('retry-after')).toBe('2')
    expect(await refused.json()).toMatchObject({ code: 'log_unavailable' })
    edge.log.unavailable = false
    expect(await (await edge.json('/events', click('e-1'))).json()).toEqual({
      accepted: 1,
      duplicates: 0,
      rejected: [],
    })
  })

  it('forwards a valid traceparent with each record, and no other', async () => {
    const edge = await createHarness()
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
    await edge.post('/events', JSON.stringify([click('e-1'), click('e-2')]), { traceparent })
    await edge.post('/events', JSON.stringify(click('e-3')), {
      traceparent: '00-00000000000000000000000000000000-00f067aa0ba902b7-01',
    })
    expect(edge.log.records.map((r) => r.headers)).toEqual([{ traceparent }, { traceparent }, undefined])
  })

  it('makes ids for clicks that bring none', async () => {
    const edge = await createHarness()
    await edge.json('/events', [
      { event_type: 'custom', anonymous_id: 'a' },
      { event_type: 'custom', anonymous_id: 'a' },
    ])
    expect((await edge.events(CLICKSTREAM)).map((e) => e.event_id)).toEqual(['made-1', 'made-2'])
  })

  it('flags the clicks of bots by their browser, unless they say it themselves', async () => {
    const edge = await createHarness()
    const send = async (agent: string | null, event: object) =>
      edge.post('/events', JSON.stringify({ event_type: 'custom', user_id: 'u', ...event }), {
        ...(agent && { 'user-agent': agent }),
      })
    const chrome =
      'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36'
    await send(chrome, {})
    await send('Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)', {})
    await send(chrome.replace('Chrome', 'HeadlessChrome'), {})
    await send(chrome.replace('Chrome', 'HeadlessChrome'), { bot: false })
    await send('python-requests/2.32', {})
    await send('python-requests/2.32', { bot: true })
    await send(null, {})
    expect((await edge.events(CLICKSTREAM)).map((e) => e.bot)).toEqual([false, true, true, false, null, true, null])
  })

  it('tells busy clients to come back, and serves them afterwards', async () => {
    const edge = await createHarness({ limits: { requestsInFlightMax: 1 } })
    const answers = await Promise.all([edge.json('/events', click('e-1')), edge.json('/events', click('e-2'))])
    expect(answers.map((a) => a.status)).toEqual([202, 503])
    expect(answers[1]!.headers.get('retry-after')).toBe('1')
    expect((await edge.json('/events', click('e-2'))).status).toBe(202)
    const small = await createHarness({ limits: { bytesInFlightMax: 10 } })
    expect((await small.json('/events', click('e-1'))).status).toBe(503)
    expect((await small.json('/events', click('e-1'))).status).toBe(503)
  })
})

describe('the write key', () => {
  const body = JSON.stringify(click('e-1'))
  const send = async (headers: Record<string, string>, query = '') =>
    (await createHarness()).app.request(`/api/v1/events${query}`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', ...headers },
    })

  it('is taken from Basic, Bearer, X-Write-Key and the query', async () => {
    expect((await send({ authorization: `Basic ${btoa(`${WRITE_KEY}:`)}` })).status).toBe(202)
    expect((await send({ authorization: `bearer ${WRITE_KEY}` })).status).toBe(202)
    expect((await send({ 'x-write-key': WRITE_KEY })).status).toBe(202)
    expect((await send({}, `?write_key=${WRITE_KEY}`)).status).toBe(202)
  })

  it.each([
    ['nothing', {}, ''],
    ['another key', { 'x-write-key': 'wk_other' }, ''],
    ['a prefix of it', { 'x-write-key': 'wk_tes' }, ''],
    ['a longer one', { 'x-write-key': 'wk_testwk_test' }, ''],
    ['an empty one', {}, '?write_key='],
    ['broken Basic', { authorization: 'Basic %%%' }, ''],
    ['an unknown scheme', { authorization: 'Digest wk_test' }, ''],
  ])('is missed in a request with %s', async (_, headers: Record<string, string>, query) => {
    const response = await send(headers, query)
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toContain('Basic')
    expect(await response.text()).not.toContain(WRITE_KEY)
  })
})

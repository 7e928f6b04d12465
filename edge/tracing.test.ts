/** What a request's trace is made of, what its records, answers and log lines say of it, and what is in none of them. */
import { trace } from '@opentelemetry/api'
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { SpanKind, spanContextOf } from '../observability/spans.ts'
import { type RecordedSpans, recordSpans } from '../observability/testing/recorded-spans.ts'
import { readsPostgres } from './store-spans.ts'
import { createHarness, NOW, sampleReader } from './testing/harness.ts'
import { ASKED_FOR_MAX } from './tracing.ts'

let recorded: RecordedSpans | undefined
function record(ratio: number): RecordedSpans {
  recorded = recordSpans({ ratio })
  return recorded
}
afterEach(() => {
  recorded?.stop()
  recorded = undefined
})
// What the next file of this thread finds.
afterAll(() => expect(trace.getTracer('x').startSpan('x').isRecording()).toBe(false))

const order = (id: string) => ({
  order_id: id,
  user_id: 'ada',
  product_id: 'kettle',
  category: 'home',
  amount: 49.9,
  currency: 'TRY',
})
const click = (id: string) => ({ event_id: id, event_type: 'page_view', anonymous_id: 'a', page_url: '/' })
const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736'
const client = (flags: string) => `00-${TRACE_ID}-00f067aa0ba902b7-${flags}`
const contextIn = (response: Response) => spanContextOf(response.headers.get('traceparent') ?? undefined)
const kinds = (spans: readonly ReadableSpan[]) => spans.map(({ name, kind }) => `${SpanKind[kind]} ${name}`)

describe('a request that is recorded', () => {
  it('is a span, with that of its append below, whose context travels with every record', async () => {
    const spans = record(1)
    const edge = await createHarness()
    const response = await edge.json('/orders', [order('o-1'), order('o-2'), order('o-2'), { amount: -1 }])
    expect(kinds(spans.spans())).toEqual(['PRODUCER append transactions.orders', 'SERVER POST /orders'])
    const [server, append] = [spans.named('POST /orders'), spans.named('append transactions.orders')]
    expect(server.parentSpanContext).toBeUndefined()
    expect(server.attributes).toEqual({
      'http.request.method': 'POST',
      'http.route': '/orders',
      'http.response.status_code': 202,
      'streamforge.events.accepted': 2,
      'streamforge.events.duplicates': 1,
      'streamforge.events.rejected': 1,
    })
    expect(append.parentSpanContext?.spanId).toBe(server.spanContext().spanId)
    expect(append.attributes).toEqual({
      'messaging.system': 'streamforge',
      'messaging.operation.type': 'send',
      'messaging.destination.name': 'transactions.orders',
      'messaging.batch.message_count': 2,
    })
    const { traceId, spanId } = append.spanContext()
    const traceparent = `00-${traceId}-${spanId}-01`
    expect(edge.log.records.map(({ headers }) => headers)).toEqual([{ traceparent }, { traceparent }])
    expect(contextIn(response)).toMatchObject({ traceId, spanId: server.spanContext().spanId, traceFlags: 1 })
  })

  it('has an append for each topic of a Segment batch, and for each piece of NDJSON', async () => {
    const spans = record(1)
    const edge = await createHarness({ limits: { eventsMax: 2 } })
    const properties = {
      order_id: 'o-1',
      total: 10,
      currency: 'TRY',
      products: [{ product_id: 'kettle', category: 'home' }],
    }
    const batch = [{ type: 'track', event: 'Order Completed', userId: 'ada', messageId: 'm-1', properties }]
    expect((await edge.json('/v1/batch', { batch })).status).toBe(200)
    const lines = ['e-1', 'e-2', 'e-3'].map((id) => JSON.stringify(click(id))).join('\n')
    expect((await edge.post('/events', lines, { 'content-type': 'application/x-ndjson' })).status).toBe(202)
    expect(spans.spans().map(({ name }) => name)).toEqual([
      'append transactions.orders',
      'append clickstream.events',
      'POST /v1/batch',
      'append clickstream.events',
      'append clickstream.events',
      'POST /events',
    ])
    expect(spans.named('POST /events').attributes['streamforge.events.accepted']).toBe(3)
    const own = spans.spans().filter(({ name }) => name.startsWith('append'))
    expect(edge.log.records.map(({ headers }) => spanContextOf(headers?.traceparent)?.spanId)).toEqual(
      [0, 1, 2, 2, 3].map((append) => own[append]?.spanContext().spanId),
    )
  })

  it('has its reads below it, by the name of the question', async () => {
    const spans = record(1)
    const edge = await createHarness({ reader: readsPostgres(sampleReader()) })
    await edge.get('/fraud-alerts')
    const reads = spans.spans().filter(({ name }) => name === 'read postgresql')
    expect(reads.map(({ attributes }) => attributes)).toEqual([
      { 'db.system.name': 'postgresql', 'db.query.summary': 'fraudAlerts' },
      { 'db.system.name': 'postgresql', 'db.query.summary': 'pipelines' },
    ])
    const { spanId } = spans.named('GET /fraud-alerts').spanContext()
    expect(reads.map(({ parentSpanContext }) => parentSpanContext?.spanId)).toEqual([spanId, spanId])
  })

  it('says nothing that a client wrote', async () => {
    const spans = record(1)
    const edge = await createHarness()
    const secrets = ['hunter2', 'ada@example.com']
    await edge.get(`/features/${secrets[1]}?token=${secrets[0]}`)
    await edge.get(`/nothing/${secrets[1]}`, { 'user-agent': secrets[0]! })
    await edge.app.request(`/events?write_key=${secrets[0]}`, { method: 'POST', body: `{"user_id":"${secrets[1]}"}` })
    await edge.app.request('/health', { method: secrets[0]! })
    expect(spans.spans().map(({ name }) => name)).toEqual([
      'GET /features/:user_id',
      'GET unmatched',
      'POST /events',
      'HTTP unmatched',
    ])
    const told = JSON.stringify(
      spans.spans().map(({ name, attributes, status, events }) => ({ name, attributes, status, events })),
    )
    for (const secret of secrets) expect(told).not.toContain(secret)
  })
})

describe('a request that is not recorded', () => {
  it('is named by its orders, since one of them may complete an alert, and by no other record', async () => {
    const spans = record(0)
    const edge = await createHarness()
    await edge.json('/orders', [order('o-1'), order('o-2')])
    await edge.json('/orders', order('o-3'))
    await edge.json('/events', click('e-1'))
    const [first, second, third, clicked] = edge.log.records.map(({ headers }) => headers?.traceparent)
    expect(spanContextOf(first)?.traceFlags).toBe(0)
    expect([second, third === first, clicked]).toEqual([first, false, undefined])
    expect(spans.spans()).toEqual([])
  })

  it('passes on what the client sent, where it has nothing better', async () => {
    record(0)
    const edge = await createHarness()
    const traceparent = client('00')
    await edge.post('/events', JSON.stringify(click('e-1')), { traceparent })
    await edge.post('/orders', JSON.stringify(order('o-1')), { traceparent })
    const [clicked, ordered] = edge.log.records.map(({ headers }) => headers?.traceparent)
    expect(clicked).toBe(traceparent)
    expect(spanContextOf(ordered)).toMatchObject({ traceId: TRACE_ID, traceFlags: 0 })
    expect(ordered).not.toBe(traceparent)
  })

  it('is recorded afterwards where it fails, under the ids that it had all along', async () => {
    const spans = record(0)
    const edge = await createHarness()
    edge.log.unavailable = true
    const response = await edge.post('/orders', JSON.stringify(order('o-1')), { traceparent: client('00') })
    const { trace_id } = (await response.json()) as { trace_id: string }
    const [span, ...others] = spans.spans()
    expect(others).toEqual([])
    expect(trace_id).toBe(TRACE_ID)
    expect(span?.spanContext().traceId).toBe(trace_id)
    expect(span?.parentSpanContext?.spanId).toBe('00f067aa0ba902b7')
    expect(span).toMatchObject({
      name: 'POST /orders',
      kind: SpanKind.SERVER,
      status: { code: 2, message: 'the disk is full' },
      attributes: { 'http.response.status_code': 503, 'error.type': 'log_unavailable', 'streamforge.stand_in': true },
    })
    const [endMs, startMs] = [span!.endTime, span!.startTime].map(([s, ns]) => s * 1000 + ns / 1e6)
    expect(endMs).toBeCloseTo(NOW)
    expect(endMs! - startMs!).toBeGreaterThan(0)
  })
})

describe('what a client says', () => {
  it('decides whether its trace is recorded, so often a second', async () => {
    const spans = record(0)
    const edge = await createHarness()
    const ask = () => edge.get('/health', { traceparent: client('01') })
    for (let i = 0; i < ASKED_FOR_MAX + 5; i++) await ask()
    expect(spans.spans()).toHaveLength(ASKED_FOR_MAX)
    expect(spans.spans()[0]?.parentSpanContext).toMatchObject({
      traceId: TRACE_ID,
      spanId: '00f067aa0ba902b7',
      isRemote: true,
    })
    edge.clock.nowMs += 1000
    await ask()
    expect(spans.spans()).toHaveLength(ASKED_FOR_MAX + 1)
  })

  it('is not asked beyond that: then the ratio decides', async () => {
    const spans = record(1)
    const edge = await createHarness()
    for (let i = 0; i < ASKED_FOR_MAX + 5; i++) await edge.get('/health', { traceparent: client('01') })
    expect(spans.spans()).toHaveLength(ASKED_FOR_MAX + 5)
    await edge.get('/health', { traceparent: client('00') })
    expect(spans.spans()).toHaveLength(ASKED_FOR_MAX + 5)
  })
})

describe('problems and log lines', () => {
  it.each([0, 1])('name the trace, recorded or not (ratio %s)', async (ratio) => {
    const spans = record(ratio)
    const failing = sampleReader({ overview: () => Promise.reject(new TypeError('a bug')) })
    const edge = await createHarness({ reader: failing })
    const response = await edge.get('/metrics/overview')
    const { trace_id } = (await response.json()) as { trace_id: string }
    const span = spans.named('GET /metrics/overview')
    const { traceId, spanId } = span.spanContext()
    expect(trace_id).toBe(traceId)
    expect(edge.logged).toEqual([
      ['error', expect.objectContaining({ trace_id: traceId, span_id: spanId }), 'A request failed'],
    ])
    expect(span.status.code).toBe(2)
    expect(span.attributes['error.type']).toBe('TypeError')
    expect(span.events[0]?.attributes?.['exception.message']).toBe('a bug')
  })

  it('a refusal names it too, and is no error of ours', async () => {
    const spans = record(1)
    const edge = await createHarness()
    const response = await edge.post('/orders', '{')
    expect(await response.json()).toMatchObject({ status: 400, trace_id: contextIn(response)?.traceId })
    expect(spans.named('POST /orders').status.code).toBe(0)
  })

  it('say nothing where tracing is off, and no header does', async () => {
    const edge = await createHarness()
    edge.log.unavailable = true
    const response = await edge.post('/orders', JSON.stringify(order('o-1')), { traceparent: client('01') })
    expect(response.headers.has('traceparent')).toBe(false)
    expect(Object.keys((await response.json()) as object)).not.toContain('trace_id')
  })
})

/** The Jaeger of tests itself: what is sent to it by OTLP comes back by its API. */
import { expect, test } from 'vitest'
import { loadConfig } from '../../db/config.ts'
import { isAlive } from '../../db/process.ts'
import { startJaeger } from './jaeger.ts'
import { drawTrace, withJaeger } from './testing/with-jaeger.ts'
import { until } from './testing/with-redis.ts'

const jaeger = withJaeger()

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const OTHER = { traceId: '1bf7651916cd43dd8448eb211c80319c', spanId: '11ad6b7169203331' }
/** As OTLP's JSON has it; times in nanoseconds. */
const SPANS = [
  { spanId: 'b7ad6b7169203331', name: 'POST /orders', kind: 2, status: {} },
  {
    spanId: 'b7ad6b7169203332',
    parentSpanId: 'b7ad6b7169203331',
    name: 'append',
    kind: 4,
    status: { code: 2, message: 'disk full' },
    attributes: [{ key: 'count', value: { intValue: '3' } }],
    events: [{ name: 'exception', timeUnixNano: '1700000000000000000' }],
    links: [OTHER],
  },
]

async function send(): Promise<void> {
  const now = BigInt(Date.now()) * 1_000_000n
  const spans = SPANS.map((span, i) => ({
    traceId: TRACE,
    startTimeUnixNano: String(now + BigInt(i) * 1_000_000n),
    endTimeUnixNano: String(now + 5_000_000n),
    ...span,
  }))
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }] }
  const response = await fetch(`${jaeger.environment().OTEL_EXPORTER_OTLP_ENDPOINT}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans }] }] }),
  })
  expect(response.status).toBe(200)
}

test('spans that are sent are a trace, found by its id and by what is in it', async () => {
  expect(await jaeger.trace(TRACE)).toEqual([])
  await send()
  await until(async () => (await jaeger.trace(TRACE)).length === 2)
  const trace = await jaeger.trace(TRACE)
  expect(drawTrace(trace)).toBe('POST /orders [server, shop]\n  append [producer, shop]')
  const [request, append] = trace
  expect([request!.parentId, request!.failed, request!.durationMs]).toEqual([null, false, 5])
  expect(append).toMatchObject({ failed: true, links: [OTHER], events: ['exception'], attributes: { count: 3 } })

  expect(await jaeger.services()).toEqual(['shop'])
  expect(await jaeger.search({ service: 'shop', operation: 'append' })).toEqual([trace])
  expect(await jaeger.search({ service: 'shop', attributes: { count: '3' } })).toEqual([trace])
  expect(await jaeger.search({ service: 'shop', attributes: { count: '4' } })).toEqual([])
})

test('a folder that is in use is refused, and its server goes on', async () => {
  const { folder, pid } = jaeger.server
  const { serversDir } = loadConfig(process.env)
  await expect(startJaeger({ folder, serversDir })).rejects.toThrow(/is in use: process \d+ runs Jaeger/)
  expect(isAlive(pid)).toBe(true)
})

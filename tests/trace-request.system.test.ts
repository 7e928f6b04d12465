/**
 * One request that completes a fraud pattern is one trace in a real Jaeger, from the HTTP request to the alert: where everything is sampled, and where nothing is. Of the real platform on one
 * machine, whose edge and streams are threads of one process; the cluster's is in `cluster.system.test.ts`.
 */
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { withJaeger } from '../cli/servers/testing/with-jaeger.ts'
import { openEmbeddedLog } from '../streams/log/embedded.ts'
import { get } from './support/api.ts'
import { newDataDir, startPlatform, type TestPlatform } from './support/platform.ts'
import {
  completePattern,
  expectAnnouncement,
  expectFlush,
  SAMPLED_TREE,
  tracedOrders,
  UNSAMPLED_TREE,
  wholeTrace,
} from './support/traced-pattern.ts'

const jaeger = withJaeger()

const start = (dataDir: string, ratio: string): Promise<TestPlatform> =>
  startPlatform({
    dataDir,
    env: {
      ...jaeger.environment(),
      OTEL_TRACES_SAMPLER_ARG: ratio,
      STREAMFORGE_TRACE_URL: 'https://jaeger.example/trace/{trace_id}',
      STREAMFORGE_WORKFLOWS: 'off',
      STREAMFORGE_LAKE: 'off',
    },
  })

it('is whole where everything is sampled, and kept for the alert where nothing is', { timeout: 300_000 }, async () => {
  const dataDir = await newDataDir()
  const platform = await start(dataDir, '1')
  const sampled = await completePattern(platform, 'ada')
  const traceIds = sampled.traceIds.map(String)
  const [first = '', , last = ''] = traceIds
  const spans = await wholeTrace(jaeger, last, SAMPLED_TREE)
  await expectFlush(jaeger, spans)
  expect(spans.get('POST /orders')!.attributes).toMatchObject({
    'http.request.method': 'POST',
    'http.response.status_code': 202,
    'streamforge.events.accepted': 1,
  })
  expect(spans.get('append transactions.orders')!.attributes).toMatchObject({ 'messaging.system': 'streamforge' })
  expect(spans.get('write features')!.attributes).toMatchObject({ 'db.system.name': 'lmdb' })
  expect(spans.get('fraud-detector')!.attributes).toMatchObject({ 'streamforge.alert.id': sampled.alert.alert_id })
  // What completed nothing ends with being consumed.
  await wholeTrace(jaeger, first, SAMPLED_TREE.split('\n').slice(0, 3).join('\n'))

  const { data } = await get(platform.url, `/fraud-alerts/${sampled.alert.alert_id}`)
  expect(data).toMatchObject({
    trace_id: last,
    trace_url: `https://jaeger.example/trace/${last}`,
  })
  expect(await platform.stop(), platform.err).toBe(0)

  const again = await start(dataDir, '0')
  const kept = await completePattern(again, 'bob')
  const standIns = await wholeTrace(jaeger, kept.alert.trace_id, UNSAMPLED_TREE)
  await expectFlush(jaeger, standIns)
  expect(standIns.get('append transactions.orders')!.attributes).toMatchObject({ 'streamforge.stand_in': true })
  expect(await again.stop(), again.err).toBe(0)
  // Everything is sent at the end, and of a request that completed nothing there is nothing.
  expect(await tracedOrders(jaeger)).toEqual([...traceIds, kept.alert.trace_id].sort())

  const log = await openEmbeddedLog({ folder: join(dataDir, 'log') })
  try {
    await expectAnnouncement(log, spans)
    await expectAnnouncement(log, standIns)
  } finally {
    await log.close()
  }
})

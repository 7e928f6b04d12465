/**
 * The cluster form on real Kafka, Redis and PostgreSQL, as processes: an edge, and streams that share the partitions and are killed again and again under load.
 * At the end what the API answers equals what was acknowledged: nothing lost, nothing doubled, revenue to the cent, alerts as a naive reading finds them.
 * And a request that completes a fraud pattern is one trace, over both processes and Kafka.
 */
import { describe, expect, it } from 'vitest'
import { withJaeger } from '../cli/servers/testing/with-jaeger.ts'
import { openKafkaLog } from '../streams/log/kafka.ts'
import { createRandom } from '../streams/testing/random.ts'
import { withCluster } from './support/cluster.ts'
import { load, startEdge, startStreams } from './support/cluster-processes.ts'
import { eventually } from './support/eventually.ts'
import { caughtUp, emptyLedger, eventsProcessed, expectLedger } from './support/ledger.ts'
import {
  completePattern,
  expectAnnouncement,
  expectFlush,
  SAMPLED_TREE,
  tracedOrders,
  UNSAMPLED_TREE,
  wholeTrace,
} from './support/traced-pattern.ts'

const KILLS = 20

describe('the cluster form', () => {
  const cluster = withCluster()
  let made: ReturnType<typeof cluster.platform> | undefined
  const platform = () => (made ??= cluster.platform())

  it(`survives ${KILLS} kills of streams processes under load`, { timeout: 480_000 }, async () => {
    const { env } = await platform()
    const target = await startEdge(env)
    const streams = [startStreams(env), startStreams(env)]
    const ledger = emptyLedger()
    const ending = new AbortController()
    const clients = load(target, ledger, ending.signal)

    const random = createRandom(4)
    let processed = 0
    for (let kill = 0; kill < KILLS; kill++) {
      // A kill hits streams at work: between two of them they have read on.
      processed = await eventually('the streams have read on', 60_000, async () => {
        const now = await eventsProcessed(target)
        return now > processed && now
      })
      const victim = random.int(streams.length)
      streams[victim]?.child.kill('SIGKILL')
      await streams[victim]?.ended()
      streams[victim] = startStreams(env)
    }
    ending.abort()
    await clients
    await caughtUp(target)
    await expectLedger(target, ledger)
    // A rolling stop: each drains, and the last state is readable.
    for (const process of streams) {
      process.child.kill('SIGTERM')
      expect(await process.ended(), process.err).toBe(0)
    }
    await expectLedger(target, ledger)
  })

  describe('traced by Jaeger', () => {
    const jaeger = withJaeger()

    it('goes on with a trace from process to process, and keeps an alert whose request was not sampled', {
      timeout: 480_000,
    }, async () => {
      const { env } = await platform()
      const traced = { ...env, ...jaeger.environment(), OTEL_TRACES_SAMPLER_ARG: '0' }
      const target = await startEdge(traced)
      const streams = startStreams(traced)

      const kept = await completePattern(target, 'kept')
      const standIns = await wholeTrace(jaeger, kept.alert.trace_id, UNSAMPLED_TREE)
      await expectFlush(jaeger, standIns)

      const traceId = '0af7651916cd43dd8448eb211c80319c'
      const asked = await completePattern(target, 'asked', `00-${traceId}-b7ad6b7169203331-01`)
      expect(asked.traceIds[2]).toBe(traceId)
      const spans = await wholeTrace(jaeger, traceId, SAMPLED_TREE)
      await expectFlush(jaeger, spans)
      for (const name of ['append transactions.orders', 'consume transactions.orders'])
        expect(spans.get(name)!.attributes).toMatchObject({ 'messaging.system': 'kafka' })
      expect(spans.get('write features')!.attributes).toMatchObject({ 'db.system.name': 'redis' })

      const log = await openKafkaLog({ brokers: cluster.kafka.brokers, clientId: 'reader' })
      try {
        await expectAnnouncement(log, standIns)
        await expectAnnouncement(log, spans)
      } finally {
        await log.close()
      }
      for (const { child, ended } of [streams, target.process]) {
        child.kill('SIGTERM')
        expect(await ended()).toBe(0)
      }
      expect(await tracedOrders(jaeger)).toEqual([traceId, kept.alert.trace_id].sort())
    })
  })
})

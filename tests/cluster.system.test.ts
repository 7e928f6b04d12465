/**
 * The cluster form on real Kafka, Redis and PostgreSQL, as processes: an edge, and streams that share the partitions and are killed again and again under load.
 * At the end what the API answers equals what was acknowledged: nothing lost, nothing doubled, revenue to the cent, alerts as a naive reading finds them.
 */
import { describe, expect, it } from 'vitest'
import { createRandom } from '../streams/testing/random.ts'
import { withCluster } from './support/cluster.ts'
import { load, startEdge, startStreams } from './support/cluster-processes.ts'
import { eventually } from './support/eventually.ts'
import { caughtUp, emptyLedger, eventsProcessed, expectLedger } from './support/ledger.ts'

const KILLS = 20

describe('the cluster form', () => {
  const cluster = withCluster()

  it(`survives ${KILLS} kills of streams processes under load`, { timeout: 240_000 }, async () => {
    const { env } = await cluster.platform()
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
})

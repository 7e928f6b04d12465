/**
 * The cluster form on real Kafka, Redis and PostgreSQL, as processes: an edge, and streams that share the partitions and are killed again and again under load.
 * At the end what the API answers equals what was acknowledged: nothing lost, nothing doubled, revenue to the cent, alerts as a naive reading finds them.
 */
import { afterEach, describe, expect, it } from 'vitest'
import { withKafka } from '../cli/servers/testing/with-kafka.ts'
import { withRedis } from '../cli/servers/testing/with-redis.ts'
import { withPostgres } from '../db/testing/postgres.ts'
import { TOPICS } from '../streams/contract/topics.ts'
import { makeTopics } from '../streams/log/kafka/testing/admin.ts'
import { createRandom } from '../streams/testing/random.ts'
import { eventually } from './support/eventually.ts'
import {
  caughtUp,
  emptyLedger,
  eventsProcessed,
  expectLedger,
  type Ledger,
  runClient,
  type Target,
} from './support/ledger.ts'
import { type CliProcess, newDataDir, spawnCli } from './support/platform.ts'

const KILLS = 20
const CLIENTS = 3
const WRITE_KEY = 'wk_of_the_cluster_test'

describe('the cluster form', () => {
  // The dead are noticed in seconds, so that a test can kill many.
  const kafka = withKafka({ 'group.min.session.timeout.ms': 1000 })
  const redis = withRedis()
  const postgres = withPostgres()
  let running: CliProcess[] = []

  afterEach(() => {
    for (const { child } of running) child.kill('SIGKILL')
    running = []
  })

  /** A cluster of its own for a test: an empty database, fresh Redis data, and the topics of this Kafka. */
  async function environment(): Promise<Record<string, string>> {
    await makeTopics(kafka.brokers, Object.fromEntries(TOPICS.map(({ name, partitions }) => [name, partitions])))
    const env = {
      KAFKA_BROKERS: kafka.brokers.join(','),
      REDIS_URL: (await redis.start()).url,
      DATABASE_URL: await postgres.emptyDatabase(),
      KAFKA_SESSION_TIMEOUT_MS: '2000',
      STREAMFORGE_WRITE_KEY: WRITE_KEY,
      STREAMFORGE_DATA_DIR: await newDataDir(),
    }
    return env
  }

  function start(args: readonly string[], env: Record<string, string>): CliProcess {
    const process = spawnCli(args, { env })
    running.push(process)
    return process
  }

  async function startEdge(env: Record<string, string>): Promise<Target> {
    const process = start(['edge', '--port', '0'], env)
    const url = await eventually('the edge listens', 60_000, () => {
      if (process.child.exitCode !== null) throw new Error(`The edge ended:\n${process.out}${process.err}`)
      return /listens on (\S+)\./.exec(process.out)?.[1]
    })
    return { url, writeKey: WRITE_KEY }
  }

  const load = (target: Target, ledger: Ledger, signal: AbortSignal): Promise<unknown> =>
    Promise.all(Array.from({ length: CLIENTS }, (_, i) => runClient(i, () => target, ledger, signal)))

  it(`survives ${KILLS} kills of streams processes under load`, { timeout: 240_000 }, async () => {
    const env = await environment()
    const target = await startEdge(env)
    const streams = [start(['streams'], env), start(['streams'], env)]
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
      streams[victim] = start(['streams'], env)
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

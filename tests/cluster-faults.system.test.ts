/**
 * Faults of what the platform stands on, one after the other under one load, on real servers: PostgreSQL, Kafka and Redis restarted, Redis emptied in the middle
 * of a window, a streams process frozen past its session and thawed, poison among the records. At the end the ledger is right as if nothing had happened.
 */
import { beforeEach, describe, expect, it } from 'vitest'
import { CLICKSTREAM, ORDERS } from '../streams/contract/topics.ts'
import { openKafkaLog } from '../streams/log/kafka.ts'
import { as } from './support/access.ts'
import { withCluster } from './support/cluster.ts'
import { described, flowing, load, startEdge, startStreams } from './support/cluster-processes.ts'
import { eventually } from './support/eventually.ts'
import { caughtUp, emptyLedger, eventsProcessed, expectLedger } from './support/ledger.ts'
import type { CliProcess } from './support/processes.ts'

const POISON = 50

describe('the cluster form under load', { timeout: 120_000 }, () => {
  const cluster = withCluster()
  const ledger = emptyLedger()
  const ending = new AbortController()
  let env: Record<string, string>
  let redis: Awaited<ReturnType<typeof cluster.platform>>['redis']
  let target: Awaited<ReturnType<typeof startEdge>>
  let streams: CliProcess[]
  let clients: Promise<unknown>

  beforeEach(({ onTestFailed }) => {
    onTestFailed(async () => {
      for (const part of [target.process, ...streams]) process.stderr.write(`${await described(part)}\n`)
    })
  })

  it('flows', async () => {
    ;({ env, redis } = await cluster.platform())
    target = await startEdge(env)
    streams = [startStreams(env), startStreams(env)]
    clients = load(target, ledger, ending.signal, { clients: 2 })
    await eventually('events are read', 60_000, async () => (await eventsProcessed(target)) > 2_000)
    await flowing(target)
  })

  it('goes on after a restart of PostgreSQL', async () => {
    await cluster.postgres.restart()
    await flowing(target)
  })

  it('goes on after a restart of the broker', async () => {
    await cluster.kafka.restart('kill')
    await flowing(target)
  })

  it('has the features back after Redis was emptied, and after it was killed', async () => {
    await redis.admin.flushall()
    await flowing(target)
    await redis.kill()
    await redis.restart()
    await flowing(target)
    const [user] = ledger.clicks.keys()
    await eventually(
      'the features are back',
      60_000,
      async () => (await fetch(`${target.url}/api/v1/features/${user}`, { headers: await as('viewer') })).ok,
    )
  })

  it('fences a process that was frozen past its session', async () => {
    const [frozen] = streams as [CliProcess]
    frozen.child.kill('SIGSTOP')
    await flowing(target)
    frozen.child.kill('SIGCONT')
    await flowing(target)
    // Fenced is no reason to end, nor is a session that PostgreSQL has closed in mid-transaction meanwhile.
    expect(frozen.child.exitCode, frozen.err).toBe(null)
  })

  it('puts poison aside, and loses nothing beside it', async () => {
    const log = await openKafkaLog({ brokers: cluster.kafka.brokers, clientId: 'poisoner' })
    try {
      const values = [Buffer.from('not avro'), Buffer.from([0, 0, 0, 0, 99, 1]), Buffer.from('{"half":')]
      const poison = Array.from({ length: POISON }, (_, i) => ({
        topic: i % 2 ? CLICKSTREAM : ORDERS,
        key: `poison-${i}`,
        value: values[i % values.length] as Buffer,
      }))
      await log.append(poison)
      await flowing(target)
      const held = async (topic: string): Promise<number> => {
        const { earliest, next } = await log.bounds({ topic: `dlq.${topic}`, partition: 0 })
        return next - earliest
      }
      await eventually(
        'all poison is in the dead letters',
        60_000,
        async () => (await held(CLICKSTREAM)) + (await held(ORDERS)) >= POISON,
      )
    } finally {
      await log.close()
    }
  })

  it('ends with the ledger right', async () => {
    ending.abort()
    await clients
    await caughtUp(target)
    await expectLedger(target, ledger, { deadLetters: POISON })
  })
})

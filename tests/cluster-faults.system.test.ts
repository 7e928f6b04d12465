/**
 * Faults of what the platform stands on, one after the other under one load, on real servers: PostgreSQL, Kafka and Redis restarted, Redis emptied in the middle
 * of a window, a streams process frozen past its session and thawed, poison among the records. At the end the ledger is right as if nothing had happened.
 */
import { describe, expect, it } from 'vitest'
import { CLICKSTREAM, ORDERS } from '../streams/contract/topics.ts'
import { openKafkaLog } from '../streams/log/kafka.ts'
import { withCluster } from './support/cluster.ts'
import { eventually } from './support/eventually.ts'
import {
  caughtUp,
  emptyLedger,
  eventsByPartition,
  eventsProcessed,
  expectLedger,
  type Target,
} from './support/ledger.ts'
import type { CliProcess } from './support/platform.ts'

const POISON = 50

describe('the cluster form under load', { timeout: 120_000 }, () => {
  const cluster = withCluster()
  const ledger = emptyLedger()
  const ending = new AbortController()
  let env: Record<string, string>
  let redis: Awaited<ReturnType<typeof cluster.platform>>['redis']
  let target: Target
  let streams: CliProcess[]
  let clients: Promise<unknown>

  /** Every partition that the load reaches is read on, whatever happened before. */
  async function flowing(): Promise<void> {
    const before = await eventually('the pipelines answer', 60_000, async () => {
      const now = await eventsByPartition(target)
      return now.size > 0 && now
    })
    const loaded = [...before].filter(([, events]) => events > 0)
    await eventually('every partition is read on', 60_000, async () => {
      const now = await eventsByPartition(target)
      return loaded.every(([partition, events]) => (now.get(partition) ?? 0) > events)
    })
  }

  it('flows', async () => {
    ;({ env, redis } = await cluster.platform())
    target = await cluster.startEdge(env)
    streams = [cluster.start(['streams'], env), cluster.start(['streams'], env)]
    clients = cluster.load(target, ledger, ending.signal, 2)
    await eventually('events are read', 60_000, async () => (await eventsProcessed(target)) > 2_000)
    await flowing()
  })

  it('goes on after a restart of PostgreSQL', async () => {
    await cluster.postgres.restart()
    await flowing()
  })

  it('goes on after a restart of the broker', async () => {
    await cluster.kafka.restart('kill')
    await flowing()
  })

  it('has the features back after Redis was emptied, and after it was killed', async () => {
    await redis.admin.flushall()
    await flowing()
    await redis.kill()
    await redis.restart()
    await flowing()
    const [user] = ledger.clicks.keys()
    await eventually(
      'the features are back',
      60_000,
      async () => (await fetch(`${target.url}/api/v1/features/${user}`)).ok,
    )
  })

  it('fences a process that was frozen past its session', async () => {
    const [frozen] = streams as [CliProcess]
    frozen.child.kill('SIGSTOP')
    await flowing()
    frozen.child.kill('SIGCONT')
    await flowing()
    expect(frozen.child.exitCode).toBeNull()
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
      await flowing()
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

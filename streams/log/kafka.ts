/**
 * The event log in Kafka: the port `event-log.ts` on kafkajs, for the form of the platform that runs as many processes.
 *
 * What kafkajs leaves open is settled in `kafka/`: appends that end in bounded time (producer.ts), partitions that move only when they are drained
 * (subscription.ts, membership.ts, assign.ts), questions to the cluster (cluster.ts). Keys go to the same partitions as in the embedded log.
 */
import { type Clock, systemClock } from '../time/clock.ts'
import type { EventLog, LogSubscription, TopicPartition } from './event-log.ts'
import { createClient, type KafkaConnection, patientClient } from './kafka/client.ts'
import { openCluster } from './kafka/cluster.ts'
import { createProducer, type ProducerLimits } from './kafka/producer.ts'
import { createSubscription, DEFAULT_SUBSCRIPTION, type SubscriptionSettings } from './kafka/subscription.ts'
import { withKafkaAdmin } from './kafka/topics.ts'

export type { KafkaConnection } from './kafka/client.ts'

export interface KafkaLogOptions extends KafkaConnection, Partial<ProducerLimits>, Partial<SubscriptionSettings> {
  clock?: Clock
  /** Compresses what is appended: fewer bytes to send and keep, more work here. */
  gzip?: boolean
}

/** @throws LogUnavailable when Kafka does not answer within `appendTimeoutMs` (5 s unless told). */
export async function openKafkaLog(options: KafkaLogOptions): Promise<EventLog> {
  const { brokers, logger, clock = systemClock, gzip = false } = options
  const limits: ProducerLimits = {
    maxWaitingBytes: options.maxWaitingBytes ?? 64 * 1024 * 1024,
    // Kafka's own limit is 1,048,588 bytes for a batch, which has 61 of its own.
    maxRecordBytes: options.maxRecordBytes ?? 1_048_000,
    appendTimeoutMs: options.appendTimeoutMs ?? 5_000,
  }
  const given = Object.fromEntries(
    Object.entries(options).filter(([name, value]) => name in DEFAULT_SUBSCRIPTION && value !== undefined),
  )
  const settings: SubscriptionSettings = { ...DEFAULT_SUBSCRIPTION, ...given }
  const cluster = openCluster(createClient(options), brokers, clock, limits.appendTimeoutMs)
  const { partitionCount } = cluster
  const producer = createProducer({
    client: createClient(options),
    brokers,
    clock,
    limits,
    gzip,
    partitionCount,
    logger,
  })
  const subscriptions = new Set<LogSubscription>()

  async function close(): Promise<void> {
    await Promise.all([...subscriptions].map((s) => s.stop()))
    await producer.close()
    await cluster.close()
  }

  try {
    await producer.connect()
  } catch (error) {
    await close()
    throw error
  }
  let closing: Promise<void> | null = null
  return {
    identity: cluster.identity,
    append: producer.append,
    bounds: cluster.bounds,
    partitionCount,
    committed: (group, at) => committedOffset(options, group, at),
    read: cluster.read,
    subscribe(group, topics) {
      const subscription = createSubscription({
        connect: (ended) => patientClient(options, ended),
        cluster,
        group,
        topics,
        clock,
        settings,
        logger,
        ended: () => subscriptions.delete(subscription),
      })
      subscriptions.add(subscription)
      return subscription
    },
    close: () => (closing ??= close()),
  }
}

/** By a connection of its own: asked once per partition and assignment. @throws LogUnavailable */
const committedOffset = (connection: KafkaConnection, group: string, { topic, partition }: TopicPartition) =>
  withKafkaAdmin(connection, async (admin) => {
    const [found] = await admin.fetchOffsets({ groupId: group, topics: [topic] })
    const offset = Number(found?.partitions.find((p) => p.partition === partition)?.offset ?? -1)
    return offset < 0 ? null : offset
  })

/**
 * The cluster as a whole, for whoever is no member of a group: who it is, which topics it has, what a partition holds.
 * Invariant: every call ends within a few seconds, with an answer or with LogUnavailable.
 */
import { setMaxListeners } from 'node:events'
import type { Kafka } from 'kafkajs'
import type { Clock } from '../../time/clock.ts'
import { type LogRecord, LogUnavailable, OffsetOutOfRange, type TopicPartition } from '../event-log.ts'
import { type ClusterInternals, clusterOf } from './client.ts'
import { toLogRecord } from './records.ts'

/** A read ends after the fetch that passes this, however many records were asked for. */
const READ_BYTES = 4 * 1024 * 1024
const FETCH_WAIT_MS = 100
const READ_COMMITTED = 1
const PAUSE_MS = 200

export interface KafkaCluster {
  identity(): Promise<string>
  /** @throws Error when there is no such topic */
  partitionCount(topic: string): Promise<number>
  bounds(at: TopicPartition): Promise<{ earliest: number; next: number }>
  read(at: TopicPartition, offset: number, maxRecords: number): Promise<LogRecord[]>
  close(): Promise<void>
}

/** A position that this log has not come to. */
export const beyondEnd = (at: TopicPartition, offset: number, next: number): Error =>
  new Error(
    `${at.topic}[${at.partition}] has come to offset ${next} only; ${offset} was asked for. That position belongs to another log.`,
  )

interface KafkaError extends Error {
  type?: string
  retriable?: boolean
  cause?: unknown
}

/** @param timeoutMs how long one call may take */
export function openCluster(client: Kafka, brokers: readonly string[], clock: Clock, timeoutMs: number): KafkaCluster {
  const cluster = clusterOf(client)
  const closing = new AbortController()
  // While the cluster is away, every call that waits for it listens.
  setMaxListeners(0, closing.signal)

  /** Tries again while the cluster may still come back, connecting where that is needed. */
  async function ask<R>(question: (cluster: ClusterInternals) => Promise<R>): Promise<R> {
    const deadline = clock.now() + timeoutMs
    for (;;) {
      if (closing.signal.aborted) throw new LogUnavailable('The log is closed.')
      try {
        return await withTimeout(attempt(question), deadline - clock.now())
      } catch (error) {
        if (isFinal(error)) throw error
        if (clock.now() + PAUSE_MS >= deadline) throw unavailable(brokers, error as Error)
        await clock.sleep(PAUSE_MS, closing.signal)
      }
    }
  }

  async function attempt<R>(question: (cluster: ClusterInternals) => Promise<R>): Promise<R> {
    if (!cluster.isConnected()) await cluster.connect()
    try {
      return await question(cluster)
    } catch (error) {
      // Most often the leader has moved.
      if (!isFinal(error)) await cluster.refreshMetadata().catch(() => {})
      throw error
    }
  }

  async function withTimeout<R>(answer: Promise<R>, ms: number): Promise<R> {
    const settled = new AbortController()
    const late = clock.sleep(Math.max(ms, 1), settled.signal).then(() => {
      if (!settled.signal.aborted) throw new Error('no answer in time')
    })
    late.catch(() => {})
    answer.catch(() => {})
    try {
      return (await Promise.race([answer, late])) as R
    } finally {
      settled.abort()
    }
  }

  async function partitionsOf(from: ClusterInternals, topic: string): Promise<number> {
    await from.addTargetTopic(topic).catch((error: KafkaError) => {
      throw rootOf(error).type === 'UNKNOWN_TOPIC_OR_PARTITION' ? new UnknownTopic(topic) : error
    })
    return from.findTopicPartitionMetadata(topic).length
  }

  async function boundsOf(from: ClusterInternals, { topic, partition }: TopicPartition) {
    const count = await partitionsOf(from, topic)
    if (!(partition >= 0 && partition < count)) {
      throw new UnknownTopic(topic, `The log has no partition ${topic}[${partition}]: the topic has ${count}.`)
    }
    const offsetAt = async (fromBeginning: boolean): Promise<number> => {
      const [found] = await from.fetchTopicsOffset([{ topic, partitions: [{ partition }], fromBeginning }])
      const offset = found?.partitions[0]?.offset
      if (offset === undefined) throw new Error(`${topic}[${partition}] has no leader`)
      return Number(offset)
    }
    const [earliest, next] = await Promise.all([offsetAt(true), offsetAt(false)])
    return { earliest, next }
  }

  async function fetch(from: ClusterInternals, { topic, partition }: TopicPartition, offset: number) {
    const leader = Object.keys(from.findLeaderForPartitions(topic, [partition]))[0]
    if (leader === undefined) throw new Error(`${topic}[${partition}] has no leader`)
    const broker = await from.findBroker({ nodeId: leader })
    const { responses } = await broker.fetch({
      maxWaitTime: FETCH_WAIT_MS,
      minBytes: 1,
      maxBytes: READ_BYTES,
      isolationLevel: READ_COMMITTED,
      topics: [{ topic, partitions: [{ partition, fetchOffset: String(offset), maxBytes: READ_BYTES }] }],
    })
    return responses[0]?.partitions[0]?.messages ?? []
  }

  return {
    identity: () =>
      ask(async (from) => {
        const { clusterId } = await from.metadata({ topics: [] })
        return `kafka-${clusterId}`
      }),
    partitionCount: (topic) => ask((from) => partitionsOf(from, topic)),
    bounds: (at) => ask((from) => boundsOf(from, at)),
    read: (at, offset, maxRecords) =>
      ask(async (from) => {
        const { earliest, next } = await boundsOf(from, at)
        if (offset < earliest) throw new OffsetOutOfRange(at, offset, earliest)
        if (offset > next) throw new FinalError(beyondEnd(at, offset, next))
        const records: LogRecord[] = []
        let bytes = 0
        for (let position = offset; position < next && records.length < maxRecords && bytes < READ_BYTES; ) {
          const fetched = await fetch(from, at, position)
          // What a transaction left behind has offsets and no records, and may be all that was fetched.
          const last = fetched[fetched.length - 1]
          if (!last) break
          for (const message of fetched) {
            if (message.isControlRecord || Number(message.offset) < position || records.length >= maxRecords) continue
            const record = toLogRecord(message)
            bytes += record.value.length
            records.push(record)
          }
          position = Number(last.offset) + 1
        }
        return records
      }).catch((error: unknown) => {
        throw error instanceof FinalError ? error.cause : error
      }),
    async close() {
      closing.abort()
      await cluster.disconnect().catch(() => {})
    },
  }
}

class FinalError extends Error {
  constructor(cause: Error) {
    super(cause.message, { cause })
  }
}

class UnknownTopic extends Error {
  constructor(topic: string, message = `The log has no topic "${topic}". "streamforge topics" makes what is missing.`) {
    super(message)
  }
}

/** Trying again would change nothing. */
const isFinal = (error: unknown): boolean =>
  error instanceof LogUnavailable ||
  error instanceof OffsetOutOfRange ||
  error instanceof UnknownTopic ||
  error instanceof FinalError

/** Kafka knows who asks, or does not, and says no: asking again would change nothing. */
export function isRefusal(error: unknown): boolean {
  const { name, type = '' } = rootOf(error)
  return name === 'KafkaJSSASLAuthenticationError' || /AUTHORIZATION_FAILED|SASL/.test(type)
}

/** kafkajs wraps errors once per level of retrying. */
export function rootOf(error: unknown): KafkaError {
  const { cause } = error as KafkaError
  return cause instanceof Error && cause !== error ? rootOf(cause) : (error as KafkaError)
}

export function unavailable(brokers: readonly string[], error: Error): LogUnavailable {
  return new LogUnavailable(
    `Kafka at ${brokers.join(', ')} does not answer: ${rootOf(error).message}. It is tried again; if it stays so, look at the brokers and at KAFKA_BROKERS.`,
    { cause: error },
  )
}

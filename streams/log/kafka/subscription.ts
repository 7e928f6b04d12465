/**
 * A member of a consumer group on kafkajs: gets its partitions, reads each from where `assigned` says, hands what moves back after a drain.
 *
 * Invariants: the handler is called for one thing at a time; within a partition every record is delivered in order, from the offset that `assigned` gave, whatever
 * the group has committed; what a rebalance leaves here is neither drained nor read again; nothing is skipped in silence. There is one way out, in `run`.
 */
import type { Consumer, EachBatchPayload, Kafka } from 'kafkajs'
import type { Logger } from '../../../observability/log.ts'
import type { Clock } from '../../time/clock.ts'
import {
  type LogRecord,
  type LogSubscription,
  OffsetOutOfRange,
  partitionKey,
  type SubscriptionHandler,
  type TopicPartition,
} from '../event-log.ts'
import type { Partitions } from './assign.ts'
import { type FetchedRecord, KafkaJSNonRetriableError } from './client.ts'
import { beyondEnd, type KafkaCluster, rootOf } from './cluster.ts'
import type { BatchMessage } from './fetch.ts'
import { createMembership } from './membership.ts'
import { toLogRecord } from './records.ts'

export interface SubscriptionSettings {
  /** Without a heartbeat for this long a member is taken for dead and its partitions go to others. */
  sessionTimeoutMs: number
  heartbeatMs: number
  /** How long a rebalance waits for a member that still drains. */
  rebalanceTimeoutMs: number
  /** A handler that works longer than this on one call counts as stuck: no more heartbeats. */
  handlingTimeoutMs: number
  /** A fetch waits this long for records; it is also how soon an idle member hears of a rebalance. */
  fetchWaitMs: number
  /** Records per delivered batch, at most. */
  maxBatchRecords: number
  /** Bytes per fetch, at most: of a partition, and in all. */
  maxPartitionBytes: number
  maxFetchBytes: number
}

export const DEFAULT_SUBSCRIPTION: SubscriptionSettings = {
  sessionTimeoutMs: 15_000,
  heartbeatMs: 1_000,
  rebalanceTimeoutMs: 60_000,
  handlingTimeoutMs: 60_000,
  fetchWaitMs: 500,
  maxBatchRecords: 2_000,
  maxPartitionBytes: 1024 * 1024,
  maxFetchBytes: 8 * 1024 * 1024,
}

export interface SubscriptionDeps {
  /** A client of this subscription alone. @param ended whether it is to give up what it tries */
  connect(ended: () => boolean): Kafka
  cluster: KafkaCluster
  group: string
  topics: readonly string[]
  clock: Clock
  settings: SubscriptionSettings
  logger?: Logger | undefined
  ended(): void
}

interface Held {
  readonly at: TopicPartition
  /** The offset of the next record to deliver. */
  position: number
}

const RECONNECT_MAX_MS = 2_000
const COORDINATOR_PAUSE_MS = 200

export function createSubscription(deps: SubscriptionDeps): LogSubscription {
  const { cluster, group, topics, clock, settings, logger } = deps
  const held = new Map<string, Held>()
  const stop = new AbortController()
  let handler: SubscriptionHandler
  let running: Promise<void> | null = null
  let over = false
  let failure: Error | null = null
  let finish: () => void = () => {}
  const finished = new Promise<void>((resolve) => {
    finish = resolve
  })
  let drainedAll: () => void = () => {}
  const drained = new Promise<void>((resolve) => {
    drainedAll = resolve
  })
  /** The tail of the handler's calls, and since when the one under way has run. */
  let turn: Promise<unknown> = Promise.resolve()
  let busySinceMs: number | null = null
  /** The change of partitions under way. */
  let change: Promise<void> = Promise.resolve()

  const membership = createMembership({
    group,
    topics,
    holds: () => byTopic([...held.values()].map(({ at }) => at)),
    settled: () => change,
    thrownOut: () => release([...held.values()]).catch(fail),
    alive: () => busySinceMs === null || clock.now() - busySinceMs < settings.handlingTimeoutMs,
    async ended() {
      if (!stop.signal.aborted && failure === null) return false
      await drained
      return true
    },
    pause: () => clock.sleep(COORDINATOR_PAUSE_MS, stop.signal),
    async outOfRange(at) {
      const error = await gone(at, held.get(partitionKey(at))?.position ?? 0).catch((reason: Error) => reason)
      fail(error)
      return error
    },
  })
  const consumer: Consumer = deps
    .connect(() => over)
    .consumer({
      groupId: group,
      partitionAssigners: [membership.assigner],
      allowAutoTopicCreation: false,
      sessionTimeout: settings.sessionTimeoutMs,
      rebalanceTimeout: settings.rebalanceTimeoutMs,
      heartbeatInterval: settings.heartbeatMs,
      maxWaitTimeInMs: settings.fetchWaitMs,
      maxBytesPerPartition: settings.maxPartitionBytes,
      maxBytes: settings.maxFetchBytes,
      retry: {
        retries: Number.MAX_SAFE_INTEGER,
        restartOnFailure: async () => !stop.signal.aborted && failure === null,
      },
    })

  /** The first reason counts; whoever called `run` is told. */
  function fail(error: Error): void {
    failure ??= error
    finish()
  }

  /** One call of the handler after the other. */
  function exclusive<R>(call: () => Promise<R>): Promise<R> {
    const mine = turn.then(async () => {
      busySinceMs = clock.now()
      try {
        return await call()
      } finally {
        busySinceMs = null
      }
    })
    turn = mine.catch(() => {})
    return mine
  }

  /** Drain first, hand back second: only then they are no longer claimed. */
  async function release(lost: readonly Held[]): Promise<void> {
    if (lost.length === 0) return
    await exclusive(() => handler.revoked(lost.map(({ at }) => at)))
    for (const { at } of lost) held.delete(partitionKey(at))
  }

  /** What the group has decided. Nothing is read until the partitions that go are drained and those that come have their starts. */
  async function settle(assigned: readonly TopicPartition[]): Promise<void> {
    const mine = new Set(assigned.map(partitionKey))
    const lost = [...held.values()].filter(({ at }) => !mine.has(partitionKey(at)))
    const gained = assigned.filter((at) => !held.has(partitionKey(at)))
    await release(lost)
    if (lost.length > 0) membership.rejoin()
    if (gained.length > 0) await take(gained)
    for (const { at, position } of held.values()) consumer.seek({ ...at, offset: String(position) })
    if (!stop.signal.aborted) consumer.resume(selection(assigned))
  }

  async function take(gained: readonly TopicPartition[]): Promise<void> {
    const starts = await exclusive(() => handler.assigned(gained))
    for (const at of gained) {
      const { earliest, next } = await patiently(() => cluster.bounds(at))
      const position = starts.get(partitionKey(at)) ?? earliest
      if (position < earliest) throw new OffsetOutOfRange(at, position, earliest)
      if (position > next) throw beyondEnd(at, position, next)
      held.set(partitionKey(at), { at, position })
    }
  }

  /** Why a position can't be read: retention has passed it, or it is of another log. */
  async function gone(at: TopicPartition, position: number): Promise<Error> {
    const { earliest, next } = await patiently(() => cluster.bounds(at))
    return position < earliest ? new OffsetOutOfRange(at, position, earliest) : beyondEnd(at, position, next)
  }

  /** Kafka may be away for a while; that is no reason to fail. */
  async function patiently<R>(question: () => Promise<R>): Promise<R> {
    for (let pauseMs = 100; ; pauseMs = Math.min(pauseMs * 2, RECONNECT_MAX_MS)) {
      try {
        return await question()
      } catch (error) {
        if ((error as Error).name !== 'LogUnavailable' || stop.signal.aborted) throw error
        await clock.sleep(pauseMs, stop.signal)
      }
    }
  }

  async function eachBatch({ batch, resolveOffset, heartbeat, isRunning }: EachBatchPayload): Promise<void> {
    const partition = held.get(partitionKey(batch))
    if (!partition || stop.signal.aborted || failure) return
    const { at } = partition
    const nextOffset = Number(batch.highWatermark)
    // Ours, see fetch.ts; or records of kafkajs, with the header values' types that it has.
    const messages = batch.messages as unknown as readonly (BatchMessage | FetchedRecord)[]
    if (nextOffset < partition.position || firstOffsetOf(messages[0]!) > partition.position) {
      await assertNoGap(at, partition.position)
    }
    let gathered: LogRecord[] = []
    const deliver = async (records: LogRecord[]): Promise<void> => {
      await whileAlive(heartbeat, () => exclusive(() => handler.batch({ ...at, records, nextOffset })))
      const { offset } = records[records.length - 1]!
      partition.position = offset + 1
      resolveOffset(String(offset))
      await heartbeat()
    }
    for (const [i, message] of messages.entries()) {
      const opened = await recordsOf(message, partition.position)
      gathered = gathered.length === 0 ? opened : gathered.concat(opened)
      const isLast = i === messages.length - 1
      while (gathered.length >= settings.maxBatchRecords || (isLast && gathered.length > 0)) {
        // It may also have been lost meanwhile.
        if (!isRunning() || stop.signal.aborted || held.get(partitionKey(at)) !== partition) return
        const some = gathered.slice(0, settings.maxBatchRecords)
        gathered = gathered.slice(settings.maxBatchRecords)
        await deliver(some)
      }
    }
    // Offsets at the end may have no records any more: kafkajs is not to fetch them for ever.
    resolveOffset(messages[messages.length - 1]!.offset)
  }

  /** A gap is fine where a transaction or compaction left one, not where retention did. */
  async function assertNoGap(at: TopicPartition, position: number): Promise<void> {
    const { earliest, next } = await patiently(() => cluster.bounds(at))
    if (position < earliest || position > next) throw await gone(at, position)
  }

  /** Heartbeats while the handler works; `alive` ends them for one that is stuck. A rebalance is heard of afterwards. */
  async function whileAlive(heartbeat: () => Promise<void>, work: () => Promise<void>): Promise<void> {
    const done = new AbortController()
    const beats = (async () => {
      while (!done.signal.aborted) {
        await clock.sleep(settings.heartbeatMs, done.signal)
        if (!done.signal.aborted) await heartbeat().catch(() => done.abort())
      }
    })()
    try {
      await work()
    } finally {
      done.abort()
      await beats
    }
  }

  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    const assigned = topicPartitions(payload.memberAssignment)
    // Before the first fetch: kafkajs would read from what the group has committed.
    consumer.pause(selection(assigned))
    change = settle(assigned).catch((error: Error) => fail(error))
  })
  consumer.on(consumer.events.CRASH, ({ payload: { error, restart } }) => {
    if (stop.signal.aborted) return // it ends anyway
    if (!restart) fail(rootOf(error))
    else logger?.warn({ err: rootOf(error), group }, 'The consumer failed and joins its group anew')
  })

  async function start(): Promise<void> {
    await consumer.connect()
    // Also says it when a topic is missing; kafkajs would try for ever.
    for (const topic of topics) await patiently(() => cluster.partitionCount(topic))
    await consumer.subscribe({ topics: [...topics], fromBeginning: true })
    if (stop.signal.aborted || failure) return
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      eachBatch: async (payload) => {
        try {
          await eachBatch(payload)
        } catch (error) {
          if (isOfKafka(error)) throw error
          fail(error as Error)
          throw new KafkaJSNonRetriableError(error as Error)
        }
      },
    })
  }

  async function live(): Promise<void> {
    stop.signal.addEventListener('abort', finish, { once: true })
    void start().catch(fail)
    await finished
    // No more fetches; the batch under way and a change of partitions are waited for.
    if (held.size > 0) quietly(() => consumer.pause(selection([...held.values()].map(({ at }) => at))))
    await change
    await turn
    if (!failure) await release([...held.values()]).catch(fail)
    over = true
    drainedAll()
    stop.abort()
    await consumer.disconnect().catch(() => {})
    deps.ended()
    if (failure) throw failure
  }

  return {
    run(given) {
      if (running !== null)
        return Promise.reject(new Error('This subscription runs already, or has run. Subscribe again.'))
      handler = given
      running = live()
      return running
    },
    lost(at) {
      held.delete(partitionKey(at))
      // Not read any more until the group has said whose it is; then it begins anew, if it is still ours.
      quietly(() => consumer.pause(selection([at])))
      membership.rejoin()
    },
    commit: membership.commit,
    async stop() {
      stop.abort()
      try {
        await running
      } catch {
        // Whoever called run() is told.
      }
      deps.ended()
    },
  }
}

const recordsOf = async (message: BatchMessage | FetchedRecord, from: number): Promise<LogRecord[]> =>
  'batch' in message ? message.batch.records(from) : Number(message.offset) < from ? [] : [toLogRecord(message)]

const firstOffsetOf = (message: BatchMessage | FetchedRecord): number =>
  'batch' in message ? message.batch.baseOffset : Number(message.offset)

/** Errors of the client itself are dealt with by the client: a rebalance, a lost connection. */
const isOfKafka = (error: unknown): boolean => (error as Error).name.startsWith('KafkaJS')

function quietly(act: () => void): void {
  try {
    act()
  } catch {
    // It has not joined yet: nothing to pause.
  }
}

function byTopic(partitions: readonly TopicPartition[]): Partitions {
  const found: Record<string, number[]> = {}
  for (const { topic, partition } of partitions) {
    found[topic] ??= []
    found[topic].push(partition)
  }
  return found
}

const selection = (partitions: readonly TopicPartition[]) =>
  Object.entries(byTopic(partitions)).map(([topic, numbers]) => ({ topic, partitions: [...numbers] }))

const topicPartitions = (assignment: Partitions): TopicPartition[] =>
  Object.entries(assignment).flatMap(([topic, numbers]) => numbers.map((partition) => ({ topic, partition })))

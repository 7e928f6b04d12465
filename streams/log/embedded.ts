/**
 * The event log in a folder: the port `event-log.ts` on LMDB, for the form of the platform that needs no Kafka.
 *
 * Several threads and processes may open the same folder at once and all may append and read. Keys go to the partitions
 * that Kafka's default partitioner would choose, so a log can be copied into Kafka record by record.
 */
import { TOPICS, type Topic } from '../contract/topics.ts'
import { type Clock, systemClock } from '../time/clock.ts'
import { type CommitLimits, createGroupCommit } from './embedded/commit.ts'
import { createAppendSignal } from './embedded/signal.ts'
import { type LogStore, openLogStore } from './embedded/store.ts'
import { createSubscription } from './embedded/subscription.ts'
import type { EventLog, LogSubscription, TopicPartition } from './event-log.ts'

export interface EmbeddedLogOptions extends Partial<CommitLimits> {
  /** Made when it does not exist. */
  folder: string
  clock?: Clock
  topics?: readonly Topic[]
  /** Records per delivered batch, at most. */
  maxBatchRecords?: number
}

export interface EmbeddedLog extends EventLog {
  /**
   * Removes whole batches that were appended longer ago than their topic's retention. Offsets are never given out again.
   * @returns how many records were removed.
   */
  trim(): Promise<number>
}

const MEGABYTE = 1024 * 1024
/** An append in another process is noticed after this long. */
const POLL_MS = 40
/** Batches removed per transaction: writers wait for no more than this. */
const TRIM_BATCHES = 500

/** @throws Error when the folder can't be opened, or holds a log with other partition counts or of another format. */
export async function openEmbeddedLog(options: EmbeddedLogOptions): Promise<EmbeddedLog> {
  const { folder, clock = systemClock, topics = TOPICS, maxBatchRecords = 2_000 } = options
  const limits: CommitLimits = {
    maxWaitingBytes: options.maxWaitingBytes ?? 64 * MEGABYTE,
    maxRecordBytes: options.maxRecordBytes ?? 8 * MEGABYTE,
    commitTimeoutMs: options.commitTimeoutMs ?? 30_000,
  }
  const store = await openLogStore(folder, topics)
  const signal = createAppendSignal(store.identity)
  const commits = createGroupCommit(store, clock, limits, signal.announce)
  const subscriptions = new Set<LogSubscription>()
  let closing: Promise<void> | null = null

  async function close(): Promise<void> {
    await Promise.all([...subscriptions].map((s) => s.stop()))
    const settled = await commits.close()
    signal.close()
    if (settled) await store.close()
  }

  return {
    identity: async () => store.identity,
    append: commits.append,
    async bounds(at) {
      const slot = store.slot(at)
      store.refresh()
      return { earliest: store.earliest(slot), next: store.next(slot) }
    },
    async read(at, offset, maxRecords) {
      const slot = store.slot(at)
      store.refresh()
      return store.read(slot, offset, maxRecords)
    },
    partitionCount: async (topic) => store.slots(topic).length,
    subscribe(group, names) {
      const subscription = subscribe(store, signal, clock, group, names, maxBatchRecords)
      subscriptions.add(subscription)
      return subscription
    },
    trim: () => trim(store, clock),
    async committed(group, at) {
      store.refresh()
      return store.groupOffset(group, at)
    },
    close: () => (closing ??= close()),
  }
}

/** Embedded, a group has one member, and that has all partitions. */
function subscribe(
  store: LogStore,
  signal: ReturnType<typeof createAppendSignal>,
  clock: Clock,
  group: string,
  topics: readonly string[],
  maxBatchRecords: number,
): LogSubscription {
  const partitions = topics.flatMap((name) =>
    store.slots(name).map(({ topic, partition }): TopicPartition => ({ topic, partition })),
  )
  return createSubscription(
    {
      earliest: (at) => store.earliest(store.slot(at)),
      next(at) {
        store.refresh()
        return store.next(store.slot(at))
      },
      read: (at, offset, max) => store.read(store.slot(at), offset, max),
      commit: (at, nextOffset) => store.setGroupOffset(group, at, nextOffset),
      membership: { wanted: () => partitions, acquire: () => true, release: () => {} },
      seen: () => signal.count,
      async changed(seen) {
        const woken = new AbortController()
        await Promise.race([signal.changed(seen), clock.sleep(POLL_MS, woken.signal)])
        woken.abort()
      },
      wake: signal.wake,
      breathe: () => new Promise((resolve) => setImmediate(resolve)),
    },
    maxBatchRecords,
  )
}

async function trim(store: LogStore, clock: Clock): Promise<number> {
  store.forgetDeadReaders()
  let removed = 0
  for (const slot of store.all) {
    for (;;) {
      store.refresh()
      const old = store.olderThan(slot, clock.now() - slot.retentionMs, TRIM_BATCHES)
      if (old.length === 0) break
      const bases = old.map(({ base }) => base)
      await store.write(() => store.remove(slot, bases))
      removed += old.reduce((sum, { count }) => sum + count, 0)
    }
  }
  return removed
}

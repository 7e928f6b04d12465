/**
 * The reading loop of a consumer group's member over a log that lies in this process: takes partitions, delivers them in turn in bounded
 * batches, sleeps when there is nothing, hands everything back at the end. The embedded log and the tests' memory log use it.
 *
 * Invariant: within a partition every record is delivered once and in order, from the offset that `assigned` gave.
 */
import {
  type LogRecord,
  type LogSubscription,
  partitionKey,
  type SubscriptionHandler,
  type TopicPartition,
} from '../event-log.ts'

/** Which of the group's partitions this member should have. */
export interface Membership {
  wanted(): readonly TopicPartition[]
  /** @returns false while another member has it. */
  acquire(at: TopicPartition): boolean
  release(at: TopicPartition): void
}

export interface SubscriptionSource {
  earliest(at: TopicPartition): number
  /** Offset the partition's next record gets. */
  next(at: TopicPartition): number
  read(at: TopicPartition, offset: number, maxRecords: number): LogRecord[]
  commit(at: TopicPartition, nextOffset: number): Promise<void>
  readonly membership: Membership
  /** How often something has happened, and a wait for it to happen again. */
  readonly seen: () => number
  changed(seen: number): Promise<void>
  wake(): void
  /** Lets other work of the thread go on between two batches. */
  breathe(): Promise<void>
}

interface Held {
  readonly at: TopicPartition
  position: number
}

export function createSubscription(source: SubscriptionSource, maxBatchRecords: number): LogSubscription {
  const { membership } = source
  const held = new Map<string, Held>()
  let stopped = false
  let running: Promise<void> | null = null

  async function revoke(handler: SubscriptionHandler, lost: readonly TopicPartition[]): Promise<void> {
    if (lost.length === 0) return
    await handler.revoked(lost)
    for (const at of lost) {
      held.delete(partitionKey(at))
      membership.release(at)
    }
  }

  async function rebalance(handler: SubscriptionHandler): Promise<void> {
    const wanted = membership.wanted()
    const keep = new Set(wanted.map(partitionKey))
    await revoke(
      handler,
      [...held.values()].map((h) => h.at).filter((at) => !keep.has(partitionKey(at))),
    )
    const gained = wanted.filter((at) => !held.has(partitionKey(at)) && membership.acquire(at))
    if (gained.length === 0) return
    const starts = await handler.assigned(gained)
    for (const at of gained) {
      const position = starts.get(partitionKey(at)) ?? source.earliest(at)
      if (position > source.next(at)) {
        throw new Error(
          `${at.topic}[${at.partition}] has come to offset ${source.next(at)} only; reading was to start at ${position}. That position belongs to another log.`,
        )
      }
      held.set(partitionKey(at), { at, position })
    }
  }

  async function deliver(handler: SubscriptionHandler): Promise<boolean> {
    let any = false
    for (const partition of [...held.values()]) {
      if (stopped) break
      const { at, position } = partition
      const nextOffset = source.next(at)
      if (nextOffset <= position) continue
      const records = source.read(at, position, maxBatchRecords)
      const last = records[records.length - 1]
      if (!last) continue
      any = true
      partition.position = last.offset + 1
      await handler.batch({ topic: at.topic, partition: at.partition, records, nextOffset })
      await source.breathe()
    }
    return any
  }

  async function loop(handler: SubscriptionHandler): Promise<void> {
    while (!stopped) {
      const seen = source.seen()
      await rebalance(handler)
      if (!(await deliver(handler)) && !stopped) await source.changed(seen)
    }
    await revoke(
      handler,
      [...held.values()].map((h) => h.at),
    )
  }

  return {
    run(handler) {
      if (running !== null)
        return Promise.reject(new Error('This subscription runs already, or has run. Subscribe again.'))
      running = loop(handler)
      return running
    },
    commit: (at, nextOffset) => source.commit(at, nextOffset),
    async stop() {
      stopped = true
      source.wake()
      try {
        await running
      } catch {
        // Whoever called run() is told.
      }
    },
  }
}

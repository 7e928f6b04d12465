/**
 * The event log in plain memory: the port's semantics without disk, threads or timers, for the simulation and for tests of what reads a log.
 *
 * Deterministic: append times come from the clock, waiting is for appends only, nothing is random. A group may have several members; the
 * partitions are dealt out in the order in which they subscribed, and move when a member comes, stops or dies (its handler throws).
 */
import { partitionOf } from '../contract/partition.ts'
import { TOPICS, type Topic } from '../contract/topics.ts'
import { createSubscription, type Membership } from '../log/embedded/subscription.ts'
import {
  type EventLog,
  type LogRecord,
  type LogSubscription,
  LogUnavailable,
  OffsetOutOfRange,
  partitionKey,
  type TopicPartition,
} from '../log/event-log.ts'
import type { Clock } from '../time/clock.ts'

export interface MemoryLogOptions {
  clock: Clock
  topics?: readonly Topic[]
  identity?: string
  /** Records per delivered batch, at most. */
  maxBatchRecords?: number
}

export interface MemoryLog extends EventLog {
  /** Removes records older than their topic's retention. @returns how many. */
  trim(): Promise<number>
  /** Everything the partition still holds. */
  records(at: TopicPartition): readonly LogRecord[]
}

interface Partition extends TopicPartition {
  readonly retentionMs: number
  /** Offset of `records[0]`. */
  first: number
  records: LogRecord[]
}

export function createMemoryLog(options: MemoryLogOptions): MemoryLog {
  const { clock, topics = TOPICS, identity = 'memory-log', maxBatchRecords = 2_000 } = options
  const partitions = new Map<string, Partition[]>(
    topics.map(({ name, partitions: count, retentionMs }) => [
      name,
      Array.from({ length: count }, (_, partition) => ({ topic: name, partition, retentionMs, first: 0, records: [] })),
    ]),
  )
  const turns = new Map<string, number>()
  const offsets = new Map<string, number>()
  const groups = new Map<string, Group>()
  const subscriptions = new Set<LogSubscription>()
  let closed = false
  let seen = 0
  let sleepers: (() => void)[] = []

  const wake = (): void => {
    seen++
    const woken = sleepers
    sleepers = []
    for (const resolve of woken) resolve()
  }
  const of = (topic: string): Partition[] => {
    const found = partitions.get(topic)
    if (!found) throw new Error(`The log has no topic "${topic}".`)
    return found
  }
  const at = ({ topic, partition }: TopicPartition): Partition => {
    const found = of(topic)[partition]
    if (!found) throw new Error(`The log has no partition ${topic}[${partition}].`)
    return found
  }
  const next = (where: TopicPartition): number => at(where).first + at(where).records.length
  const read = (where: TopicPartition, offset: number, maxRecords: number): LogRecord[] => {
    const { first, records } = at(where)
    if (offset < first) throw new OffsetOutOfRange(where, offset, first)
    if (offset > next(where)) {
      throw new Error(
        `${partitionKey(where)} has come to offset ${next(where)} only; ${offset} was asked for. That position belongs to another log.`,
      )
    }
    return records.slice(offset - first, offset - first + maxRecords)
  }

  function subscribe(group: string, names: readonly string[]): LogSubscription {
    const shared = groups.get(group) ?? new Group(wake)
    groups.set(group, shared)
    const member = shared.member(
      names.flatMap((name) => of(name).map(({ topic, partition }) => ({ topic, partition }))),
    )
    const inner = createSubscription(
      {
        earliest: (where) => at(where).first,
        next,
        read,
        async commit(where, nextOffset) {
          offsets.set(`${group}/${partitionKey(at(where))}`, nextOffset)
        },
        membership: member,
        seen: () => seen,
        changed: (since) => (since === seen ? new Promise((resolve) => sleepers.push(resolve)) : Promise.resolve()),
        wake,
        breathe: async () => {},
      },
      maxBatchRecords,
    )
    const subscription: LogSubscription = {
      async run(handler) {
        try {
          await inner.run(handler)
        } finally {
          member.die()
          subscriptions.delete(subscription)
        }
      },
      commit: inner.commit,
      async stop() {
        member.leave()
        await inner.stop()
        member.die()
      },
    }
    subscriptions.add(subscription)
    return subscription
  }

  return {
    identity: async () => identity,
    async append(records) {
      if (closed) throw new LogUnavailable('The log is closed.')
      for (const { topic, partition } of records) partition === undefined ? of(topic) : at({ topic, partition })
      const appendedAtMs = clock.now()
      const positions = records.map(({ topic, key, value, headers, tombstone, partition: given }) => {
        const all = of(topic)
        const turn = turns.get(topic) ?? 0
        if (key === null && given === undefined) turns.set(topic, (turn + 1) % all.length)
        const partition = all[given ?? (key === null ? turn : partitionOf(key, all.length))]!
        const offset = next(partition)
        const kept = { offset, appendedAtMs, key, value: Buffer.from(value), ...(tombstone && { tombstone }) }
        partition.records.push(headers && Object.keys(headers).length > 0 ? { ...kept, headers: { ...headers } } : kept)
        return { topic, partition: partition.partition, offset }
      })
      wake()
      return positions
    },
    bounds: async (where) => ({ earliest: at(where).first, next: next(where) }),
    partitionCount: async (topic) => of(topic).length,
    read: async (where, offset, maxRecords) => read(where, offset, maxRecords),
    subscribe,
    async trim() {
      let removed = 0
      for (const partition of [...partitions.values()].flat()) {
        const since = clock.now() - partition.retentionMs
        const young = partition.records.findIndex((r) => r.appendedAtMs >= since)
        const old = young < 0 ? partition.records.length : young
        partition.records = partition.records.slice(old)
        partition.first += old
        removed += old
      }
      return removed
    },
    committed: async (group, where) => offsets.get(`${group}/${partitionKey(where)}`) ?? null,
    records: (where) => at(where).records,
    async close() {
      closed = true
      await Promise.all([...subscriptions].map((s) => s.stop()))
    },
  }
}

/** The members of a consumer group, and who has which partition now. */
class Group {
  readonly #members: Member[] = []
  readonly #owners = new Map<string, Member>()
  readonly #changed: () => void

  constructor(changed: () => void) {
    this.#changed = changed
  }

  member(all: readonly TopicPartition[]): Member {
    const member: Member = {
      wanted: () => {
        const mine = this.#members.indexOf(member)
        return mine < 0 ? [] : all.filter((_, i) => i % this.#members.length === mine)
      },
      acquire: (at) => {
        const owner = this.#owners.get(partitionKey(at)) ?? member
        if (owner === member) this.#owners.set(partitionKey(at), member)
        return owner === member
      },
      release: (at) => {
        this.#owners.delete(partitionKey(at))
        this.#changed()
      },
      leave: () => {
        const mine = this.#members.indexOf(member)
        if (mine >= 0) this.#members.splice(mine, 1)
        this.#changed()
      },
      die: () => {
        for (const [key, owner] of this.#owners) if (owner === member) this.#owners.delete(key)
        member.leave()
      },
    }
    this.#members.push(member)
    this.#changed()
    return member
  }
}

interface Member extends Membership {
  /** Wants nothing any more, but keeps what it has until it has handed it back. */
  leave(): void
  /** Gone: what it had is free. */
  die(): void
}

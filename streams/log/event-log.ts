/**
 * The log's port: what the edge appends to and the streams read from. Kafka in the cluster, LMDB when embedded.
 *
 * Invariants every form keeps: an append that has resolved is durable; a key always goes to the same partition (`contract/partition.ts`);
 * offsets of a partition rise, and records are delivered in that order; nothing before retention is ever skipped silently.
 */

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

export interface NewRecord {
  topic: string
  /** Decides the partition; null spreads. */
  key: string | null
  value: Uint8Array
  /** Says that what its key names is gone; `value` is empty. In Kafka a record without a value. */
  tombstone?: boolean
  /** Small, e.g. `traceparent`. */
  headers?: Readonly<Record<string, string>>
  /** Instead of where the key leads: for records that tell something to every partition of a topic. */
  partition?: number
}

export interface LogRecord {
  readonly offset: number
  /** When the log accepted it, epoch ms. */
  readonly appendedAtMs: number
  readonly key: string | null
  readonly value: Buffer
  /** What its key names is gone; `value` is empty. */
  readonly tombstone?: boolean
  readonly headers?: Readonly<Record<string, string>> | undefined
}

export interface RecordPosition extends TopicPartition {
  readonly offset: number
}

/** The log can't take or give records now; the caller may try again. Nothing of the failed append is promised. */
export class LogUnavailable extends Error {
  override readonly name = 'LogUnavailable'
}

/** The offset asked for has been removed by retention. */
export class OffsetOutOfRange extends Error {
  override readonly name = 'OffsetOutOfRange'
  readonly at: TopicPartition
  readonly offset: number
  readonly earliest: number

  constructor(at: TopicPartition, offset: number, earliest: number) {
    super(
      `${at.topic}[${at.partition}] no longer holds offset ${offset}; its first is ${earliest}. ` +
        'Retention removed what was not yet read. Raise the retention, or accept the gap and start from the first offset: see "Recovery" in ARCHITECTURE.md.',
    )
    this.at = at
    this.offset = offset
    this.earliest = earliest
  }
}

export interface EventLog {
  /** Names this very log: positions mean nothing in another one. */
  identity(): Promise<string>
  /**
   * Appends all or nothing visible per call is not promised, but when it resolves every record is durable, in the order given within a partition.
   * @returns the position of each record, in the order given.
   * @throws LogUnavailable
   */
  append(records: readonly NewRecord[]): Promise<RecordPosition[]>
  /** First offset still held, and the offset the next record will get. */
  bounds(at: TopicPartition): Promise<{ earliest: number; next: number }>
  /** @throws Error, with a sentence, when the log has no such topic */
  partitionCount(topic: string): Promise<number>
  /** What `commit` of a subscription of the group stored last; null when nothing. */
  committed(group: string, at: TopicPartition): Promise<number | null>
  /**
   * Up to `maxRecords` from `offset` on; empty at the end.
   * @throws OffsetOutOfRange
   */
  read(at: TopicPartition, offset: number, maxRecords: number): Promise<LogRecord[]>
  /** A member of the group that shares the partitions of `topics`. Each partition is with one member at a time. */
  subscribe(group: string, topics: readonly string[]): LogSubscription
  close(): Promise<void>
}

export interface RecordBatch extends TopicPartition {
  readonly records: readonly LogRecord[]
  /** The offset the partition's next record will get: `nextOffset - (last offset + 1)` is the lag after this batch. */
  readonly nextOffset: number
}

export interface SubscriptionHandler {
  /** Called before any batch of these partitions. Answers where to start each, keyed by {@link partitionKey}. */
  assigned(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, number>>
  /** Called before the partitions go to another member: drain, flush, checkpoint. */
  revoked(partitions: readonly TopicPartition[]): Promise<void>
  /** Records in order. The next batch of any partition comes when this has resolved. */
  batch(batch: RecordBatch): Promise<void>
}

export interface LogSubscription {
  /** Delivers until `stop`, then hands all partitions back through `revoked`. Rejects if the log or the handler fails for good. */
  run(handler: SubscriptionHandler): Promise<void>
  /**
   * Another process writes for this partition, so this member must believe the group, not itself: ask anew who has it. `assigned` follows where it is still
   * ours. A log without groups of processes has no such method: there it is a fault that ends the run.
   */
  lost?(at: TopicPartition): void
  /** Tells the log how far the group has come: for lag tools, and for readers that have no checkpoints of their own. */
  commit(at: TopicPartition, nextOffset: number): Promise<void>
  stop(): Promise<void>
}

export const partitionKey = (at: TopicPartition): string => `${at.topic}-${at.partition}`

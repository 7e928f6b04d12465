/**
 * What an operator is: a kernel that keeps keyed state for one partition and computes on it, record by record.
 *
 * Sits between the task, which decodes, orders and deduplicates, and the flush, which writes what `drain` hands over. Invariant: everything
 * an operator does is a function of the partition's records in their order. It reads no clock, does no I/O, and never looks at batch borders;
 * so a replay from any checkpoint gives the same rows at the same positions.
 */
import type { Schema } from 'avsc'
import type { FeatureWrite } from '../contract/features.ts'
import type { AlertRow, ResultRows, ResultTable } from '../contract/results.ts'

/** Where the task stands. One object per task, changed from record to record: operators must not keep it. */
export interface At {
  readonly topic: string
  readonly partition: number
  /** Offset of the record at hand. */
  offset: number
  /** Event time before which nothing is awaited any more; this record's own event time is already taken into account. */
  watermarkMs: number
  /** W3C trace id of the record at hand, or null. To be read where it is noted only: what became of the record is then told in its trace. */
  readonly traceId: string | null
}

/** `skipped`: not an event that this operator looks at. `late`: it came after its window was final. */
export type Verdict = 'applied' | 'skipped' | 'late'

/** Where results go. */
export interface Output {
  row<T extends ResultTable>(table: T, row: ResultRows[T]): void
  feature(write: FeatureWrite): void
  /** An alert to announce on `alerts.fraud`; `row` must have been emitted too. */
  alert(row: AlertRow): void
}

/** `everything`: also provisional rows, for readers who watch. `final-only`: while catching up, rows that will change again are not worth writing. */
export type DrainMode = 'everything' | 'final-only'

/** A value that is at hand as the bytes its section's schema gives. */
export class EncodedValue {
  readonly bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }
}

/** A named part of an operator's state, as key → value, so that checkpoints can hold what changed since the last one. */
export interface StateSection {
  readonly name: string
  /** Avro schema of the values. */
  readonly schema: Schema
  /**
   * What changed since the last call, or all there is. Deletes come before upserts. Values may be live objects: encode before going on. A key may be given as
   * its UTF-8 bytes and a value as an {@link EncodedValue}.
   */
  changes(all: boolean): {
    deletes: readonly string[]
    upserts: Iterable<readonly [key: string | Uint8Array, value: unknown]>
  }
  /** Takes one entry back, on a fresh operator. */
  restore(key: string, value: unknown): void
}

export interface Operator<E> {
  /** The job, or `job/part` where a job has several operators on one topic. */
  readonly name: string
  process(event: E, at: At): Verdict
  /** The watermark at which {@link advance} has something to do; +Infinity when never. */
  readonly nextTimerMs: number
  /** Makes final what the watermark has passed. */
  advance(at: At): void
  /**
   * Forgets a person, whose erasure record is at hand: afterwards neither the state nor anything that is handed over holds the id, but in what makes a store forget it
   * too. Sums over many people stay as they are. An event of theirs that comes later is one of somebody unknown.
   */
  forget(subjectId: string, at: At): void
  /** Hands over what changed since the last call; at most about `limit` provisional rows. @returns whether some are left for the next call. */
  drain(out: Output, mode: DrainMode, limit: number): boolean
  readonly state: readonly StateSection[]
  /** Marks everything as not yet in the feature store, which has lost its data. */
  republish?(): void
}

/**
 * A fresh operator for a task: it serves this one partition.
 * @param hotMax about how many entries of large state are kept as objects; what is computed doesn't depend on it
 */
export type OperatorFactory<E> = (partition: number, hotMax?: number) => Operator<E>

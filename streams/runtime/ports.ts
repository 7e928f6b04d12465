/**
 * What the runtime needs from outside: the stores its flushes and checkpoints go to. `db/` implements these; the simulation brings fakes.
 */
import type { Outcome, ResultRows, ResultTable } from '../contract/results.ts'
import type { NewRecord, TopicPartition } from '../log/event-log.ts'

/** A record to publish exactly once per id: alerts, dead letters, late events. */
export interface OutboxRecord extends NewRecord {
  /** Derived from what caused it, so that a replay makes the same id. */
  id: string
}

/** How far a task is and what it has counted; for people and for `/health/pipelines`. */
export interface TaskProgress extends TopicPartition {
  epoch: number
  nextOffset: number
  /** Offset the log's next record gets, as last seen. */
  endOffset: number
  /** null before the first readable record. */
  watermarkMs: number | null
  events: number
  outcomes: Record<Outcome, number>
  live: boolean
}

export type RowsByTable = { [T in ResultTable]?: ResultRows[T][] }

/** A person whom a task was told to forget: of the rows that its partition has made, those of a lower position lose everything that tells of them. */
export interface ForgottenSubject extends TopicPartition {
  /** Of the erasure record. */
  position: number
  subjectId: string
}

export interface Flush {
  rows: RowsByTable
  /** Missing: nobody. Applied after the rows, in the same transaction. */
  forgotten?: readonly ForgottenSubject[]
  outbox: OutboxRecord[]
  progress: TaskProgress[]
}

export interface ResultStore {
  /**
   * One transaction: rows by version, then what is to be forgotten of them, outbox records that are new, progress.
   * @returns the outbox records that have never been published, also those that an earlier crash left unpublished.
   */
  apply(flush: Flush): Promise<OutboxRecord[]>
  /** From then on only the ids are kept. */
  markPublished(ids: readonly string[]): Promise<void>
  /** Those that have not been published although they were applied at least `ageMs` ago. */
  unpublished(ageMs: number): Promise<OutboxRecord[]>
}

/** Where a checkpoint's files are and what offset they bring the task to. */
export interface Manifest {
  /** The first offset not contained in the checkpoint. */
  nextOffset: number
  /** Object keys: a base, then its deltas in order. */
  files: string[]
}

/** This process no longer owns the partition: another has begun a higher epoch. The task must stop and write no more. */
export class Fenced extends Error {
  override readonly name = 'Fenced'
  readonly at: TopicPartition

  constructor(at: TopicPartition, message: string) {
    super(message)
    this.at = at
  }
}

export interface ManifestStore {
  /** Takes the partition over: returns an epoch higher than any before. */
  beginEpoch(at: TopicPartition, owner: string): Promise<number>
  /** Newest first; the older ones are there to fall back to. */
  manifests(at: TopicPartition): Promise<Manifest[]>
  /**
   * Adds a manifest and forgets all but the newest few.
   * @param kept how many stay, this one included; 1 where none may be left of what an older one names
   * @returns object keys that no remaining manifest names, for deletion.
   * @throws Fenced when the partition has a higher epoch.
   */
  save(at: TopicPartition, epoch: number, manifest: Manifest, kept?: number): Promise<string[]>
}

/** The cut of a flush: what all tasks have to write, taken at one moment between two records. */
import type { FeatureWrite } from '../contract/features.ts'
import { RESULT_TABLES, type ResultRows, type ResultTable } from '../contract/results.ts'
import { partitionKey, type TopicPartition } from '../log/event-log.ts'
import type { DrainMode } from '../operators/operator.ts'
import type { Checkpointer } from './checkpointer.ts'
import type { Flush, ForgottenSubject, RowsByTable, TaskProgress } from './ports.ts'
import type { Drained, Task } from './task.ts'
import type { Followed, FollowedRecord } from './tracer.ts'

/** A task with what the runtime keeps beside it. */
export interface RunningTask {
  readonly task: Task
  readonly checkpointer: Checkpointer
  /** The offset that the log's next record gets, as last seen. */
  endOffset: number
  /** Only where somebody traces. */
  readonly followed?: Followed | undefined
}

/** What one task has to write. */
interface Part {
  at: TopicPartition
  drained: Drained
  progress: TaskProgress
  followed: readonly FollowedRecord[]
}

/**
 * What goes out while catching up will mostly change again before anyone reads it, so it is a share of the limit, the longest waiting first.
 * What is left then is no reason for another flush.
 */
const CATCHING_UP_SHARE = 0.05

/** Kept apart by task, so that what belongs to a partition that was lost can be left out. */
export class Cut {
  /** Provisional rows were left for the next flush. */
  readonly more: boolean
  #parts: Part[]

  constructor(tasks: readonly RunningTask[], modeOf: (task: RunningTask) => DrainMode, limit: number) {
    let some = false
    this.#parts = tasks.map((running) => {
      const { task } = running
      const live = modeOf(running) === 'everything'
      const { drained, more } = task.drain(modeOf(running), live ? limit : Math.ceil(limit * CATCHING_UP_SHARE))
      some ||= more && live
      const followed = running.followed?.take(drained.alerts) ?? []
      return {
        at: { topic: task.topic, partition: task.partition },
        drained,
        progress: progressOf(running, live),
        followed,
      }
    })
    this.more = some
  }

  /** The task's partition belongs to another process now. */
  leaveOut(at: TopicPartition): void {
    this.#parts = this.#parts.filter((part) => partitionKey(part.at) !== partitionKey(at))
  }

  get flush(): Flush {
    const rows: RowsByTable = {}
    for (const table of RESULT_TABLES) this.#gather(table, rows)
    return {
      rows,
      forgotten: this.forgotten,
      outbox: this.#parts.flatMap(({ drained }) => drained.outbox),
      progress: this.#parts.map(({ progress }) => progress),
    }
  }

  #gather<T extends ResultTable>(table: T, into: { [K in T]?: ResultRows[K][] }): void {
    const rows = this.#parts.flatMap(({ drained }) => (drained.rows as { [K in T]?: ResultRows[K][] })[table] ?? [])
    if (rows.length > 0) into[table] = rows
  }

  /** Persons whose erasure records the tasks have met. */
  get forgotten(): ForgottenSubject[] {
    return this.#parts.flatMap(({ drained }) => drained.forgotten)
  }

  get rowCount(): number {
    let count = 0
    for (const { drained } of this.#parts) for (const rows of Object.values(drained.rows)) count += rows.length
    return count
  }

  get features(): FeatureWrite[] {
    return this.#parts.flatMap(({ drained }) => drained.features)
  }

  /** Records whose traces are to show what becomes of them. */
  get followed(): FollowedRecord[] {
    return this.#parts.flatMap(({ followed }) => followed)
  }
}

function progressOf({ task, checkpointer, endOffset }: RunningTask, live: boolean): TaskProgress {
  return {
    topic: task.topic,
    partition: task.partition,
    epoch: checkpointer.epoch,
    nextOffset: task.nextOffset,
    endOffset,
    watermarkMs: Number.isFinite(task.watermarkMs) ? task.watermarkMs : null,
    events: task.counters.events,
    outcomes: { ...task.counters.outcomes },
    live,
  }
}

/** The cut of a flush: what all tasks have to write, taken at one moment between two records. */
import type { FeatureWrite } from '../contract/features.ts'
import { RESULT_TABLES, type ResultRows, type ResultTable } from '../contract/results.ts'
import type { DrainMode } from '../operators/operator.ts'
import type { Checkpointer } from './checkpointer.ts'
import type { Flush } from './ports.ts'
import type { Task } from './task.ts'

/** A task with what the runtime keeps beside it. */
export interface RunningTask {
  readonly task: Task
  readonly checkpointer: Checkpointer
  /** The offset that the log's next record gets, as last seen. */
  endOffset: number
}

export interface Cut {
  flush: Flush
  features: FeatureWrite[]
  rowCount: number
  /** Provisional rows were left for the next flush. */
  more: boolean
}

/**
 * What goes out while catching up will mostly change again before anyone reads it, so it is a share of the limit, the longest waiting first.
 * What is left then is no reason for another flush.
 */
const CATCHING_UP_SHARE = 0.05

export function collect(tasks: readonly RunningTask[], modeOf: (task: RunningTask) => DrainMode, limit: number): Cut {
  const cut: Cut = { flush: { rows: {}, outbox: [], progress: [] }, features: [], rowCount: 0, more: false }
  for (const running of tasks) {
    const { task, checkpointer, endOffset } = running
    const mode = modeOf(running)
    const live = mode === 'everything'
    const { drained, more } = task.drain(mode, live ? limit : Math.ceil(limit * CATCHING_UP_SHARE))
    for (const table of RESULT_TABLES) cut.rowCount += append(cut.flush.rows, table, drained.rows[table])
    for (const write of drained.features) cut.features.push(write)
    for (const record of drained.outbox) cut.flush.outbox.push(record)
    cut.more ||= more && live
    cut.flush.progress.push({
      topic: task.topic,
      partition: task.partition,
      epoch: checkpointer.epoch,
      nextOffset: task.nextOffset,
      endOffset,
      watermarkMs: Number.isFinite(task.watermarkMs) ? task.watermarkMs : null,
      events: task.counters.events,
      outcomes: { ...task.counters.outcomes },
      live,
    })
  }
  return cut
}

function append<T extends ResultTable>(rows: Flush['rows'], table: T, more: ResultRows[T][] | undefined): number {
  if (!more) return 0
  const there = rows[table] as ResultRows[T][] | undefined
  if (there) for (const row of more) there.push(row)
  else (rows as { [K in T]?: ResultRows[T][] })[table] = more
  return more.length
}

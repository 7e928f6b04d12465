/**
 * What the runtime tells about itself: each thing an operator of the platform wants to see, as a named event.
 * `observability/` turns them into metrics and log lines; the simulation looks at them too.
 */
import type { TopicPartition } from '../log/event-log.ts'
import type { RestoreReport } from './checkpointer.ts'
import type { TaskProgress } from './ports.ts'

export interface RuntimeObserver {
  restored?(at: TopicPartition, report: RestoreReport & { startOffset: number; epoch: number }): void
  released?(at: TopicPartition): void
  /** Another process has taken the partition over. */
  fenced?(at: TopicPartition): void
  flushed?(flush: {
    seconds: number
    rows: number
    features: number
    announced: number
    progress: readonly TaskProgress[]
  }): void
  checkpointed?(checkpoint: { seconds: number; tasks: number; bytes: number }): void
  checkpointFailed?(at: TopicPartition, error: Error): void
  commitFailed?(at: TopicPartition, error: Error): void
  /** A store did not answer; it is tried again after `delayMs`. */
  retrying?(what: string, error: Error, delayMs: number): void
  featuresLost?(): void
}

/**
 * What the runtime tells about itself: each thing an operator of the platform wants to see, as a named event.
 * `observability/` turns them into metrics and log lines; the simulation looks at them too.
 */
import type { TopicPartition } from '../log/event-log.ts'
import type { RestoreReport } from './checkpointer.ts'
import type { TaskProgress } from './ports.ts'
import type { TaskCounters } from './task.ts'

export interface RuntimeObserver {
  restored?(
    at: TopicPartition,
    report: RestoreReport & { startOffset: number; epoch: number; counts: Readonly<TaskCounters> },
  ): void
  released?(at: TopicPartition): void
  /** Another process has taken the partition over. */
  fenced?(at: TopicPartition): void
  flushed?(flush: {
    seconds: number
    rows: number
    features: number
    /** How many, by topic. */
    announced: Readonly<Record<string, number>>
    progress: readonly TaskProgress[]
  }): void
  checkpointed?(checkpoint: { seconds: number; tasks: number; bytes: number }): void
  checkpointFailed?(at: TopicPartition, error: Error): void
  commitFailed?(at: TopicPartition, error: Error): void
  /** A store did not answer; it is tried again after `delayMs`. */
  retrying?(what: string, error: Error, delayMs: number): void
  featuresLost?(): void
}

/** All of them are told, in the order given. The compiler sees to it that no event is left out. */
export function joinObservers(...observers: readonly RuntimeObserver[]): Required<RuntimeObserver> {
  const tell =
    <E extends keyof RuntimeObserver>(event: E) =>
    (...args: Parameters<Required<RuntimeObserver>[E]>): void => {
      for (const observer of observers) (observer[event] as ((...told: typeof args) => void) | undefined)?.(...args)
    }
  return {
    restored: tell('restored'),
    released: tell('released'),
    fenced: tell('fenced'),
    flushed: tell('flushed'),
    checkpointed: tell('checkpointed'),
    checkpointFailed: tell('checkpointFailed'),
    commitFailed: tell('commitFailed'),
    retrying: tell('retrying'),
    featuresLost: tell('featuresLost'),
  }
}

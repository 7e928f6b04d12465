/** What the lake-writer tells about itself: to metrics, to the log, to the health page. Tables are called by their names. */
import type { TopicPartition } from '../log/event-log.ts'

export interface LakeObserver {
  /** Records of the log that were looked at, with or without a commit. */
  read?(table: string, counts: { rows: number; undecodable: number }): void
  committed?(table: string, done: { rows: number; files: number; seconds: number }): void
  /** @param records in the log that are not in the table yet, as last seen */
  lag?(table: string, records: number, partitions: number): void
  /** Retention has removed what was not yet read: writing goes on behind the gap, which the next commit notes. */
  lost?(table: string, at: TopicPartition, range: { from: number; to: number }): void
  retrying?(table: string, store: string, error: Error, delayMs: number): void
  /** Another owner of its partitions has written meanwhile: what was held is thrown away, and the group is asked anew. */
  refused?(table: string, error: Error): void
  /** Nothing goes on for this table; it begins again after the pause. */
  failed?(table: string, error: Error, pauseMs: number): void
}

/** All of them are told, in the order given. The compiler sees to it that no event is left out. */
export function joinLakeObservers(...observers: readonly LakeObserver[]): Required<LakeObserver> {
  const tell =
    <E extends keyof LakeObserver>(event: E) =>
    (...args: Parameters<Required<LakeObserver>[E]>): void => {
      for (const observer of observers) (observer[event] as ((...told: typeof args) => void) | undefined)?.(...args)
    }
  return {
    read: tell('read'),
    committed: tell('committed'),
    lag: tell('lag'),
    lost: tell('lost'),
    retrying: tell('retrying'),
    refused: tell('refused'),
    failed: tell('failed'),
  }
}

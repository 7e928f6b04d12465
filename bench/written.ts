/** What a measured process has written, counted by the runtime's observer; failures and retries go to standard error. */
import type { RuntimeObserver } from '../streams/runtime/observer.ts'

export interface Written {
  flushes: number
  checkpoints: number
  checkpointMiB: number
}

/** @param into counted up as the runtime goes */
export const countWritten = (into: Written): Partial<RuntimeObserver> => ({
  flushed: () => void into.flushes++,
  checkpointed({ bytes }) {
    into.checkpoints++
    into.checkpointMiB += bytes / 2 ** 20
  },
  checkpointFailed: (_, error) => console.error(error),
  retrying: (what, error) => console.error(what, error),
})

/** What reads the log beside the runtime (bridge, lake-writer) lives until it fails, and then again: each life begins with what the stores say. */
import type { Clock } from '../time/clock.ts'

/** A life that lasted longer had no trouble in beginning. */
const PAUSE_MAX_MS = 30_000

export interface LivesOptions {
  clock: Clock
  /** Ends it: no life begins any more, and what a life then fails with is not told. */
  signal: AbortSignal
  firstPauseMs: number
  failed(error: Error, pauseMs: number): void
}

/** Lives again after each failure, with a pause that grows to half a minute. Never rejects. */
export async function liveAgain(
  live: () => Promise<void>,
  { clock, signal, firstPauseMs, failed }: LivesOptions,
): Promise<void> {
  let pauseMs = firstPauseMs
  while (!signal.aborted) {
    const startedMs = clock.now()
    try {
      await live()
    } catch (error) {
      if (signal.aborted) return
      if (clock.now() - startedMs > PAUSE_MAX_MS) pauseMs = firstPauseMs
      failed(error as Error, pauseMs)
      await clock.sleep(pauseMs, signal)
      pauseMs = Math.min(pauseMs * 2, PAUSE_MAX_MS)
    }
  }
}

/** Trying again when a store doesn't answer: for ever, with a growing delay, until it does or the runtime is stopped. */
import { IncompatibleSchema } from '../contract/schema-registry.ts'
import type { Clock } from '../time/clock.ts'
import { Fenced } from './ports.ts'

const FIRST_DELAY_MS = 50
const DELAY_MAX_MS = 5_000

/** The runtime was told to stop while a store did not answer. What it could not write will be computed again from the log. */
export class Stopped extends Error {
  override readonly name = 'Stopped'
}

export interface RetryOptions {
  clock: Clock
  signal: AbortSignal
  onRetry: (error: Error, delayMs: number) => void
  /** Errors of the caller's own that trying again would not change; default: none. */
  isFinal?: (error: unknown) => boolean
}

/** @throws Fenced, IncompatibleSchema and what is final at once, Stopped when the signal aborts between two attempts */
export async function retrying<R>(attempt: () => Promise<R>, options: RetryOptions): Promise<R> {
  const { clock, signal, onRetry, isFinal } = options
  for (let delayMs = FIRST_DELAY_MS; ; delayMs = Math.min(delayMs * 2, DELAY_MAX_MS)) {
    try {
      return await attempt()
    } catch (error) {
      // Trying again would change neither.
      if (error instanceof Fenced || error instanceof IncompatibleSchema || isFinal?.(error)) throw error
      if (signal.aborted) throw new Stopped('stopped while waiting for a store', { cause: error })
      onRetry(error as Error, delayMs)
      await clock.sleep(delayMs, signal)
    }
  }
}

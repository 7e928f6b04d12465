/**
 * The wall clock, as a parameter. Nothing else in the project reads `Date.now()` or sets a timer that decides about data:
 * tests and the simulation bring their own clock.
 */
import { setTimeout as delay } from 'node:timers/promises'

export interface Clock {
  /** Epoch milliseconds. */
  now(): number
  /** Resolves after `ms`, or at once when `signal` aborts (it never rejects). */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: async (ms, signal) => {
    try {
      await delay(ms, undefined, signal ? { signal } : {})
    } catch {
      // Aborted: waking early is the purpose.
    }
  },
}

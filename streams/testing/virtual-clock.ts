/**
 * A clock that only moves when told: the simulation's time. Sleepers wake in order of their deadlines, and everything that a wake-up sets in motion
 * (promises only, there is no I/O in a simulation) has come to rest before the next one.
 */
import type { Clock } from '../time/clock.ts'

interface Sleeper {
  dueMs: number
  wake: () => void
}

export class VirtualClock implements Clock {
  #nowMs: number
  #sleepers: Sleeper[] = []

  constructor(startMs: number) {
    this.#nowMs = startMs
  }

  now(): number {
    return this.#nowMs
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const wake = (): void => {
        signal?.removeEventListener('abort', wake)
        this.#sleepers = this.#sleepers.filter((s) => s !== sleeper)
        resolve()
      }
      const sleeper: Sleeper = { dueMs: this.#nowMs + Math.max(0, ms), wake }
      this.#sleepers.push(sleeper)
      signal?.addEventListener('abort', wake, { once: true })
    })
  }

  /** Moves on by `ms`, waking whoever is due on the way. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms
    for (;;) {
      await quiescence()
      const next = this.#sleepers.reduce<Sleeper | null>((a, b) => (a && a.dueMs <= b.dueMs ? a : b), null)
      if (!next || next.dueMs > endMs) break
      this.#nowMs = Math.max(this.#nowMs, next.dueMs)
      next.wake()
    }
    this.#nowMs = endMs
    await quiescence()
  }
}

/** All promise chains have run dry: an immediate comes only after every microtask. */
export const quiescence = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

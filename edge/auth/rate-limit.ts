/** How often something may be tried: fixed windows per key, with bounded memory. Time is a parameter. */

export interface RateLimit {
  /** Counts one try. @returns 0 when it is allowed, else the milliseconds until the next may be made. */
  take(key: string, nowMs: number): number
  /** Takes a try back: it was a good one. */
  giveBack(key: string): void
  readonly size: number
}

export interface RateLimitOptions {
  triesMax: number
  windowMs: number
  /** Beyond this many keys the oldest is forgotten. */
  keysMax: number
}

export function createRateLimit({ triesMax, windowMs, keysMax }: RateLimitOptions): RateLimit {
  const windows = new Map<string, { startMs: number; tries: number }>()
  return {
    get size() {
      return windows.size
    },
    take(key, nowMs) {
      const window = windows.get(key)
      if (!window || nowMs - window.startMs >= windowMs) {
        windows.delete(key)
        windows.set(key, { startMs: nowMs, tries: 1 })
        if (windows.size > keysMax) windows.delete(windows.keys().next().value!)
        return 0
      }
      if (window.tries >= triesMax) return window.startMs + windowMs - nowMs
      window.tries++
      return 0
    },
    giveBack(key) {
      const window = windows.get(key)
      if (window && window.tries > 0) window.tries--
    },
  }
}

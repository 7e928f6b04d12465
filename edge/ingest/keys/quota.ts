/**
 * How many events a key may send: so many a minute, as a bucket that fills steadily, and is whole after a minute of silence.
 *
 * A request is let in while there is anything left, before its body is read, and then taken whole; what it takes beyond has to come back first. So a flood costs next to nothing,
 * no request is taken in part, and on the average a key never has more than its share. Each process of the edge counts for itself.
 * Source of the headers: draft-ietf-httpapi-ratelimit-headers, RateLimit-Policy and RateLimit.
 */
import type { Clock } from '../../ports.ts'
import { Problem, retryAfter } from '../../problem.ts'
import type { WriteKey } from './write-keys.ts'

export interface Quotas {
  /** @throws Problem `quota_exceeded` */
  admit(key: WriteKey): void
  /** Whether the key has anything left. */
  hasLeft(key: WriteKey): boolean
  charge(key: WriteKey, events: number): void
  /** What the key has left, for its client; nothing for a key without a quota. */
  headers(key: WriteKey): Readonly<Record<string, string>>
}

interface Bucket {
  left: number
  /** Epoch milliseconds. */
  at: number
}

const WINDOW_SECONDS = 60
/** Those that are whole again are forgotten beyond so many. */
const BUCKETS_MAX = 4_096

export function createQuotas(clock: Pick<Clock, 'now'>): Quotas {
  const buckets = new Map<string, Bucket>()

  /** Of a key with a quota, filled up to now. */
  function bucketOf(id: string, perMinute: number): Bucket {
    const now = clock.now()
    let bucket = buckets.get(id)
    if (!bucket) {
      if (buckets.size >= BUCKETS_MAX) forgetIdle(now)
      bucket = { left: perMinute, at: now }
      buckets.set(id, bucket)
      return bucket
    }
    // A clock that is set back takes nothing away.
    const seconds = Math.max(0, now - bucket.at) / 1000
    bucket.left = Math.min(perMinute, bucket.left + (seconds * perMinute) / WINDOW_SECONDS)
    bucket.at = now
    return bucket
  }

  function forgetIdle(now: number): void {
    for (const [id, { left, at }] of buckets) if (left >= 0 && now - at > WINDOW_SECONDS * 1000) buckets.delete(id)
  }

  function headers({ id, eventsPerMinute }: WriteKey): Record<string, string> {
    if (eventsPerMinute === null) return {}
    const { left } = bucketOf(id, eventsPerMinute)
    return {
      'ratelimit-policy': `"events";q=${eventsPerMinute};w=${WINDOW_SECONDS};qu="events"`,
      ratelimit: `"events";r=${Math.max(0, Math.floor(left))};t=${secondsUntil(eventsPerMinute - left, eventsPerMinute)}`,
    }
  }

  const hasLeft = ({ id, eventsPerMinute }: WriteKey): boolean =>
    eventsPerMinute === null || bucketOf(id, eventsPerMinute).left >= 1

  return {
    hasLeft,
    headers,
    admit(key) {
      const { id, eventsPerMinute } = key
      if (eventsPerMinute === null || hasLeft(key)) return
      const seconds = Math.max(1, secondsUntil(1 - bucketOf(id, eventsPerMinute).left, eventsPerMinute))
      throw new Problem(
        'quota_exceeded',
        `The write key ${id} may send ${eventsPerMinute} events a minute, and has. Send the same request again in ${seconds} seconds.`,
        { headers: { ...retryAfter(seconds), ...headers(key) } },
      )
    },
    charge({ id, eventsPerMinute }, events) {
      if (eventsPerMinute !== null) bucketOf(id, eventsPerMinute).left -= events
    },
  }
}

/** For so many events to come back. */
const secondsUntil = (events: number, perMinute: number): number =>
  Math.ceil((Math.max(0, events) * WINDOW_SECONDS) / perMinute)

/**
 * The changed alerts of the live stream: read once for all clients, and kept for a while for those that are behind.
 *
 * Invariant: from a place that this edge has read to, each client is told of every change in order. Memory is bounded: who is further behind than what is kept asks the database again.
 */
import type { AlertChange, AlertFeed, ChangePlace } from '../ports.ts'

/** Of changed alerts, in one read. */
const READ_MAX = 200
const READS_MAX = 5
const KEPT_MAX = 500

/** A client resumes from at most so many changed alerts; of more it is told to read them anew. */
export const RESUME_MAX = 1_000

export interface LiveAlerts {
  /** Where everybody stands who has been told everything; null before the first `read`. */
  readonly place: ChangePlace | null
  /** Counts the changes that were read. */
  readonly end: number
  read(): Promise<void>
  /** From a number on that `end` once had; null where some of them are no longer kept. */
  from(number: number, most: number): AlertChange[] | null
  /** Up to `place`, from the database. null: too many, or the place is not of this database. */
  resume(after: ChangePlace): Promise<AlertChange[] | null>
}

export function createLiveAlerts(feed: AlertFeed): LiveAlerts {
  let place: ChangePlace | null = null
  let kept: AlertChange[] = []
  let end = 0

  async function resume(after: ChangePlace): Promise<AlertChange[] | null> {
    if (place === null || !(await feed.isKnown(after))) return null
    const changes = await feed.changes({ after, until: place, limit: RESUME_MAX + 1 })
    return changes.length > RESUME_MAX ? null : changes
  }

  return {
    get place() {
      return place
    },
    get end() {
      return end
    },
    async read() {
      if (place === null) {
        place = await feed.newest()
        return
      }
      for (let reads = 0; reads < READS_MAX; reads++) {
        const changes = await feed.changes({ after: place, limit: READ_MAX })
        const last = changes.at(-1)
        if (!last) return
        place = last.place
        end += changes.length
        kept = [...kept, ...changes].slice(-KEPT_MAX)
        if (changes.length < READ_MAX) return
      }
    },
    from(number, most) {
      const at = kept.length - (end - number)
      return at < 0 ? null : kept.slice(at, at + most)
    },
    resume,
  }
}

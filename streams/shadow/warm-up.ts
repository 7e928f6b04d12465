/**
 * From which event time on a run that begins in the middle of a partition has decided everything as a run from the partition's first record does. Pure.
 *
 * What such a run lacks is deduplication's memory. Identities live in generations on a grid (recent-ids.ts): an identity is judged by its own generation and the one before, and only what was new is
 * remembered. So all that is in doubt in the first generation are its identities, in the next those of them that come again, and so on: where none comes again, nothing is in doubt any more.
 * Invariant: a decision on an event at or after `exactFromMs` is the one that the run from the beginning makes.
 */
import { RecentIds } from '../contract/recent-ids.ts'
import { DEDUPE_HORIZON_MS } from '../operators/deduplicate.ts'

/** A set of identities, 16 bytes each. */
const idSet = () => new RecentIds(Number.POSITIVE_INFINITY)

export class WarmUp {
  exactFromMs: number
  readonly #originMs: number
  readonly #beginMs: number
  #generation = Number.NaN
  /** Of the generation before; null: all identities are in doubt. */
  #doubtedBefore: RecentIds | null = null
  #doubted = idSet()
  #isSettled: boolean

  /**
   * @param originMs stream time of the partition's first event
   * @param beginMs on the grid; no record before the first one given has this event time or a later one. −Infinity: the first record given is the partition's first
   */
  constructor(originMs: number, beginMs: number) {
    this.#originMs = originMs
    this.#beginMs = beginMs
    this.exactFromMs = beginMs
    this.#isSettled = beginMs === Number.NEGATIVE_INFINITY
  }

  /** Every event, in log order, with the stream time that it leaves. */
  see(id: string, eventTimeMs: number, streamTimeMs: number): void {
    if (this.#isSettled) return
    if (streamTimeMs >= this.#beginMs) this.#enter(Math.floor((streamTimeMs - this.#originMs) / DEDUPE_HORIZON_MS))
    if (this.#isSettled || (this.#doubtedBefore !== null && !this.#doubtedBefore.has(id))) return
    // Before the begin, stream time itself is unknown: those identities are of generations that do not reach the first full one.
    if (streamTimeMs >= this.#beginMs) this.#doubted.add(id, 0)
    if (eventTimeMs >= this.exactFromMs) this.exactFromMs = eventTimeMs + 1
  }

  #enter(generation: number): void {
    if (generation === this.#generation) return
    const passed = generation - this.#generation
    this.#generation = generation
    if (Number.isNaN(passed)) return
    // After two generations nothing of the old one is remembered.
    this.#isSettled = passed >= 2 || this.#doubted.size === 0
    this.#doubtedBefore = this.#doubted
    this.#doubted = idSet()
  }
}

/** The last point of the grid at or before a time. */
export const onGrid = (originMs: number, timeMs: number): number =>
  originMs + Math.floor((timeMs - originMs) / DEDUPE_HORIZON_MS) * DEDUPE_HORIZON_MS

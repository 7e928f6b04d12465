/**
 * How far back a fraud rule's candidates hang together: which orders form a match depends on all before them that are less than the rule's span apart, so a match is known for certain only if its
 * whole chain is. Pure.
 *
 * Invariant: of every key, the chains that reach a given time are known, as long as no event comes behind the watermark given.
 */
export class Chains {
  readonly withinMs: number
  readonly #fromMs: number
  /** Disjoint, and at least the span apart; mostly one. */
  readonly #byKey = new Map<string, { startMs: number; endMs: number }[]>()
  #pruneAt = 10_000

  /** @param fromMs chains that end before are of no interest once they can't grow any more */
  constructor(withinMs: number, fromMs: number) {
    this.withinMs = withinMs
    this.#fromMs = fromMs
  }

  add(key: string, timeMs: number, watermarkMs: number): void {
    const joined = { startMs: timeMs, endMs: timeMs }
    const apart = (this.#byKey.get(key) ?? []).filter((chain) => {
      const isNear = timeMs - chain.endMs < this.withinMs && chain.startMs - timeMs < this.withinMs
      if (!isNear) return true
      joined.startMs = Math.min(joined.startMs, chain.startMs)
      joined.endMs = Math.max(joined.endMs, chain.endMs)
      return false
    })
    this.#byKey.set(key, [...apart, joined])
    if (this.#byKey.size > this.#pruneAt) this.#prune(watermarkMs)
  }

  /** Where the chains begin that reach the time of interest from before it; +Infinity when none does. */
  get earliestMs(): number {
    let earliest = Number.POSITIVE_INFINITY
    for (const chains of this.#byKey.values())
      for (const { startMs, endMs } of chains) if (endMs >= this.#fromMs) earliest = Math.min(earliest, startMs)
    return earliest
  }

  #prune(watermarkMs: number): void {
    for (const [key, chains] of this.#byKey) {
      const kept = chains.filter(
        ({ startMs, endMs }) =>
          endMs >= watermarkMs - this.withinMs || (endMs >= this.#fromMs && startMs < this.#fromMs + this.withinMs),
      )
      if (kept.length === 0) this.#byKey.delete(key)
      else if (kept.length < chains.length) this.#byKey.set(key, kept)
    }
    this.#pruneAt = Math.max(10_000, 2 * this.#byKey.size)
  }
}

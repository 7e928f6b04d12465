/**
 * The set of recently seen event ids: whether an id was seen within a horizon, in a few bytes per id.
 *
 * Used by the streams to skip duplicates (there, time is event time, so a replay decides alike) and by the edge to report them early.
 * An id is kept as a 128-bit fingerprint in open-addressed tables of 32-bit integers; two rotating generations make the horizon:
 * an id is remembered for at least one horizon and at most two.
 */

const MIN_CAPACITY = 1024
const FILL_MAX = 0.6

/** Four 32-bit words per id. The all-zero word pair marks an empty slot, so a fingerprint never has two leading zero words. */
export class FingerprintSet {
  size = 0
  words: Uint32Array
  #mask: number

  /** @param expected how many ids it takes before it has to grow */
  constructor(expected = 0) {
    let capacity = MIN_CAPACITY
    while (capacity * FILL_MAX < expected) capacity *= 2
    this.words = new Uint32Array(capacity * 4)
    this.#mask = capacity - 1
  }

  /** @returns false when it was there already. */
  add(a: number, b: number, c: number, d: number): boolean {
    const { words } = this
    let slot = (a & this.#mask) * 4
    while (words[slot] !== 0 || words[slot + 1] !== 0) {
      if (words[slot] === a && words[slot + 1] === b && words[slot + 2] === c && words[slot + 3] === d) return false
      slot = (slot + 4) & (this.#mask * 4 + 3)
    }
    words[slot] = a
    words[slot + 1] = b
    words[slot + 2] = c
    words[slot + 3] = d
    if (++this.size > (this.#mask + 1) * FILL_MAX) this.#grow()
    return true
  }

  has(a: number, b: number, c: number, d: number): boolean {
    const { words } = this
    let slot = (a & this.#mask) * 4
    while (words[slot] !== 0 || words[slot + 1] !== 0) {
      if (words[slot] === a && words[slot + 1] === b && words[slot + 2] === c && words[slot + 3] === d) return true
      slot = (slot + 4) & (this.#mask * 4 + 3)
    }
    return false
  }

  /** The words of all fingerprints, four by four. */
  fingerprints(): Uint32Array {
    const { words } = this
    const all = new Uint32Array(this.size * 4)
    let at = 0
    for (let i = 0; i < words.length; i += 4) {
      if (words[i] === 0 && words[i + 1] === 0) continue
      all.set(words.subarray(i, i + 4), at)
      at += 4
    }
    return all
  }

  #grow(): void {
    const old = this.words
    this.words = new Uint32Array(old.length * 2)
    this.#mask = this.words.length / 4 - 1
    this.size = 0
    for (let i = 0; i < old.length; i += 4) {
      if (old[i] !== 0 || old[i + 1] !== 0) this.add(old[i]!, old[i + 1]!, old[i + 2]!, old[i + 3]!)
    }
  }
}

// The words of the last fingerprint: module variables, since an object per event would be garbage per event.
let f0 = 0
let f1 = 0
let f2 = 0
let f3 = 0

/** MurmurHash3's mixing over four lanes of UTF-16 units; the result is in f0 … f3. */
function fingerprint(id: string): void {
  let a = 0x9e3779b9
  let b = 0x243f6a88
  let c = 0xb7e15162
  let d = id.length
  for (let i = 0; i < id.length; i++) {
    const unit = id.charCodeAt(i)
    a = Math.imul(a ^ unit, 0x85ebca6b)
    b = Math.imul(b ^ a ^ (a >>> 15), 0xc2b2ae35)
    c = Math.imul(c + unit, 0x27d4eb2f) ^ (b >>> 13)
    d = Math.imul(d ^ c ^ unit, 0x165667b1)
    d = (d << 13) | (d >>> 19)
  }
  f0 = mix(a ^ d) >>> 0
  f1 = mix(b + a) >>> 0
  f2 = mix(c ^ b) >>> 0
  f3 = mix(d + c) >>> 0
  if (f0 === 0 && f1 === 0) f1 = 1
}

function mix(h: number): number {
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}

export class RecentIds {
  readonly horizonMs: number
  /** A generation with this many ids ends early: memory is bounded, and under such a load the horizon shrinks. */
  readonly idsMax: number
  /** When the current generation began, in the caller's time; −Infinity before the first id. */
  generationStartMs = Number.NEGATIVE_INFINITY
  /** When the previous one began; −Infinity when there is none. */
  previousStartMs = Number.NEGATIVE_INFINITY
  current = new FingerprintSet()
  previous = new FingerprintSet()
  /** Called for each new id with its words, e.g. to checkpoint it. */
  onAdded: ((a: number, b: number, c: number, d: number) => void) | undefined

  constructor(horizonMs: number, idsMax = Number.POSITIVE_INFINITY) {
    this.horizonMs = horizonMs
    this.idsMax = idsMax
  }

  /**
   * Remembers the id.
   * @param nowMs the caller's time, which must not run backwards: event time in the streams, wall clock at the edge
   * @returns false when the id was seen within the horizon
   */
  add(id: string, nowMs: number): boolean {
    if (nowMs - this.generationStartMs >= this.horizonMs || this.current.size >= this.idsMax) this.#rotate(nowMs)
    fingerprint(id)
    if (this.previous.has(f0, f1, f2, f3) || !this.current.add(f0, f1, f2, f3)) return false
    this.onAdded?.(f0, f1, f2, f3)
    return true
  }

  /** Whether the id was seen; remembers nothing. With `nowMs`, what has left the horizon is forgotten first. */
  has(id: string, nowMs?: number): boolean {
    if (nowMs !== undefined && nowMs - this.generationStartMs >= this.horizonMs) this.#rotate(nowMs)
    fingerprint(id)
    return this.current.has(f0, f1, f2, f3) || this.previous.has(f0, f1, f2, f3)
  }

  get size(): number {
    return this.current.size + this.previous.size
  }

  #rotate(nowMs: number): void {
    const passed = Math.floor((nowMs - this.generationStartMs) / this.horizonMs)
    // After two horizons nothing of the old generation is recent any more.
    this.previous = passed >= 2 ? new FingerprintSet() : this.current
    this.previousStartMs = passed >= 2 ? Number.NEGATIVE_INFINITY : this.generationStartMs
    // As many ids as in the generation before are likely: growing to that anew would cost more than all else.
    this.current = new FingerprintSet(this.previous.size)
    // On the grid of the first id's time: beginning at `nowMs` would let the previous generation live for up to three horizons.
    this.generationStartMs = Number.isFinite(passed) ? this.generationStartMs + passed * this.horizonMs : nowMs
  }
}

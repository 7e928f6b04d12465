/**
 * A hash table of numbers, found by a hash that each number has: 6 to 13 bytes per entry, outside the JavaScript heap.
 *
 * The index of `packed-state.ts`. Open addressing with linear probing. Invariant: between a number's home slot and where it stands no slot is empty, also
 * after removals, which move the followers up instead of leaving marks.
 */
const MIN_CAPACITY = 1024
const FILL_MAX = 0.7

export class IdTable {
  size = 0
  /** Number + 1; 0 is an empty slot. */
  #slots = new Uint32Array(MIN_CAPACITY)
  #mask = MIN_CAPACITY - 1
  readonly #hashOf: (id: number) => number

  /** @param hashOf must not change while the number is in the table */
  constructor(hashOf: (id: number) => number) {
    this.#hashOf = hashOf
  }

  add(id: number): void {
    if (this.size + 1 > this.#slots.length * FILL_MAX) this.#grow()
    this.#put(id)
    this.size++
  }

  #put(id: number): void {
    let slot = this.#hashOf(id) & this.#mask
    while (this.#slots[slot] !== 0) slot = (slot + 1) & this.#mask
    this.#slots[slot] = id + 1
  }

  /** The first number of this hash that `matches`; −1 when there is none. */
  find(hash: number, matches: (id: number) => boolean): number {
    const slots = this.#slots
    for (let slot = hash & this.#mask; slots[slot] !== 0; slot = (slot + 1) & this.#mask) {
      const id = slots[slot]! - 1
      if (this.#hashOf(id) === hash && matches(id)) return id
    }
    return -1
  }

  remove(id: number): void {
    const slots = this.#slots
    let hole = this.#hashOf(id) & this.#mask
    while (slots[hole] !== id + 1) {
      if (slots[hole] === 0) return
      hole = (hole + 1) & this.#mask
    }
    this.size--
    for (let slot = (hole + 1) & this.#mask; slots[slot] !== 0; slot = (slot + 1) & this.#mask) {
      const home = this.#hashOf(slots[slot]! - 1) & this.#mask
      // It may move up unless its home lies after the hole.
      if (((slot - home) & this.#mask) < ((slot - hole) & this.#mask)) continue
      slots[hole] = slots[slot]!
      hole = slot
    }
    slots[hole] = 0
  }

  #grow(): void {
    const old = this.#slots
    this.#slots = new Uint32Array(old.length * 2)
    this.#mask = this.#slots.length - 1
    for (const entry of old) if (entry !== 0) this.#put(entry - 1)
  }
}

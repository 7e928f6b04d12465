/** What will arrive later, soonest first: a binary heap by time; what was pushed first goes first among equals. */
export class ArrivalQueue<T> {
  #times: number[] = []
  #orders: number[] = []
  #items: T[] = []
  #pushed = 0

  get size(): number {
    return this.#items.length
  }

  push(atMs: number, item: T): void {
    let child = this.#items.length
    this.#times.push(atMs)
    this.#orders.push(this.#pushed++)
    this.#items.push(item)
    while (child > 0) {
      const parent = (child - 1) >> 1
      if (!this.#before(child, parent)) return
      this.#swap(child, parent)
      child = parent
    }
  }

  /** The soonest item that is due at `nowMs`, or undefined. */
  pop(nowMs: number): T | undefined {
    if (this.#items.length === 0 || this.#times[0]! > nowMs) return undefined
    const first = this.#items[0]
    this.#swap(0, this.#items.length - 1)
    this.#times.pop()
    this.#orders.pop()
    this.#items.pop()
    let parent = 0
    for (;;) {
      const left = 2 * parent + 1
      if (left >= this.#items.length) return first
      const child = left + 1 < this.#items.length && this.#before(left + 1, left) ? left + 1 : left
      if (!this.#before(child, parent)) return first
      this.#swap(child, parent)
      parent = child
    }
  }

  #before(a: number, b: number): boolean {
    const difference = this.#times[a]! - this.#times[b]!
    return difference < 0 || (difference === 0 && this.#orders[a]! < this.#orders[b]!)
  }

  #swap(a: number, b: number): void {
    for (const list of [this.#times, this.#orders, this.#items] as unknown[][]) {
      const kept = list[a]
      list[a] = list[b]
      list[b] = kept
    }
  }
}

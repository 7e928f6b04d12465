/**
 * Event-time timers in coarse buckets: cheap to set, and moved lazily.
 *
 * An item sits in one bucket. When its bucket comes due the owner says when the item is due now: if that is later, it moves there.
 * So an item whose deadline is pushed out by every event is touched once per bucket, not once per event. Invariant: an item is handed
 * out at the first watermark at or after the end of the bucket that its final deadline lies in, whatever its history: a function of the deadline alone.
 */

export class BucketTimers<T> {
  readonly #bucketMs: number
  readonly #buckets = new Map<number, T[]>()
  /** Buckets below this one have been handed out. */
  #next = Number.NEGATIVE_INFINITY

  constructor(bucketMs: number) {
    this.#bucketMs = bucketMs
  }

  /** @param dueMs in a bucket that has not been handed out: one that has is not looked at again */
  set(item: T, dueMs: number): void {
    const bucket = Math.floor(dueMs / this.#bucketMs)
    const items = this.#buckets.get(bucket)
    if (items) items.push(item)
    else this.#buckets.set(bucket, [item])
  }

  /** The watermark at which {@link fire} must be called next. */
  get nextMs(): number {
    return this.#next === Number.NEGATIVE_INFINITY ? this.#next : (this.#next + 1) * this.#bucketMs
  }

  /**
   * Hands out every item whose bucket has ended at `watermarkMs`.
   * @param dueMs when the item is due by now; −Infinity for one that is gone
   * @param fired takes the item that is due
   */
  fire(watermarkMs: number, dueMs: (item: T) => number, fired: (item: T) => void): void {
    const end = Math.floor(watermarkMs / this.#bucketMs)
    if (end <= this.#next) return
    // A gap in event time may span millions of empty buckets: then look at those that exist.
    const due =
      end - this.#next > this.#buckets.size
        ? [...this.#buckets.keys()].filter((b) => b < end).sort((a, b) => a - b)
        : range(this.#next, end)
    this.#next = end
    for (const bucket of due) {
      const items = this.#buckets.get(bucket)
      if (!items) continue
      this.#buckets.delete(bucket)
      for (const item of items) {
        const at = dueMs(item)
        if (at === Number.NEGATIVE_INFINITY) continue
        if (Math.floor(at / this.#bucketMs) >= end) this.set(item, at)
        else fired(item)
      }
    }
  }
}

function* range(from: number, to: number): Generator<number> {
  for (let i = from; i < to; i++) yield i
}

/** Bucket timers: every item once, at the end of the bucket its deadline lies in, judged by a plain list of deadlines. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BucketTimers } from './timers.ts'

const BUCKET = 10

interface Item {
  name: number
  dueMs: number
}

function fired(timers: BucketTimers<Item>, watermarkMs: number): number[] {
  const names: number[] = []
  timers.fire(
    watermarkMs,
    (i) => i.dueMs,
    (i) => names.push(i.name),
  )
  return names
}

describe('bucket timers', () => {
  it('hand an item out when its bucket has ended, not before', () => {
    const timers = new BucketTimers<Item>(BUCKET)
    timers.set({ name: 1, dueMs: 13 }, 13)
    expect(fired(timers, 19)).toEqual([])
    expect(timers.nextMs).toBe(20)
    expect(fired(timers, 20)).toEqual([1])
    expect(fired(timers, 1_000)).toEqual([])
  })

  it('follow a deadline that has been pushed out, and touch the item once per bucket', () => {
    const timers = new BucketTimers<Item>(BUCKET)
    const item = { name: 1, dueMs: 13 }
    timers.set(item, 13)
    item.dueMs = 47
    let asked = 0
    const due = (i: Item): number => {
      asked++
      return i.dueMs
    }
    const out: number[] = []
    for (let w = 0; w <= 49; w++) timers.fire(w, due, (i) => out.push(i.name))
    expect(out).toEqual([])
    expect(asked).toBe(1)
    timers.fire(50, due, (i) => out.push(i.name))
    expect(out).toEqual([1])
  })

  it('pass over what is gone', () => {
    const timers = new BucketTimers<Item>(BUCKET)
    timers.set({ name: 1, dueMs: Number.NEGATIVE_INFINITY }, 13)
    expect(fired(timers, 100)).toEqual([])
  })

  it('do nothing for a watermark that has not begun', () => {
    const timers = new BucketTimers<Item>(BUCKET)
    timers.set({ name: 1, dueMs: -5 }, -5)
    expect(fired(timers, Number.NEGATIVE_INFINITY)).toEqual([])
    expect(fired(timers, 0)).toEqual([1])
  })

  it('cross a gap of a thousand years without visiting its buckets', () => {
    const timers = new BucketTimers<Item>(BUCKET)
    fired(timers, 0)
    timers.set({ name: 2, dueMs: 25 }, 25)
    timers.set({ name: 1, dueMs: 13 }, 13)
    const startedMs = performance.now()
    expect(fired(timers, 1000 * 365 * 86_400_000)).toEqual([1, 2])
    expect(performance.now() - startedMs).toBeLessThan(100)
  })

  it('let an item be set again while it is handed out', () => {
    const timers = new BucketTimers<Item>(BUCKET)
    const item = { name: 1, dueMs: 5 }
    timers.set(item, 5)
    const out: number[] = []
    for (const watermark of [10, 20, 30, 40]) {
      timers.fire(
        watermark,
        (i) => i.dueMs,
        (i) => {
          out.push(watermark)
          i.dueMs = 25
          if (out.length === 1) timers.set(i, i.dueMs)
        },
      )
    }
    expect(out).toEqual([10, 30])
  })

  it('agree with a list of deadlines, whatever is set, pushed out, taken back and jumped over', () => {
    const step = fc.oneof(
      fc.record({ set: fc.integer({ min: 0, max: 300 }) }),
      fc.record({ push: fc.nat(20), byMs: fc.nat(150) }),
      fc.record({ remove: fc.nat(20) }),
      fc.record({ advanceMs: fc.oneof(fc.nat(30), fc.nat(500), fc.constant(10_000_000_000)) }),
    )
    fc.assert(
      fc.property(fc.integer({ min: -100, max: 100 }), fc.array(step, { maxLength: 60 }), (startMs, steps) => {
        const timers = new BucketTimers<Item>(BUCKET)
        const items: Item[] = []
        const done = new Set<number>()
        let watermark = startMs
        for (const s of steps) {
          if ('set' in s) {
            const item = { name: items.length, dueMs: watermark + s.set }
            items.push(item)
            timers.set(item, item.dueMs)
          } else if ('push' in s) {
            const item = items[s.push]
            if (item && !done.has(item.name)) item.dueMs += s.byMs
          } else if ('remove' in s) {
            const item = items[s.remove]
            if (item) item.dueMs = Number.NEGATIVE_INFINITY
          } else {
            watermark += s.advanceMs
            if (timers.nextMs > watermark) continue
            const expected = items
              .filter((i) => !done.has(i.name) && i.dueMs !== Number.NEGATIVE_INFINITY)
              .filter((i) => Math.floor(i.dueMs / BUCKET) < Math.floor(watermark / BUCKET))
              .map((i) => i.name)
            for (const name of expected) done.add(name)
            expect(fired(timers, watermark).sort((a, b) => a - b)).toEqual(expected)
          }
        }
      }),
      { numRuns: 300 },
    )
  })
})

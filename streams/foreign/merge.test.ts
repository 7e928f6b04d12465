/** The order of time over partitions: everything comes out once, in its partition's order, and as near to the order of time as what is there allows. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Merge, type Row } from './merge.ts'

const lane = (partition: number) => ({ topic: 't', partition })
const row = (offset: number, timeMs: number, bytes = 1): Row => ({ offset, timeMs, bytes })
const times = (taken: readonly { row: Row }[]) => taken.map((t) => t.row.timeMs)

describe('a merge', () => {
  it('gives the rows of partitions that are there in the order of time', () => {
    const merge = new Merge(100)
    for (const p of [0, 1]) merge.open(lane(p), 0, 3)
    merge.add(lane(0), [row(0, 10), row(1, 30), row(2, 50)], 3)
    expect(merge.take(9)).toEqual([])
    merge.add(lane(1), [row(0, 20), row(1, 25), row(2, 40)], 3)
    expect(times(merge.take(4))).toEqual([10, 20, 25, 30])
    expect(times(merge.take(9))).toEqual([40, 50])
    expect(merge.waiting).toBe(false)
  })

  it('does not wait for a partition that is read to its end, nor for one that is elsewhere', () => {
    const merge = new Merge(100)
    merge.open(lane(0), 0, 2)
    merge.open(lane(1), 5, 5)
    merge.looked(lane(1), 5, 0)
    merge.open(lane(2), 0, 9)
    merge.add(lane(0), [row(0, 10), row(1, 20)], 2)
    expect(merge.take(9)).toEqual([])
    merge.close(lane(2))
    expect(times(merge.take(9))).toEqual([10, 20])
  })

  it('waits no longer once waiting was given up, until something has come again', () => {
    const merge = new Merge(100)
    for (const p of [0, 1]) merge.open(lane(p), 0, 9)
    merge.add(lane(0), [row(0, 10)], 1)
    merge.giveUpWaiting()
    expect(times(merge.take(9))).toEqual([10])
    merge.add(lane(1), [row(3, 5)], 9)
    expect(times(merge.take(9))).toEqual([5])
    merge.add(lane(0), [row(1, 20)], 2)
    expect(merge.take(9)).toEqual([])
  })

  it('has a partition looked at that may have got something meanwhile, once in some seconds of events', () => {
    const merge = new Merge(1_000)
    for (const p of [0, 1]) {
      merge.open(lane(p), 0, 0)
      merge.looked(lane(p), 0, 1_000)
    }
    merge.add(lane(0), [row(0, 4_000), row(1, 6_000), row(2, 6_001), row(3, 9_000)], 4)
    expect(times(merge.take(9))).toEqual([4_000, 6_000])
    expect([merge.doubtful(), merge.newestMs]).toEqual([[lane(1)], 9_000])
    merge.looked(lane(1), 2, merge.newestMs)
    expect([merge.doubtful(), merge.take(9)]).toEqual([[], []])
    merge.add(lane(1), [row(0, 5_000), row(1, 7_000)], 2)
    expect(times(merge.take(9))).toEqual([5_000, 6_001, 7_000, 9_000])
    merge.add(lane(0), [row(4, 12_000), row(5, 13_000)], 6)
    expect(times(merge.take(9))).toEqual([12_000])
    merge.looked(lane(1), 2, merge.newestMs)
    expect(times(merge.take(9))).toEqual([13_000])
  })

  it('is not held up by a clock from the future', () => {
    const merge = new Merge(1_000)
    for (const p of [0, 1]) merge.open(lane(p), 0, 3)
    merge.add(lane(0), [row(0, 3_600_000), row(1, 20)], 3)
    merge.add(lane(1), [row(0, 10), row(1, 30), row(2, 40)], 3)
    expect(times(merge.take(9))).toEqual([10, 3_600_000, 20])
    merge.add(lane(0), [row(2, 35)], 3)
    expect(times(merge.take(9))).toEqual([30, 35, 40])
  })

  it('does not wait again for the marks of transactions, which are offsets without records', () => {
    const merge = new Merge(100)
    for (const p of [0, 1]) {
      merge.open(lane(p), 0, 0)
      merge.looked(lane(p), 0, 0)
    }
    merge.add(lane(1), [row(0, 5)], 2)
    expect(times(merge.take(9))).toEqual([5])
    merge.add(lane(0), [row(0, 10)], 1)
    expect(merge.take(9)).toEqual([])
    merge.giveUpWaiting()
    expect(times(merge.take(9))).toEqual([10])
    merge.add(lane(1), [row(2, 15)], 4)
    merge.add(lane(0), [row(1, 20)], 2)
    expect(times(merge.take(9))).toEqual([15, 20])
  })

  it('keeps no more than it may: what is too much comes out as it is', () => {
    const merge = new Merge(10)
    for (const p of [0, 1]) merge.open(lane(p), 0, 9)
    merge.add(lane(0), [row(0, 10, 6), row(1, 20, 6), row(2, 30, 6)], 9)
    expect(times(merge.take(9))).toEqual([10, 20])
    expect(merge.waiting).toBe(true)
  })

  it('takes no more bytes at a time than it is told, but one row at least', () => {
    const merge = new Merge(1_000)
    merge.open(lane(0), 0, 3)
    merge.add(lane(0), [row(0, 1, 50), row(1, 2, 5), row(2, 3, 5)], 3)
    expect(times(merge.take(9, 10))).toEqual([1])
    expect(times(merge.take(9, 10))).toEqual([2, 3])
  })

  it('loses, repeats and reorders nothing within a partition, whatever comes when', () => {
    const step = fc.record({
      partition: fc.nat(2),
      rows: fc.array(fc.record({ timeMs: fc.nat(50), bytes: fc.integer({ min: 1, max: 9 }) }), { maxLength: 6 }),
      behind: fc.boolean(),
      after: fc.constantFrom('take', 'take few', 'nothing', 'give up'),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), fc.integer({ min: 5, max: 60 }), (steps, bytesMax) => {
        const merge = new Merge<Row>(bytesMax)
        const next = [0, 0, 0]
        const out: number[][] = [[], [], []]
        for (const p of [0, 1, 2]) merge.open(lane(p), 0, 0)
        const take = (max: number) => {
          const taken = merge.take(max)
          for (const { at, row: taken_ } of taken) out[at.partition]!.push(taken_.offset)
          return taken.length
        }
        for (const { partition, rows, behind, after } of steps) {
          const from = next[partition]!
          next[partition] = from + rows.length
          merge.add(
            lane(partition),
            rows.map((r, i) => ({ ...r, offset: from + i })),
            next[partition]! + (behind ? 3 : 0),
          )
          if (after === 'give up') merge.giveUpWaiting()
          else if (after !== 'nothing') take(after === 'take' ? 1_000 : 2)
        }
        merge.giveUpWaiting()
        while (take(7) > 0);
        expect(out).toEqual(next.map((count) => Array.from({ length: count }, (_, i) => i)))
        expect(merge.waiting).toBe(false)
      }),
      { numRuns: 300 },
    )
  })
})

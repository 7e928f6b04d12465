/** Panes: an hour of minutes and a day of hours behind the newest event, judged by grouping a list of all events. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Pane } from '../contract/features.ts'
import { addToPanes, type PackedPanes, unpackPanes } from './panes.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

interface Amount {
  timeMs: number
  minor: number
}
const panesOf = (events: readonly Amount[]) => {
  let packed: PackedPanes | null = null
  for (const { timeMs, minor } of events) packed = addToPanes(packed, timeMs, minor)
  return unpackPanes(packed)
}

function grouped(events: readonly Amount[], unitMs: number, kept: number): Pane[] {
  const newest = Math.max(...events.map((e) => Math.floor(e.timeMs / unitMs)))
  const sums = new Map<number, Pane>()
  for (const { timeMs, minor } of events) {
    const unit = Math.floor(timeMs / unitMs)
    if (unit <= newest - kept) continue
    const [start, count, sum] = sums.get(unit) ?? [unit * unitMs, 0, 0]
    sums.set(unit, [start, count + 1, sum + minor])
  }
  return [...sums].sort(([a], [b]) => a - b).map(([, pane]) => pane)
}

describe('panes', () => {
  it('are none before the first event', () => {
    expect(unpackPanes(null)).toEqual({ minutes: [], hours: [] })
  })

  it('count within their minute and their hour', () => {
    expect(
      panesOf([
        { timeMs: 0, minor: 5 },
        { timeMs: MINUTE - 1, minor: 6 },
        { timeMs: MINUTE, minor: 7 },
      ]),
    ).toEqual({
      minutes: [
        [0, 2, 11],
        [MINUTE, 1, 7],
      ],
      hours: [[0, 3, 18]],
    })
  })

  it('drop a minute after an hour and an hour after a day', () => {
    expect(
      panesOf([
        { timeMs: 0, minor: 1 },
        { timeMs: 60 * MINUTE, minor: 2 },
      ]).minutes,
    ).toEqual([[HOUR, 1, 2]])
    expect(
      panesOf([
        { timeMs: 0, minor: 1 },
        { timeMs: 59 * MINUTE, minor: 2 },
      ]).minutes,
    ).toHaveLength(2)
    expect(
      panesOf([
        { timeMs: 0, minor: 1 },
        { timeMs: 24 * HOUR, minor: 2 },
      ]).hours,
    ).toEqual([[24 * HOUR, 1, 2]])
    expect(
      panesOf([
        { timeMs: 0, minor: 1 },
        { timeMs: 23 * HOUR, minor: 2 },
      ]).hours,
    ).toHaveLength(2)
  })

  it('take an event that is too old for minutes into its hour only, and one too old for both into neither', () => {
    const newest = { timeMs: 48 * HOUR, minor: 1 }
    expect(panesOf([newest, { timeMs: 46 * HOUR, minor: 2 }])).toMatchObject({
      minutes: [[48 * HOUR, 1, 1]],
      hours: [
        [46 * HOUR, 1, 2],
        [48 * HOUR, 1, 1],
      ],
    })
    expect(panesOf([newest, { timeMs: 0, minor: 2 }])).toEqual(panesOf([newest]))
  })

  it('never exceed 60 minutes and 24 hours, however long the stream', () => {
    const { minutes, hours } = panesOf(Array.from({ length: 5_000 }, (_, i) => ({ timeMs: i * 45_000, minor: 1 })))
    expect([minutes.length, hours.length]).toEqual([60, 24])
  })

  it('equal the groups of a list of all events, in any order and over any jumps', () => {
    const time = fc.oneof(
      fc.integer({ min: -2 * HOUR, max: 2 * HOUR }),
      fc.integer({ min: -40 * HOUR, max: 40 * HOUR }),
      fc.constantFrom(0, -1, MINUTE, HOUR, 60 * MINUTE - 1, 1e13, -1e13),
    )
    fc.assert(
      fc.property(
        fc.array(fc.record({ timeMs: time, minor: fc.nat(1_000) }), { minLength: 1, maxLength: 60 }),
        (events) => {
          expect(panesOf(events)).toEqual({ minutes: grouped(events, MINUTE, 60), hours: grouped(events, HOUR, 24) })
        },
      ),
      { numRuns: 400 },
    )
  })
})

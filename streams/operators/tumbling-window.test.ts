/** Tumbling windows: counted once, in the right window, final when the watermark has passed; judged by a list of all events. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  difference,
  OperatorRun,
  play,
  playDisturbed,
  type ScriptStep,
  scripts,
  TICK,
} from '../testing/operator-run.ts'
import { tumblingWindow } from './tumbling-window.ts'

interface Sale {
  event_time: number
  /** null: not one that this operator counts. */
  group: string | null
  amount: number
}
const SIZE = 60_000

const sales = (allowedLatenessMs = 0) =>
  tumblingWindow<Sale, { events: number; amount: number }, 'traffic_by_minute'>({
    name: 'sales',
    sizeMs: SIZE,
    allowedLatenessMs,
    group: (e) => e.group,
    accumulator: {
      schema: {
        type: 'record',
        name: 'Sales',
        fields: ['events', 'amount'].map((name) => ({ name, type: 'long' as const })),
      },
      create: () => ({ events: 0, amount: 0 }),
      add(acc, e) {
        acc.events++
        acc.amount += e.amount
      },
    },
    table: 'traffic_by_minute',
    row: ({ startMs, group, acc, final, partition, position }) => ({
      window_start: startMs,
      event_type: group,
      events: acc.events,
      users: acc.amount,
      final,
      partition,
      position,
    }),
  })

const at = (event_time: number, group: string | null = 'a', amount = 1): Sale => ({ event_time, group, amount })

describe('a tumbling window', () => {
  it('holds the events from its start up to, and without, its end', () => {
    const run = new OperatorRun(sales(), 1_000_000)
    for (const t of [0, SIZE - 1, SIZE]) run.feed(at(t))
    run.drain()
    expect(run.table('traffic_by_minute').map((r) => [r.window_start, r.events])).toEqual([
      [0, 2],
      [SIZE, 1],
    ])
  })

  it('takes events while its end is after the watermark, and is final the moment it is not', () => {
    const run = new OperatorRun(sales())
    run.feed(at(0))
    run.tick(SIZE - 1)
    expect(run.feed(at(1))).toBe('applied')
    run.drain()
    expect(run.table('traffic_by_minute')).toMatchObject([{ events: 2, final: false, position: 2 }])
    run.tick(SIZE)
    expect(run.feed(at(2))).toBe('late')
    run.drain()
    expect(run.table('traffic_by_minute')).toMatchObject([{ events: 2, final: true, position: 3 }])
  })

  it('takes events for the allowed lateness after that', () => {
    const run = new OperatorRun(sales(5_000))
    run.feed(at(0))
    run.tick(SIZE + 4_999)
    expect(run.feed(at(1))).toBe('applied')
    run.tick(SIZE + 5_000)
    expect(run.feed(at(2))).toBe('late')
  })

  it('opens windows before 1970 where they belong', () => {
    const run = new OperatorRun(sales(), 1_000_000)
    run.feed(at(-1))
    run.drain()
    expect(run.table('traffic_by_minute')[0]?.window_start).toBe(-SIZE)
  })

  it('keeps groups apart that look like its own keys', () => {
    const run = new OperatorRun(sales(), 1_000_000)
    for (const group of ['', '/', '0/a', '__proto__', '0']) run.feed(at(0, group))
    run.checkpoint('base')
    run.crash()
    for (const group of ['', '/', '0/a', '__proto__', '0']) run.feed(at(1, group))
    run.drain()
    expect(run.table('traffic_by_minute').map((r) => r.events)).toEqual([2, 2, 2, 2, 2])
  })

  it('hands provisional rows over in portions, and says when some are left', () => {
    const run = new OperatorRun(sales(), 1_000_000)
    for (const group of ['a', 'b', 'c']) run.feed(at(0, group))
    expect(run.drain('everything', 2)).toBe(true)
    expect(run.rows.size).toBe(2)
    expect(run.drain('everything', 2)).toBe(false)
    expect(run.rows.size).toBe(3)
    run.history.clear()
    expect(run.drain()).toBe(false)
    expect(run.history.size).toBe(0)
  })

  it('keeps provisional rows back while catching up, and hands them over afterwards', () => {
    const run = new OperatorRun(sales(), 1_000_000)
    run.feed(at(0))
    expect(run.drain('final-only')).toBe(false)
    expect(run.rows.size).toBe(0)
    run.checkpoint('base', 'final-only')
    run.crash()
    run.drain()
    expect(run.rows.size).toBe(1)
  })

  it('holds on to little after a long time of catching up', () => {
    const run = new OperatorRun(sales())
    for (let minute = 0; minute < 25_000; minute++) {
      run.feed(at(minute * SIZE))
      if (minute % 1_000 === 0) run.drain('final-only')
    }
    run.drain('final-only')
    // Each call lets go of one entry: so many were still held.
    let held = 1
    while (run.operator.drain({ row() {}, feature() {}, alert() {} }, 'everything', 1)) held++
    expect(held).toBeLessThan(12_000)
    expect(run.stateSize()).toBe(1)
  })
})

/** The truth, from a list of everything. */
function expectedRows(script: readonly ScriptStep<Sale>[], delayMs: number, latenessMs: number) {
  let watermark = Number.NEGATIVE_INFINITY
  const verdicts: string[] = []
  const windows = new Map<string, { events: number; amount: number; position: number; closedAt: number | null }>()
  for (const [offset, { event, timeMs }] of script.entries()) {
    watermark = Math.max(watermark, timeMs - delayMs)
    for (const [key, w] of windows) {
      if (w.closedAt === null && Number(key.split('/')[0]) + SIZE + latenessMs <= watermark) w.closedAt = offset
    }
    if (event === TICK || event.group === null) {
      verdicts.push('skipped')
      continue
    }
    const start = Math.floor(event.event_time / SIZE) * SIZE
    if (start + SIZE + latenessMs <= watermark) {
      verdicts.push('late')
      continue
    }
    verdicts.push('applied')
    const key = `${start}/${event.group}`
    const w = windows.get(key) ?? { events: 0, amount: 0, position: 0, closedAt: null }
    windows.set(key, { ...w, events: w.events + 1, amount: w.amount + event.amount, position: offset })
  }
  const rows = [...windows].map(([key, w]) => ({
    window_start: Number(key.split('/')[0]),
    event_type: key.split('/')[1],
    events: w.events,
    users: w.amount,
    final: w.closedAt !== null,
    partition: 0,
    position: w.closedAt ?? w.position,
  }))
  return { verdicts, rows }
}

const lives = scripts(fc.record({ group: fc.constantFrom('a', 'b', null), amount: fc.nat(9) }))
const delays = fc.constantFrom(0, 10_000)
const latenesses = fc.constantFrom(0, 1, 90_000)
const sorted = (rows: readonly object[]): string[] => rows.map((r) => JSON.stringify(r)).sort()

describe('in any life', () => {
  it('its rows, verdicts, finality and positions are those that a list of all events gives', () => {
    fc.assert(
      fc.property(lives, delays, latenesses, (script, delayMs, latenessMs) => {
        const run = play(sales(latenessMs), script, delayMs)
        const { rows, verdicts } = expectedRows(script, delayMs, latenessMs)
        expect(run.verdicts).toEqual(verdicts)
        expect(sorted(run.table('traffic_by_minute'))).toEqual(sorted(rows))
      }),
      { numRuns: 150 },
    )
  })

  it('drains, checkpoints, merges and crashes change nothing that is seen', () => {
    fc.assert(
      fc.property(lives, delays, latenesses, (script, delayMs, latenessMs) => {
        const factory = sales(latenessMs)
        expect(difference(play(factory, script, delayMs), playDisturbed(factory, script, delayMs))).toBeNull()
      }),
      { numRuns: 150 },
    )
  })

  it('nothing is kept when all windows have closed', () => {
    fc.assert(
      fc.property(lives, (script) => {
        const run = playDisturbed(sales(), script, 0)
        run.tick(1e14)
        expect(run.stateSize()).toBe(0)
        expect(run.operator.nextTimerMs).toBe(Number.POSITIVE_INFINITY)
        run.drain()
        expect(run.table('traffic_by_minute').every((r) => r.final)).toBe(true)
      }),
      { numRuns: 100 },
    )
  })
})

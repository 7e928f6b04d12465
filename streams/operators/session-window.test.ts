/** Session windows: the same sessions whatever order the events come in, each with one id for life; judged by lists of events. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { SessionRow } from '../contract/results.ts'
import {
  difference,
  OperatorRun,
  play,
  playDisturbed,
  type ScriptStep,
  scripts,
  TICK,
} from '../testing/operator-run.ts'
import { Session, sessionWindow } from './session-window.ts'

interface Visit {
  event_time: number
  user: string
}
const GAP = 60_000

class Visits extends Session {
  events = 0
  times: number[] = []
}

const visits = (allowedLatenessMs = 0) =>
  sessionWindow<Visit, Visits, 'sessions'>({
    name: 'visits',
    gapMs: GAP,
    allowedLatenessMs,
    key: (e) => e.user,
    session: Visits,
    fields: [
      { name: 'events', type: 'int' },
      { name: 'times', type: { type: 'array', items: 'long' } },
    ],
    add(s, e) {
      s.events++
      s.times.push(e.event_time)
    },
    merge(survivor, absorbed) {
      survivor.events += absorbed.events
      survivor.times.push(...absorbed.times)
    },
    table: 'sessions',
    row: (s, { id, partition, final, mergedInto }): SessionRow => ({
      session_id: id,
      user_id: s.key,
      started_at: s.startMs,
      ended_at: s.endMs,
      events: s.events,
      page_views: 0,
      product_views: 0,
      carts: 0,
      checkouts: 0,
      purchases: 0,
      revenue_minor: {},
      funnel_stage: 'visit',
      // Which events it holds, for the judge.
      entry_page: [...s.times].sort((a, b) => a - b).join(' '),
      exit_page: null,
      final,
      merged_into: mergedInto,
      partition,
      position: s.position,
    }),
  })

const at = (event_time: number, user = 'ada'): Visit => ({ event_time, user })
const idOf = (createdMs: number, user = 'ada'): string => `${user}@${createdMs.toString(36)}`
const WAITING = 1_000_000_000

const living = (run: OperatorRun<Visit>): SessionRow[] => {
  run.drain()
  return run.table('sessions').filter((s) => s.merged_into === null)
}
const tombstones = (run: OperatorRun<Visit>): Record<string, string> => {
  run.drain()
  return Object.fromEntries(
    run.table('sessions').flatMap((s) => (s.merged_into === null ? [] : [[s.session_id, s.merged_into]])),
  )
}

describe('a session', () => {
  it('goes on with an event exactly the gap later, and ends with one a millisecond beyond', () => {
    const run = new OperatorRun(visits(), WAITING)
    for (const t of [0, GAP, 2 * GAP + 1]) run.feed(at(t))
    expect(living(run).map((s) => [s.started_at, s.ended_at, s.events])).toEqual([
      [0, GAP, 2],
      [2 * GAP + 1, 2 * GAP + 1, 1],
    ])
  })

  it('is reached backwards across exactly the gap, too', () => {
    const run = new OperatorRun(visits(), WAITING)
    run.feed(at(GAP))
    run.feed(at(0))
    expect(living(run)).toMatchObject([{ session_id: idOf(GAP), started_at: 0, ended_at: GAP, events: 2 }])
  })

  it('keeps the id of its first arrival when earlier events extend it', () => {
    const run = new OperatorRun(visits(), WAITING)
    for (const t of [50_000, 20_000, 0]) run.feed(at(t))
    expect(living(run).map((s) => s.session_id)).toEqual([idOf(50_000)])
  })

  it('is absorbed by the elder when an event bridges them, and leaves a final tombstone', () => {
    const run = new OperatorRun(visits(), WAITING)
    run.feed(at(100_000))
    run.feed(at(0))
    run.drain()
    run.feed(at(50_000))
    expect(living(run)).toMatchObject([{ session_id: idOf(100_000), started_at: 0, ended_at: 100_000, events: 3 }])
    expect(run.table('sessions').find((s) => s.merged_into !== null)).toMatchObject({
      session_id: idOf(0),
      merged_into: idOf(100_000),
      final: true,
      position: 2,
    })
  })

  it('that survived one merge can be absorbed in the next, by one still older', () => {
    const run = new OperatorRun(visits(), WAITING)
    run.feed(at(300_000)) // the eldest
    run.feed(at(0))
    run.feed(at(100_000))
    run.feed(at(50_000)) // 0 and 100,000 become one, under 0's name
    run.feed(at(200_000))
    run.feed(at(150_000)) // joins 200,000 to it
    run.feed(at(250_000)) // and all to the eldest
    expect(living(run)).toMatchObject([{ session_id: idOf(300_000), events: 7 }])
    expect(tombstones(run)).toEqual({
      [idOf(100_000)]: idOf(0),
      [idOf(200_000)]: idOf(0),
      [idOf(0)]: idOf(300_000),
    })
  })

  it('of another user is left alone', () => {
    const run = new OperatorRun(visits(), WAITING)
    run.feed(at(0, 'ada'))
    run.feed(at(1, 'ben'))
    expect(living(run)).toHaveLength(2)
  })

  it('is open while its end and the gap reach the watermark, and final when they do not', () => {
    const run = new OperatorRun(visits())
    run.feed(at(0, 'ben'))
    run.feed(at(GAP, 'ada'))
    expect(run.feed(at(0, 'ben'))).toBe('applied')
    run.feed(at(GAP + 1, 'ada'))
    expect(run.feed(at(0, 'ben'))).toBe('late')
    expect(living(run).find((s) => s.user_id === 'ben')).toMatchObject({ events: 2, final: true })
  })

  it('is closed by an event of its user before its timer would, at that very position', () => {
    const run = new OperatorRun(visits())
    run.feed(at(0))
    run.tick(GAP + 1)
    expect(living(run)).toMatchObject([{ final: false }])
    run.feed(at(2 * GAP + 1))
    expect(living(run)).toMatchObject([
      { session_id: idOf(0), final: true, position: 2 },
      { session_id: idOf(2 * GAP + 1), final: false },
    ])
  })

  it('is closed by its timer when nobody comes', () => {
    const run = new OperatorRun(visits())
    run.feed(at(0))
    run.tick(GAP + 10_000)
    expect(living(run)).toMatchObject([{ final: true, position: 1 }])
    expect(run.stateSize()).toBe(0)
  })

  it('is joined by an event far behind the watermark that its own bounds still reach', () => {
    const run = new OperatorRun(visits())
    run.feed(at(0))
    run.feed(at(GAP))
    run.tick(2 * GAP)
    expect(run.feed(at(-GAP))).toBe('applied')
    expect(run.feed(at(-2 * GAP - 1))).toBe('late')
    expect(living(run)).toMatchObject([{ started_at: -GAP, ended_at: GAP, events: 3 }])
  })

  it('is begun by an event that could still be joined by one on time, not by an older one', () => {
    const run = new OperatorRun(visits())
    run.feed(at(GAP, 'ada'))
    expect(run.feed(at(0, 'ben'))).toBe('applied')
    expect(run.feed(at(-1, 'cem'))).toBe('late')
  })

  it('stays open for the allowed lateness', () => {
    const run = new OperatorRun(visits(30_000))
    run.feed(at(0, 'ben'))
    run.feed(at(GAP + 30_000, 'ada'))
    expect(run.feed(at(0, 'ben'))).toBe('applied')
    run.feed(at(GAP + 30_001, 'ada'))
    expect(run.feed(at(0, 'ben'))).toBe('late')
  })

  it('is kept open by a timer that follows each of its events, over hours', () => {
    const run = new OperatorRun(visits())
    for (let t = 0; t <= 3_600_000; t += 30_000) run.feed(at(t))
    expect(living(run)).toMatchObject([{ events: 121, final: false }])
  })

  it('ends when event time jumps by years, and a new one begins', () => {
    const run = new OperatorRun(visits())
    run.feed(at(0))
    run.feed(at(1e12))
    expect(living(run).map((s) => s.final)).toEqual([true, false])
  })
})

/** The truth, from lists: a session is a list of (time, offset); it is over when the watermark has passed its end by more than gap and lateness. */
function expectedSessions(script: readonly ScriptStep<Visit>[], delayMs: number, latenessMs: number) {
  interface Arrival {
    timeMs: number
    offset: number
  }
  interface Known {
    user: string
    arrivals: Arrival[]
    over: boolean
  }
  let watermark = Number.NEGATIVE_INFINITY
  let all: Known[] = []
  const merged: Record<string, string> = {}
  const verdicts: string[] = []
  const end = (arrivals: readonly Arrival[]): number => Math.max(...arrivals.map((a) => a.timeMs))
  const isOver = (arrivals: readonly Arrival[]): boolean => end(arrivals) + GAP + latenessMs < watermark
  const id = ({ user, arrivals }: Known): string =>
    idOf([...arrivals].sort((a, b) => a.offset - b.offset)[0]!.timeMs, user)
  for (const [offset, { event, timeMs }] of script.entries()) {
    watermark = Math.max(watermark, timeMs - delayMs)
    for (const s of all) s.over ||= isOver(s.arrivals)
    if (event === TICK) {
      verdicts.push('skipped')
      continue
    }
    const near = all.filter(
      (s) => !s.over && s.user === event.user && s.arrivals.some((a) => Math.abs(a.timeMs - timeMs) <= GAP),
    )
    const joined = { user: event.user, arrivals: [...near.flatMap((s) => s.arrivals), { timeMs, offset }], over: false }
    if (isOver(joined.arrivals)) {
      verdicts.push('late')
      continue
    }
    verdicts.push('applied')
    for (const s of near) if (id(s) !== id(joined)) merged[id(s)] = id(joined)
    all = [...all.filter((s) => !near.includes(s)), joined]
  }
  const sessions = all.map((s) => ({
    session_id: id(s),
    times: s.arrivals
      .map((a) => a.timeMs)
      .sort((a, b) => a - b)
      .join(' '),
    started_at: Math.min(...s.arrivals.map((a) => a.timeMs)),
    ended_at: end(s.arrivals),
    over: s.over,
    overLong: end(s.arrivals) + GAP + latenessMs < watermark - 10_000,
  }))
  return { sessions, merged, verdicts }
}

const lives = scripts(fc.record({ user: fc.constantFrom('ada', 'ben', '') }))
const delays = fc.constantFrom(0, 10_000)
const latenesses = fc.constantFrom(0, 1, 100_000)
const byId = <S extends { session_id: string }>(rows: readonly S[]): S[] =>
  [...rows].sort((a, b) => (a.session_id < b.session_id ? -1 : 1))

describe('in any life', () => {
  it('the sessions, their ids, tombstones and verdicts are those that lists of events give', () => {
    fc.assert(
      fc.property(lives, delays, latenesses, (script, delayMs, latenessMs) => {
        const run = play(visits(latenessMs), script, delayMs)
        const { sessions, merged, verdicts } = expectedSessions(script, delayMs, latenessMs)
        expect(run.verdicts).toEqual(verdicts)
        expect(tombstones(run)).toEqual(merged)
        const rows = byId(living(run))
        const expected = byId(sessions)
        expect(rows.map((r) => [r.session_id, r.entry_page, r.started_at, r.ended_at])).toEqual(
          expected.map((s) => [s.session_id, s.times, s.started_at, s.ended_at]),
        )
        for (const [i, row] of rows.entries()) {
          // Final only when over, and at the latest one timer bucket after that.
          if (row.final) expect(expected[i]!.over).toBe(true)
          if (expected[i]!.overLong) expect(row.final).toBe(true)
        }
      }),
      { numRuns: 200 },
    )
  })

  it('the order of arrival does not matter where nothing is late', () => {
    const times = fc.array(fc.integer({ min: 0, max: 600_000 }), { maxLength: 30 })
    fc.assert(
      fc.property(times, fc.infiniteStream(fc.nat()), (inOrder, shuffle) => {
        const shuffled = inOrder
          .map((t) => ({ t, by: shuffle.next().value as number }))
          .sort((a, b) => a.by - b.by)
          .map(({ t }) => t)
        const [a, b] = [inOrder, shuffled].map((ts) => {
          const run = new OperatorRun(visits(), WAITING)
          for (const t of ts) run.feed(at(t))
          return living(run)
            .map((s) => s.entry_page)
            .sort()
        })
        expect(a).toEqual(b)
      }),
      { numRuns: 100 },
    )
  })

  it('drains, checkpoints, merges and crashes change nothing that is seen', () => {
    fc.assert(
      fc.property(lives, delays, latenesses, (script, delayMs, latenessMs) => {
        const factory = visits(latenessMs)
        expect(difference(play(factory, script, delayMs), playDisturbed(factory, script, delayMs))).toBeNull()
      }),
      { numRuns: 200 },
    )
  })

  it('nothing is kept when all sessions are over', () => {
    fc.assert(
      fc.property(lives, (script) => {
        const run = playDisturbed(visits(), script, 0)
        run.tick(1e14)
        expect(run.stateSize()).toBe(0)
        expect(living(run).every((s) => s.final)).toBe(true)
      }),
      { numRuns: 100 },
    )
  })
})

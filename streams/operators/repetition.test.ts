/** The repetition pattern: after every event, the active matches are those of all events seen so far; judged by evaluating all of them anew. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AlertRow } from '../contract/results.ts'
import {
  difference,
  OperatorRun,
  play,
  playDisturbed,
  type ScriptStep,
  scripts,
  TICK,
} from '../testing/operator-run.ts'
import { repetition } from './repetition.ts'

interface Login {
  event_time: number
  user: string
  failed: boolean
}
const WITHIN = 60_000

const failedLogins = ({ count = 3, allowedLatenessMs = 0 } = {}) =>
  repetition<Login, null>({
    name: 'failed-logins',
    count,
    withinMs: WITHIN,
    allowedLatenessMs,
    key: (e) => e.user,
    where: (e) => e.failed,
    detail: () => null,
    detailSchema: 'null',
    id: (user, candidates) => `${user}:${candidates.map((c) => c.offset).join('+')}`,
    emit(out, user, match, { partition, final, announce }) {
      const row: AlertRow = {
        alert_id: match.id,
        rule_id: 'failed-logins',
        rule_version: 1,
        user_id: user,
        state: match.state,
        superseded_by: match.supersededBy,
        supersedes: [...match.supersedes],
        total_minor: 0,
        currency: '',
        first_at: match.candidates[0]!.timeMs,
        last_at: match.candidates.at(-1)!.timeMs,
        triggered_at: match.triggeredMs,
        watermark: match.watermarkMs,
        evidence: [],
        trace_id: match.traceId,
        final,
        partition,
        position: match.position,
      }
      out.row('fraud_alerts', row)
      if (announce) out.alert(row)
    },
  })

const at = (event_time: number, failed = true, user = 'ada'): Login => ({ event_time, user, failed })
const WAITING = 1_000_000_000
const states = (run: OperatorRun<Login>): Record<string, string> => {
  run.drain()
  return Object.fromEntries(run.table('fraud_alerts').map((r) => [r.alert_id, r.state]))
}

describe('a repetition', () => {
  it('matches the moment the last one arrives, within less than the span', () => {
    const run = new OperatorRun(failedLogins(), WAITING)
    for (const t of [0, 1, WITHIN]) run.feed(at(t))
    expect(states(run)).toEqual({})
    run.feed(at(WITHIN))
    expect(states(run)).toEqual({ 'ada:1+2+3': 'active' })
  })

  it('uses its events up: the next match begins after its last', () => {
    const run = new OperatorRun(failedLogins(), WAITING)
    for (let t = 0; t < 7; t++) run.feed(at(t))
    expect(states(run)).toEqual({ 'ada:0+1+2': 'active', 'ada:3+4+5': 'active' })
  })

  it('counts only what matches, per key', () => {
    const run = new OperatorRun(failedLogins(), WAITING)
    expect(run.feed(at(0, false))).toBe('skipped')
    run.feed(at(1))
    run.feed(at(2, true, 'ben'))
    run.feed(at(3))
    expect(states(run)).toEqual({})
  })

  it('names who supersedes whom when an out-of-order event changes the match', () => {
    const run = new OperatorRun(failedLogins(), WAITING)
    for (const t of [10, 20, 30]) run.feed(at(t))
    run.feed(at(5))
    run.drain()
    const [first, second] = run.table('fraud_alerts')
    expect(first).toMatchObject({ alert_id: 'ada:0+1+2', state: 'superseded', superseded_by: 'ada:3+0+1', position: 3 })
    expect(second).toMatchObject({ alert_id: 'ada:3+0+1', state: 'active', supersedes: ['ada:0+1+2'], triggered_at: 5 })
    expect([...run.alerts.keys()]).toEqual(['ada:0+1+2@2', 'ada:3+0+1@3', 'ada:0+1+2@3'])
  })

  it('brings a superseded match back, and tells so, when another event restores it', () => {
    const run = new OperatorRun(failedLogins(), WAITING)
    for (const t of [10, 20, 30, 5]) run.feed(at(t))
    run.feed(at(6))
    run.feed(at(7))
    expect(states(run)).toEqual({
      'ada:0+1+2': 'active',
      'ada:3+0+1': 'superseded',
      'ada:3+4+0': 'superseded',
      'ada:3+4+5': 'active',
    })
    expect(run.alerts.get('ada:0+1+2@5')).toMatchObject({
      state: 'active',
      superseded_by: null,
      supersedes: ['ada:3+4+0'],
    })
  })

  it('with several heirs is superseded by the first of them, and each heir names it', () => {
    const run = new OperatorRun(failedLogins(), WAITING)
    // [10 20 30] [40 50 60], then 5 shifts both by one.
    for (const t of [10, 20, 30, 40, 50, 60]) run.feed(at(t))
    run.feed(at(5))
    run.drain()
    const alerts = Object.fromEntries(run.table('fraud_alerts').map((a) => [a.alert_id, a]))
    expect(alerts['ada:0+1+2']).toMatchObject({ state: 'superseded', superseded_by: 'ada:6+0+1' })
    expect(alerts['ada:3+4+5']).toMatchObject({ state: 'superseded', superseded_by: 'ada:2+3+4' })
    expect(alerts['ada:6+0+1']?.supersedes).toEqual(['ada:0+1+2'])
    expect(alerts['ada:2+3+4']?.supersedes).toEqual(['ada:0+1+2', 'ada:3+4+5'])
  })

  it('is final when the watermark reaches its last event, and nothing can change it then', () => {
    const run = new OperatorRun(failedLogins())
    for (const t of [10_000, 11_000, 12_000]) run.feed(at(t))
    run.tick(20_000)
    run.drain()
    expect(run.table('fraud_alerts')).toMatchObject([{ final: true, position: 3, state: 'active' }])
    expect(run.feed(at(19_999))).toBe('late')
    // Finality is no news.
    expect(run.alerts.size).toBe(1)
  })

  it('is final at the very event that brings the watermark to its last', () => {
    const run = new OperatorRun(failedLogins(), 1_000)
    for (const t of [10_000, 11_000, 12_000]) run.feed(at(t))
    run.feed(at(12_999))
    run.drain()
    expect(run.table('fraud_alerts')).toMatchObject([{ final: false }])
    run.feed(at(13_000))
    run.drain()
    expect(run.table('fraud_alerts')).toMatchObject([{ final: true, position: 4 }])
  })

  it('keeps a candidate as long as an event on time can be within the span of it, to the millisecond', () => {
    const run = new OperatorRun(failedLogins())
    for (const t of [0, 1, WITHIN, WITHIN]) run.feed(at(t))
    expect(states(run)).toEqual({ 'ada:1+2+3': 'active' })
  })

  it('that was superseded is final, too, when no event on time can bring it back', () => {
    const run = new OperatorRun(failedLogins(), 1_000)
    for (const t of [10_000, 10_001, 10_002, 9_999]) run.feed(at(t))
    run.feed(at(11_001, true, 'ada'))
    expect(states(run)).toEqual({ 'ada:0+1+2': 'superseded', 'ada:3+0+1': 'active' })
    // The watermark is at the last event of the one, and a millisecond before that of the other.
    expect(run.table('fraud_alerts').map((r) => r.final)).toEqual([false, true])
    run.tick(WITHIN + 40_000)
    run.drain()
    expect(run.table('fraud_alerts')).toMatchObject([
      { state: 'superseded', superseded_by: 'ada:3+0+1', final: true },
      { state: 'active', final: true },
    ])
    expect(run.alerts.size).toBe(3)
  })

  it('takes an event as late as the allowed lateness says', () => {
    const run = new OperatorRun(failedLogins({ allowedLatenessMs: 5_000 }))
    run.feed(at(10_000))
    expect(run.feed(at(5_000))).toBe('applied')
    expect(run.feed(at(4_999))).toBe('late')
  })

  it('announces while catching up as well: the history of alerts does not depend on flushes', () => {
    const run = new OperatorRun(failedLogins(), WAITING)
    for (const t of [10, 20, 30]) run.feed(at(t))
    run.drain('final-only', 1)
    run.feed(at(5))
    run.drain('final-only', 1)
    expect(run.alerts.size).toBe(3)
  })

  it('keeps nothing of a key that has been quiet for the span', () => {
    const run = new OperatorRun(failedLogins())
    run.feed(at(0))
    expect(run.stateSize()).toBe(1)
    run.tick(WITHIN + 10_000)
    expect(run.stateSize()).toBe(0)
  })
})

interface Seen {
  timeMs: number
  offset: number
}

/** The matches among these by the definition: in event-time order, each N in a row within the span, none used twice. */
function matchesOf(seen: readonly Seen[], count: number): Seen[][] {
  let rest = [...seen].sort((a, b) => a.timeMs - b.timeMs || a.offset - b.offset)
  const matches: Seen[][] = []
  for (let i = 0; i + count <= rest.length; ) {
    const group = rest.slice(i, i + count)
    if (group.at(-1)!.timeMs - group[0]!.timeMs < WITHIN) {
      matches.push(group)
      rest = rest.slice(i + count)
      i = 0
    } else i++
  }
  return matches
}

/** Holds a run to the definition after every record. */
function holdToTheDefinition(
  script: readonly ScriptStep<Login>[],
  delayMs: number,
  count: number,
  latenessMs: number,
): void {
  const run = new OperatorRun(failedLogins({ count, allowedLatenessMs: latenessMs }), delayMs)
  const seen = new Map<string, Seen[]>()
  const activeBefore = new Map<string, Seen[]>()
  for (const [offset, { event, timeMs }] of script.entries()) {
    if (event === TICK) run.tick(timeMs)
    else {
      const verdict = run.feed(event)
      const expected = !event.failed ? 'skipped' : timeMs < run.watermarkMs - latenessMs ? 'late' : 'applied'
      expect(verdict).toBe(expected)
      if (verdict === 'applied') seen.set(event.user, [...(seen.get(event.user) ?? []), { timeMs, offset }])
    }
    run.drain()
    const active = new Map<string, Seen[]>()
    for (const [user, mine] of seen)
      for (const m of matchesOf(mine, count)) active.set(`${user}:${m.map((c) => c.offset).join('+')}`, m)
    const rows = run.table('fraud_alerts')
    expect(
      rows
        .filter((r) => r.state === 'active')
        .map((r) => r.alert_id)
        .sort(),
    ).toEqual([...active.keys()].sort())
    const byId = new Map(rows.map((r) => [r.alert_id, r]))
    const overlap = (a: readonly Seen[], b: readonly Seen[]): boolean =>
      a.some((x) => b.some((y) => x.offset === y.offset))
    const gone = [...activeBefore].filter(([id]) => !active.has(id))
    for (const [id, candidates] of gone) {
      const heir = [...active].find(([, c]) => overlap(c, candidates))
      expect(byId.get(id)).toMatchObject({ state: 'superseded', superseded_by: heir?.[0] ?? null, position: offset })
      expect(run.alerts.has(`${id}@${offset}`)).toBe(true)
    }
    for (const [id, candidates] of active) {
      // Nothing is told of a match that stays what it was.
      if (activeBefore.has(id)) {
        expect(run.alerts.has(`${id}@${offset}`)).toBe(false)
        continue
      }
      const replaced = gone.filter(([, c]) => overlap(c, candidates)).map(([g]) => g)
      expect(byId.get(id)).toMatchObject({ state: 'active', supersedes: replaced, position: offset })
      expect(run.alerts.has(`${id}@${offset}`)).toBe(true)
    }
    for (const row of rows) {
      if (row.final) expect(row.last_at).toBeLessThanOrEqual(run.watermarkMs - latenessMs)
      // At the latest one timer bucket after nothing can change it; a superseded one when its key is looked at again.
      else if (row.state === 'active') expect(row.last_at).toBeGreaterThan(run.watermarkMs - latenessMs - 20_000)
    }
    activeBefore.clear()
    for (const [id, m] of active) activeBefore.set(id, m)
  }
}

const lives = scripts(
  fc.record({ user: fc.constantFrom('ada', 'ada', 'ben'), failed: fc.integer({ min: 0, max: 5 }).map((n) => n > 0) }),
  50,
)
const delays = fc.constantFrom(0, 10_000, 120_000)
const counts = fc.constantFrom(1, 2, 3, 5)
const latenesses = fc.constantFrom(0, 1, 45_000)

describe('in any life', () => {
  it('the active matches, who superseded whom, verdicts and finality follow the definition after every record', () => {
    fc.assert(fc.property(lives, delays, counts, latenesses, holdToTheDefinition), { numRuns: 150 })
  })

  it('drains, checkpoints, merges and crashes change nothing that is seen', () => {
    fc.assert(
      fc.property(lives, delays, counts, latenesses, (script, delayMs, count, allowedLatenessMs) => {
        const factory = failedLogins({ count, allowedLatenessMs })
        expect(difference(play(factory, script, delayMs), playDisturbed(factory, script, delayMs))).toBeNull()
      }),
      { numRuns: 150 },
    )
  })

  it('nothing is kept when all spans are over', () => {
    fc.assert(
      fc.property(lives, (script) => {
        const run = playDisturbed(failedLogins(), script, 0)
        run.tick(1e14)
        run.drain()
        expect(run.stateSize()).toBe(0)
        expect(run.table('fraud_alerts').filter((r) => !r.final)).toEqual([])
      }),
      { numRuns: 100 },
    )
  })
})

/** Profiles: one per key, begun anew after a long absence, the newest state published; judged by lists of each key's events. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ClickFeatures } from '../contract/features.ts'
import { encodeState, restoreState } from '../runtime/checkpoint-file.ts'
import {
  difference,
  OperatorRun,
  play,
  playDisturbed,
  type ScriptStep,
  scripts,
  TICK,
} from '../testing/operator-run.ts'
import { Profile, profile } from './profile.ts'

interface Click {
  event_time: number
  user: string
}
const HORIZON = 3_600_000
const FORGET = 86_400_000

class Clicks extends Profile {
  clicks = 0
  /** Highest event time before the newest event, to see that `add` is told. */
  before = 0
}

const features = (clicks: number, lastSeen: number, before: number): ClickFeatures => ({
  events: { minutes: [], hours: [] },
  total_events: clicks,
  total_purchases: 0,
  first_seen: before,
  last_seen: lastSeen,
  last_event_type: 'custom',
  last_page: null,
  last_product: null,
  session_start: 0,
  session_events: 0,
  cart_items: 0,
})

const clicks = () =>
  profile<Click, Clicks, 'clicks'>({
    name: 'clicks',
    part: 'clicks',
    horizonMs: HORIZON,
    forgetAfterMs: FORGET,
    key: (e) => e.user,
    profile: Clicks,
    fields: [
      { name: 'clicks', type: 'long' },
      { name: 'before', type: 'long' },
    ],
    add(p) {
      p.clicks++
      p.before = p.lastSeenMs
    },
    toFeatures: (p) => features(p.clicks, p.lastSeenMs, p.before),
  })

const at = (event_time: number, user = 'ada'): Click => ({ event_time, user })
const value = (run: OperatorRun<Click>, user = 'ada'): ClickFeatures | undefined =>
  run.features.get(user)?.value as ClickFeatures | undefined

describe('a profile', () => {
  it('counts every event of its key, with the position of the last', () => {
    const run = new OperatorRun(clicks())
    for (const t of [0, 5, 3]) run.feed(at(t))
    run.drain()
    expect(run.features.get('ada')).toMatchObject({ part: 'clicks', position: 2 })
    expect(value(run)).toMatchObject({ total_events: 3, last_seen: 5 })
  })

  it('takes events up to the horizon behind the watermark; older ones are late', () => {
    const run = new OperatorRun(clicks())
    run.feed(at(HORIZON))
    expect(run.feed(at(0))).toBe('applied')
    expect(run.feed(at(-1))).toBe('late')
  })

  it('begins anew when its key stayed away for the whole time', () => {
    const run = new OperatorRun(clicks())
    run.feed(at(0))
    run.tick(FORGET - 1)
    run.feed(at(FORGET - 1))
    run.drain()
    expect(value(run)?.total_events).toBe(2)
    run.tick(2 * FORGET - 1)
    run.feed(at(2 * FORGET - 1))
    run.drain()
    expect(value(run)).toMatchObject({ total_events: 1, first_seen: 2 * FORGET - 1 })
  })

  it('goes out while catching up too, and in portions', () => {
    const run = new OperatorRun(clicks())
    for (const user of ['a', 'b', 'c']) run.feed(at(0, user))
    expect(run.drain('final-only', 2)).toBe(true)
    expect(run.features.size).toBe(2)
    expect(run.drain('final-only', 2)).toBe(false)
    expect(run.features.size).toBe(3)
  })

  it('goes out again when the feature store has lost its data', () => {
    const run = new OperatorRun(clicks())
    for (const user of ['a', 'b']) run.feed(at(0, user))
    run.drain()
    run.features.clear()
    run.operator.republish?.()
    run.drain()
    expect([...run.features.keys()].sort()).toEqual(['a', 'b'])
  })

  it('that was still to go out again does so after a crash, though nothing else has changed it', () => {
    const run = new OperatorRun(clicks())
    for (const user of ['a', 'b', 'c']) run.feed(at(0, user))
    run.checkpoint('base')
    run.features.clear()
    run.operator.republish?.()
    run.checkpoint('delta', 'everything', 1)
    run.crash()
    run.drain()
    expect(run.features.size).toBe(3)
  })

  it('that nobody asks for again leaves memory, but not before it was published', () => {
    const run = new OperatorRun(clicks())
    run.feed(at(0, 'ada'))
    run.drain()
    run.feed(at(0, 'ben'))
    for (let t = FORGET; t <= 3 * FORGET; t += FORGET / 4) run.tick(t)
    expect(run.stateSize()).toBe(1)
    run.drain()
    expect(run.features.size).toBe(2)
    for (let t = 3 * FORGET; t <= 4 * FORGET; t += FORGET / 4) run.tick(t)
    expect(run.stateSize()).toBe(0)
  })

  it('written before the job had a field is read with the default of that field', () => {
    class Older extends Profile {
      clicks = 0
    }
    const older = profile<Click, Older, 'clicks'>({
      name: 'clicks',
      part: 'clicks',
      horizonMs: HORIZON,
      forgetAfterMs: FORGET,
      key: (e) => e.user,
      profile: Older,
      fields: [{ name: 'clicks', type: 'long' }],
      add(p) {
        p.clicks++
      },
      toFeatures: (p) => features(p.clicks, p.lastSeenMs, 0),
    })
    class Newer extends Clicks {
      score = 1
    }
    const newer = profile<Click, Newer, 'clicks'>({
      name: 'clicks',
      part: 'clicks',
      horizonMs: HORIZON,
      forgetAfterMs: FORGET,
      key: (e) => e.user,
      profile: Newer,
      fields: [
        { name: 'score', type: 'long', default: 7 },
        { name: 'clicks', type: 'long' },
        { name: 'before', type: 'long', default: -1 },
      ],
      add(p) {
        p.clicks++
      },
      toFeatures: (p) => features(p.clicks, p.score, p.before),
    })
    const before = new OperatorRun(older)
    before.feed(at(5))
    const file = encodeState(before.operator.state, true)
    const run = new OperatorRun(newer)
    restoreState(run.operator.state, [file])
    run.feed(at(6))
    run.drain()
    expect(value(run)).toMatchObject({ total_events: 2, last_seen: 7, first_seen: -1 })
  })
})

/** The truth: walk each key's events, begin anew where the watermark says that the key was away too long. */
function expectedProfiles(script: readonly ScriptStep<Click>[], delayMs: number) {
  let watermark = Number.NEGATIVE_INFINITY
  const verdicts: string[] = []
  const users = new Map<string, { times: number[]; position: number }>()
  for (const [offset, { event, timeMs }] of script.entries()) {
    watermark = Math.max(watermark, timeMs - delayMs)
    if (event === TICK || timeMs < watermark - HORIZON) {
      verdicts.push(event === TICK ? 'skipped' : 'late')
      continue
    }
    verdicts.push('applied')
    const known = users.get(event.user)
    const isGone = known && Math.max(...known.times) + FORGET <= watermark
    users.set(event.user, { times: [...(isGone ? [] : (known?.times ?? [])), timeMs], position: offset })
  }
  const expected = [...users].map(([user, { times, position }]) => [
    user,
    position,
    features(times.length, Math.max(...times), times.length > 1 ? Math.max(...times.slice(0, -1)) : times[0]!),
  ])
  return { verdicts, expected }
}

const lives = scripts(fc.record({ user: fc.constantFrom('ada', 'ben', 'cem') }))
const delays = fc.constantFrom(0, 10_000)

describe('in any life', () => {
  it('the features and verdicts are those that lists of events give', () => {
    fc.assert(
      fc.property(lives, delays, (script, delayMs) => {
        const run = play(clicks(), script, delayMs)
        const { verdicts, expected } = expectedProfiles(script, delayMs)
        expect(run.verdicts).toEqual(verdicts)
        expect([...run.features].map(([user, w]) => [user, w.position, w.value]).sort()).toEqual(expected.sort())
      }),
      { numRuns: 150 },
    )
  })

  it('drains, checkpoints, merges and crashes change nothing that is seen', () => {
    fc.assert(
      fc.property(lives, delays, (script, delayMs) => {
        expect(difference(play(clicks(), script, delayMs), playDisturbed(clicks(), script, delayMs))).toBeNull()
      }),
      { numRuns: 150 },
    )
  })
})

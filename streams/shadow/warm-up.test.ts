/** A warm-up says no sooner that all is exact than it is: judged by deduplication itself, from the beginning and from the middle. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DEDUPE_HORIZON_MS, Deduplicator } from '../operators/deduplicate.ts'
import { Chains } from './chains.ts'
import { onGrid, WarmUp } from './warm-up.ts'

const MINUTE_MS = 60_000

interface Seen {
  id: string
  eventTime: number
  streamTime: number
}

/** Identities of which some come again and again, and event times of which some are early or late. */
const lives = fc
  .array(
    fc.record({
      id: fc.integer({ min: 0, max: 25 }).map(String),
      stepMs: fc.oneof(
        { weight: 9, arbitrary: fc.integer({ min: 0, max: 4 * MINUTE_MS }) },
        { weight: 1, arbitrary: fc.integer({ min: 0, max: 40 * MINUTE_MS }) },
      ),
      skewMs: fc.oneof(fc.constant(0), fc.integer({ min: -20 * MINUTE_MS, max: 60 * MINUTE_MS })),
    }),
    { minLength: 5, maxLength: 90 },
  )
  .map((steps) => {
    let now = 1_000_003
    let streamTime = Number.NEGATIVE_INFINITY
    return steps.map(({ id, stepMs, skewMs }): Seen => {
      now += stepMs
      streamTime = Math.max(streamTime, Math.min(now + skewMs, now))
      return { id, eventTime: now + skewMs, streamTime }
    })
  })

/** Decisions of a run that begins at the first record with an event time at or after a point of the grid; and from which event time on it calls them exact. */
function runFrom(life: readonly Seen[], beginMs: number) {
  const originMs = life[0]!.streamTime
  const from = Math.max(
    0,
    life.findIndex(({ eventTime }) => eventTime >= beginMs),
  )
  const warmUp = new WarmUp(originMs, beginMs)
  const dedupe = new Deduplicator(undefined, originMs)
  let streamTime = Number.NEGATIVE_INFINITY
  const decided = life.slice(from).map(({ id, eventTime, streamTime: real }, i) => {
    // It does not know what came before.
    streamTime = i === 0 ? Math.min(eventTime, real) : Math.max(streamTime, real)
    warmUp.see(id, eventTime, streamTime)
    return { at: from + i, isNew: dedupe.isNew(id, streamTime), eventTime }
  })
  return { decided, exactFromMs: warmUp.exactFromMs }
}

describe('a warm-up', () => {
  it('calls exact only what a run from the beginning decides alike', () => {
    let exact = 0
    fc.assert(
      fc.property(lives, fc.integer({ min: 0, max: 12 }), (life, generations) => {
        const whole = new Deduplicator()
        const truth = life.map(({ id, streamTime }) => whole.isNew(id, streamTime))
        const beginMs = onGrid(life[0]!.streamTime, life[0]!.streamTime + generations * DEDUPE_HORIZON_MS)
        const { decided, exactFromMs } = runFrom(life, beginMs)
        for (const { at, isNew, eventTime } of decided) {
          if (eventTime < exactFromMs) continue
          expect(isNew).toBe(truth[at])
          exact++
        }
      }),
      { numRuns: 600 },
    )
    expect(exact).toBeGreaterThan(250)
  })

  it('is over at once where the partition begins', () => {
    const warmUp = new WarmUp(0, Number.NEGATIVE_INFINITY)
    warmUp.see('a', 5, 5)
    expect(warmUp.exactFromMs).toBe(Number.NEGATIVE_INFINITY)
  })

  it('goes on while an identity of each generation comes again in the next', () => {
    const warmUp = new WarmUp(0, 0)
    const at = (minute: number, id: string) => warmUp.see(id, minute * MINUTE_MS, minute * MINUTE_MS)
    for (let minute = 1; minute < 60; minute += 9) at(minute, 'again')
    expect(warmUp.exactFromMs).toBe(55 * MINUTE_MS + 1)
    at(65, 'other')
    at(75, 'again')
    expect(warmUp.exactFromMs).toBe(55 * MINUTE_MS + 1)
  })
})

describe('chains', () => {
  it('are joined whatever the order, and known by where they begin', () => {
    const chains = new Chains(5, 100)
    for (const t of [90, 98, 94, 102, 106]) chains.add('ada', t, t - 10)
    expect(chains.earliestMs).toBe(90)
  })

  it('end where the next is the span away', () => {
    const chains = new Chains(5, 100)
    for (const t of [90, 95, 99, 103]) chains.add('ada', t, t - 10)
    expect(chains.earliestMs).toBe(95)
  })

  it('that end before the time of interest do not count, nor do those of others', () => {
    const chains = new Chains(5, 100)
    chains.add('ada', 99, 0)
    chains.add('ben', 101, 0)
    expect(chains.earliestMs).toBe(101)
  })

  it('are forgotten only where they can not matter', () => {
    const [all, few] = [new Chains(5, 1_000), new Chains(5, 1_000)]
    for (let t = 0; t < 30_000; t++) {
      few.add(`user-${t}`, t / 20, t / 20 - 10)
      if (t / 20 >= 995) all.add(`user-${t}`, t / 20, 0)
    }
    expect(few.earliestMs).toBe(all.earliestMs)
  })
})

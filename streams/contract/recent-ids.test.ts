/** The set of recent ids: never takes a new id for a duplicate, forgets after one to two horizons, judged by a plain Map. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FingerprintSet, RecentIds } from './recent-ids.ts'

const HORIZON = 600_000

describe('recent ids', () => {
  it('take none of a million sequential ids for a duplicate, and recognise each when it comes again', () => {
    const ids = new RecentIds(HORIZON)
    let refused = 0
    for (let n = 0; n < 1_000_000; n++) if (!ids.add(`order-${n}`, 0)) refused++
    expect(refused).toBe(0)
    let missed = 0
    for (let n = 0; n < 1_000_000; n += 7) if (!ids.has(`order-${n}`) || ids.add(`order-${n}`, 1)) missed++
    expect(missed).toBe(0)
  })

  it('take none of 200,000 UUIDs for a duplicate', () => {
    const ids = new RecentIds(HORIZON)
    let state = 1
    const word = () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      return (state ^ (state >>> 15)).toString(16).padStart(8, '0').slice(-8)
    }
    const all = new Set<string>()
    while (all.size < 200_000) {
      const [a, b, c, d] = [word(), word(), word(), word()]
      all.add(`${a}-${b.slice(0, 4)}-4${b.slice(5)}-a${c.slice(0, 3)}-${c.slice(4)}${d}`)
    }
    let refused = 0
    for (const id of all) if (!ids.add(id, 0)) refused++
    expect(refused).toBe(0)
  })

  it('tell apart ids that differ in one place only, also swapped, short and empty ones', () => {
    const ids = new RecentIds(HORIZON)
    const all = new Set<string>(['', 'a', 'aa', 'aaa', '\0', '\0\0'])
    for (let a = 32; a < 127; a++) {
      for (let b = 32; b < 127; b++) {
        all.add(String.fromCharCode(a, b))
        all.add(`x${String.fromCharCode(a)}-middle-${String.fromCharCode(b)}y`)
      }
      for (let at = 0; at < 40; at++) all.add(`${'k'.repeat(at)}${String.fromCharCode(a)}${'k'.repeat(40 - at)}`)
    }
    for (const id of all) expect(ids.add(id, 0), JSON.stringify(id)).toBe(true)
    expect(ids.size).toBe(all.size)
  })

  it('remember an id for at least one horizon', () => {
    const ids = new RecentIds(HORIZON)
    ids.add('first', 0)
    ids.add('x', HORIZON - 1)
    expect(ids.add('x', 2 * HORIZON - 2)).toBe(false)
    expect(ids.add('first', 2 * HORIZON - 1)).toBe(false)
  })

  it('forget an id after two horizons, however the ids between are spread', () => {
    const ids = new RecentIds(HORIZON)
    ids.add('first', 0)
    ids.add('x', 1.9 * HORIZON)
    expect(ids.add('first', 2 * HORIZON)).toBe(true)
    expect(ids.has('x')).toBe(true)
  })

  it('forget everything after a silence of two horizons', () => {
    const ids = new RecentIds(HORIZON)
    ids.add('first', 5)
    expect(ids.add('second', 5 + 2 * HORIZON)).toBe(true)
    expect(ids.size).toBe(1)
    expect(ids.has('first')).toBe(false)
  })

  it('tell of each new id once, with the words that bring it back', () => {
    const ids = new RecentIds(HORIZON)
    const words: [number, number, number, number][] = []
    ids.onAdded = (...w) => words.push(w)
    for (const id of ['a', 'b', 'a', 'c']) ids.add(id, 0)
    expect(words).toHaveLength(3)
    const restored = new RecentIds(HORIZON)
    restored.generationStartMs = ids.generationStartMs
    for (const w of words) restored.current.add(...w)
    expect(['a', 'b', 'c', 'd'].map((id) => restored.add(id, 1))).toEqual([false, false, false, true])
  })

  it('never contradict a Map of all ids and their times', () => {
    const step = fc.record({ id: fc.nat(30).map(String), wait: fc.oneof(fc.nat(40), fc.nat(400)) })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const horizon = 100
        const ids = new RecentIds(horizon)
        const seen = new Map<string, number>()
        let now = 1_000
        for (const { id, wait } of steps) {
          now += wait
          const age = now - (seen.get(id) ?? Number.NEGATIVE_INFINITY)
          const isNew = ids.add(id, now)
          if (age < horizon) expect(isNew).toBe(false)
          if (age >= 2 * horizon) expect(isNew).toBe(true)
          if (isNew) seen.set(id, now)
        }
      }),
      { numRuns: 500 },
    )
  })
})

describe('a fingerprint set', () => {
  it('keeps fingerprints that share their slot, through growth', () => {
    const set = new FingerprintSet(16)
    for (let n = 1; n <= 5_000; n++) expect(set.add(7, n, 0, 0)).toBe(true)
    for (let n = 1; n <= 5_000; n++) expect(set.has(7, n, 0, 0)).toBe(true)
    expect(set.has(7, 5_001, 0, 0)).toBe(false)
    expect(set.size).toBe(5_000)
  })
})

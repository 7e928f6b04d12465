/** Deduplication: an id is known through the ten minutes it fell into and the ten after, also across restarts; judged by a Map of ids. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeState, mergeFiles, restoreState } from '../runtime/checkpoint-file.ts'
import { DEDUPE_HORIZON_MS, Deduplicator } from './deduplicate.ts'

const H = DEDUPE_HORIZON_MS

function merged(files: readonly Buffer[]): Buffer {
  const steps = mergeFiles(files)
  let step = steps.next()
  while (!step.done) step = steps.next()
  return step.value
}

function reopened(files: readonly Buffer[]): Deduplicator {
  const dedupe = new Deduplicator()
  restoreState([dedupe.state], files)
  return dedupe
}

describe('deduplication', () => {
  it('knows an id for at least ten minutes, and no longer than twenty', () => {
    const dedupe = new Deduplicator()
    dedupe.isNew('first', 0)
    dedupe.isNew('a', H - 1)
    expect(dedupe.isNew('a', 2 * H - 1)).toBe(false)
    expect(dedupe.isNew('a', 2 * H)).toBe(true)
  })

  it('knows the ids of both generations after a restart, rotated at the moment it would have been', () => {
    const dedupe = new Deduplicator()
    dedupe.isNew('old', 0)
    dedupe.isNew('new', H + 1)
    const again = reopened([encodeState([dedupe.state], true)])
    expect(again.isNew('old', 2 * H - 1)).toBe(false)
    expect(again.isNew('new', 2 * H - 1)).toBe(false)
    expect(again.isNew('old', 2 * H)).toBe(true)
    expect(again.isNew('new', 3 * H - 1)).toBe(false)
    expect(again.isNew('new', 3 * H)).toBe(true)
  })

  it('begins with nothing where the checkpoint was taken before the first event', () => {
    const again = reopened([encodeState([new Deduplicator().state], true)])
    expect(again.isNew('a', 5)).toBe(true)
    expect(again.isNew('a', 5)).toBe(false)
  })

  it('saves in a delta what is new, and takes back what has been forgotten', () => {
    const dedupe = new Deduplicator()
    for (let i = 0; i < 1_000; i++) dedupe.isNew(`a${i}`, 0)
    const base = encodeState([dedupe.state], true)
    dedupe.isNew('b', H)
    const delta = encodeState([dedupe.state], false)
    expect(delta.length).toBeLessThan(base.length / 10)
    for (let i = 0; i < 5; i++) dedupe.isNew(`c${i}`, 3 * H)
    const forgetting = encodeState([dedupe.state], false)
    expect(merged([base, delta, forgetting]).length).toBeLessThan(1_000)
    // Nothing new: nothing to write.
    expect(encodeState([dedupe.state], false).length).toBeLessThan(300)
  })

  it('saves a hundred thousand ids in pieces, and finds each of them again', () => {
    const dedupe = new Deduplicator()
    for (let i = 0; i < 100_000; i++) dedupe.isNew(`id-${i}`, i)
    const again = reopened([encodeState([dedupe.state], true)])
    let unknown = 0
    for (let i = 0; i < 100_000; i++) if (again.isNew(`id-${i}`, 100_000)) unknown++
    expect(unknown).toBe(0)
    expect(again.isNew('another', 100_000)).toBe(true)
  })

  it('agrees with a Map of ids, through saves, restores and merges at any moment', () => {
    const step = fc.record({
      id: fc.nat(12).map(String),
      waitMs: fc.oneof(fc.nat(H / 5), fc.nat(H), fc.constantFrom(0, H, 2 * H, 3 * H, 1_000 * H)),
      after: fc.constantFrom('nothing', 'nothing', 'delta', 'base', 'merge', 'restart'),
    })
    fc.assert(
      fc.property(
        fc.constantFrom(0, -5 * H, 1_768_478_400_123),
        fc.array(step, { maxLength: 60 }),
        (startMs, steps) => {
          let dedupe = new Deduplicator()
          let files: Buffer[] = []
          const seen = new Map<string, number>()
          let now = startMs
          for (const [i, { id, waitMs, after }] of steps.entries()) {
            if (i > 0) now += waitMs
            const generation = Math.floor((now - startMs) / H)
            const known = seen.get(id)
            const isNew = known === undefined || generation - known > 1
            if (isNew) seen.set(id, generation)
            expect(dedupe.isNew(id, now)).toBe(isNew)
            if (after === 'delta' && files.length > 0) files.push(encodeState([dedupe.state], false))
            else if (after === 'base') files = [encodeState([dedupe.state], true)]
            else if (after === 'merge' && files.length > 0) files = [merged(files)]
            else if (after === 'restart') {
              files =
                files.length > 0 ? [...files, encodeState([dedupe.state], false)] : [encodeState([dedupe.state], true)]
              dedupe = reopened(files)
            }
          }
        },
      ),
      { numRuns: 200 },
    )
  })
})

/** The change tracker: an entry goes out once per change, a deleted one never, and the lists don't grow with what has left. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ChangeTracker, type Entry } from './keyed-state.ts'

interface Box extends Entry {
  key: string
  n: number
}

function createBoxes() {
  const boxes = new Map<string, Box>()
  const tracker = new ChangeTracker<Box>()
  const section = tracker.section({
    name: 'boxes',
    schema: 'int',
    keyOf: (b) => b.key,
    toValue: (b) => b.n,
    restore(key, value) {
      boxes.set(key, { key, n: value as number, unsaved: false, unpublished: false })
    },
    all: () => boxes.values(),
  })
  return {
    boxes,
    tracker,
    add(key: string) {
      const box = boxes.get(key) ?? { key, n: 0, unsaved: false, unpublished: false }
      boxes.set(key, box)
      box.n++
      tracker.touch(box)
    },
    remove(key: string) {
      const box = boxes.get(key)
      if (!box) return
      boxes.delete(key)
      tracker.remove(box, key)
    },
    changes(all: boolean) {
      const { deletes, upserts } = section.changes(all)
      return { deletes: [...deletes], upserts: [...upserts] as [string, number][] }
    },
    publish: (limit: number) => tracker.takeUnpublished(limit).map((b) => b.key),
  }
}

describe('the change tracker', () => {
  it('hands an entry over once, however often it was touched', () => {
    const s = createBoxes()
    for (let i = 0; i < 3; i++) s.add('a')
    expect(s.publish(10)).toEqual(['a'])
    expect(s.publish(10)).toEqual([])
    expect(s.changes(false)).toEqual({ deletes: [], upserts: [['a', 3]] })
    expect(s.changes(false).upserts).toEqual([])
  })

  it('hands over those that wait longest first', () => {
    const s = createBoxes()
    for (const key of ['a', 'b', 'c', 'a']) s.add(key)
    expect(s.publish(2)).toEqual(['a', 'b'])
    s.add('a')
    expect(s.publish(2)).toEqual(['c', 'a'])
  })

  it('saves a key that was deleted and made again, in this order', () => {
    const s = createBoxes()
    s.add('a')
    s.changes(false)
    s.remove('a')
    s.add('a')
    expect(s.changes(false)).toEqual({ deletes: ['a'], upserts: [['a', 1]] })
  })

  it('never publishes what has left', () => {
    const s = createBoxes()
    s.add('a')
    s.remove('a')
    expect(s.publish(10)).toEqual([])
    expect(s.tracker.hasUnpublished).toBe(false)
  })

  it('needs no deletes in a base, and starts the next delta from it', () => {
    const s = createBoxes()
    s.add('a')
    s.add('b')
    s.changes(false)
    s.remove('a')
    expect(s.changes(true)).toEqual({ deletes: [], upserts: [['b', 1]] })
    expect(s.changes(false)).toEqual({ deletes: [], upserts: [] })
  })

  it('can publish again what is saved, without saving it again', () => {
    const s = createBoxes()
    s.add('a')
    s.changes(false)
    s.publish(10)
    s.tracker.touchForPublish(s.boxes.get('a')!)
    expect(s.publish(10)).toEqual(['a'])
    expect(s.changes(false).upserts).toEqual([])
  })

  it('lets go of entries that have left while nobody publishes', () => {
    const s = createBoxes()
    for (let i = 0; i < 100_000; i++) {
      s.add(`k${i}`)
      if (i >= 100) s.remove(`k${i - 100}`)
      if (i % 50 === 0) s.tracker.forgetRemoved()
    }
    let calls = 0
    while (s.tracker.hasUnpublished) {
      s.tracker.takeUnpublished(100)
      calls++
    }
    expect(calls).toBeLessThan(150)
  })

  it('makes deltas from which a Map follows the state, and publishes every change of what is there', () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ add: fc.nat(8) }) },
      { weight: 3, arbitrary: fc.record({ remove: fc.nat(8) }) },
      { weight: 2, arbitrary: fc.record({ save: fc.boolean() }) },
      { weight: 2, arbitrary: fc.record({ publish: fc.integer({ min: 1, max: 4 }) }) },
      { weight: 1, arbitrary: fc.record({ forget: fc.constant(true) }) },
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const s = createBoxes()
        let saved = new Map<string, number>()
        const published = new Map<string, number>()
        const save = (all: boolean): void => {
          const { deletes, upserts } = s.changes(all)
          if (all) saved = new Map()
          for (const key of deletes) saved.delete(key)
          for (const [key, n] of upserts) saved.set(key, n)
          expect(saved).toEqual(new Map([...s.boxes].map(([key, b]) => [key, b.n])))
        }
        const publish = (limit: number): void => {
          for (const key of s.publish(limit)) {
            expect(s.boxes.has(key)).toBe(true)
            published.set(key, s.boxes.get(key)!.n)
          }
        }
        for (const x of steps) {
          if ('add' in x) s.add(`k${x.add}`)
          else if ('remove' in x) {
            s.remove(`k${x.remove}`)
            published.delete(`k${x.remove}`)
          } else if ('save' in x) save(x.save)
          else if ('publish' in x) publish(x.publish)
          else s.tracker.forgetRemoved()
        }
        save(false)
        while (s.tracker.hasUnpublished) publish(3)
        expect(published).toEqual(new Map([...s.boxes].map(([key, b]) => [key, b.n])))
      }),
      { numRuns: 150 },
    )
  })
})

/** Checkpoint files: a base and any deltas give back exactly the map they were made of, damaged ones are noticed, older schemas are read. */
import type { Schema } from 'avsc'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { StateSection } from '../operators/operator.ts'
import { CorruptCheckpoint, encodeState, mergeFiles, restoreState } from './checkpoint-file.ts'

interface Change {
  deletes?: readonly string[]
  upserts: readonly (readonly [string, unknown])[]
}
const section = (name: string, schema: Schema, { deletes = [], upserts }: Change): StateSection => ({
  name,
  schema,
  changes: () => ({ deletes, upserts }),
  restore() {},
})

/** A section that takes entries back into a Map. */
function reading(name: string, schema: Schema) {
  const entries = new Map<string, unknown>()
  const into: StateSection = {
    name,
    schema,
    changes: () => ({ deletes: [], upserts: [] }),
    restore: (key, value) => entries.set(key, structuredClone(value)),
  }
  return { entries, section: into }
}
function readBack(files: readonly Buffer[], schema: Schema = 'string', name = 's'): Map<string, unknown> {
  const { entries, section } = reading(name, schema)
  restoreState([section], files)
  return entries
}
function merged(files: readonly Buffer[]): Buffer {
  const steps = mergeFiles(files)
  let step = steps.next()
  while (!step.done) step = steps.next()
  return step.value
}
const file = (change: Change, schema: Schema = 'string', name = 's'): Buffer =>
  encodeState([section(name, schema, change)], false)

describe('a checkpoint file', () => {
  it('gives back what was written, section by section', () => {
    const bytes = encodeState(
      [
        section('numbers', 'long', { upserts: [['a', 1]] }),
        section('empty', 'int', { upserts: [] }),
        section('texts', 'string', { upserts: [['a', 'x']] }),
      ],
      true,
    )
    expect(readBack([bytes], 'long', 'numbers')).toEqual(new Map([['a', 1]]))
    expect(readBack([bytes], 'int', 'empty').size).toBe(0)
    expect(readBack([bytes], 'string', 'texts')).toEqual(new Map([['a', 'x']]))
  })

  it('keeps any well-formed key, the empty one and one of 100,000 characters too', () => {
    const keys = ['', '/', 'gül', '李', '😀', '__proto__', 'k'.repeat(100_000), '李'.repeat(50_000)]
    const bytes = file({ upserts: keys.map((key) => [key, `value of ${key.slice(0, 5)}`]) })
    expect([...readBack([bytes]).keys()]).toEqual(keys)
  })

  it('keeps values larger than its buffer', () => {
    const upserts = [10, 70_000, 1_000_000, 3].map((n, i): [string, string] => [`${i}`, 'v'.repeat(n)])
    expect(readBack([file({ upserts })])).toEqual(new Map(upserts))
  })

  it('passes over sections that nobody asks for, and names them', () => {
    const bytes = encodeState([section('old-job', 'int', { upserts: [['a', 1]] })], true)
    const { entries, section: other } = reading('new-job', 'int')
    expect(restoreState([other], [bytes])).toEqual(['old-job'])
    expect(entries.size).toBe(0)
  })
})

describe('a base and its deltas', () => {
  const change = fc.record({
    deletes: fc.array(fc.nat(9).map(String), { maxLength: 4 }),
    upserts: fc.array(fc.tuple(fc.nat(9).map(String), fc.string({ unit: 'grapheme', maxLength: 8 })), { maxLength: 6 }),
  })

  it('give the state of a Map that saw the same changes, merged at whatever points', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(change, fc.boolean()), { minLength: 1, maxLength: 12 }), (steps) => {
        const truth = new Map<string, string>()
        let files: Buffer[] = []
        for (const [{ deletes, upserts }, merges] of steps) {
          // An operator upserts a key once per change.
          const once = [...new Map(upserts)]
          for (const key of deletes) truth.delete(key)
          for (const [key, value] of once) truth.set(key, value)
          files.push(file({ deletes, upserts: once }))
          if (merges) files = [merged(files)]
        }
        expect(readBack(files)).toEqual(truth)
      }),
      { numRuns: 150 },
    )
  })

  it('yield while they are merged, so that others can run', () => {
    const upserts = Array.from({ length: 20_000 }, (_, i): [string, string] => [`${i}`, 'v'])
    const steps = mergeFiles([file({ upserts })])
    let yields = 0
    while (!steps.next().done) yields++
    expect(yields).toBeGreaterThanOrEqual(4)
  })
})

describe('after an upgrade', () => {
  const record = (...fields: object[]): Schema => ({ type: 'record', name: 'R', fields }) as Schema
  const v1 = record({ name: 'n', type: 'int' })
  const v2 = record({ name: 'added', type: 'string', default: 'none' }, { name: 'n', type: 'long' })

  it('older values are read with the defaults of what they lack', () => {
    const old = file({ upserts: [['a', { n: 1 }]] }, v1)
    expect(readBack([old], v2)).toEqual(new Map([['a', { added: 'none', n: 1 }]]))
  })

  it('a chain of both schemas holds each key once, in the newest form it was written in', () => {
    const base = file(
      {
        upserts: [
          ['a', { n: 1 }],
          ['b', { n: 2 }],
          ['c', { n: 3 }],
        ],
      },
      v1,
    )
    const delta = file({ deletes: ['c'], upserts: [['a', { n: 10, added: 'yes' }]] }, v2)
    const back = file({ upserts: [['b', { n: 20 }]] }, v1)
    const expected = new Map([
      ['a', { n: 10, added: 'yes' }],
      ['b', { n: 20, added: 'none' }],
    ])
    const sorted = (m: ReadonlyMap<string, unknown>) => [...m].sort()
    for (const files of [[base, delta, back], [merged([base, delta]), back], [merged([base, delta, back])]])
      expect(sorted(readBack(files, v2))).toEqual(sorted(expected))
  })

  it('values that can not be read any more are an incompatible version, not a bug', () => {
    const old = file({ upserts: [['a', { n: 1 }]] }, v1)
    const incompatible = record({ name: 'n', type: 'string' })
    expect(() => readBack([old], incompatible)).toThrow(CorruptCheckpoint)
    expect(() => readBack([old], incompatible)).toThrow(/state of "s" was written by an incompatible version/)
  })

  it('so is a symbol that an enum no longer has, which shows only at the value', () => {
    const symbols = (...names: string[]): Schema => ({ type: 'enum', name: 'E', symbols: names })
    const old = file({ upserts: [['a', 'GONE']] }, symbols('HERE', 'GONE'))
    expect(() => readBack([old], symbols('HERE'))).toThrow(CorruptCheckpoint)
  })
})

describe('a damaged file', () => {
  const whole = file({ deletes: ['x'], upserts: [['a', 'some value']] })

  it('is noticed wherever it is cut', () => {
    for (let length = 0; length < whole.length; length++)
      expect(() => readBack([whole.subarray(0, length)]), `cut to ${length} bytes`).toThrow(CorruptCheckpoint)
  })

  it('is noticed whichever byte has changed', () => {
    for (let i = 0; i < whole.length; i++) {
      const damaged = Buffer.from(whole)
      damaged[i]! ^= 0x20
      expect(() => readBack([damaged]), `byte ${i}`).toThrow(CorruptCheckpoint)
    }
  })

  it('is noticed when something follows it', () => {
    expect(() => readBack([Buffer.concat([whole, Buffer.from([0])])])).toThrow(CorruptCheckpoint)
  })

  it('can not be merged', () => {
    expect(() => merged([whole, whole.subarray(1)])).toThrow(CorruptCheckpoint)
  })
})

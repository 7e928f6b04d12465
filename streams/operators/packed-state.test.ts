/** Packed state: entries that come and go as bytes are found, saved and published as if they had been objects all along; judged by a plain map. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { avroType } from '../contract/avro.ts'
import { encodeState, restoreState } from '../runtime/checkpoint-file.ts'
import { EncodedValue } from './operator.ts'
import { type Packable, PackedState } from './packed-state.ts'

class Box implements Packable {
  id = -1
  unpublished = false
  next: this | null = null
  key: string
  name: string
  value = ''

  constructor(key: string, name: string) {
    this.key = key
    this.name = name
  }
}

const boxes = (hotMax: number) =>
  new PackedState<Box>({
    name: 'boxes',
    recordName: 'Box',
    fields: ['key', 'name', 'value'].map((name) => ({ name, type: 'string' })),
    keyOf: (b) => b.key,
    nameOf: (b) => `${b.key}@${b.name}`,
    revive(_name, value) {
      const saved = value as Box
      return Object.assign(new Box(saved.key, saved.name), saved)
    },
    hotMax,
  })

type State = PackedState<Box>
const texts = (state: State): string[] =>
  [...state.all()].map(({ entry: b, unpublished }) => `${b.key}@${b.name}=${b.value} ${unpublished}`).sort()

/** What a checkpoint of it would hold, decoded. */
function saved(state: State, all: boolean): { deletes: string[]; upserts: string[] } {
  const { section } = state
  const type = avroType(section.schema)
  const { deletes, upserts } = section.changes(all)
  return {
    deletes: [...deletes],
    upserts: [...upserts]
      .map(([name, value]) => {
        const bytes = value instanceof EncodedValue ? Buffer.from(value.bytes) : type.toBuffer(value)
        const box = type.fromBuffer(bytes) as Box
        return `${Buffer.from(name)}=${box.value} ${box.unpublished}`
      })
      .sort(),
  }
}

function put(state: State, key: string, value: string): Box {
  let box = state.find(key)
  if (!box) {
    box = new Box(key, '1')
    state.add(box)
  }
  box.value = value
  state.touch(box)
  return box
}

describe('packed state', () => {
  it('finds every key of thousands, with what it held last', () => {
    const state = boxes(4)
    for (let round = 0; round < 4; round++) {
      for (let i = 0; i < 5_000; i++) put(state, `kü-${(i * 7) % 5_000}`, `${round} ${'x'.repeat(i % 90)} ${i}`)
    }
    for (let i = 0; i < 5_000; i++) {
      expect(state.find(`kü-${(i * 7) % 5_000}`)?.value).toBe(`3 ${'x'.repeat(i % 90)} ${i}`)
    }
    expect(state.find('kü-5000')).toBeUndefined()
    expect(state.find('')).toBeUndefined()
  })

  it('gives back the room of what was released', () => {
    const state = boxes(4)
    for (let round = 0; round < 40; round++) {
      for (let i = 0; i < 2_000; i++) put(state, `k${i}`, 'x'.repeat(200))
    }
    // 2,000 records of some 230 bytes; what is held is at most half as much again, and the chunks being filled.
    expect(state.packedBytes).toBeLessThan(2_000 * 240 * 1.5 + 4 * 128 * 1024)
    for (let i = 0; i < 2_000; i++) state.remove(state.find(`k${i}`) as Box)
    expect(texts(state)).toEqual([])
    expect(state.packedBytes).toBeLessThan(5 * 128 * 1024)
  })

  it('keeps all that are left when others were removed as bytes', () => {
    const state = boxes(1)
    for (let i = 0; i < 3_000; i++) put(state, `k${i}`, `${i} ${'x'.repeat(90)}`)
    // By a copy, as timers do: the entry is not made an object for it.
    for (const { entry } of [...state.all()]) if (Number(entry.key.slice(1)) % 3) state.remove(entry)
    for (let i = 3_000; i < 9_000; i++) put(state, `k${i}`, `${i} ${'x'.repeat(90)}`)
    for (let i = 0; i < 9_000; i++) {
      const value = i < 3_000 && i % 3 ? undefined : `${i} ${'x'.repeat(90)}`
      expect(state.find(`k${i}`)?.value).toBe(value)
    }
  })

  it('keeps what is too large to pack as an object', () => {
    const state = boxes(1)
    const large = 'y'.repeat(70_000)
    put(state, 'large', large)
    put(state, `long ${large}`, 'z')
    for (let i = 0; i < 50; i++) put(state, `k${i}`, 'x')
    expect(state.find('large')?.value).toBe(large)
    expect(state.find(`long ${large}`)?.value).toBe('z')
  })

  it('forgets a handle with its entry, also when its number is given to another', () => {
    const state = boxes(1)
    const handle = state.handle(put(state, 'ada', '1'))
    for (let i = 0; i < 5; i++) put(state, `k${i}`, 'x')
    expect(state.byHandle(handle)?.value).toBe('1')
    state.remove(state.byHandle(handle) as Box)
    expect(state.find('ada')).toBeUndefined()
    put(state, 'ben', '2')
    expect(state.byHandle(handle)).toBeUndefined()
  })

  it('restores what another one saved', () => {
    const state = boxes(1)
    for (let i = 0; i < 100; i++) put(state, `k${i}`, `v${i}`)
    for (const _ of state.takeUnpublished(50));
    const other = boxes(1)
    restoreState([other.section], [encodeState([state.section], true)])
    expect(texts(other)).toEqual(texts(state))
    expect([...other.takeUnpublished(1_000)]).toHaveLength(50)
  })

  it('does in any life what a list of objects does', () => {
    const key = fc.constantFrom('', 'a', 'b', 'ab', 'ü', '李', 'a@1')
    const step = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({ do: fc.constant('put' as const), key, value: fc.string({ maxLength: 40 }) }),
      },
      {
        weight: 2,
        arbitrary: fc.record({ do: fc.constant('chain' as const), key, value: fc.string({ maxLength: 9 }) }),
      },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('remove' as const), key }) },
      {
        weight: 2,
        arbitrary: fc.record({ do: fc.constant('publish' as const), limit: fc.integer({ min: 0, max: 5 }) }),
      },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('save' as const), all: fc.boolean() }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('republish' as const, 'forget' as const) }) },
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), fc.constantFrom(0, 1, 2, 100), (steps, hotMax) => {
        const state = boxes(hotMax)
        let list: { name: string; key: string; value: string; unsaved: boolean; unpublished: boolean }[] = []
        let gone: string[] = []
        let n = 0
        const model = (name: string, k: string, value: string) => {
          list = list.filter((m) => m.name !== name)
          list.push({ name, key: k, value, unsaved: true, unpublished: true })
        }
        for (const s of steps) {
          if (s.do === 'put') {
            const head = state.find(s.key)
            expect(head !== undefined).toBe(list.some((m) => m.key === s.key))
            const box = head ?? new Box(s.key, `${n++}`)
            if (!head) state.add(box)
            box.value = s.value
            state.touch(box)
            model(`${s.key}@${box.name}`, s.key, s.value)
          } else if (s.do === 'chain') {
            const box = new Box(s.key, `${n++}`)
            box.value = s.value
            state.add(box)
            state.touch(box)
            model(`${s.key}@${box.name}`, s.key, s.value)
          } else if (s.do === 'remove') {
            const head = state.find(s.key)
            if (!head) continue
            const name = `${s.key}@${head.name}`
            state.remove(head)
            list = list.filter((m) => m.name !== name)
            gone.push(name)
          } else if (s.do === 'publish') {
            for (const box of state.takeUnpublished(s.limit)) {
              const m = list.find(({ name }) => name === `${box.key}@${box.name}`)
              expect(m).toMatchObject({ value: box.value, unpublished: true })
              if (m) m.unpublished = false
            }
          } else if (s.do === 'save') {
            const expected = list.filter((m) => s.all || m.unsaved).map((m) => `${m.name}=${m.value} ${m.unpublished}`)
            expect(saved(state, s.all)).toEqual({ deletes: s.all ? [] : gone, upserts: expected.sort() })
            for (const m of list) m.unsaved = false
            gone = []
          } else if (s.do === 'forget') state.forgetRemoved()
          else {
            state.touchAll()
            for (const m of list) Object.assign(m, { unsaved: true, unpublished: true })
          }
          expect(texts(state)).toEqual(list.map((m) => `${m.name}=${m.value} ${m.unpublished}`).sort())
        }
      }),
      { numRuns: 300 },
    )
  })
})

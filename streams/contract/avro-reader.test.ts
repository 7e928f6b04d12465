/** The compiled reader against avsc, on good bytes and on damaged ones. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { avroType, VALUE_SCHEMAS } from './avro.ts'
import { compileReader } from './avro-reader.ts'
import { INPUT_TOPICS, ORDERS } from './topics.ts'

const readAll = (read: () => unknown): unknown => {
  try {
    return read()
  } catch {
    return 'refused'
  }
}

describe('a compiled reader', () => {
  it.each(INPUT_TOPICS)('reads what avsc reads, and refuses what avsc refuses: %s', (topic) => {
    const type = avroType(VALUE_SCHEMAS[topic])
    const read = compileReader(VALUE_SCHEMAS[topic])
    const byte = fc.record({ at: fc.nat(400), to: fc.integer({ min: 0, max: 255 }) })
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 3 }), fc.nat(1_000_000), fc.nat(8), (damage, seed, cut) => {
        const value = type.toBuffer(type.random() as object)
        for (const { at, to } of damage) if (at < value.length) value[at] = to
        const bytes = seed % 4 === 0 ? value.subarray(0, Math.max(0, value.length - cut)) : value
        expect(readAll(() => read(bytes, 0))).toEqual(readAll(() => ({ ...(type.fromBuffer(bytes) as object) })))
      }),
      { numRuns: 2_000 },
    )
  })

  it('makes one string of a text that recurs, and never mistakes one for another', () => {
    const type = avroType(VALUE_SCHEMAS[ORDERS])
    const read = compileReader<{ category: string }>(VALUE_SCHEMAS[ORDERS])
    const order = type.random() as object
    const texts = Array.from({ length: 50_000 }, (_, i) => (i % 7 === 0 ? `ü${i}` : `category ${i}`))
    for (const category of [...texts, ...texts]) {
      expect(read(type.toBuffer({ ...order, category }), 0).category).toBe(category)
    }
  })

  it('has null, or an empty text, for what nobody reads, and everything else as ever', () => {
    const type = avroType(VALUE_SCHEMAS[ORDERS])
    const some = compileReader<object>(VALUE_SCHEMAS[ORDERS], new Set(['user_id', 'category']))
    const texts = ['product_id', 'region', 'properties']
    const unread = { ...Object.fromEntries(texts.map((name) => [name, null])), order_id: '', currency: '' }
    for (let i = 0; i < 200; i++) {
      const order = type.random() as object
      const bytes = type.toBuffer(order)
      expect(some(bytes, 0)).toEqual({ ...(type.fromBuffer(bytes) as object), ...unread })
      expect(() => some(bytes.subarray(0, bytes.length - 1), 0)).toThrow(RangeError)
    }
  })

  it('is not made for a schema it could not read', () => {
    expect(() => compileReader({ type: 'record', name: 'R', fields: [{ name: 'x', type: 'double' }] })).toThrow(
      /field x/,
    )
  })
})

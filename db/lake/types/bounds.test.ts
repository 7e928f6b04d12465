/** Single values as bytes, and bounds: nothing that a bound covers may lie outside of it, however long, odd or negative. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compareValues, lowerBound, readBound, upperBound } from './bounds.ts'
import { fromBytes, toBytes } from './single-value.ts'
import type { Value } from './types.ts'

const long = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
const unicode = fc.string({ unit: 'binary', maxLength: 40 }).map((text) => text.toWellFormed())
const values: Record<string, fc.Arbitrary<Value>> = {
  boolean: fc.boolean(),
  int: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  date: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  long,
  time: fc.bigInt({ min: 0n, max: 86_399_999_999n }),
  timestamp: long,
  timestamptz: long,
  float: fc.float({ noNaN: true }),
  double: fc.double({ noNaN: true }),
  'decimal(38, 10)': fc.bigInt({ min: -(10n ** 38n) + 1n, max: 10n ** 38n - 1n }),
  string: unicode,
  uuid: fc.uuid(),
  'fixed[7]': fc.uint8Array({ minLength: 7, maxLength: 7 }),
  binary: fc.uint8Array({ maxLength: 40 }),
}
const plain = (value: Value) => (value instanceof Uint8Array ? [...value] : value)

describe.each(Object.keys(values))('%s', (type) => {
  test('a value comes back from its bytes', () => {
    fc.assert(
      fc.property(values[type]!, (v) => {
        expect(plain(fromBytes(type, toBytes(type, v)))).toEqual(plain(v))
      }),
    )
  })
  test('bounds cover what they bound', () => {
    fc.assert(
      fc.property(values[type]!, (value) => {
        expect(compareValues(type, fromBytes(type, lowerBound(type, value)), value)).toBeLessThanOrEqual(0)
        const upper = upperBound(type, value)
        if (upper) expect(compareValues(type, fromBytes(type, upper), value)).toBeGreaterThanOrEqual(0)
        else expect(['string', 'binary']).toContain(type)
      }),
    )
  })
})

test.each<[string, Value, string]>([
  ['boolean', true, '01'],
  ['int', 34, '22000000'],
  ['long', 34n, '2200000000000000'],
  ['long', -1n, 'ffffffffffffffff'],
  ['float', 1, '0000803f'],
  ['double', 1, '000000000000f03f'],
  ['date', -1, 'ffffffff'],
  ['decimal(9, 2)', 1420n, '058c'],
  ['decimal(9, 2)', -1n, 'ff'],
  ['decimal(9, 2)', 128n, '0080'],
  ['decimal(9, 2)', -128n, '80'],
  ['string', 'ä', 'c3a4'],
  ['uuid', 'f79c3e09-677c-4bbd-a479-3f349cb785e7', 'f79c3e09677c4bbda4793f349cb785e7'],
])('%s %s is %s', (type, value, hex) => {
  expect(toBytes(type, value).toString('hex')).toBe(hex)
})

test('bounds written before a column was widened are understood; bytes of a wrong length are not used', () => {
  expect(fromBytes('long', toBytes('int', -5))).toBe(-5n)
  expect(fromBytes('double', toBytes('float', 0.5))).toBe(0.5)
  expect(readBound('long', Buffer.from('123'))).toBe(undefined)
})

test('long strings are cut after 16 characters and rounded up by characters, never by bytes', () => {
  expect(lowerBound('string', 'abcdefghijklmnopqrst').toString()).toBe('abcdefghijklmnop')
  expect(upperBound('string', 'abcdefghijklmnopqrst')?.toString()).toBe('abcdefghijklmnoq')
  expect(upperBound('string', `${'a'.repeat(15)}\u{10ffff}zz`)?.toString()).toBe(`${'a'.repeat(14)}b`)
  expect(upperBound('string', `${'a'.repeat(15)}\ud7ffzz`)?.toString()).toBe(`${'a'.repeat(15)}\ue000`)
  expect(upperBound('string', '\u{10ffff}'.repeat(20))).toBe(null)
  expect(upperBound('string', '😀'.repeat(20))?.toString()).toBe(`${'😀'.repeat(15)}😁`)
  expect(upperBound('binary', new Uint8Array(20).fill(255))).toBe(null)
  expect(upperBound('binary', Uint8Array.of(1, ...new Uint8Array(19).fill(255)))?.toString('hex')).toBe('02')
})

test('strings are ordered by their UTF-8 bytes: emoji come after every other plane-0 character', () => {
  expect(compareValues('string', '😀', '\uffee')).toBeGreaterThan(0)
  expect('😀' > '\uffee').toBe(false)
})

test('zero is bounded by -0 below and 0 above', () => {
  expect(Object.is(fromBytes('double', lowerBound('double', 0)), -0)).toBe(true)
  expect(Object.is(fromBytes('double', upperBound('double', -0)!), 0)).toBe(true)
})

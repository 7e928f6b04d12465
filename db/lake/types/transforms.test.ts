/** Partition transforms give the values of the specification's own tables, and keep the order that pruning relies on. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { applyTransform, parseTransform, resultType } from './transforms.ts'
import type { Value } from './types.ts'

const apply = (transform: string, type: string, value: Value | null) =>
  applyTransform(parseTransform(transform), type, value)
const us = (iso: string) => BigInt(Date.parse(iso)) * 1000n

describe('bucket', () => {
  // Appendix B of the specification gives the hashes; with 2^31 - 1 buckets and more the bucket is the hash itself.
  const hash = (type: string, value: Value) => apply('bucket[2147483648]', type, value)
  const positive = (n: number) => n & 0x7fffffff

  test.each<[string, Value, number]>([
    ['int', 34, 2017239379],
    ['long', 34n, 2017239379],
    ['decimal(9, 2)', 1420n, -500754589],
    ['date', 17486, -653330422],
    ['time', 81068000000n, -662762989],
    ['timestamp', us('2017-11-16T22:31:08Z'), -2047944441],
    ['timestamptz', us('2017-11-16T22:31:08Z'), -2047944441],
    ['timestamptz', us('2017-11-16T22:31:08Z') + 1n, -1207196810],
    ['string', 'iceberg', 1210000089],
    ['uuid', 'f79c3e09-677c-4bbd-a479-3f349cb785e7', 1488055340],
    ['fixed[4]', Uint8Array.of(0, 1, 2, 3), -188683207],
    ['binary', Uint8Array.of(0, 1, 2, 3), -188683207],
  ])('%s %s hashes as the specification says', (type, value, expected) => {
    expect(hash(type, value)).toBe(positive(expected))
  })
})

test.each<[string, string, Value, Value]>([
  ['truncate[10]', 'int', 1, 0],
  ['truncate[10]', 'int', -1, -10],
  ['truncate[10]', 'long', 1n, 0n],
  ['truncate[10]', 'long', -1n, -10n],
  ['truncate[50]', 'decimal(9, 2)', 1065n, 1050n],
  ['truncate[3]', 'string', 'iceberg', 'ice'],
  ['truncate[2]', 'string', '😀a😀', '😀a'],
  ['day', 'timestamptz', us('2017-11-16T22:31:08Z'), 17486],
  ['day', 'timestamp', -1n, -1],
  ['day', 'date', -1, -1],
  ['hour', 'timestamp', -1n, -1],
  ['hour', 'timestamp', us('1970-01-02T01:00:00Z'), 25],
  ['month', 'date', -1, -1],
  ['month', 'timestamptz', us('2017-11-16T22:31:08Z'), 574],
  ['year', 'timestamptz', us('2017-11-16T22:31:08Z'), 47],
  ['year', 'timestamptz', -1n, -1],
  ['identity', 'string', 'a', 'a'],
])('%s of a %s: %s gives %s', (transform, type, value, expected) => {
  expect(apply(transform, type, value)).toEqual(expected)
})

test('null stays null, and void gives null', () => {
  for (const transform of ['identity', 'bucket[4]', 'day', 'truncate[3]', 'void'])
    expect(apply(transform, 'timestamp', null)).toBe(null)
  expect(apply('void', 'int', 7)).toBe(null)
})

test('a transform that does not go with a type is refused, an unknown one is carried along', () => {
  expect(() => resultType(parseTransform('hour'), 'date')).toThrow("The transform hour can't be used on the type date.")
  expect(() => resultType(parseTransform('bucket[3]'), 'double')).toThrow(/bucket can't be used/)
  expect(parseTransform('zorder[3]')).toEqual({ kind: 'unknown' })
})

test('time transforms and truncate keep order, over all of time', () => {
  const micros = fc.bigInt({ min: -(10n ** 17n), max: 10n ** 17n })
  fc.assert(
    fc.property(micros, micros, fc.constantFrom('day', 'hour', 'month', 'year', 'truncate[7]'), (a, b, transform) => {
      const type = transform.startsWith('truncate') ? 'long' : 'timestamp'
      const [x, y] = [apply(transform, type, a < b ? a : b)!, apply(transform, type, a < b ? b : a)!]
      expect(x <= y).toBe(true)
    }),
  )
})

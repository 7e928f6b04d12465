/** Values as PostgreSQL writes them → JSON as Debezium writes it. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type TypeInfo, writerOf } from './values.ts'

const NO_TYPES = new Map<number, TypeInfo>()
const json = (type: number, text: string, modifier = -1, types: ReadonlyMap<number, TypeInfo> = NO_TYPES) =>
  writerOf(type, modifier, types)(text)

test.each([
  ['boolean', 16, -1, 't', 'true'],
  ['boolean', 16, -1, 'f', 'false'],
  ['bytea', 17, -1, '\\x00ff10', '"AP8Q"'],
  ['bytea, empty', 17, -1, '\\x', '""'],
  ['int8 beyond 2^53', 20, -1, '9007199254740993', '9007199254740993'],
  ['int4', 23, -1, '-7', '-7'],
  ['float8', 701, -1, '1e+300', '1e+300'],
  ['float8, not a number', 701, -1, 'NaN', '"NaN"'],
  ['float8, infinite', 701, -1, '-Infinity', '"-Infinity"'],
  ['numeric', 1700, -1, '1234567890123456789.10', '"1234567890123456789.10"'],
  ['text', 25, -1, 'a "quoted" \\ line\nand ğ', '"a \\"quoted\\" \\\\ line\\nand ğ"'],
  ['uuid', 2950, -1, '0a-b', '"0a-b"'],
  ['jsonb', 3802, -1, '{"a": 1}', '"{\\"a\\": 1}"'],
  ['date', 1082, -1, '1970-01-02', '1'],
  ['date before Christ', 1082, -1, '0001-01-01 BC', '-719528'],
  ['date, infinite', 1082, -1, 'infinity', '2147483647'],
  ['time', 1083, -1, '01:02:03.000004', '3723000004'],
  ['time(3)', 1083, 3, '01:02:03.004', '3723004'],
  ['timestamp', 1114, -1, '2000-01-01 00:00:00.000001', '946684800000001'],
  ['timestamp far ahead', 1114, -1, '294276-12-31 23:59:59.999999', '9224318015999999999'],
  ['timestamp(3)', 1114, 3, '2000-01-01 00:00:00.5', '946684800500'],
  ['timestamp, infinite', 1114, -1, '-infinity', '-9223372036832400000'],
  ['timestamptz', 1184, -1, '2026-11-21 09:08:07.12+00', '"2026-11-21T09:08:07.12Z"'],
  ['timestamptz, infinite', 1184, -1, 'infinity', '"infinity"'],
  ['timetz', 1266, -1, '09:08:07+00', '"09:08:07Z"'],
  ['a type that nobody knows', 999_999, -1, '(1,2)', '"(1,2)"'],
])('%s: %#', (_, type, modifier, text, expected) => {
  expect(json(type, text, modifier)).toBe(expected)
})

test('a domain is what it is made of, and an array has what its elements are', () => {
  const types = new Map<number, TypeInfo>([
    [50_000, { base: 50_001 }],
    [50_001, { element: 23 }],
    [1009, { element: 25 }],
  ])
  expect(json(50_000, '{{1,NULL},{3,4}}', -1, types)).toBe('[[1,null],[3,4]]')
  expect(json(50_001, '[0:1]={7,8}', -1, types)).toBe('[7,8]')
  expect(json(1009, '{}', -1, types)).toBe('[]')
  expect(json(1009, '{a,"NULL","b, \\"c\\" \\\\ {d}",NULL,""}', -1, types)).toBe(
    '["a","NULL","b, \\"c\\" \\\\ {d}",null,""]',
  )
})

test('any text in an array comes back', () => {
  const types = new Map<number, TypeInfo>([[1009, { element: 25 }]])
  const written = (items: readonly string[]) =>
    `{${items.map((item) => `"${item.replace(/["\\]/g, '\\$&')}"`).join(',')}}`
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme' })), (items) => {
      expect(JSON.parse(json(1009, written(items), -1, types))).toEqual(items)
    }),
  )
})

test('days are those of JavaScript, as far as that goes', () => {
  fc.assert(
    fc.property(fc.integer({ min: -700_000, max: 90_000_000 }), (days) => {
      const [, year, monthDay] = /^\+?0*(\d+)-(.{5})/.exec(new Date(days * 86_400_000).toISOString())!
      expect(json(1082, `${year!.padStart(4, '0')}-${monthDay}`)).toBe(String(days))
    }),
  )
})

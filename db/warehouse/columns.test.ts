import { expect, it } from 'vitest'
import { schemaOf } from '../lake/index.ts'
import { alterations, textOf, warehouseColumns } from './columns.ts'

it('gives every type of the lake one of PostgreSQL, and refuses nested ones by name', () => {
  const types = 'boolean int long float double date time timestamp timestamptz string uuid binary'.split(' ')
  const columns = [...types, 'decimal(20, 2)', 'fixed[16]'].map((type, i) => ({ name: `c${i}`, type }))
  expect(warehouseColumns('analytics.t', schemaOf(columns)).map(({ type }) => type)).toEqual([
    'boolean',
    'integer',
    'bigint',
    'real',
    'double precision',
    'date',
    'time without time zone',
    'timestamp without time zone',
    'timestamp with time zone',
    'text',
    'uuid',
    'bytea',
    'numeric(20,2)',
    'bytea',
  ])
  const list = { type: 'list', 'element-id': 9, 'element-required': false, element: 'int' } as const
  expect(() => warehouseColumns('analytics.t', schemaOf([{ name: 'tags', type: list }]))).toThrow(
    'analytics.t can\'t be copied to the warehouse: its column "tags" is nested.',
  )
})

it('makes a table, adds and widens its columns, and leaves those that are only there', () => {
  const [a, b] = [
    { name: 'a', type: 'bigint' },
    { name: 'b"', type: 'numeric(20,2)' },
  ]
  expect(alterations('s.t', [a!, b!], null)).toEqual(['CREATE TABLE s.t ("a" bigint, "b""" numeric(20,2))'])
  expect(alterations('s.t', [a!, b!], [a!, b!])).toEqual([])
  expect(
    alterations(
      's.t',
      [a!, b!],
      [
        { name: 'a', type: 'integer' },
        { name: 'theirs', type: 'xml' },
      ],
    ),
  ).toEqual(['ALTER TABLE s.t ALTER COLUMN "a" TYPE bigint, ADD COLUMN "b""" numeric(20,2)'])
  expect(alterations('s.t', [b!], [{ name: 'b"', type: 'numeric(10,2)' }])).toHaveLength(1)
})

it.each([
  ['bigint', 'integer'],
  ['text', 'bigint'],
  ['numeric(20,2)', 'numeric(20,3)'],
  ['numeric(20,2)', 'numeric(10,2)'],
])('does not make %s of what is %s in the lake', (is, wanted) => {
  expect(() => alterations('s.t', [{ name: 'a', type: wanted }], [{ name: 'a', type: is }])).toThrow(
    `s.t has its column "a" as ${is}, and in the lake it is what PostgreSQL calls ${wanted}.`,
  )
})

it('writes values as PostgreSQL reads them', () => {
  expect([null, true, -5n, Number.NaN, 'a\0b', new Uint8Array([0, 255])].map(textOf)).toEqual([
    null,
    'true',
    '-5',
    'NaN',
    'a\uFFFDb',
    '\\x00ff',
  ])
})

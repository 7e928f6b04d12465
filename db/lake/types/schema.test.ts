/** Schemas, their evolution, partition specs, and JSON with 63-bit integers. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { evolveSchema, type SchemaChange } from './evolution.ts'
import { parseJson, stringifyJson, toLong } from './json.ts'
import { partitionBy, partitionKey, partitionPath, partitionTypes } from './partition-spec.ts'
import { checkSchema, highestId, type Schema, schemaOf } from './schema.ts'
import { primitiveOf } from './types.ts'

const orders = schemaOf([
  { name: 'id', type: 'long', required: true },
  { name: 'amount', type: 'decimal(9, 2)' },
  { name: 'at', type: 'timestamptz' },
  { name: 'n', type: 'int' },
])
const evolve = (...changes: SchemaChange[]) =>
  evolveSchema(orders, changes, { lastColumnId: 4, schemaId: 1, keep: new Set([3]) })

describe('schema evolution', () => {
  test('adds, renames, widens, drops and loosens by id', () => {
    const { schema, lastColumnId } = evolve(
      { change: 'add', column: { name: 'note', type: 'string' } },
      { change: 'rename', column: 'amount', to: 'total' },
      { change: 'widen', column: 'total', type: 'decimal(20,2)' },
      { change: 'widen', column: 'n', type: 'long' },
      { change: 'make-optional', column: 'id' },
      { change: 'drop', column: 'n' },
    )
    expect(lastColumnId).toBe(5)
    expect(schema['schema-id']).toBe(1)
    expect(schema.fields).toEqual([
      { id: 1, name: 'id', required: false, type: 'long' },
      { id: 2, name: 'total', required: false, type: 'decimal(20,2)' },
      { id: 3, name: 'at', required: false, type: 'timestamptz' },
      { id: 5, name: 'note', required: false, type: 'string' },
    ])
  })

  test('a column that is dropped and added again is another column', () => {
    const { schema } = evolve({ change: 'drop', column: 'n' }, { change: 'add', column: { name: 'n', type: 'int' } })
    expect(schema.fields.find((field) => field.name === 'n')?.id).toBe(5)
  })

  test.each<[SchemaChange, RegExp]>([
    [{ change: 'widen', column: 'id', type: 'int' }, /"id" can't become "int"/],
    [{ change: 'widen', column: 'amount', type: 'decimal(20, 3)' }, /can't become/],
    [{ change: 'drop', column: 'at' }, /can't be dropped: the table is partitioned/],
    [{ change: 'rename', column: 'id', to: 'at' }, /Two columns are called "at"/],
    [{ change: 'rename', column: 'x', to: 'y' }, /no column "x". The columns are id, amount, at, n/],
    [{ change: 'add', column: { name: 'z', type: 'int', required: true } }, /can't be required/],
    [{ change: 'add', column: { name: 'z', type: 'varchar' } }, /"varchar" is not a type/],
  ])('%j is refused', (change, sentence) => {
    expect(() => evolve(change)).toThrow(sentence)
  })
})

test('nested types of other engines are read, their ids counted', () => {
  const schema: Schema = {
    type: 'struct',
    'schema-id': 0,
    fields: [
      {
        id: 1,
        name: 'tags',
        required: false,
        type: { type: 'list', 'element-id': 4, 'element-required': false, element: 'string' },
      },
      {
        id: 2,
        name: 'm',
        required: false,
        type: { type: 'map', 'key-id': 5, key: 'string', 'value-id': 6, 'value-required': true, value: 'int' },
      },
      {
        id: 3,
        name: 's',
        required: false,
        type: { type: 'struct', fields: [{ id: 7, name: 'x', required: false, type: 'uuid' }] },
      },
    ],
  }
  checkSchema(schema)
  expect(highestId(schema)).toBe(7)
  expect(() => checkSchema({ ...schema, fields: [...schema.fields, { ...schema.fields[0]!, name: 'other' }] })).toThrow(
    /twice/,
  )
})

test('decimals and fixed are understood however they are spaced, and refused beyond their limits', () => {
  expect(primitiveOf('decimal(20,2)')).toEqual({ kind: 'decimal', precision: 20, scale: 2 })
  expect(primitiveOf('fixed[16]')).toEqual({ kind: 'fixed', length: 16 })
  expect(() => primitiveOf('decimal(39, 2)')).toThrow(/1 to 38 digits/)
})

test('a partition spec names its fields, types and folders', () => {
  const spec = partitionBy(orders, [
    { column: 'at', transform: 'day' },
    { column: 'id', transform: 'bucket[8]' },
    { column: 'at', transform: 'month' },
    { column: 'n', transform: 'identity' },
  ])
  expect(spec.fields.map((field) => [field.name, field['field-id']])).toEqual([
    ['at_day', 1000],
    ['id_bucket', 1001],
    ['at_month', 1002],
    ['n', 1003],
  ])
  const types = partitionTypes(spec, [orders])
  expect(types).toEqual(['date', 'int', 'int', 'int'])
  expect(partitionPath(spec, types, [-1, 3, -1, null])).toBe('at_day=1969-12-31/id_bucket=3/at_month=1969-12/n=null')
  expect(partitionKey(0, ['1', null])).not.toBe(partitionKey(0, [1, null]))
  expect(partitionPath(partitionBy(orders, [{ column: 'n', transform: 'identity' }]), ['string'], ['../x'])).toBe(
    'n=%2E%2E%2Fx',
  )
})

test('JSON keeps every integer and every other value', () => {
  const text = '{"id":9007199254740993,"n":-9223372036854775808,"small":3,"x":1.5,"s":"9007199254740993"}'
  const value = parseJson(text) as Record<string, unknown>
  expect(value).toEqual({ id: 9007199254740993n, n: -(2n ** 63n), small: 3, x: 1.5, s: '9007199254740993' })
  expect(stringifyJson(value)).toBe(text)
  const integers = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n })
  fc.assert(
    fc.property(integers, (n) => {
      expect(parseJson(stringifyJson({ n: toLong(n) }))).toEqual({ n: toLong(n) })
    }),
  )
})

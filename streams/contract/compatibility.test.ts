/** Each level on each change: what it allows, and that a refusal names the field. The decisions are held to reading real values. */
import avro, { type Schema } from 'avsc'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { VALUE_SCHEMAS } from './avro.ts'
import { compatibilityProblems, parseSchema } from './compatibility.ts'
import { COMPATIBILITY_LEVELS, InvalidSchema } from './schema-registry.ts'
import { ORDERS } from './topics.ts'

const record = (...fields: object[]): Schema => ({ type: 'record', name: 'Order', namespace: 'shop', fields }) as Schema
const id = { name: 'id', type: 'string' }
const note = { name: 'note', type: ['null', 'string'], default: null }
const amount = { name: 'amount', type: 'long' }
const problems = (level: (typeof COMPATIBILITY_LEVELS)[number], next: Schema, ...versions: Schema[]) =>
  compatibilityProblems(
    level,
    next,
    versions.map((schema, i) => ({ version: i + 1, schema })),
  )

describe('a schema that comes next', () => {
  it('may be anything where it is the first, or where the level is NONE', () => {
    for (const level of COMPATIBILITY_LEVELS) expect(problems(level, record(id))).toEqual([])
    expect(problems('NONE', 'string', record(id))).toEqual([])
  })

  const added = record(id, note)
  const demanded = record(id, amount)
  it.each([
    ['BACKWARD', 'a field with a default', added, record(id), true],
    ['BACKWARD', 'a field without a default', demanded, record(id), false],
    ['BACKWARD', 'one field fewer', record(id), demanded, true],
    ['FORWARD', 'a field without a default', demanded, record(id), true],
    ['FORWARD', 'one field fewer, which had no default', record(id), demanded, false],
    ['FORWARD', 'one field fewer, which had a default', record(id), added, true],
    ['FULL', 'a field with a default', added, record(id), true],
    ['FULL', 'a field without a default', demanded, record(id), false],
    ['FULL', 'one field fewer, which had no default', record(id), demanded, false],
  ] as const)('under %s, with %s', (level, _what, next, before, allowed) => {
    expect(problems(level, next, before).length === 0).toBe(allowed)
  })

  it('is compared with the newest version, and where the level is transitive with all', () => {
    const versions = [record(id, { name: 'x', type: 'int' }), record(id), record(id, note)]
    const next = record(id, { name: 'x', type: ['null', 'string'], default: null })
    expect(problems('BACKWARD', next, ...versions)).toEqual([])
    expect(problems('BACKWARD_TRANSITIVE', next, ...versions)).toEqual([
      `field "x": int of version 1 can't be read as [null, string] by the new schema`,
    ])
  })
})

describe('a refusal names the field', () => {
  it.each([
    [
      'a field without a default',
      record(id, amount),
      record(id),
      'field "amount" has no default in the new schema, and version 1 does not have it',
    ],
    [
      'another type',
      record({ name: 'id', type: 'int' }),
      record(id),
      `field "id": string of version 1 can't be read as int by the new schema`,
    ],
    [
      'a union that lost a branch',
      record({ name: 'note', type: 'string' }),
      record(note),
      `field "note": null of version 1 can't be read as string by the new schema`,
    ],
    [
      'a branch of another type',
      record({ ...note, type: ['null', 'int'] }),
      record(note),
      `field "note": string of version 1 can't be read as [null, int] by the new schema`,
    ],
    [
      'an enum that lost a symbol',
      record({ name: 'status', type: { type: 'enum', name: 'Status', symbols: ['NEW'] } }),
      record({ name: 'status', type: { type: 'enum', name: 'Status', symbols: ['NEW', 'PAID', 'SENT'] } }),
      'field "status": version 1 has the symbols PAID, SENT, which the new schema lacks, without a default',
    ],
    [
      'a field within a field',
      record({ name: 'lines', type: { type: 'array', items: inner({ name: 'price', type: 'int' }) } }),
      record({ name: 'lines', type: { type: 'array', items: inner({ name: 'price', type: 'string' }) } }),
      `field "lines[].price": string of version 1 can't be read as int by the new schema`,
    ],
    [
      'a field within a branch of a union',
      record({ name: 'line', type: ['null', inner(id, amount)] }),
      record({ name: 'line', type: ['null', inner(id)] }),
      'field "line.amount" has no default in the new schema, and version 1 does not have it',
    ],
    [
      'a map of something else',
      record({ name: 'tags', type: { type: 'map', values: 'int' } }),
      record({ name: 'tags', type: { type: 'map', values: 'string' } }),
      `field "tags{}": string of version 1 can't be read as int by the new schema`,
    ],
    [
      'a fixed of another size',
      record({ name: 'hash', type: { type: 'fixed', name: 'Hash', size: 16 } }),
      record({ name: 'hash', type: { type: 'fixed', name: 'Hash', size: 20 } }),
      `field "hash": fixed "shop.Hash" of 20 bytes of version 1 can't be read as fixed "shop.Hash" of 16 bytes by the new schema`,
    ],
    [
      'another name',
      { type: 'record', name: 'Pear', fields: [] } as Schema,
      record(),
      `record "shop.Order" of version 1 can't be read as record "Pear" by the new schema`,
    ],
  ])('%s', (_what, next, before, reason) => {
    expect(problems('BACKWARD', next, before)).toEqual([reason])
  })

  it('also in a type that contains itself', () => {
    const tree = (type: string): Schema =>
      record({ name: 'value', type }, { name: 'next', type: ['null', 'Order'], default: null })
    expect(problems('BACKWARD', tree('int'), tree('string'))).toEqual([
      `field "value": string of version 1 can't be read as int by the new schema`,
    ])
  })
})

describe('a decision', () => {
  const fieldTypes = ['int', 'long', 'double', 'string', ['null', 'string'], ['null', 'int'], ['int', 'string']]
  const fields = fc.uniqueArray(
    fc.record({ name: fc.constantFrom('a', 'b', 'c'), type: fc.constantFrom(...fieldTypes), hasDefault: fc.boolean() }),
    { selector: (f) => f.name, maxLength: 3 },
  )
  const schemas = fields.map((all) =>
    record(
      ...all.map(({ name, type, hasDefault }) => {
        const first = Array.isArray(type) ? type[0] : type
        const value = first === 'null' ? null : first === 'string' ? '' : 0
        return { name, type, ...(hasDefault && { default: value }) }
      }),
    ),
  )

  it('for BACKWARD means that values of the version before are read', () => {
    fc.assert(
      fc.property(schemas, schemas, (next, before) => {
        const found = problems('BACKWARD', next, before)
        const [reader, writer] = [next, before].map((schema) => avro.Type.forSchema(schema, { logicalTypes: {} }))
        const read = () => reader!.fromBuffer(writer!.toBuffer(writer!.random()), reader!.createResolver(writer!))
        if (found.length === 0) expect(read).not.toThrow()
        else {
          expect(read).toThrow()
          expect(found[0]).toMatch(/^field "[abc]"/)
        }
      }),
      { numRuns: 1_000 },
    )
  })

  it('for FORWARD is the one for BACKWARD with the two changed about', () => {
    fc.assert(
      fc.property(schemas, schemas, (a, b) => {
        expect(problems('FORWARD', a, b).length).toBe(problems('BACKWARD', b, a).length)
      }),
    )
  })
})

describe('a schema as text', () => {
  it('is what it says', () => {
    const { [ORDERS]: orders } = VALUE_SCHEMAS
    expect(parseSchema(JSON.stringify(orders))).toEqual(orders)
    expect(parseSchema('"string"')).toBe('string')
  })

  it.each([
    ['no JSON', '{'],
    ['no schema', '{"type":"recrod"}'],
    ['null', 'null'],
    ['two fields of a name', JSON.stringify(record(id, id))],
    ['a default of another type', JSON.stringify(record({ name: 'a', type: 'int', default: 'x' }))],
    ['nested without end', `${'{"type":"array","items":'.repeat(5_000)}"int"${'}'.repeat(5_000)}`],
  ])('%s is refused as invalid', (_what, text) => {
    expect(() => parseSchema(text)).toThrow(InvalidSchema)
  })
})

function inner(...fields: object[]): object {
  return { type: 'record', name: 'Line', fields }
}

import { expect, test } from 'vitest'
import { changeTopic, readChange, UnreadableChange } from './cdc.ts'

const source = {
  version: '3.0.0',
  connector: 'postgresql',
  name: 'cdc',
  ts_ms: 1_700_000_000_000,
  snapshot: 'false',
  db: 'shop',
  sequence: '["1","2"]',
  schema: 'public',
  table: 'products',
  txId: 7,
  lsn: 2,
  xmin: null,
}
const update = {
  before: { id: 1, price: '9.90' },
  after: { id: 1, price: '8.90' },
  source,
  op: 'u',
  ts_ms: 1_700_000_000_005,
}
const record = (value: unknown, key: unknown = { id: 1 }) => ({
  key: key === null ? null : JSON.stringify(key),
  value: Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)),
})

test('a change is read with its key', () => {
  expect(readChange(record(update))).toEqual({ kind: 'change', key: { id: 1 }, change: update })
})

test('Connect may have written the schema beside the payload', () => {
  const wrapped = record({ schema: { type: 'struct' }, payload: update }, { schema: {}, payload: { id: 1 } })
  expect(readChange(wrapped)).toEqual({ kind: 'change', key: { id: 1 }, change: update })
})

test('a row that has columns called schema and payload is a row', () => {
  const after = { schema: 'x', payload: 'y' }
  expect(readChange(record({ ...update, after }))).toMatchObject({ change: { after } })
})

test('integers beyond 2^53 stay exact, in keys as well', () => {
  const text = JSON.stringify(update).replace('"after":{"id":1', '"after":{"id":9007199254740993')
  const read = readChange({ key: '{"id":9007199254740993}', value: Buffer.from(text) })
  expect(read).toMatchObject({
    key: { id: 9007199254740993n },
    change: { after: { id: 9007199254740993n }, ts_ms: update.ts_ms },
  })
})

test('a delete and its tombstone', () => {
  const gone = { ...update, after: null, op: 'd' }
  expect(readChange(record(gone))).toMatchObject({ kind: 'change', change: { op: 'd', after: null } })
  expect(readChange({ key: '{"id":1}', value: Buffer.alloc(0), tombstone: true })).toEqual({
    kind: 'tombstone',
    key: { id: 1 },
  })
})

test('a truncation has no key', () => {
  expect(readChange(record({ source, op: 't', ts_ms: 1 }, null))).toMatchObject({
    kind: 'truncate',
    change: { op: 't', before: null },
  })
})

test.each([
  ['no JSON', record('{"op":'), 'not JSON'],
  ['no object', record('[]'), 'no JSON object'],
  ['an unknown op', record({ ...update, op: 'x' }), '"op"'],
  ['no source', record({ ...update, source: null }), '"source"'],
  ['an update without a row', record({ ...update, after: null }), '"after"'],
  ['no key', record(update, null), 'primary key'],
  ['a key that is no object', record(update, 7), 'key is no JSON object'],
])('%s can not be read, and it is said why', (_, unreadable, why) => {
  expect(() => readChange(unreadable)).toThrow(UnreadableChange)
  expect(() => readChange(unreadable)).toThrow(why)
})

test('a topic is named like those of Debezium with the prefix cdc', () => {
  expect(changeTopic('public.products')).toBe('cdc.public.products')
})

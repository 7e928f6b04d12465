/** Changes → records: Debezium's form, positions, and what the log has already. The messages here are those that `pgoutput.ts` makes; real ones come in the system tests. */
import { expect, test } from 'vitest'
import { CHANGE_POSITION, readChange, UNAVAILABLE } from '../../contract/cdc.ts'
import { partitionOf } from '../../contract/partition.ts'
import { type NewRecord, partitionKey } from '../../log/event-log.ts'
import type { Message, Tuple } from './pgoutput.ts'
import { parsePosition } from './position.ts'
import { createReader } from './reader.ts'
import type { Tail } from './tails.ts'

const TOPIC = 'cdc.public.goods'
const PARTITIONS = 4
const COLUMNS = [
  { name: 'id', type: 20, modifier: -1 },
  { name: 'name', type: 25, modifier: -1 },
]
const relation = { oid: 7, schema: 'public', name: 'goods', columns: COLUMNS }
const tuple = (...values: (string | null | undefined)[]): Tuple =>
  values.map((value) => (typeof value === 'string' ? Buffer.from(value) : value))
const begin = (lsn: number): Message => ({ kind: 'begin', lsn, committedUs: 1_700_000_000_000_001, xid: 5 })
const commit = (lsn: number): Message => ({ kind: 'commit', endLsn: lsn + 1 })
const insert = (id: string, name = 'n'): Message => ({ kind: 'insert', oid: 7, after: tuple(id, name) })

function bench(last: Readonly<Record<number, string>> = {}) {
  const records: NewRecord[] = []
  const told: unknown[] = []
  const tails = new Map<string, Tail>()
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const at = { topic: TOPIC, partition }
    tails.set(partitionKey(at), { at, isEmpty: false, last: parsePosition(last[partition]), appendedAtMs: null })
  }
  const reader = createReader({
    db: 'shop',
    tables: ['public.goods'],
    tails,
    partitions: new Map([[TOPIC, PARTITIONS]]),
    factsOf: async (found, partitions) => ({ relation: found, key: ['id'], types: new Map(), partitions }),
    appender: { add: (more) => void records.push(...more), reached: (lsn) => void told.push(lsn) },
    observer: {
      skipped: (count) => void told.push({ skipped: count }),
      tableChanged: (table, changes) => void told.push({ table, changes }),
      notFollowed: (table) => void told.push({ notFollowed: table }),
    },
    writing: { version: 'test', now: () => 1_700_000_000_500 },
  })
  const read = async (...messages: Message[]) => {
    for (const message of messages) await reader.read(message, 90)
  }
  const changes = () =>
    records.map((record) => readChange({ ...record, key: record.key, value: Buffer.from(record.value) }))
  return { read, records, told, changes, reader }
}

test('an insert, an update and a delete with its tombstone, in the form that readers know', async () => {
  const { read, records, told, changes } = bench()
  await read(
    { kind: 'relation', relation },
    begin(80),
    insert('1', 'kettle'),
    { kind: 'update', oid: 7, before: null, isKey: false, after: tuple('1', undefined) },
    { kind: 'delete', oid: 7, before: tuple('1', null), isKey: true },
    commit(80),
  )
  expect(records.map(({ key, headers, tombstone }) => [key, headers, tombstone])).toEqual([
    ['{"id":1}', { [CHANGE_POSITION]: '0/50/0' }, undefined],
    ['{"id":1}', { [CHANGE_POSITION]: '0/50/3' }, undefined],
    ['{"id":1}', { [CHANGE_POSITION]: '0/50/6' }, undefined],
    ['{"id":1}', { [CHANGE_POSITION]: '0/50/7' }, true],
  ])
  expect(changes()[0]).toMatchObject({
    key: { id: 1 },
    change: {
      before: null,
      after: { id: 1, name: 'kettle' },
      op: 'c',
      ts_ms: 1_700_000_000_500,
      source: {
        version: 'test',
        connector: 'postgresql',
        name: 'cdc',
        ts_ms: 1_700_000_000_000,
        ts_us: 1_700_000_000_000_001,
        snapshot: 'false',
        db: 'shop',
        sequence: '[null,"90"]',
        schema: 'public',
        table: 'goods',
        txId: 5,
        lsn: 90,
        xmin: null,
      },
    },
  })
  expect(changes().slice(1)).toMatchObject([
    { change: { op: 'u', before: null, after: { id: 1, name: UNAVAILABLE } } },
    { change: { op: 'd', before: { id: 1 }, after: null } },
    { kind: 'tombstone' },
  ])
  expect(told).toEqual([81])
})

test('with REPLICA IDENTITY FULL the row before is told, and has the large value that was not touched', async () => {
  const { read, changes } = bench()
  await read({ kind: 'relation', relation }, begin(80), {
    kind: 'update',
    oid: 7,
    before: tuple('1', 'long'),
    isKey: false,
    after: tuple('1', undefined),
  })
  expect(changes()).toMatchObject([{ change: { before: { id: 1, name: 'long' }, after: { id: 1, name: 'long' } } }])
})

test('under another primary key it is another row', async () => {
  const { read, records, changes } = bench()
  await read({ kind: 'relation', relation }, begin(80), {
    kind: 'update',
    oid: 7,
    before: tuple('1', null),
    isKey: true,
    after: tuple('2', 'n'),
  })
  expect(changes()).toMatchObject([
    { key: { id: 1 }, change: { op: 'd', before: { id: 1 } } },
    { kind: 'tombstone', key: { id: 1 } },
    { key: { id: 2 }, change: { op: 'c', after: { id: 2 } } },
  ])
  expect(records.map(({ headers }) => headers?.[CHANGE_POSITION])).toEqual(['0/50/0', '0/50/1', '0/50/2'])
})

test('a truncation is told to every partition', async () => {
  const { read, records, changes } = bench()
  await read({ kind: 'relation', relation }, begin(80), { kind: 'truncate', oids: [7] })
  expect(records.map(({ partition, key }) => [partition, key])).toEqual(
    [0, 1, 2, 3].map((partition) => [partition, null]),
  )
  expect(changes()).toMatchObject(Array.from({ length: PARTITIONS }, () => ({ kind: 'truncate' })))
})

test('what a partition has already is skipped, to the record, and nothing else', async () => {
  const keys = Array.from({ length: 40 }, (_, i) => String(i))
  const at = (id: string) => partitionOf(`{"id":${id}}`, PARTITIONS)
  // Partition 0 has come to the middle of the transaction at 0/50, 1 has all of it, 2 only what was before, 3 nothing but a snapshot.
  const { read, records, told } = bench({ 0: '0/50/60', 1: '0/50/200', 2: '0/4F/9', 3: 'snapshot/0/50/1' })
  await read(
    { kind: 'relation', relation },
    begin(80),
    ...keys.map((id) => insert(id)),
    commit(80),
    begin(81),
    insert('1'),
    commit(81),
  )
  const expected = [...keys.filter((id, i) => at(id) >= 2 || (at(id) === 0 && i * 3 > 60)), '1']
  expect(records.map(({ key }) => key)).toEqual(expected.map((id) => `{"id":${id}}`))
  expect(told).toEqual([81, { skipped: keys.length + 1 - expected.length }, 82])
})

test('a table that has changed is written as it is now, and it is told how', async () => {
  const { read, told, changes } = bench()
  const columns = [COLUMNS[0]!, { name: 'title', type: 25, modifier: -1 }]
  await read(
    { kind: 'relation', relation },
    begin(80),
    insert('1'),
    { kind: 'relation', relation: { ...relation, columns } },
    insert('2'),
  )
  expect(told).toEqual([{ table: 'public.goods', changes: ['column title is new', 'column name is gone'] }])
  expect(changes()).toMatchObject([
    { change: { after: { id: 1, name: 'n' } } },
    { change: { after: { id: 2, title: 'n' } } },
  ])
})

test('other tables of the publication are left out, and counted, so that positions stay what they are', async () => {
  const { read, records, told } = bench()
  const other: Message = { kind: 'relation', relation: { ...relation, oid: 8, name: 'others' } }
  await read(
    { kind: 'relation', relation },
    other,
    begin(80),
    { kind: 'insert', oid: 8, after: tuple('1', 'n') },
    insert('2'),
  )
  expect(told).toEqual([{ notFollowed: 'public.others' }])
  expect(records.map(({ headers }) => headers?.[CHANGE_POSITION])).toEqual(['0/50/3'])
})

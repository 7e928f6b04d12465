/** What the lake-writer promises, on a log in memory and a lake in a folder. Crashes at every step have `crash.system.test.ts`. */
import { expect, it, onTestFinished } from 'vitest'
import {
  alterProperties,
  alterSchema,
  compact,
  createTable,
  currentSchema,
  currentSnapshot,
  expireSnapshots,
  loadTable,
  partitionBy,
  schemaOf,
  tableName,
} from '../../db/lake/index.ts'
import { recordSpans } from '../../observability/testing/recorded-spans.ts'
import { eventually } from '../../tests/support/eventually.ts'
import { PRODUCTS } from '../cdc/tables.ts'
import { recordsOf as recordsOfProduct } from '../cdc/testing/shop.ts'
import { createEncoder } from '../contract/codec.ts'
import type { ClickstreamEvent, Trip } from '../contract/events.ts'
import { CLICKSTREAM, deadLetterTopic, ORDERS, TRIPS } from '../contract/topics.ts'
import { newDeadLetter, newReplayNote, readDeadLetter } from '../dead-letters/dead-letter.ts'
import type { EventLog } from '../log/event-log.ts'
import { lakeJobs } from './tables.ts'
import { isComplete, lakeWorlds, positionsOf, recordsOf, type World } from './testing/lake-world.ts'

const worlds = lakeWorlds()
const DEADLINE_MS = 30_000
const orders = tableName('raw.orders')

const filled = (world: World, table = 'raw.orders', topic = ORDERS) =>
  eventually(`${table} has all of ${topic}`, DEADLINE_MS, () => isComplete(world, table, topic))

async function expectOnce(world: World): Promise<void> {
  expect(positionsOf(await world.rows('raw.orders'))).toEqual(await recordsOf(world.log, ORDERS))
}

it('fills every table from its topics, with columns of their types', async () => {
  const world = await worlds()
  const { log, registry } = world
  const at = Date.parse('2026-03-01T12:00:00.123Z')
  const times = { event_time: at, original_time: at - 1, sent_at: null, received_at: at + 5 }
  const nothing = { user_id: null, session_id: null, referrer: null, product_id: null, category: null, order_id: null }
  const click: ClickstreamEvent = {
    ...times,
    ...nothing,
    event_id: 'c-1',
    event_type: 'page_view',
    anonymous_id: 'ada',
    page_url: 'https://ş.example/\u0000',
    revenue_minor: null,
    currency: null,
    region: null,
    device: 'phone',
    properties: '{"a":[1,"ğ"]}',
    bot: true,
  }
  const trip: Trip = {
    ...times,
    trip_id: 't-1',
    region_id: '7',
    fare_minor: 2_500,
    currency: 'USD',
    duration_s: 61,
    distance_m: 0,
    properties: null,
  }
  const value = (await createEncoder(CLICKSTREAM, registry))(click)
  await log.append([{ topic: CLICKSTREAM, key: 'ada', value }])
  await log.append([{ topic: CLICKSTREAM, key: 'ada', value: Buffer.from('poison') }])
  await log.append([{ topic: TRIPS, key: '7', value: (await createEncoder(TRIPS, registry))(trip) }])
  await world.append([
    { order_id: 'small', amount_minor: 5_000 },
    { order_id: 'large', amount_minor: 5_001 },
    { order_id: 'failed', amount_minor: 9_999, status: 'failed' },
    { order_id: 'yen', amount_minor: 51, currency: 'JPY' },
  ])
  const [dead] = await log.append([{ topic: ORDERS, key: 'k', value: Buffer.from('{"half') }])
  const [record] = await log.read(dead!, dead!.offset, 1)
  const letter = newDeadLetter(dead!, record!, { reason: 'bad_json', message: 'It ends too soon' })
  const [lies] = await log.append([{ ...letter, headers: { ...letter.headers, id: letter.id } }])
  const [put] = await log.read(lies!, lies!.offset, 1)
  const read = readDeadLetter(lies!, put!)
  if (!('id' in read)) throw new Error('it is a letter')
  await log.append([newReplayNote(read, { topic: ORDERS, partition: 0, offset: 9 })])
  const kettle = { table: 'products', id: 1, atMs: at, row: { sku: 's-1', name: 'Kettle', price: '9.90' } } as const
  await log.append([...recordsOfProduct(kettle), ...recordsOfProduct({ ...kettle, row: null })])
  await log.append([{ topic: PRODUCTS.topic, key: null, value: Buffer.from('poison') }])

  const skipped = new Map<string, number>()
  const { writer } = world.begin({
    jobs: lakeJobs(),
    observer: { read: (table, { undecodable }) => skipped.set(table, (skipped.get(table) ?? 0) + undecodable) },
  })
  await filled(world, 'raw.clickstream_events', CLICKSTREAM)
  await filled(world, 'raw.trips', TRIPS)
  await filled(world)
  await filled(world, 'raw.dead_letters', deadLetterTopic(ORDERS))
  // Their last records are none of their rows: that they have read is told by those before.
  await eventually('conversions and products are read', DEADLINE_MS, async () => {
    const rows = await Promise.all(['marketing_events.processed_conversions', 'raw.cdc_products'].map(world.rows))
    return rows.every(({ length }) => length === 2)
  })
  // The offsets of a table are committed at the stop, also where the last records were none of its rows.
  await writer.stop()
  await filled(world, 'marketing_events.processed_conversions')

  await filled(world, 'raw.cdc_products', PRODUCTS.topic)

  const micros = BigInt(at) * 1000n
  const clicks = await world.rows('raw.clickstream_events')
  expect(clicks).toHaveLength(1)
  expect(clicks[0]).toMatchObject({
    event_id: 'c-1',
    event_type: 'page_view',
    user_id: null,
    page_url: 'https://ş.example/\u0000',
    event_time: micros,
    original_time: micros - 1000n,
    sent_at: null,
    properties: '{"a":[1,"ğ"]}',
    bot: true,
    log_offset: 0n,
  })
  expect(await world.rows('raw.trips')).toMatchObject([{ fare_minor: 2_500n, duration_s: 61n, distance_m: 0n }])
  expect(await world.rows('raw.orders')).toHaveLength(4)
  const conversions = await world.rows('marketing_events.processed_conversions')
  expect(conversions.map((row) => [row.order_id, row.revenue_minor]).sort()).toEqual([
    ['large', 5_001n],
    ['yen', 51n],
  ])
  const letters = await world.rows('raw.dead_letters')
  expect(letters.sort((a, b) => Number(a.log_offset) - Number(b.log_offset))).toMatchObject([
    { kind: 'letter', cause: letter.id, reason: 'bad_json', source_offset: BigInt(dead!.offset), key: 'k' },
    { kind: 'replay', cause: letter.id, replayed_to: `${ORDERS}:0:9`, source_topic: null },
  ])
  expect(Buffer.from(letters[0]!.value as Uint8Array).toString()).toBe('{"half')
  const products = await world.rows('raw.cdc_products')
  expect(products.sort((a, b) => Number(a.log_offset) - Number(b.log_offset))).toMatchObject([
    { op: 'u', id: '1', name: 'Kettle', price_minor: 990n, currency: 'TRY', event_time: micros, deleted: false },
    { op: 'd', id: '1', name: null, deleted: true },
  ])
  expect(Object.fromEntries(skipped)).toMatchObject({
    'raw.cdc_products': 1,
    'raw.clickstream_events': 1,
    'raw.orders': 1,
    'raw.trips': 0,
    'marketing_events.processed_conversions': 1,
  })
})

it('makes no table of products before a database is followed, and has no consumer for them', async () => {
  const world = await worlds()
  const groups: string[] = []
  const log: EventLog = {
    ...world.log,
    subscribe: (group, topics) => {
      groups.push(group)
      return world.log.subscribe(group, topics)
    },
  }
  await world.append([{}])
  const { writer } = world.begin({ jobs: lakeJobs(), log })
  await filled(world)
  expect(groups).toContain('streamforge-lake-raw.orders')
  expect(groups).not.toContain('streamforge-lake-raw.cdc_products')
  await writer.stop()
  expect(await world.lake.catalog.metadataLocation(tableName('raw.cdc_products'))).toBeNull()
})

it('commits what it holds at an orderly stop, and goes on from there', async () => {
  const world = await worlds()
  await world.append([{}, {}, {}])
  const commitMs = 3_600_000
  const seen = new Set<number>()
  const first = world.begin({ commitMs, observer: { lag: (_, records) => seen.add(records) } })
  await eventually('it has read', DEADLINE_MS, () => seen.has(3))
  await first.writer.stop()
  await expectOnce(world)
  await world.append([{}, {}])
  const second = world.begin({ commitMs: 10 })
  await filled(world)
  await second.writer.stop()
  await expectOnce(world)
})

it('commits by size as well, into as many days as there are', async () => {
  const world = await worlds({ maxBatchRecords: 5 })
  const day = 86_400_000
  await world.append(Array.from({ length: 60 }, (_, i) => ({ event_time: Date.parse('2026-01-01') + (i % 20) * day })))
  let commits = 0
  const { writer } = world.begin({ commitMs: 3_600_000, commitBytes: 4_000, observer: { committed: () => commits++ } })
  await eventually('it has committed by itself', DEADLINE_MS, () => commits >= 3)
  await writer.stop()
  await expectOnce(world)
})

it('partitions that move between two writers are written once', async () => {
  const world = await worlds({ maxBatchRecords: 3 })
  const more = (n: number) => world.append(Array.from({ length: n }, () => ({})))
  await more(40)
  const first = world.begin()
  await more(40)
  const second = world.begin()
  await more(40)
  await first.writer.stop()
  await more(20)
  const third = world.begin()
  await filled(world)
  await Promise.all([second.writer.stop(), third.writer.stop()])
  await expectOnce(world)
})

it('of two owners of one partition, who do not know of each other, one is refused and begins anew', async () => {
  const world = await worlds({ maxBatchRecords: 3 })
  const other: EventLog = { ...world.log, subscribe: (group, topics) => world.log.subscribe(`${group}-zombie`, topics) }
  let refused = 0
  const observer = { refused: () => refused++ }
  const both = [world.begin({ observer, commitMs: 5 }), world.begin({ observer, commitMs: 5, log: other })]
  await eventually('they meet', DEADLINE_MS, async () => {
    await world.append([{}, {}, {}])
    return refused > 1
  })
  await filled(world)
  await Promise.all(both.map(({ writer }) => writer.stop()))
  await expectOnce(world)
})

it("its offsets outlive other engines' snapshots, compaction and expiry", async () => {
  const world = await worlds()
  await world.append([{}, {}, {}])
  const first = world.begin()
  await filled(world)
  await first.writer.stop()
  await world.append([{}])
  const second = world.begin()
  await filled(world)
  await second.writer.stop()
  await compact(world.lake, orders, { minFiles: 1 })
  await expireSnapshots(world.lake, orders, { olderThanMs: Number.MAX_SAFE_INTEGER })
  const { metadata } = await loadTable(world.lake, orders)
  expect(metadata.snapshots).toHaveLength(1)
  expect(currentSnapshot(metadata)?.summary).not.toHaveProperty(['streamforge.offsets'])
  await world.append([{}, {}])
  const third = world.begin()
  await filled(world)
  await third.writer.stop()
  await expectOnce(world)
})

it('a table that is dropped is made anew, and filled with all that the log holds', async () => {
  const world = await worlds()
  await world.append([{}, {}])
  let refused = 0
  let failed = 0
  const observer = { refused: () => refused++, failed: () => failed++ }
  const { writer } = world.begin({ observer })
  await filled(world)
  await world.catalog.drop(orders)
  await world.append([{}])
  await filled(world)
  await writer.stop()
  await expectOnce(world)
  expect(refused + failed).toBeGreaterThan(0)
})

it('a gap that retention has made is told, noted in the snapshot, and written behind', async () => {
  const world = await worlds()
  await world.append([{ user_id: 'ada' }, { user_id: 'ada' }])
  const first = world.begin()
  await filled(world)
  await first.writer.stop()
  await world.append([{ user_id: 'ada' }, { user_id: 'ada' }])
  const shortened = await partitionOfAda(world)
  const gone: EventLog = {
    ...world.log,
    async bounds(at) {
      const bounds = await world.log.bounds(at)
      return at.partition === shortened.partition ? { ...bounds, earliest: 3 } : bounds
    },
  }
  const lost: unknown[] = []
  const second = world.begin({ log: gone, observer: { lost: (_table, at, range) => lost.push([at.partition, range]) } })
  await filled(world)
  await second.writer.stop()
  expect(lost).toEqual([[shortened.partition, { from: 2, to: 3 }]])
  const { metadata } = await loadTable(world.lake, orders)
  expect(JSON.parse(currentSnapshot(metadata)!.summary['streamforge.lost']!)).toEqual({
    [`${ORDERS}-${shortened.partition}`]: [2, 3],
  })
  expect(positionsOf(await world.rows('raw.orders'))).toEqual([0, 1, 3].map((n) => `${shortened.partition}:${n}`))
})

async function partitionOfAda({ log }: World) {
  for (let partition = 0; ; partition++) {
    const at = { topic: ORDERS, partition }
    if ((await log.bounds(at)).next > 0) return at
  }
}

it('a table with the rows of another log is left alone, with a sentence; the other tables go on', async () => {
  const world = await worlds()
  const failures: string[] = []
  const first = world.begin()
  await world.append([{}])
  await filled(world)
  await first.writer.stop()
  const other: EventLog = { ...world.log, identity: async () => 'another' }
  await world.append([{ amount_minor: 99_999 }])
  const { writer } = world.begin({
    log: other,
    jobs: lakeJobs(),
    observer: { failed: (table, { message }) => failures.push(`${table}: ${message}`) },
  })
  await eventually('the conversions are there', DEADLINE_MS, async () => {
    return (await world.rows('marketing_events.processed_conversions')).length === 1
  })
  await eventually('the failure is told', DEADLINE_MS, () => failures.length > 0)
  await writer.stop()
  expect(failures[0]).toMatch(/^raw\.orders: .*another event log.*rename or drop the table/)
  expect(await world.rows('raw.orders')).toHaveLength(1)
})

it('a table of an older version gets the columns that it lacks, and keeps those of others', async () => {
  const world = await worlds()
  const schema = schemaOf([
    { name: 'order_id', type: 'string', required: true },
    { name: 'event_time', type: 'timestamptz' },
    { name: 'quantity', type: 'int' },
  ])
  const spec = partitionBy(schema, [{ column: 'event_time', transform: 'day' }])
  await createTable(world.lake, orders, { schema, spec })
  await alterSchema(world.lake, orders, [{ change: 'add', column: { name: 'remark', type: 'string' } }])
  await alterProperties(world.lake, orders, { owner: 'ada' })
  await world.append([{ quantity: 3 }])
  const { writer } = world.begin()
  await filled(world)
  await writer.stop()
  const { metadata } = await loadTable(world.lake, orders)
  const names = currentSchema(metadata).fields.map(({ name }) => name)
  expect(names.slice(0, 4)).toEqual(['order_id', 'event_time', 'quantity', 'remark'])
  expect(names).toContain('amount_minor')
  expect(metadata.properties.owner).toBe('ada')
  expect(await world.rows('raw.orders')).toMatchObject([{ quantity: 3n, remark: null, amount_minor: 100n }])
})

it('makes each commit round a trace of its own, with its commit', async () => {
  const recorded = recordSpans()
  onTestFinished(() => recorded.stop())
  const world = await worlds()
  const { writer } = world.begin()
  await world.append([{ order_id: 'one' }, { order_id: 'two' }])
  await filled(world)
  await writer.stop()
  const rounds = recorded.spans().filter(({ name }) => name === 'lake write raw.orders')
  expect(rounds.every(({ parentSpanContext }) => parentSpanContext === undefined)).toBe(true)
  expect(rounds.reduce((rows, { attributes }) => rows + Number(attributes['streamforge.rows']), 0)).toBe(2)
  const commits = recorded.spans().filter(({ name }) => name === 'lake commit raw.orders')
  const committed = rounds.filter(({ attributes }) => attributes['streamforge.committed'] === true)
  expect(commits.map(({ parentSpanContext }) => parentSpanContext?.spanId)).toEqual(
    committed.map((round) => round.spanContext().spanId),
  )
})

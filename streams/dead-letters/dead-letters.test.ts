/** Dead letters: what died is found, counted by its cause, tried again, and goes back once, whatever crashes on the way. */
import { describe, expect, it } from 'vitest'
import { subjectOf, VALUE_SCHEMAS } from '../contract/avro.ts'
import { createEncoder } from '../contract/codec.ts'
import type { Order } from '../contract/events.ts'
import { CLICKSTREAM, ORDERS } from '../contract/topics.ts'
import { createMemoryRegistry } from '../testing/memory-registry.ts'
import { createWorld, finish, SIM_START_MS, startProcess, type World, workOff } from '../testing/sim.ts'
import { describeValue } from './describe-value.ts'
import { type ReplayOutcome, replayLetters } from './replay.ts'
import { createReviver } from './revive.ts'
import { deadLetter, deadLetters, type FoundLetter, summarize } from './scan.ts'

const DLQ = `dlq.${ORDERS}`
const ALL = { sinceMs: Number.NEGATIVE_INFINITY, limit: 10 }
/** The id that the registry will give the orders' schema: the streams register that of their alerts first. */
const UNKNOWN_ID = 2
const order = (order_id: string): Order => ({
  order_id,
  user_id: 'ada',
  product_id: null,
  category: 'books',
  quantity: null,
  amount_minor: 1_000,
  currency: 'TRY',
  region: null,
  status: 'success',
  event_time: SIM_START_MS,
  original_time: null,
  sent_at: null,
  received_at: SIM_START_MS,
  properties: null,
})

/** Bytes of an order whose schema the readers don't know. */
async function unknownOrders(...ids: string[]): Promise<Buffer[]> {
  const encode = await createEncoder(ORDERS, createMemoryRegistry())
  return ids.map((id) => {
    const value = encode(order(id))
    value.writeUInt32BE(UNKNOWN_ID, 1)
    return value
  })
}
/** A world in which no schema is registered yet. */
const emptyWorld = async (): Promise<World> => ({ ...(await createWorld(1, 0)), registry: createMemoryRegistry() })
const append = (world: World, topic: string, ...values: (Buffer | string)[]) =>
  world.log.append(values.map((value) => ({ topic, key: 'ada', value: Buffer.from(value), headers: { trace: 't' } })))

/** The streams, run until they have read everything. */
async function runStreams(world: World, name: string): Promise<void> {
  const process = startProcess(world, name, () => 'none', { group: 'streams' })
  await workOff(world, process)
  await world.clock.advance(2_000)
  expect(await finish(world, process)).toBe('stopped')
}

async function collect<T>(all: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const one of all) found.push(one)
  return found
}

async function* letters(...found: (FoundLetter | null)[]): AsyncGenerator<FoundLetter> {
  for (const one of found) if (one) yield one
}

function replay(
  world: World,
  which: AsyncIterable<FoundLetter>,
  options: { dryRun?: boolean; log?: World['log'] } = {},
) {
  const { dryRun = false, log = world.log } = options
  const reviver = createReviver({ registry: world.registry, currency: 'TRY', clock: world.clock })
  return collect(replayLetters(which, { log, reviver, dryRun }))
}
const outcomes = (results: readonly ReplayOutcome[]) => results.map(({ outcome }) => outcome)
const revenue = (world: World) => {
  const rows = world.memory.rows('revenue_by_minute')
  return rows.reduce((sum, row) => ({ orders: sum.orders + row.orders, minor: sum.minor + row.revenue_minor }), {
    orders: 0,
    minor: 0,
  })
}
const duplicates = (world: World) =>
  world.memory.progress().reduce((sum, { outcomes: counted }) => sum + counted.duplicate, 0)

/** Two orders that nobody could read, a third that nobody ever will, and whoever reads registers what the two were written with. */
async function worldWithLetters(): Promise<World> {
  const world = await emptyWorld()
  const [a, b] = (await unknownOrders('o-1', 'o-2')) as [Buffer, Buffer]
  await append(world, ORDERS, a, b, '{"order_id":"o-3"}')
  await runStreams(world, 'first')
  expect(revenue(world).orders).toBe(0)
  return world
}
const registerOrders = (world: World) => world.registry.register(subjectOf(ORDERS), VALUE_SCHEMAS[ORDERS])

describe('the dead letters of a topic', () => {
  it('are told by what they died of, with the first and the last and an example', async () => {
    const world = await emptyWorld()
    await append(world, ORDERS, 'one', 'two', '{"order_id":', '{"order_id":"x"}')
    await world.clock.advance(60_000)
    await append(world, ORDERS, 'three', Buffer.from([0, 0, 0, 0, 77, 1]), Buffer.from([0, 0, 0, 0, 78, 1]))
    await runStreams(world, 'first')
    const { causes, newest, letters: count } = await summarize(world.log, [DLQ, `dlq.${CLICKSTREAM}`], ALL)
    expect(count).toBe(7)
    expect(causes.map((c) => `${c.letters} ${c.reason}: ${c.message}`)).toEqual([
      '3 unknown_format: Neither the Confluent wire format (first byte 0) nor a JSON object',
      '2 unknown_schema: Schema N is not in the registry',
      expect.stringMatching(/^1 bad_json: ./),
      expect.stringMatching(/^1 invalid_event: user_id: required/),
    ])
    expect(causes.every((c) => c.topic === ORDERS && c.replayed === 0 && c.firstMs <= c.lastMs)).toBe(true)
    expect(newest.map(({ letter }) => letter.id)).toEqual([6, 5, 4, 3, 2, 1, 0].map((n) => `${DLQ}:0:${n}`))
    expect((await summarize(world.log, [DLQ], { ...ALL, limit: 2 })).newest).toHaveLength(2)
    expect((await summarize(world.log, [DLQ], { ...ALL, sinceMs: world.clock.now() + 1 })).letters).toBe(0)
  })

  it('say where the record came from, with its own headers, key and bytes', async () => {
    const world = await worldWithLetters()
    const found = await deadLetter(world.log, `${DLQ}:0:2`)
    const [, , dead] = world.log.records({ topic: ORDERS, partition: found!.letter.source.partition })
    expect(found).toMatchObject({
      replayed: false,
      letter: {
        reason: 'invalid_event',
        key: 'ada',
        headers: { trace: 't' },
        source: { topic: ORDERS, offset: 2, appendedAtMs: dead!.appendedAtMs },
      },
    })
    expect(found!.letter.value).toEqual(dead!.value)
    for (const id of [`${DLQ}:0:3`, `${DLQ}:1:0`, `${DLQ}:0:0x`]) expect(await deadLetter(world.log, id)).toBeNull()
  })

  it('of the largest record that a log takes is no larger itself: only its beginning is kept, and it never comes back', async () => {
    const world = await emptyWorld()
    await append(world, ORDERS, Buffer.alloc(1_000_000, 'x'))
    await runStreams(world, 'first')
    const found = await deadLetter(world.log, `${DLQ}:0:0`)
    expect(found!.letter).toMatchObject({ cutFromBytes: 1_000_000, reason: 'unknown_format', headers: { trace: 't' } })
    expect(found!.letter.value.length).toBe(900_000)
    expect(await replay(world, letters(found))).toMatchObject([
      { outcome: 'refused', message: 'Of 1000000 bytes only the first 900000 were kept' },
    ])
  })

  it('that were published twice are one', async () => {
    const world = await worldWithLetters()
    const [first] = world.log.records({ topic: DLQ, partition: 0 })
    await world.log.append([{ topic: DLQ, key: first!.key, value: first!.value, headers: { ...first!.headers } }])
    expect((await summarize(world.log, [DLQ], ALL)).letters).toBe(3)
    await registerOrders(world)
    expect(outcomes(await replay(world, letters(await deadLetter(world.log, `${DLQ}:0:3`))))).toEqual(['replayed'])
    expect((await deadLetter(world.log, `${DLQ}:0:0`))?.replayed).toBe(true)
  })
})

describe('a replay', () => {
  it('tells in a dry run what would go back and what still fails, and changes nothing', async () => {
    const world = await worldWithLetters()
    expect(outcomes(await replay(world, deadLetters(world.log, DLQ), { dryRun: true }))).toEqual([
      'refused',
      'refused',
      'refused',
    ])
    await registerOrders(world)
    const before = JSON.stringify([ORDERS, DLQ].map((topic) => world.log.records({ topic, partition: 0 }).length))
    const results = await replay(world, deadLetters(world.log, DLQ), { dryRun: true })
    expect(outcomes(results)).toEqual(['replayed', 'replayed', 'refused'])
    expect(results[2]).toMatchObject({ reason: 'invalid_event', message: expect.stringContaining('user_id: required') })
    expect(JSON.stringify([ORDERS, DLQ].map((topic) => world.log.records({ topic, partition: 0 }).length))).toBe(before)
  })

  it('brings back what can be read now, once: a second one does nothing and says so', async () => {
    const world = await worldWithLetters()
    await registerOrders(world)
    expect(outcomes(await replay(world, deadLetters(world.log, DLQ)))).toEqual(['replayed', 'replayed', 'refused'])
    expect(outcomes(await replay(world, deadLetters(world.log, DLQ)))).toEqual([
      'replayed_before',
      'replayed_before',
      'refused',
    ])
    await runStreams(world, 'second')
    expect(revenue(world)).toEqual({ orders: 2, minor: 2_000 })
    expect(duplicates(world)).toBe(0)
    const { causes } = await summarize(world.log, [DLQ], ALL)
    expect(causes.map(({ reason, letters: count, replayed }) => [reason, count, replayed])).toEqual([
      ['unknown_schema', 2, 2],
      ['invalid_event', 1, 0],
    ])
  })

  it('that dies before its note is written appends again, and the streams count it once', async () => {
    const world = await worldWithLetters()
    await registerOrders(world)
    let appends = 0
    const dying: World['log'] = {
      ...world.log,
      append: (records) => (++appends === 2 ? Promise.reject(new Error('killed')) : world.log.append(records)),
    }
    await expect(replay(world, deadLetters(world.log, DLQ), { log: dying })).rejects.toThrow('killed')
    expect(outcomes(await replay(world, deadLetters(world.log, DLQ)))).toEqual(['replayed', 'replayed', 'refused'])
    await runStreams(world, 'second')
    expect(revenue(world)).toEqual({ orders: 2, minor: 2_000 })
    expect(duplicates(world)).toBe(2)
  })

  it('of JSON without an id and a time keeps those of the place where it first lay', async () => {
    const world = await emptyWorld()
    // As a reader would leave it that knew no JSON.
    const headers = {
      id: `dead/${CLICKSTREAM}/2/41`,
      topic: CLICKSTREAM,
      partition: '2',
      offset: '41',
      appended_at_ms: String(SIM_START_MS - 5_000),
    }
    const value = Buffer.from('{"event_type":"page_view","user_id":"ada"}')
    await world.log.append([
      { topic: `dlq.${CLICKSTREAM}`, key: 'ada', value, headers: { ...headers, error_class: 'unknown_format' } },
    ])
    const [result] = await replay(world, deadLetters(world.log, `dlq.${CLICKSTREAM}`))
    const { to } = result as Extract<ReplayOutcome, { outcome: 'replayed' }>
    const [record] = await world.log.read(to!, to!.offset, 1)
    expect(record!.headers).toEqual({ replayed_from: `${CLICKSTREAM}:2:41` })
    expect((await describeValue(record!.value, world.registry)).json).toMatchObject({
      event_id: `${CLICKSTREAM}/2/41`,
      event_time: SIM_START_MS - 5_000,
    })
  })
})

describe('the bytes of a dead letter', () => {
  const registry = createMemoryRegistry()
  it.each([
    ['JSON', '{"a":1}', 'JSON', '{\n  "a": 1\n}'],
    ['text', 'tea & çay', 'text', 'tea & çay'],
    ['nothing', '', 'empty', ''],
    [
      'what would move the cursor',
      'a\x1b[2Jb',
      'binary',
      '00000000  61 1b 5b 32 4a 62                                a.[2Jb',
    ],
    ['bytes', Buffer.from([0xff, 0x41]), 'binary', '00000000  ff 41                                            .A'],
  ])('that are %s are shown as such', async (_, value, format, text) => {
    expect(await describeValue(Buffer.from(value), registry)).toMatchObject({ format, text })
  })

  it('that are Avro are shown as what they say, or in hexadecimal where nobody knows', async () => {
    const value = (await createEncoder(ORDERS, registry))(order('o-1'))
    expect(await describeValue(value, registry)).toMatchObject({
      format: 'Avro by schema 1',
      json: { order_id: 'o-1', amount_minor: 1_000 },
    })
    value.writeUInt32BE(99, 1)
    const { format, text } = await describeValue(value, registry)
    expect(format).toContain('schema 99, not readable as such (Schema 99 is not in the registry)')
    expect(text).toMatch(/^00000000 {2}00 00 00 00 63 /)
  })
})

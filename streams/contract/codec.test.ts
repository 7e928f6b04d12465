/** Values of the log: what is written is read back, across schema versions too, and what can't be read says why. */
import avro, { type Schema } from 'avsc'
import fc, { type Arbitrary } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createMemoryRegistry } from '../testing/memory-registry.ts'
import { subjectOf, VALUE_SCHEMAS } from './avro.ts'
import {
  createDecoder,
  createEncoder,
  type SchemaRegistry,
  UNKNOWN_FOR_MS,
  Undecodable,
  UnknownSchema,
} from './codec.ts'
import { CLICK_TYPES, type ClickstreamEvent, type EventOf, ORDER_STATUSES, type Order, type Trip } from './events.ts'
import { EVENT_TIME_MIN, FUTURE_MAX_MS } from './input.ts'
import { CLICKSTREAM, type InputTopic, ORDERS, TRIPS } from './topics.ts'

const at = { appendedAtMs: Date.UTC(2026, 0, 31, 12), partition: 2, offset: 41 }

// Well-formed text: UTF-8 has no lone surrogates, so they can't come back.
const text = fc.string({ unit: 'grapheme' })
const maybe = <T>(value: Arbitrary<T>) => fc.option(value, { nil: null })
// avsc refuses 2^53 − 1 itself; no event comes near: times end at 8.64e15.
const integer = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER - 1 })
// What a job can compute on: see `unusable` in input.ts.
const eventTime = fc.integer({ min: EVENT_TIME_MIN, max: at.appendedAtMs + FUTURE_MAX_MS })
const key = fc.string({ unit: 'grapheme', minLength: 1 })
const times = { event_time: eventTime, original_time: maybe(integer), sent_at: maybe(integer), received_at: integer }

const click: Arbitrary<ClickstreamEvent> = fc.record({
  event_id: text,
  event_type: fc.constantFrom(...CLICK_TYPES),
  user_id: key,
  anonymous_id: maybe(text),
  session_id: maybe(text),
  page_url: maybe(text),
  referrer: maybe(text),
  product_id: maybe(text),
  category: maybe(text),
  order_id: maybe(text),
  revenue_minor: maybe(integer),
  currency: maybe(text),
  region: maybe(text),
  device: maybe(text),
  properties: maybe(fc.oneof(text, fc.string({ minLength: 1_000, maxLength: 3_000 }))),
  bot: maybe(fc.boolean()),
  ...times,
})
const order: Arbitrary<Order> = fc.record({
  order_id: text,
  user_id: key,
  product_id: maybe(text),
  category: maybe(text),
  quantity: maybe(integer),
  amount_minor: integer,
  currency: text,
  region: maybe(text),
  status: fc.constantFrom(...ORDER_STATUSES),
  properties: maybe(text),
  ...times,
})
const trip: Arbitrary<Trip> = fc.record({
  trip_id: text,
  region_id: key,
  fare_minor: integer,
  currency: text,
  duration_s: integer,
  distance_m: integer,
  properties: maybe(text),
  ...times,
})
const anOrder = fc.sample(order, { seed: 1, numRuns: 1 })[0]!

/** A value as another producer would write it with this schema. */
async function written(registry: SchemaRegistry, topic: InputTopic, schema: Schema, value: unknown): Promise<Buffer> {
  const id = await registry.register(subjectOf(topic), schema)
  const header = Buffer.alloc(5)
  header.writeUInt32BE(id, 1)
  return Buffer.concat([header, avro.Type.forSchema(schema, { logicalTypes: {} }).toBuffer(value)])
}

async function decode<T extends InputTopic>(registry: SchemaRegistry, topic: T, value: Buffer): Promise<EventOf[T]> {
  const decoder = createDecoder(topic, registry, 'TRY')
  await decoder.prepare([{ value }])
  return decoder.decode(value, at)
}

async function reasonOf(registry: SchemaRegistry, topic: InputTopic, value: Buffer): Promise<string> {
  try {
    await decode(registry, topic, value)
    return 'decoded'
  } catch (error) {
    if (!(error instanceof Undecodable)) throw error
    expect(error.message.length).toBeGreaterThan(10)
    return error.reason
  }
}

describe('an encoded event', () => {
  async function roundTrip<T extends InputTopic>(topic: T, events: Arbitrary<EventOf[T]>) {
    const registry = createMemoryRegistry()
    const encode = await createEncoder(topic, registry)
    const decoder = createDecoder(topic, registry, 'TRY')
    await fc.assert(
      fc.asyncProperty(fc.array(events, { minLength: 1, maxLength: 5 }), async (batch) => {
        const values = batch.map(encode)
        await decoder.prepare(values.map((value) => ({ value })))
        expect(values.map((value) => ({ ...decoder.decode(value, at) }))).toEqual(batch)
      }),
      { numRuns: 200 },
    )
  }

  it('is a click when it was a click', () => roundTrip(CLICKSTREAM, click))
  it('is an order when it was an order', () => roundTrip(ORDERS, order))
  it('is a trip when it was a trip', () => roundTrip(TRIPS, trip))

  it('begins with byte 0 and the schema id, big-endian', async () => {
    const registry = createMemoryRegistry()
    await registry.register('other', { type: 'fixed', name: 'F', size: 1 })
    const value = (await createEncoder(ORDERS, registry))(anOrder)
    expect([...value.subarray(0, 5)]).toEqual([0, 0, 0, 0, 2])
  })

  it('keeps its bytes when the next one is encoded, also one larger than any before', async () => {
    const encode = await createEncoder(ORDERS, createMemoryRegistry())
    const first = encode(anOrder)
    const before = Buffer.from(first)
    const large = encode({ ...anOrder, properties: 'p'.repeat(300_000) })
    expect(first).toEqual(before)
    expect(large.length).toBeGreaterThan(300_000)
    expect([...large.subarray(0, 5)]).toEqual([...first.subarray(0, 5)])
    expect(encode(anOrder)).toEqual(first)
  })
})

describe('an event of a producer that checks nothing', () => {
  it('has half surrogate pairs of its JSON replaced, as UTF-8 would', async () => {
    const value = Buffer.from('{"order_id":"o","user_id":"a\\ud800b","amount":1}')
    expect((await decode(createMemoryRegistry(), ORDERS, value)).user_id).toBe('a\ufffdb')
  })

  it.each([
    ['a time before 1990', { event_time: EVENT_TIME_MIN - 1 }],
    ['a time more than a day ahead of the log', { event_time: at.appendedAtMs + FUTURE_MAX_MS + 1 }],
    ['a time that no date has', { event_time: 9e15 }],
    ['no user', { user_id: '' }],
  ])('is refused with %s', async (_what, change) => {
    const registry = createMemoryRegistry()
    const encode = await createEncoder(ORDERS, registry)
    expect(await reasonOf(registry, ORDERS, encode({ ...anOrder, ...change }))).toBe('invalid_event')
  })
})

describe('schemas that grow', () => {
  type RecordSchema = { type: 'record'; name: string; namespace: string; fields: { name: string }[] }
  const current = VALUE_SCHEMAS[ORDERS] as unknown as RecordSchema // avsc's Schema is a union that hides the fields

  it('are read by newer code, with defaults for what the old one lacked', async () => {
    const later = ['product_id', 'category', 'quantity', 'region', 'properties', 'original_time', 'sent_at']
    const old = { ...current, fields: current.fields.filter((f) => !later.includes(f.name)) } as Schema
    const registry = createMemoryRegistry()
    const event = await decode(registry, ORDERS, await written(registry, ORDERS, old, anOrder))
    expect({ ...event }).toEqual({ ...anOrder, ...Object.fromEntries(later.map((name) => [name, null])) })
  })

  it('are read by older code, without what it does not know', async () => {
    const newer = {
      ...current,
      fields: [{ name: 'coupon', type: ['null', 'string'], default: null }, ...current.fields],
    } as unknown as Schema // as above
    const registry = createMemoryRegistry()
    const value = await written(registry, ORDERS, newer, { ...anOrder, coupon: 'SPRING' })
    expect({ ...(await decode(registry, ORDERS, value)) }).toEqual(anOrder)
  })

  it('may bring a new kind of click, which older code reads as custom', async () => {
    const clicks = VALUE_SCHEMAS[CLICKSTREAM] as unknown as RecordSchema // as above
    const newer = JSON.parse(JSON.stringify(clicks).replace('"custom"]', '"custom","wishlist"]')) as Schema
    const registry = createMemoryRegistry()
    const event = fc.sample(click, { seed: 1, numRuns: 1 })[0]!
    const value = await written(registry, CLICKSTREAM, newer, { ...event, event_type: 'wishlist' })
    expect(await decode(registry, CLICKSTREAM, value)).toMatchObject({ event_type: 'custom', event_id: event.event_id })
  })

  it('are told apart within one batch', async () => {
    const registry = createMemoryRegistry()
    const old = { ...current, fields: current.fields.filter((f) => f.name !== 'region') } as Schema
    const values = [
      await written(registry, ORDERS, old, anOrder),
      (await createEncoder(ORDERS, registry))({ ...anOrder, region: 'north' }),
      await written(registry, ORDERS, old, anOrder),
    ]
    const decoder = createDecoder(ORDERS, registry, 'TRY')
    await decoder.prepare(values.map((value) => ({ value })))
    expect(values.map((value) => decoder.decode(value, at).region)).toEqual([null, 'north', null])
    expect(decoder.prepare(values.map((value) => ({ value })))).toBeUndefined()
  })
})

describe('plain JSON', () => {
  const json = (value: unknown) => Buffer.from(JSON.stringify(value))

  it('is read in the HTTP form, with the append time as time of arrival', async () => {
    const value = json({ order_id: 'o', user_id: 'u', amount: 1.005 })
    expect(await decode(createMemoryRegistry(), ORDERS, value)).toMatchObject({
      order_id: 'o',
      amount_minor: 101,
      currency: 'TRY',
      event_time: at.appendedAtMs,
      received_at: at.appendedAtMs,
    })
  })

  it('without an id gets one from its position, so that a replay gives the same', async () => {
    const event = await decode(createMemoryRegistry(), CLICKSTREAM, json({ event_type: 'page_view', user_id: 'u' }))
    expect(event.event_id).toBe('clickstream.events/2/41')
  })
})

describe('a poisoned value', () => {
  const registry = createMemoryRegistry()
  const good = async () => (await createEncoder(ORDERS, registry))(anOrder)

  it.each([
    ['an empty value', Buffer.alloc(0), 'unknown_format'],
    ['a header cut short', Buffer.from([0, 0, 0]), 'unknown_format'],
    ['another format', Buffer.from('<order/>'), 'unknown_format'],
    ['a JSON array', Buffer.from('[]'), 'unknown_format'],
    ['broken JSON', Buffer.from('{"order_id":'), 'bad_json'],
    ['JSON that is not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 'bad_json'],
    ['JSON that is no order', Buffer.from('{"order_id":"o"}'), 'invalid_event'],
    ['a schema that does not exist', Buffer.from([0, 0, 0, 0x30, 0x39, 1, 2, 3]), 'unknown_schema'],
  ])('%s is refused as such', async (_, value, reason) => {
    expect(await reasonOf(registry, ORDERS, value)).toBe(reason)
  })

  it('cut short or with bytes too many is bad Avro', async () => {
    const value = await good()
    expect(await reasonOf(registry, ORDERS, value.subarray(0, value.length - 1))).toBe('bad_avro')
    expect(await reasonOf(registry, ORDERS, value.subarray(0, 5))).toBe('bad_avro')
    expect(await reasonOf(registry, ORDERS, Buffer.concat([value, Buffer.from([0])]))).toBe('bad_avro')
  })

  it('of a schema that has nothing to do with the topic is refused by its schema', async () => {
    const value = await written(registry, ORDERS, { type: 'record', name: 'Pear', fields: [] }, {})
    expect(await reasonOf(registry, ORDERS, value)).toBe('unknown_schema')
  })

  it('of random bytes is refused or read, never anything else', async () => {
    const id = await registry.register(subjectOf(ORDERS), VALUE_SCHEMAS[ORDERS])
    const decoder = createDecoder(ORDERS, registry, 'TRY')
    const header = Buffer.alloc(5)
    header.writeUInt32BE(id, 1)
    await decoder.prepare([{ value: header }])
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
        try {
          decoder.decode(Buffer.concat([header, bytes]), at)
        } catch (error) {
          expect(error).toBeInstanceOf(Undecodable)
        }
      }),
      { numRuns: 3_000 },
    )
  })

  it('is told from a registry that does not answer', async () => {
    const down: SchemaRegistry = {
      register: () => Promise.reject(new Error('down')),
      schema: () => Promise.reject(new Error('down')),
    }
    await expect(createDecoder(ORDERS, down, 'TRY').prepare([{ value: await good() }])).rejects.toThrow('down')
  })
})

describe('a schema that the registry does not know', () => {
  /** Counts what it is asked; knows the orders' schema as `id` from when it is told to. */
  function askedRegistry(id: number) {
    const asked: number[] = []
    const state = { answers: true, knows: false }
    const registry: SchemaRegistry = {
      register: () => Promise.reject(new Error('nobody registers here')),
      async schema(wanted) {
        asked.push(wanted)
        if (!state.answers) throw new Error('no answer')
        if (wanted !== id || !state.knows) throw new UnknownSchema(`Schema ${wanted} is not in the registry`)
        return VALUE_SCHEMAS[ORDERS]
      },
    }
    return { registry, asked, state }
  }
  async function orderOfSchema(id: number): Promise<Buffer> {
    const value = (await createEncoder(ORDERS, createMemoryRegistry()))(anOrder)
    value.writeUInt32BE(id, 1)
    return value
  }
  const reader = (registry: SchemaRegistry, now: () => number) => {
    const decoder = createDecoder(ORDERS, registry, 'TRY', now)
    return async (...values: Buffer[]): Promise<string[]> => {
      await decoder.prepare(values.map((value) => ({ value })))
      return values.map((value) => {
        try {
          return decoder.decode(value, at).order_id
        } catch (error) {
          return (error as Undecodable).reason
        }
      })
    }
  }

  it('is asked for again after a while and not before, so that one that comes later is seen', async () => {
    const { registry, asked, state } = askedRegistry(7)
    let nowMs = 1_000_000
    const read = reader(registry, () => nowMs)
    const value = await orderOfSchema(7)
    expect(await read(value)).toEqual(['unknown_schema'])
    state.knows = true
    nowMs += UNKNOWN_FOR_MS - 1
    expect(await read(value, value)).toEqual(['unknown_schema', 'unknown_schema'])
    expect(asked).toEqual([7])
    nowMs += 1
    expect(await read(value)).toEqual([anOrder.order_id])
    nowMs += 10 * UNKNOWN_FOR_MS
    expect(await read(value)).toEqual([anOrder.order_id])
    expect(asked).toEqual([7, 7])
  })

  it('is not the same as one that can not be asked for: nothing is read, nothing is remembered', async () => {
    const { registry, asked, state } = askedRegistry(7)
    Object.assign(state, { answers: false, knows: true })
    const read = reader(registry, () => 0)
    const value = await orderOfSchema(7)
    for (let i = 0; i < 3; i++) await expect(read(value)).rejects.toThrow('no answer')
    state.answers = true
    expect(await read(value)).toEqual([anOrder.order_id])
    expect(asked).toEqual([7, 7, 7, 7])
  })

  it('costs no more than a few questions at a time, and little memory, however many ids there are', async () => {
    const { registry, state } = askedRegistry(7)
    state.knows = true
    let atOnce = 0
    let atOnceMax = 0
    const busy: SchemaRegistry = {
      ...registry,
      async schema(id) {
        atOnceMax = Math.max(atOnceMax, ++atOnce)
        await new Promise(setImmediate)
        atOnce--
        return registry.schema(id)
      },
    }
    const read = reader(busy, () => 0)
    const poison = await Promise.all(Array.from({ length: 3_000 }, (_, i) => orderOfSchema(1_000 + i)))
    expect(new Set(await read(...poison))).toEqual(new Set(['unknown_schema']))
    expect(await read(poison[0]!, await orderOfSchema(7))).toEqual(['unknown_schema', anOrder.order_id])
    expect(atOnceMax).toBeGreaterThan(1)
    expect(atOnceMax).toBeLessThanOrEqual(8)
  })

  it('that no reader can make sense of is a dead letter, not a reason to wait', async () => {
    const broken: SchemaRegistry = {
      register: () => Promise.reject(new Error('nobody registers here')),
      schema: async () =>
        ({ type: 'record', name: 'Order', fields: [{ name: 'a', type: 'elsewhere.Type' }] }) as Schema,
    }
    expect(await reader(broken, () => 0)(await orderOfSchema(7))).toEqual(['unknown_schema'])
  })
})

/**
 * Random little worlds for the simulation: few users and products over some hours, with everything that goes wrong in the field: disorder, late
 * events, duplicates, clocks from the future, gaps in time, and bytes that nobody can read.
 */
import { createEncoder, type SchemaRegistry } from '../contract/codec.ts'
import { erasureRecord } from '../contract/erasure.ts'
import { CLICK_TYPES, type ClickstreamEvent, keyOf, type Order, type Trip } from '../contract/events.ts'
import { CLICKSTREAM, ORDERS, TRIPS } from '../contract/topics.ts'
import type { NewRecord } from '../log/event-log.ts'
import type { Random } from './random.ts'

const MINUTE_MS = 60_000
const PRODUCTS = ['kettle', 'lamp', 'novel', 'scarf']
const USERS = ['ada', 'ben', 'cem', 'dua', 'eda', 'fay', 'gül', '李']

/** Records in arrival order, each with how far event time moves on before it. */
export async function createWorkload(
  random: Random,
  registry: SchemaRegistry,
  size: number,
  startMs: number,
): Promise<NewRecord[]> {
  const clicks = await createEncoder(CLICKSTREAM, registry)
  const orders = await createEncoder(ORDERS, registry)
  const trips = await createEncoder(TRIPS, registry)
  const records: NewRecord[] = []
  let nowMs = startMs
  let burst = { left: 0, user: '' }
  for (let i = 0; i < size; i++) {
    if (burst.left > 0) {
      burst.left--
      nowMs += random.int(3_000)
      const event = { ...randomOrder(random, i, timesAt(random, nowMs)), user_id: burst.user }
      records.push({ topic: ORDERS, key: keyOf[ORDERS](event), value: orders(event) })
      continue
    }
    if (random.chance(0.02)) burst = { left: 4 + random.int(5), user: random.pick(USERS) }
    nowMs += random.chance(0.05) ? random.int(45 * MINUTE_MS) : random.int(20_000)
    const again =
      records.length > 0 && random.chance(0.05) ? records.at(-1 - random.int(Math.min(10, records.length))) : undefined
    if (again) {
      records.push(again)
      continue
    }
    const kind = random.next()
    const times = timesAt(random, nowMs)
    if (kind < 0.02) records.push(poison(random, i))
    else if (kind < 0.5) {
      const event = randomClick(random, i, times)
      records.push({ topic: CLICKSTREAM, key: keyOf[CLICKSTREAM](event), value: clicks(event) })
    } else if (kind < 0.85) {
      const event = randomOrder(random, i, times)
      records.push({ topic: ORDERS, key: keyOf[ORDERS](event), value: orders(event) })
    } else {
      const event = randomTrip(random, i, times)
      records.push({ topic: TRIPS, key: keyOf[TRIPS](event), value: trips(event) })
    }
  }
  return records
}

/** The same workload, in the midst of which a few persons ask to be forgotten, everywhere, and go on as if nothing had been. */
export function withErasures(random: Random, workload: readonly NewRecord[]): NewRecord[] {
  const records = [...workload]
  for (let n = 1 + random.int(4); n > 0; n--) {
    const user = random.pick(USERS)
    const subject_id = random.chance(0.8) ? user : `anonymous-${user}`
    const erasure = { erasure_id: `erasure-${n}`, subject_id, requested_at: 0 }
    const at = random.int(records.length)
    records.splice(at, 0, ...([CLICKSTREAM, ORDERS] as const).map((topic) => erasureRecord(topic, erasure)))
  }
  return records
}

type Times = Pick<Order, 'event_time' | 'original_time' | 'sent_at' | 'received_at'>

function timesAt(random: Random, nowMs: number): Times {
  let eventTime = nowMs - random.int(8_000)
  if (random.chance(0.1)) eventTime -= random.int(60 * MINUTE_MS)
  if (random.chance(0.01)) eventTime += random.int(20 * MINUTE_MS)
  return { event_time: eventTime, original_time: null, sent_at: null, received_at: nowMs }
}

function poison(random: Random, i: number): NewRecord {
  const values = [
    Buffer.from('not avro'),
    Buffer.from([0, 0, 0, 0, 99, 1]),
    Buffer.alloc(0),
    Buffer.from('{"half":'),
    Buffer.from([0, 0, 0, 0, 1, 255]),
  ]
  return { topic: random.pick([CLICKSTREAM, ORDERS, TRIPS]), key: `poison-${i}`, value: random.pick(values) }
}

function randomClick(random: Random, i: number, times: Times): ClickstreamEvent {
  const type = random.pick(CLICK_TYPES)
  const bought = type === 'purchase'
  const user = random.pick(USERS)
  const known = random.chance(0.8)
  return {
    event_id: `click-${i}`,
    event_type: type,
    user_id: known ? user : null,
    anonymous_id: known ? null : `anonymous-${user}`,
    session_id: null,
    page_url: random.chance(0.9) ? `/${random.pick(PRODUCTS)}` : null,
    referrer: null,
    product_id: random.chance(0.8) ? random.pick(PRODUCTS) : null,
    category: null,
    order_id: bought && random.chance(0.5) ? `order-${i}` : null,
    revenue_minor: bought ? random.int(100_000) : null,
    currency: bought ? random.pick(['TRY', 'EUR']) : null,
    region: null,
    device: null,
    properties: null,
    bot: null,
    ...times,
  }
}

function randomOrder(random: Random, i: number, times: Times): Order {
  return {
    order_id: `order-${i}`,
    user_id: random.pick(USERS.slice(0, 4)),
    product_id: random.chance(0.9) ? random.pick(PRODUCTS) : null,
    category: random.chance(0.9) ? random.pick(['home', 'books', 'a|b']) : null,
    quantity: null,
    // Many above the fraud rule's 5000.00, so that matches form, change and dissolve all the time.
    amount_minor: random.chance(0.7) ? 500_001 + random.int(1_000_000) : random.int(500_001),
    currency: random.chance(0.9) ? 'TRY' : 'EUR',
    region: null,
    status: random.pick(['success', 'success', 'success', 'failed', 'refunded']),
    properties: null,
    ...times,
  }
}

function randomTrip(random: Random, i: number, times: Times): Trip {
  return {
    trip_id: `trip-${i}`,
    region_id: String(random.int(5)),
    fare_minor: random.int(10_000),
    currency: 'TRY',
    duration_s: random.int(3_600),
    distance_m: random.int(50_000),
    properties: null,
    ...times,
  }
}

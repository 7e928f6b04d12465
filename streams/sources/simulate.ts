/**
 * The simulator: a shop's visitors, its orders, and a city's trips, as a seeded sequence of events in the order they arrive.
 *
 * Sits before the edge: it yields the HTTP form of `contract/input.ts` with the time of arrival, and knows neither a clock nor the network.
 * Invariant: the same options give the same events. It has the faults of real traffic: duplicates, disorder of up to 8 s, and a few
 * events that come minutes too late.
 */
import { CLICKSTREAM, type InputTopic, ORDERS, TRIPS } from '../contract/topics.ts'
import { ArrivalQueue } from './arrival-queue.ts'
import { CATEGORIES, DEVICES, DISTRICTS, PAGES, REFERRERS, REGIONS } from './catalog.ts'
import { createRandom, type Random } from './random.ts'

export interface SimulateOptions {
  seed: number
  /** Arrival time of the first event, epoch ms. Part of every id, so that a later run with the same seed brings new events. */
  startMs: number
  /** Events per second of arrival time, on average. Default 50. */
  rate?: number
  /** How many events to yield; default without end. */
  events?: number
  /** Size of the population that users come from. Default 20,000. */
  users?: number
}

export interface SimulatedEvent {
  topic: InputTopic
  event: SimulatedClick | SimulatedOrder | SimulatedTrip
  /** Epoch ms; never falls from one event to the next. */
  arrivalMs: number
}

export interface SimulatedClick {
  event_id: string
  event_type: 'page_view' | 'product_view' | 'add_to_cart' | 'checkout' | 'purchase'
  event_time: number
  user_id?: string
  anonymous_id: string
  session_id: string
  page_url: string
  referrer?: string
  product_id?: string
  category?: string
  order_id?: string
  revenue?: number
  currency?: string
  region: string
  device: string
}

export interface SimulatedOrder {
  order_id: string
  user_id: string
  event_time: number
  product_id: string
  category: string
  quantity: number
  amount: number
  currency: 'TRY'
  region: string
  status: 'success' | 'failed' | 'refunded'
}

export interface SimulatedTrip {
  trip_id: string
  region_id: string
  event_time: number
  fare: number
  currency: 'TRY'
  duration: number
  distance: number
}

/** Shares of the traffic; exported so that tests can hold the simulator to them. */
export const SHARES = {
  trips: 0.12,
  duplicates: 0.01,
  disordered: 0.02,
  late: 0.001,
  failedOrders: 0.05,
  refundedOrders: 0.02,
} as const
export const DISORDER_MAX_MS = 8_000
/** What the fraud-detector's default rule looks for: orders above this, three or more of one user within five minutes. */
export const FRAUD_AMOUNT = 5_000
const FRAUD_EVERY_MS = 90_000
const MINUTE_MS = 60_000

/** What a visitor does next, by what it did last: cumulative probabilities; the rest leaves. */
const NEXT: Record<SimulatedClick['event_type'], readonly [SimulatedClick['event_type'], number][]> = {
  page_view: [
    ['page_view', 0.3],
    ['product_view', 0.78],
  ],
  product_view: [
    ['product_view', 0.42],
    ['page_view', 0.55],
    ['add_to_cart', 0.74],
  ],
  add_to_cart: [
    ['product_view', 0.3],
    ['checkout', 0.75],
  ],
  checkout: [
    ['purchase', 0.68],
    ['page_view', 0.75],
  ],
  purchase: [['page_view', 0.15]],
}

interface Product {
  id: string
  category: string
  priceMinor: number
}

interface Visitor {
  user: string | undefined
  anonymous: string
  session: string
  region: string
  device: string
  referrer: string | null
  last: SimulatedClick['event_type']
  product: Product
  page: string
}

/** Endless unless `events` is given. */
export function* simulate(options: SimulateOptions): Generator<SimulatedEvent, void, undefined> {
  const { seed, startMs, rate = 50, events = Number.POSITIVE_INFINITY, users = 20_000 } = options
  const random = createRandom(seed)
  const run = `${seed.toString(36)}${Math.trunc(startMs).toString(36)}`
  const shop = createShop(random)
  const pending = new ArrivalQueue<SimulatedEvent>()
  // A visitor clicks every 20 s or so: that many have to be there at once to make the rate.
  const visitors: Visitor[] = []
  const present = Math.min(50_000, Math.max(8, Math.round(rate * 20)))
  let ids = 0
  const id = (kind: string) => `${kind}-${run}-${(ids++).toString(36)}`

  // Two visits of the same person may overlap, as tabs do.
  const arrive = (): Visitor => {
    const person = Math.floor(users * random.next() ** 2)
    return {
      user: person % 5 < 3 ? `user-${person}` : undefined,
      anonymous: `anon-${person}`,
      session: id('s'),
      region: skewed(random, REGIONS),
      device: DEVICES[random.below(DEVICES.length)]!,
      referrer: REFERRERS[random.below(REFERRERS.length)]!,
      last: 'page_view',
      product: shop.pick(random),
      page: PAGES[0],
    }
  }

  const click = (at: number): SimulatedEvent => {
    // At the start the shop fills while its first visitors already go on.
    const fill = visitors.length < present && random.chance(0.35)
    const index = fill ? visitors.length : random.below(Math.max(1, visitors.length))
    let visitor = visitors[index]
    const step = visitor && nextStep(random, visitor.last)
    if (!visitor || !step) {
      visitor = arrive()
      visitors[index] = visitor
    } else {
      visitor.last = step
    }
    if (visitor.last === 'checkout') visitor.user ??= visitor.anonymous.replace('anon', 'user')
    if (visitor.last === 'purchase') return purchase(visitor, at)
    return clicked(visitor, at)
  }

  const clicked = (visitor: Visitor, at: number): SimulatedEvent => {
    const { last } = visitor
    const event: SimulatedClick = {
      event_id: id('e'),
      event_type: last,
      event_time: at,
      anonymous_id: visitor.anonymous,
      session_id: visitor.session,
      page_url: '',
      region: visitor.region,
      device: visitor.device,
    }
    if (visitor.user) event.user_id = visitor.user
    if (last === 'page_view') {
      visitor.page = PAGES[random.below(PAGES.length)]!
      if (visitor.referrer) event.referrer = visitor.referrer
      visitor.referrer = null
      event.page_url = visitor.page
    } else if (last === 'checkout' || last === 'purchase') {
      event.page_url = last === 'checkout' ? '/checkout' : '/thank-you'
    } else {
      if (last === 'product_view') visitor.product = shop.pick(random)
      event.product_id = visitor.product.id
      event.category = visitor.product.category
      event.page_url = `/p/${visitor.product.id}`
    }
    return { topic: CLICKSTREAM, event, arrivalMs: at }
  }

  const order = (
    visitor: Visitor,
    at: number,
    orderId: string,
    status: SimulatedOrder['status'],
    minor: number,
    quantity: number,
  ): SimulatedEvent => ({
    topic: ORDERS,
    event: {
      order_id: orderId,
      user_id: visitor.user ?? visitor.anonymous,
      event_time: at,
      product_id: visitor.product.id,
      category: visitor.product.category,
      quantity,
      amount: minor / 100,
      currency: 'TRY',
      region: visitor.region,
      status,
    },
    arrivalMs: at,
  })

  /** The order comes first; the click on "pay" that names it follows within the second. A failed payment is often tried again. */
  const purchase = (visitor: Visitor, at: number): SimulatedEvent => {
    const orderId = id('o')
    const quantity = random.chance(0.8) ? 1 : 2 + random.below(2)
    const minor = visitor.product.priceMinor * quantity
    const failed = random.chance(SHARES.failedOrders)
    if (failed && random.chance(0.5)) return order(visitor, at, orderId, 'failed', minor, quantity)
    const paidAt = failed ? at + random.between(15_000, MINUTE_MS) : at
    const thanks = clicked(visitor, Math.round(paidAt + random.between(50, 900)))
    Object.assign(thanks.event, {
      order_id: orderId,
      product_id: visitor.product.id,
      category: visitor.product.category,
      revenue: minor / 100,
      currency: 'TRY',
    })
    pending.push(thanks.arrivalMs, thanks)
    if (failed) pending.push(paidAt, order(visitor, Math.round(paidAt), orderId, 'success', minor, quantity))
    if (random.chance(SHARES.refundedOrders)) {
      const back = Math.round(paidAt + random.between(MINUTE_MS, 30 * MINUTE_MS))
      pending.push(back, order(visitor, back, orderId, 'refunded', minor, quantity))
    }
    return order(visitor, at, orderId, failed ? 'failed' : 'success', minor, quantity)
  }

  const trip = (at: number): SimulatedEvent => {
    const metres = Math.round(Math.min(60, Math.max(0.4, random.logNormal(Math.log(5.5), 0.6))) * 1000)
    const duration = Math.round(metres / random.between(4, 11))
    const fareMinor = 4_200 + Math.round((metres * 2_800) / 1_000 / 50) * 50
    const event: SimulatedTrip = {
      trip_id: id('t'),
      region_id: skewed(random, DISTRICTS),
      event_time: at,
      fare: fareMinor / 100,
      currency: 'TRY',
      duration,
      distance: metres / 1000,
    }
    return { topic: TRIPS, event, arrivalMs: at }
  }

  /** Three to five large orders of one user, the last within five minutes of the first. */
  const burst = (from: number): void => {
    const visitor = { ...arrive(), user: `user-${random.below(users)}` }
    const orders = 3 + random.below(3)
    let at = from
    for (let n = 0; n < orders; n++) {
      visitor.product = shop.pick(random)
      pending.push(
        at,
        order(
          visitor,
          at,
          id('o'),
          'success',
          Math.round(random.between(FRAUD_AMOUNT + 1, 4 * FRAUD_AMOUNT)) * 100 + 90,
          1,
        ),
      )
      at = Math.round(at + random.between(1_000, 50_000))
    }
  }

  let now = startMs
  let nextBurst = startMs + random.between(2_000, 6_000)
  let yielded = 0
  while (yielded < events) {
    const arrivalMs = Math.round(now)
    let item = pending.pop(arrivalMs)
    if (!item) {
      item = random.chance(SHARES.trips) ? trip(arrivalMs) : click(arrivalMs)
      const fate = random.next()
      if (fate < SHARES.disordered) {
        pending.push(arrivalMs + random.between(200, DISORDER_MAX_MS), item)
        continue
      }
      if (fate < SHARES.disordered + SHARES.late)
        item.event.event_time = Math.round(arrivalMs - random.between(MINUTE_MS, 60 * MINUTE_MS))
      else if (fate < SHARES.disordered + SHARES.late + SHARES.duplicates)
        pending.push(arrivalMs + random.between(0, 5_000), item)
    }
    if (now >= nextBurst) {
      burst(arrivalMs)
      nextBurst = now + random.exponential(FRAUD_EVERY_MS)
    }
    yielded++
    yield item.arrivalMs === arrivalMs ? item : { topic: item.topic, event: item.event, arrivalMs }
    now += random.exponential(1000 / rate)
  }
}

function nextStep(random: Random, last: SimulatedClick['event_type']): SimulatedClick['event_type'] | undefined {
  const roll = random.next()
  for (const [step, upTo] of NEXT[last]) if (roll < upTo) return step
  return undefined
}

/** The first of the list most, the last least. */
const skewed = <T>(random: Random, list: readonly T[]): T => list[Math.floor(list.length * random.next() ** 2)]!

function createShop(random: Random): { pick(random: Random): Product } {
  const weights = CATEGORIES.reduce((sum, c) => sum + c.weight, 0)
  const shelves = CATEGORIES.map((c) =>
    c.products.map((id): Product => {
      const price = Math.max(20, random.logNormal(Math.log(c.typicalPrice), 0.7))
      return { id, category: c.name, priceMinor: Math.round(price) * 100 - 10 }
    }),
  )
  return {
    pick(random) {
      let roll = random.next() * weights
      let at = 0
      while (at < CATEGORIES.length - 1 && roll >= CATEGORIES[at]!.weight) roll -= CATEGORIES[at++]!.weight
      return skewed(random, shelves[at]!)
    },
  }
}

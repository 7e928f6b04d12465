/**
 * Reads clicks and orders that are plain JSON on the log, in the form that machines write, without an object in between; about a tenth of what JSON.parse and
 * validation cost.
 *
 * Sits before `parseEvent`, which decides about everything else: escapes, nested values, a `sent_at`, and whatever is wrong. Invariant: an event that comes out here
 * is the one that `parseEvent` makes of the same bytes (the test compares them); where that can't be known, nothing comes out.
 */
import {
  CLICK_TYPES,
  type ClickstreamEvent,
  type ClickType,
  type EventOf,
  ORDER_STATUSES,
  type Order,
  type OrderStatus,
} from './events.ts'
import { EVENT_TIME_MIN, FUTURE_MAX_MS } from './input.ts'
import { JsonMembers, type MemberKind, type MemberSpec } from './json-members.ts'
import { AMOUNT_MAX, toMinor } from './money.ts'
import { parseTime, toEpochMs } from './time-text.ts'
import { CLICKSTREAM, type InputTopic, ORDERS } from './topics.ts'

/** @returns undefined for what is left to `parseEvent` */
export type JsonReader<E> = (value: Buffer, receivedAtMs: number, newId: () => string) => E | undefined

/** Limits as in input.ts: there in UTF-16 units, of which a text never has more than bytes. */
const text = (name: string, max = 200, min = 0): MemberSpec => ({ name, kind: 'text', max, min })
const other = (name: string, kind: MemberKind, max = 0): MemberSpec => ({ name, kind, max })
const common = [other('event_time', 'time', 40), other('sent_at', 'null'), other('properties', 'null')]

const CLICK = [
  text('event_id', 200, 1),
  text('event_type', 40),
  text('user_id', 200, 1),
  text('anonymous_id', 200, 1),
  text('session_id'),
  text('page_url', 2048),
  text('referrer', 2048),
  text('product_id'),
  text('category'),
  text('order_id'),
  other('revenue', 'number'),
  text('currency', 3, 3),
  text('region', 100),
  text('device', 100),
  other('bot', 'null'),
  ...common,
]
const ORDER = [
  text('order_id', 200, 1),
  text('user_id', 200, 1),
  text('product_id'),
  text('category'),
  other('quantity', 'number'),
  other('amount', 'number'),
  text('currency', 3, 3),
  text('region', 100),
  text('status', 40),
  ...common,
]
const CURRENCY = /^[A-Za-z]{3}$/
const QUANTITY_MAX = 1_000_000_000

/** Where a field stands among the specs. */
const slotsOf = (specs: readonly MemberSpec[]) => {
  const slots = new Map(specs.map(({ name }, slot) => [name, slot]))
  return (name: string): number => slots.get(name)!
}

/** A text member, or null where it is not wanted. */
const nothing = (): null => null

/**
 * @param reads the fields that are looked at; others, where they may be null, come out as null. All of them when missing.
 * @returns undefined for a topic that is always left to `parseEvent`
 */
export function jsonReader<T extends InputTopic>(
  topic: T,
  currency: string,
  reads?: ReadonlySet<string>,
): JsonReader<EventOf[T]> | undefined {
  if (topic === CLICKSTREAM) return clickReader(currency, reads) as JsonReader<EventOf[T]>
  if (topic === ORDERS) return orderReader(currency, reads) as JsonReader<EventOf[T]>
  return undefined
}

function clickReader(defaultCurrency: string, reads?: ReadonlySet<string>): JsonReader<ClickstreamEvent> {
  const isRead = (name: string): boolean => !reads || reads.has(name)
  const members = new JsonMembers(CLICK, isRead('properties'))
  const slot = slotsOf(CLICK)
  const textOf = (name: string) => (isRead(name) ? () => members.text(slot(name)) : nothing)
  const fewOf = (name: string) => (isRead(name) ? () => members.recurring(slot(name)) : nothing)
  const [EVENT_ID, EVENT_TYPE, USER, ANONYMOUS, REVENUE, CURRENCY_AT, TIME] = [
    'event_id',
    'event_type',
    'user_id',
    'anonymous_id',
    'revenue',
    'currency',
    'event_time',
  ].map(slot) as [number, number, number, number, number, number, number]
  const [session, page, referrer, product, category, order, region, device] = [
    textOf('session_id'),
    textOf('page_url'),
    textOf('referrer'),
    textOf('product_id'),
    fewOf('category'),
    textOf('order_id'),
    fewOf('region'),
    fewOf('device'),
  ] as const
  const types = symbolsOf<ClickType>(CLICK_TYPES)
  const timeOf = timeReader(members, TIME)
  return (value, receivedAt, newId) => {
    if (!members.scan(value)) return undefined
    const type = types.get(members.recurring(EVENT_TYPE))
    const user = members.text(USER)
    const anonymous = members.text(ANONYMOUS)
    const time = timeOf(receivedAt)
    if (type === undefined || (user === null && anonymous === null) || Number.isNaN(time)) return undefined
    const given = members.recurring(CURRENCY_AT)
    if (given !== null && !CURRENCY.test(given)) return undefined
    let minor: number | null = null
    let money: string | null = null
    if (members.isNumber(REVENUE)) {
      const revenue = members.number(REVENUE)
      if (revenue > AMOUNT_MAX) return undefined
      money = given === null ? defaultCurrency : given.toUpperCase()
      minor = toMinor(revenue, money)
    }
    return {
      event_id: members.text(EVENT_ID) ?? newId(),
      event_type: type,
      user_id: user,
      anonymous_id: anonymous,
      event_time: time,
      original_time: members.isText(TIME) || members.isNumber(TIME) ? time : null,
      sent_at: null,
      received_at: receivedAt,
      page_url: page(),
      product_id: product() || null,
      order_id: order() || null,
      revenue_minor: minor,
      currency: money,
      session_id: session(),
      referrer: referrer(),
      category: category() || null,
      region: region(),
      device: device(),
      properties: members.extra === '' ? null : `{${members.extra}}`,
      bot: null,
    }
  }
}

function orderReader(defaultCurrency: string, reads?: ReadonlySet<string>): JsonReader<Order> {
  const isRead = (name: string): boolean => !reads || reads.has(name)
  const members = new JsonMembers(ORDER, isRead('properties'))
  const slot = slotsOf(ORDER)
  const textOf = (name: string) => (isRead(name) ? () => members.text(slot(name)) : nothing)
  const fewOf = (name: string) => (isRead(name) ? () => members.recurring(slot(name)) : nothing)
  const [ORDER_ID, USER, QUANTITY, AMOUNT, CURRENCY_AT, STATUS, TIME] = [
    'order_id',
    'user_id',
    'quantity',
    'amount',
    'currency',
    'status',
    'event_time',
  ].map(slot) as [number, number, number, number, number, number, number]
  const [product, category, region] = [textOf('product_id'), fewOf('category'), fewOf('region')] as const
  const statuses = symbolsOf<OrderStatus>(ORDER_STATUSES)
  const timeOf = timeReader(members, TIME)
  return (value, receivedAt) => {
    if (!members.scan(value) || !members.isNumber(AMOUNT)) return undefined
    const id = members.text(ORDER_ID)
    const user = members.text(USER)
    const status = members.isText(STATUS) ? statuses.get(members.recurring(STATUS)) : 'success'
    const time = timeOf(receivedAt)
    if (id === null || user === null || status === undefined || Number.isNaN(time)) return undefined
    const given = members.recurring(CURRENCY_AT)
    if (given !== null && !CURRENCY.test(given)) return undefined
    const amount = members.number(AMOUNT)
    const quantity = members.isNumber(QUANTITY) ? members.number(QUANTITY) : null
    if (amount > AMOUNT_MAX) return undefined
    if (quantity !== null && !(Number.isInteger(quantity) && quantity <= QUANTITY_MAX)) return undefined
    const money = given === null ? defaultCurrency : given.toUpperCase()
    return {
      order_id: id,
      user_id: user,
      status,
      amount_minor: toMinor(amount, money),
      currency: money,
      event_time: time,
      original_time: members.isText(TIME) || members.isNumber(TIME) ? time : null,
      sent_at: null,
      received_at: receivedAt,
      product_id: product() || null,
      category: category() || null,
      quantity,
      region: region(),
      properties: members.extra === '' ? null : `{${members.extra}}`,
    }
  }
}

const symbolsOf = <S extends string>(symbols: readonly S[]): ReadonlyMap<string | null, S> =>
  new Map(symbols.map((symbol) => [symbol, symbol]))

/** The event's time; that of its arrival where it has none; NaN where `parseEvent` is to say what is wrong. */
function timeReader(members: JsonMembers, slot: number): (receivedAt: number) => number {
  // Neighbouring events mostly happen on the same day: its bytes and its start, as last parsed.
  let day = new Uint8Array([0xff])
  let dayMs = 0
  return (receivedAt) => {
    let ms = receivedAt
    const msOfDay = members.msOfDay(slot)
    if (msOfDay >= 0) {
      if (!members.beginsWith(slot, day)) {
        const date = members.text(slot)!.slice(0, 10)
        dayMs = parseTime(date)
        day = new TextEncoder().encode(date)
      }
      ms = dayMs + msOfDay
    } else if (members.isNumber(slot)) ms = Math.trunc(members.number(slot))
    else if (members.isText(slot)) ms = toEpochMs(members.text(slot)!)
    return ms >= EVENT_TIME_MIN && ms <= receivedAt + FUTURE_MAX_MS ? ms : Number.NaN
  }
}

/**
 * From one of Segment's messages to ours: every message is a click, and a sale or a refund is an order as well.
 *
 * Pure, between the routes and the ingest kernel, which validates what comes out. Invariants: the same message always gives the same ids (`messageId` is the event's
 * id, and an order without an id of its own takes it too), so that a retry is a duplicate; what has no field of ours is kept in `properties` under Segment's names.
 * `integrations` and `_metadata` steer Segment's own machinery and are left out. https://segment.com/docs/connections/spec/
 */
import type { ClickType } from '../../../streams/contract/events.ts'
import type { ProblemCode } from '../../../streams/contract/input.ts'
import { botBy } from '../bot.ts'
import { agreesToAnalytics } from '../consent.ts'
import { amountOf, goodsOf, type Meaning, meaningOf } from './ecommerce.ts'
import { type Fields, field, fieldsOf, textOf } from './loose.ts'

export const CALLS = ['track', 'page', 'screen', 'identify', 'group', 'alias'] as const
export type Call = (typeof CALLS)[number]

/** What a request says about all of its messages. */
export interface Envelope {
  /** The call of the path; null in a batch, whose messages say it themselves. */
  call: Call | null
  context: Fields | null
  sentAt: unknown
}

/** Events in the HTTP form, still unvalidated. */
export interface Mapped {
  id: string
  click: Fields
  order: Fields | null
}

export interface Unmappable {
  id: string | null
  code: ProblemCode
  message: string
}

export type Mapping = { ok: true; events: Mapped } | { ok: false; problem: Unmappable }

/** Fields that have gone into fields of ours, and those that are for Segment alone. */
const NOT_KEPT = new Set([
  'messageId',
  'userId',
  'anonymousId',
  'timestamp',
  'originalTimestamp',
  'sentAt',
  'receivedAt',
  'type',
  'context',
  'writeKey',
  'integrations',
  '_metadata',
])

/** @param newId the id of a message that brings none */
export function toEvents(raw: unknown, envelope: Envelope, newId: () => string): Mapping {
  const message = fieldsOf(raw)
  if (!message) return refuse(null, 'not_an_object', 'expected a JSON object')
  const given = textOf(field(message, 'messageId'))
  const call = envelope.call ?? CALLS.find((name) => name === field(message, 'type'))
  if (!call) return refuse(given, 'invalid_value', `type: expected one of ${CALLS.join(', ')}`)
  const missing = missingIn(message, call)
  if (missing) return refuse(given, 'missing_field', missing)

  const id = given ?? newId()
  const properties = fieldsOf(field(message, 'properties'))
  const context = mergedContext(envelope, message)
  const page = fieldsOf(field(context, 'page'))
  const consent = agreesToAnalytics(context)
  const isView = call === 'page' || call === 'screen'
  const common = {
    // The client's own clock, as `sentAt` is; the skew between it and ours is taken out later.
    event_time: field(message, 'originalTimestamp') ?? field(message, 'timestamp'),
    sent_at: envelope.sentAt ?? field(message, 'sentAt'),
    region: textOf(field(fieldsOf(field(context, 'location')), 'region')),
    ...(consent !== null && { consent }),
    properties: kept(message, call, context),
  }
  const click = {
    event_id: id,
    event_type: (isView ? 'page_view' : 'custom') satisfies ClickType,
    user_id: textOf(field(message, 'userId')),
    anonymous_id: textOf(field(message, 'anonymousId')),
    page_url: textOf((isView ? field(properties, 'url') : undefined) ?? field(page, 'url')),
    referrer: textOf((isView ? field(properties, 'referrer') : undefined) ?? field(page, 'referrer')),
    device: textOf(field(fieldsOf(field(context, 'device')), 'type')),
    bot: botBy(textOf(field(context, 'userAgent')) ?? null),
    ...common,
  }
  if (call !== 'track') return { ok: true, events: { id, click, order: null } }
  const meaning = meaningOf(textOf(field(message, 'event'))!)
  return meaning.order
    ? traded(id, click, common, properties, meaning)
    : { ok: true, events: { id, click: { ...click, ...stepOf(meaning, properties) }, order: null } }
}

function missingIn(message: Fields, call: Call): string | null {
  const has = (name: string): boolean => textOf(field(message, name)) !== undefined
  if (!has('userId') && !has('anonymousId')) return 'userId: required (or anonymousId)'
  if (call === 'track' && !has('event')) return 'event: required'
  if (call === 'group' && !has('groupId')) return 'groupId: required'
  if (call === 'alias' && !has('previousId')) return 'previousId: required'
  return null
}

/** The product of a custom event would count nowhere; it stays in the properties. */
function stepOf({ click: event_type }: Meaning, properties: Fields | null): Fields {
  if (event_type === 'custom') return { event_type }
  const { product_id, category } = goodsOf(properties)
  return { event_type, product_id, category }
}

/** A sale or a refund: the order, and the click that names it. */
function traded(
  id: string,
  click: Fields,
  common: Fields,
  properties: Fields | null,
  { click: event_type, order: status }: Meaning,
): Mapping {
  const isRefund = status === 'refunded'
  const orderId = textOf(field(properties, 'order_id'))
  if (isRefund && orderId === undefined) return refuse(id, 'missing_field', 'properties.order_id: required')
  const amount = amountOf(properties)
  if (amount === undefined) {
    return refuse(id, 'missing_field', 'properties.total: required (or revenue, value, or products with a price)')
  }
  const { product_id, category, quantity } = goodsOf(properties)
  const currency = textOf(field(properties, 'currency'))
  const order = {
    order_id: orderId ?? id,
    user_id: click.user_id ?? click.anonymous_id,
    product_id,
    category,
    quantity,
    // Refunds come with either sign; here the status says which way the money goes.
    amount: isRefund ? Math.abs(amount) : amount,
    currency,
    status,
    ...common,
  }
  const { order_id } = order
  const itsClick =
    event_type === 'purchase'
      ? { ...click, event_type, product_id, category, order_id, revenue: amount, currency }
      : { ...click, event_type, order_id }
  return { ok: true, events: { id, click: itsClick, order } }
}

/** What a batch says about its context holds for every message that says nothing else. */
function mergedContext({ context: shared }: Envelope, message: Fields): Fields | null {
  const own = fieldsOf(field(message, 'context'))
  return shared && own ? { ...shared, ...own } : (own ?? shared)
}

function kept(message: Fields, call: Call, context: Fields | null): Fields {
  // No prototype: `__proto__` is then a field like any other.
  const properties: Fields = Object.assign(Object.create(null), { type: call })
  for (const name of Object.keys(message)) {
    if (!NOT_KEPT.has(name)) properties[name] = message[name]
  }
  if (context) properties.context = context
  return properties
}

const refuse = (id: string | null | undefined, code: ProblemCode, message: string): Mapping => ({
  ok: false,
  problem: { id: id?.slice(0, 200) ?? null, code, message },
})

/**
 * The events as they travel in the log: the decoded form of the Avro values, and what the jobs compute on.
 *
 * Times are epoch milliseconds UTC, money is an integer of minor units with its currency, distances are metres.
 * The HTTP form (ISO times, decimal amounts) is in `input.ts`; the Avro schemas are in `avro.ts`.
 */

export const CLICK_TYPES = ['page_view', 'product_view', 'add_to_cart', 'checkout', 'purchase', 'custom'] as const
export type ClickType = (typeof CLICK_TYPES)[number]

/** Only `success` earns revenue; `refunded` gives it back (amounts are never negative). */
export const ORDER_STATUSES = ['success', 'failed', 'refunded'] as const
export type OrderStatus = (typeof ORDER_STATUSES)[number]

/** The clocks of an event. `event_time` is what the jobs use: corrected for the client's skew where `sent_at` allows it. */
export interface EventTimes {
  event_time: number
  /** The time the client gave, before correction; null when it gave none. */
  original_time: number | null
  sent_at: number | null
  received_at: number
}

export interface ClickstreamEvent extends EventTimes {
  event_id: string
  event_type: ClickType
  user_id: string | null
  anonymous_id: string | null
  session_id: string | null
  page_url: string | null
  referrer: string | null
  product_id: string | null
  category: string | null
  /** On a purchase: the order in `transactions.orders` that it belongs to. Its revenue is then counted from the order. */
  order_id: string | null
  revenue_minor: number | null
  currency: string | null
  region: string | null
  device: string | null
  /** Whatever else the client sent, as JSON text. */
  properties: string | null
  /** Whether a program rather than a person did it, as the client said or as the edge judged by the browser; null where nobody can tell. Bots are counted like all others. */
  bot: boolean | null
}

export interface Order extends EventTimes {
  order_id: string
  user_id: string
  product_id: string | null
  category: string | null
  quantity: number | null
  amount_minor: number
  currency: string
  region: string | null
  status: OrderStatus
  properties: string | null
}

export interface Trip extends EventTimes {
  trip_id: string
  region_id: string
  fare_minor: number
  currency: string
  duration_s: number
  distance_m: number
  properties: string | null
}

/** Which event a topic carries. */
export interface EventOf {
  'clickstream.events': ClickstreamEvent
  'transactions.orders': Order
  'trips.completed': Trip
}
export type AnyEvent = EventOf[keyof EventOf]

/** Whom a click belongs to: the key of its record, and the user of its sessions and features. */
export const clickUser = (e: Pick<ClickstreamEvent, 'user_id' | 'anonymous_id'>): string =>
  e.user_id ?? e.anonymous_id ?? ''

/** An order that changes its status (failed, then success; success, then refunded) is a new fact under the same order id, so the status is part of its identity. */
export const orderIdentity = ({ order_id, status }: Pick<Order, 'order_id' | 'status'>): string =>
  status === 'success' ? order_id : `${order_id}#${status}`

/** What makes two records the same event, per topic. */
export const identityOf: { [T in keyof EventOf]: (event: EventOf[T]) => string } = {
  'clickstream.events': (e) => e.event_id,
  'transactions.orders': orderIdentity,
  'trips.completed': (e) => e.trip_id,
}

/** What everything needs: time, identity and key; and when the edge took what can complete something, since there its trace begins. */
export const ALWAYS_READ: { readonly [T in keyof EventOf]: readonly (keyof EventOf[T])[] } = {
  'clickstream.events': ['event_time', 'event_id', 'user_id', 'anonymous_id'],
  'transactions.orders': ['event_time', 'order_id', 'status', 'user_id', 'received_at'],
  'trips.completed': ['event_time', 'trip_id', 'region_id'],
}

/** The key of an event's record, which decides its partition. */
export const keyOf: { [T in keyof EventOf]: (event: EventOf[T]) => string } = {
  'clickstream.events': clickUser,
  'transactions.orders': (e) => e.user_id,
  'trips.completed': (e) => e.region_id,
}

/**
 * User features: what models and fraud teams ask about a user now, into the feature store. One part from the clickstream, one from the orders;
 * `contract/features.ts` says how a reader puts them together.
 */
import { type ClickstreamEvent, type ClickType, clickUser, type Order } from '../contract/events.ts'
import { CLICKSTREAM, ORDERS } from '../contract/topics.ts'
import { addToPanes, type PackedPanes, unpackPanes } from '../operators/panes.ts'
import { Profile, profile } from '../operators/profile.ts'
import { plus } from '../operators/sum.ts'
import { days, hours, type Job, minutes } from './job.ts'

const CLICK_READS = ['event_time', 'event_type', 'user_id', 'anonymous_id', 'page_url', 'product_id'] as const
const ORDER_READS = ['event_time', 'order_id', 'user_id', 'status', 'currency', 'amount_minor', 'product_id'] as const
type Click = Pick<ClickstreamEvent, (typeof CLICK_READS)[number]>
type OrderPart = Pick<Order, (typeof ORDER_READS)[number]>

const SESSION_GAP_MS = minutes(30)
/** The longest window; events further behind the watermark can't change any count. */
const HORIZON_MS = hours(24)
const FORGET_AFTER_MS = days(7)
const optionalText = (name: string) => ({ name, type: ['null', 'string'] })
const panes = (name: string) => ({ name, type: ['null', { type: 'array', items: 'long' }] })

class ClickProfile extends Profile {
  firstSeenMs = Number.POSITIVE_INFINITY
  events = 0
  purchases = 0
  panes: PackedPanes | null = null
  lastType: ClickType = 'custom'
  lastPage: string | null = null
  lastProduct: string | null = null
  sessionStartMs = 0
  sessionEvents = 0
  cartItems = 0
}

const clicks = profile<Click, ClickProfile, 'clicks'>({
  name: 'user-features/clicks',
  part: 'clicks',
  horizonMs: HORIZON_MS,
  forgetAfterMs: FORGET_AFTER_MS,
  key: clickUser,
  profile: ClickProfile,
  fields: [
    { name: 'firstSeenMs', type: 'long' },
    { name: 'events', type: 'long' },
    { name: 'purchases', type: 'long' },
    panes('panes'),
    { name: 'lastType', type: 'string' },
    optionalText('lastPage'),
    optionalText('lastProduct'),
    { name: 'sessionStartMs', type: 'long' },
    { name: 'sessionEvents', type: 'long' },
    { name: 'cartItems', type: 'long' },
  ],
  add(p, e) {
    const t = e.event_time
    if (t < p.firstSeenMs) p.firstSeenMs = t
    p.panes = addToPanes(p.panes, t, 0)
    if (p.events === 0 || t - p.lastSeenMs > SESSION_GAP_MS) {
      p.sessionStartMs = t
      p.sessionEvents = 0
    } else if (t < p.sessionStartMs && p.sessionStartMs - t <= SESSION_GAP_MS) p.sessionStartMs = t
    if (t >= p.sessionStartMs) p.sessionEvents++
    p.events++
    if (e.event_type === 'add_to_cart') p.cartItems++
    else if (e.event_type === 'purchase') {
      p.purchases++
      p.cartItems = 0
    }
    if (t >= p.lastSeenMs) {
      p.lastType = e.event_type
      p.lastPage = e.page_url ?? p.lastPage
      p.lastProduct = e.product_id ?? p.lastProduct
    }
  },
  toFeatures: (p) => ({
    events: unpackPanes(p.panes),
    total_events: p.events,
    total_purchases: p.purchases,
    first_seen: p.firstSeenMs,
    last_seen: p.lastSeenMs,
    last_event_type: p.lastType,
    last_page: p.lastPage,
    last_product: p.lastProduct,
    session_start: p.sessionStartMs,
    session_events: p.sessionEvents,
    cart_items: p.cartItems,
  }),
})

class OrderProfile extends Profile {
  panes: PackedPanes | null = null
  orders = 0
  totalMinor = 0
  failed = 0
  refunds = 0
  /** Of the amounts: a successful order in another currency begins the sums anew. */
  currency = ''
  lastOrderMs = 0
  lastOrderId = ''
  lastProduct: string | null = null
}

const orders = profile<OrderPart, OrderProfile, 'orders'>({
  name: 'user-features/orders',
  part: 'orders',
  horizonMs: HORIZON_MS,
  forgetAfterMs: FORGET_AFTER_MS,
  key: (o) => o.user_id,
  profile: OrderProfile,
  fields: [
    panes('panes'),
    { name: 'orders', type: 'long' },
    { name: 'totalMinor', type: 'long' },
    { name: 'failed', type: 'long' },
    { name: 'refunds', type: 'long' },
    { name: 'currency', type: 'string' },
    { name: 'lastOrderMs', type: 'long' },
    { name: 'lastOrderId', type: 'string' },
    optionalText('lastProduct'),
  ],
  add(p, o) {
    if (o.status === 'failed') {
      p.failed++
      return
    }
    if (o.status === 'refunded') {
      p.refunds++
      return
    }
    if (o.currency !== p.currency) {
      // Amounts are in the newest order's currency: an older order in another one can't be added to them.
      if (o.event_time < p.lastOrderMs) return
      p.currency = o.currency
      p.panes = null
      p.orders = 0
      p.totalMinor = 0
    }
    p.panes = addToPanes(p.panes, o.event_time, o.amount_minor)
    p.orders++
    p.totalMinor = plus(p.totalMinor, o.amount_minor)
    if (o.event_time >= p.lastOrderMs) {
      p.lastOrderMs = o.event_time
      p.lastOrderId = o.order_id
      p.lastProduct = o.product_id
    }
  },
  toFeatures: (p) => ({
    orders: unpackPanes(p.panes),
    total_orders: p.orders,
    total_minor: p.totalMinor,
    failed_orders: p.failed,
    refunds: p.refunds,
    currency: p.currency,
    last_order_at: p.lastOrderMs,
    last_order_id: p.lastOrderId,
    last_product: p.lastProduct,
  }),
})

export const userFeatures: Job = {
  name: 'user-features',
  about: 'Counts and spend over 5 minutes, an hour and a day, last product, live session and cart of each user.',
  reads: { [CLICKSTREAM]: CLICK_READS, [ORDERS]: ORDER_READS },
  on: { [CLICKSTREAM]: [clicks], [ORDERS]: [orders] },
}

/**
 * A user's features as a reader sees them: the stored parts put together, and the windows summed, at one moment.
 *
 * Pure, so that the API, the batch layer and tests compute the same numbers from the same parts. Windows are made of panes (see features.ts):
 * minutes for 5 minutes and 1 hour, hours for 24 hours; so a window reaches back to the start of the pane that holds its oldest moment.
 */
import type { ClickFeatures, FeatureParts, OrderFeatures, Pane } from './features.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
/** As in the sessions job: a session ends this long after its last event. */
export const SESSION_GAP_MS = 30 * MINUTE_MS

/** The stored parts; one is missing when nothing of that topic was seen. */
export type StoredParts = { readonly [P in keyof FeatureParts]?: { readonly value: FeatureParts[P] } | undefined }

export interface WindowSum {
  count: number
  amount_minor: number
}
export interface Windows {
  last_5m: WindowSum
  last_1h: WindowSum
  last_24h: WindowSum
}

/** Times are epoch ms, amounts minor units of `orders.currency`; null where the part was never seen. Totals begin anew after a week's absence. */
export interface UserFeatures {
  as_of: number
  clicks: {
    windows: Windows
    total_events: number
    total_purchases: number
    first_seen: number
    last_seen: number
    last_event_type: string
    last_page: string | null
    cart_items: number
  } | null
  orders: {
    windows: Windows
    total_orders: number
    total_minor: number
    /** Of successful orders, in minor units, not rounded; null before the first. */
    average_minor: number | null
    failed_orders: number
    refunds: number
    /** Of successful orders; null before the first, while there were only failed ones and refunds. */
    currency: string | null
    last_order_at: number | null
    last_order_id: string | null
  } | null
  /** Of whichever was later, the last product seen or the last one ordered. */
  last_product: string | null
  /** The session that is open at `as_of`; null when none is. */
  session: { started_at: number; last_event_at: number; events: number } | null
}

/**
 * @param asOf epoch ms. Panes are kept for an hour (minutes) and a day (hours) before the user's newest event: for a moment long before that, windows
 * are too small, and totals are always those of now.
 */
export function assembleFeatures(stored: StoredParts, asOf: number): UserFeatures {
  const clicks = stored.clicks?.value
  const orders = stored.orders?.value
  return {
    as_of: asOf,
    clicks: clicks
      ? {
          windows: windowsOf(clicks.events, asOf),
          total_events: clicks.total_events,
          total_purchases: clicks.total_purchases,
          first_seen: clicks.first_seen,
          last_seen: clicks.last_seen,
          last_event_type: clicks.last_event_type,
          last_page: clicks.last_page,
          cart_items: clicks.cart_items,
        }
      : null,
    orders: orders
      ? {
          windows: windowsOf(orders.orders, asOf),
          total_orders: orders.total_orders,
          total_minor: orders.total_minor,
          average_minor: orders.total_orders > 0 ? orders.total_minor / orders.total_orders : null,
          failed_orders: orders.failed_orders,
          refunds: orders.refunds,
          ...lastOrderOf(orders),
        }
      : null,
    last_product: lastProduct(clicks, orders),
    session: sessionAt(clicks, asOf),
  }
}

function windowsOf(panes: { minutes: readonly Pane[]; hours: readonly Pane[] }, asOf: number): Windows {
  return {
    last_5m: sumOf(panes.minutes, asOf, 5 * MINUTE_MS, MINUTE_MS),
    last_1h: sumOf(panes.minutes, asOf, HOUR_MS, MINUTE_MS),
    last_24h: sumOf(panes.hours, asOf, 24 * HOUR_MS, HOUR_MS),
  }
}

/** Sums the panes that start after the pane of `asOf` minus the window, up to the pane of `asOf` itself. */
function sumOf(panes: readonly Pane[], asOf: number, windowMs: number, paneMs: number): WindowSum {
  const after = Math.floor(asOf / paneMs) * paneMs - windowMs
  const sum = { count: 0, amount_minor: 0 }
  for (const [start, count, amount] of panes) {
    if (start <= after || start > asOf) continue
    sum.count += count
    sum.amount_minor += amount
  }
  return sum
}

function lastOrderOf({ currency, last_order_at, last_order_id }: OrderFeatures) {
  return currency === ''
    ? { currency: null, last_order_at: null, last_order_id: null }
    : { currency, last_order_at, last_order_id }
}

function lastProduct(clicks: ClickFeatures | undefined, orders: OrderFeatures | undefined): string | null {
  const seen = clicks?.last_product ?? null
  const ordered = orders?.last_product ?? null
  if (seen === null || ordered === null) return seen ?? ordered
  return orders!.last_order_at > clicks!.last_seen ? ordered : seen
}

function sessionAt(clicks: ClickFeatures | undefined, asOf: number): UserFeatures['session'] {
  if (!clicks || asOf - clicks.last_seen > SESSION_GAP_MS || asOf < clicks.session_start) return null
  return { started_at: clicks.session_start, last_event_at: clicks.last_seen, events: clicks.session_events }
}

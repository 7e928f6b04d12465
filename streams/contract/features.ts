/**
 * Features of a user: what the user-features job writes to the feature store, and how a reader puts the parts together.
 *
 * A user's features come from two topics, so from two partitions that know nothing of each other. Each writes its own part with its own
 * position; the reader merges them. Window counts are kept as panes (counts per minute and per hour) and summed at the moment of reading:
 * so they decay with time although nobody writes.
 */

/** Sums of one pane: [start of the pane in epoch ms, count, amount in minor units]. */
export type Pane = [startMs: number, count: number, amountMinor: number]

/** Panes of one minute over the last hour, and of one hour over the last day, each ascending and without empty ones. */
export interface Panes {
  minutes: Pane[]
  hours: Pane[]
}

export interface ClickFeatures {
  events: Panes
  total_events: number
  total_purchases: number
  first_seen: number
  last_seen: number
  last_event_type: string
  last_page: string | null
  last_product: string | null
  /** The session that is open, by event time, at `last_seen`. */
  session_start: number
  session_events: number
  /** Products in the cart since the last purchase. */
  cart_items: number
}

export interface OrderFeatures {
  /** Successful orders; amounts in `currency`, the currency of the newest one: empty, as `last_order_id`, before the first. */
  orders: Panes
  total_orders: number
  total_minor: number
  failed_orders: number
  refunds: number
  currency: string
  last_order_at: number
  last_order_id: string
  last_product: string | null
}

export interface FeatureParts {
  clicks: ClickFeatures
  orders: OrderFeatures
}
export type FeaturePart = keyof FeatureParts

/** One versioned write: the newest state of one part of one user's features; null where the user is to be forgotten. */
export interface FeatureWrite<P extends FeaturePart = FeaturePart> {
  userId: string
  part: P
  partition: number
  position: number
  value: FeatureParts[P] | null
}

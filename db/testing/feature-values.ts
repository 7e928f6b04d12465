/** Features with something in every field, for tests. */
import type { ClickFeatures, OrderFeatures } from '../../streams/contract/features.ts'

export const clickFeatures = (more: Partial<ClickFeatures> = {}): ClickFeatures => ({
  events: {
    minutes: [
      [1_700_000_000_000, 3, 0],
      [1_700_000_060_000, 1, 12_345],
    ],
    hours: [[1_699_999_200_000, 4, 12_345]],
  },
  total_events: 4,
  total_purchases: 1,
  first_seen: 1_700_000_000_000,
  last_seen: 1_700_000_061_234,
  last_event_type: 'purchase',
  last_page: null,
  last_product: 'çay bardağı 🫖',
  session_start: 1_700_000_000_000,
  session_events: 4,
  cart_items: 0,
  ...more,
})

export const orderFeatures = (more: Partial<OrderFeatures> = {}): OrderFeatures => ({
  orders: { minutes: [], hours: [[1_699_999_200_000, 2, 9_007_199_254_740_991]] },
  total_orders: 2,
  total_minor: 9_007_199_254_740_991,
  failed_orders: 0,
  refunds: 1,
  currency: 'TRY',
  last_order_at: 1_700_000_000_000,
  last_order_id: 'o-1',
  last_product: null,
  ...more,
})

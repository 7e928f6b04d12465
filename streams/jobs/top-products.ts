/**
 * Top products: views, carts, purchases and revenue per product and hour, into `products_by_hour`.
 *
 * Both topics contribute: views and carts come from the clickstream, purchases from the orders. A purchase event counts here only when it
 * names no order, else its order would count twice.
 */
import type { ClickstreamEvent, Order } from '../contract/events.ts'
import type { ProductRow } from '../contract/results.ts'
import { CLICKSTREAM, ORDERS } from '../contract/topics.ts'
import { groupKey, ungroup } from '../operators/group-key.ts'
import { plus } from '../operators/sum.ts'
import { tumblingWindow, type WindowView } from '../operators/tumbling-window.ts'
import { hours, type Job } from './job.ts'

const CLICK_READS = ['event_time', 'event_type', 'product_id', 'order_id', 'revenue_minor', 'currency'] as const
const ORDER_READS = ['event_time', 'status', 'product_id', 'amount_minor', 'currency'] as const
type Click = Pick<ClickstreamEvent, (typeof CLICK_READS)[number]>
type OrderPart = Pick<Order, (typeof ORDER_READS)[number]>

interface ProductCounts {
  views: number
  carts: number
  purchases: number
  revenueMinor: number
}

const counts = {
  schema: {
    type: 'record' as const,
    name: 'ProductCounts',
    fields: ['views', 'carts', 'purchases', 'revenueMinor'].map((name) => ({ name, type: 'long' as const })),
  },
  create: (): ProductCounts => ({ views: 0, carts: 0, purchases: 0, revenueMinor: 0 }),
}

const rowOf =
  (topic: string) =>
  ({ startMs, group, acc, final, partition, position }: WindowView<ProductCounts>): ProductRow => {
    const [currency, productId] = ungroup(group)
    return {
      topic,
      window_start: startMs,
      product_id: productId,
      currency,
      views: acc.views,
      carts: acc.carts,
      purchases: acc.purchases,
      revenue_minor: acc.revenueMinor,
      final,
      partition,
      position,
    }
  }

/** Purchases are grouped by their currency, views and carts have none. */
function clickGroup(e: Click): string | null {
  if (e.product_id === null) return null
  if (e.event_type === 'product_view' || e.event_type === 'add_to_cart') return groupKey('', e.product_id)
  return e.event_type === 'purchase' && e.order_id === null ? groupKey(e.currency ?? '', e.product_id) : null
}

export const topProducts: Job = {
  name: 'top-products',
  about: 'Views, carts, purchases and revenue per product and hour.',
  reads: { [CLICKSTREAM]: CLICK_READS, [ORDERS]: ORDER_READS },
  on: {
    [CLICKSTREAM]: [
      tumblingWindow<Click, ProductCounts, 'products_by_hour'>({
        name: 'top-products/clicks',
        sizeMs: hours(1),
        group: clickGroup,
        accumulator: {
          ...counts,
          add(acc, e) {
            if (e.event_type === 'product_view') acc.views++
            else if (e.event_type === 'add_to_cart') acc.carts++
            else {
              acc.purchases++
              acc.revenueMinor = plus(acc.revenueMinor, e.revenue_minor ?? 0)
            }
          },
        },
        table: 'products_by_hour',
        row: rowOf(CLICKSTREAM),
      }),
    ],
    [ORDERS]: [
      tumblingWindow<OrderPart, ProductCounts, 'products_by_hour'>({
        name: 'top-products/orders',
        sizeMs: hours(1),
        group: (o) => (o.status === 'success' && o.product_id !== null ? groupKey(o.currency, o.product_id) : null),
        accumulator: {
          ...counts,
          add(acc, o) {
            acc.purchases++
            acc.revenueMinor = plus(acc.revenueMinor, o.amount_minor)
          },
        },
        table: 'products_by_hour',
        row: rowOf(ORDERS),
      }),
    ],
  },
}

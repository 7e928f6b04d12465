/** Revenue: orders and money per category and minute, refunds apart. From the orders into `revenue_by_minute`. */
import type { Order } from '../contract/events.ts'
import { ORDERS } from '../contract/topics.ts'
import { groupKey, ungroup } from '../operators/group-key.ts'
import { plus } from '../operators/sum.ts'
import { tumblingWindow } from '../operators/tumbling-window.ts'
import { type Job, minutes } from './job.ts'

const READS = ['event_time', 'status', 'category', 'currency', 'amount_minor'] as const
type OrderPart = Pick<Order, (typeof READS)[number]>

/** Where an order names no category. */
export const UNCATEGORIZED = 'uncategorized'

export const revenue: Job = {
  name: 'revenue',
  about: 'Successful orders, their revenue, and refunds per category, currency and minute.',
  reads: { [ORDERS]: READS },
  on: {
    [ORDERS]: [
      tumblingWindow({
        name: 'revenue',
        sizeMs: minutes(1),
        group: (o: OrderPart) => (o.status === 'failed' ? null : groupKey(o.currency, o.category ?? UNCATEGORIZED)),
        accumulator: {
          schema: {
            type: 'record',
            name: 'Revenue',
            fields: ['orders', 'revenueMinor', 'refunds', 'refundedMinor'].map((name) => ({ name, type: 'long' })),
          },
          create: () => ({ orders: 0, revenueMinor: 0, refunds: 0, refundedMinor: 0 }),
          add(acc, o) {
            if (o.status === 'refunded') {
              acc.refunds++
              acc.refundedMinor = plus(acc.refundedMinor, o.amount_minor)
            } else {
              acc.orders++
              acc.revenueMinor = plus(acc.revenueMinor, o.amount_minor)
            }
          },
        },
        table: 'revenue_by_minute',
        row({ startMs, group, acc, final, partition, position }) {
          const [currency, category] = ungroup(group)
          return {
            window_start: startMs,
            category,
            currency,
            orders: acc.orders,
            revenue_minor: acc.revenueMinor,
            refunds: acc.refunds,
            refunded_minor: acc.refundedMinor,
            final,
            partition,
            position,
          }
        },
      }),
    ],
  },
}

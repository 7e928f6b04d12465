/** What-ifs as changes of a user's orders: one is taken away, moved in time, or made out to another amount. Pure. */
import type { OrderRecord } from './run-rule.ts'

export type Change =
  | { without: string }
  | { orderId: string; shiftMs: number }
  | { orderId: string; amountMinor: number }

export const orderOf = (change: Change): string => ('without' in change ? change.without : change.orderId)

/** All records of an order, as it may have been sent twice or have changed its status. A moved order keeps its place in the log, and arrives as much later or earlier as it happens. */
export function changeOrders(records: readonly OrderRecord[], changes: readonly Change[]): OrderRecord[] {
  let changed = [...records]
  for (const change of changes) {
    if ('without' in change) {
      changed = changed.filter(({ order }) => order.order_id !== change.without)
      continue
    }
    changed = changed.map((record) => {
      const { order, appendedAtMs } = record
      if (order.order_id !== change.orderId) return record
      if ('amountMinor' in change) return { ...record, order: { ...order, amount_minor: change.amountMinor } }
      return {
        ...record,
        appendedAtMs: appendedAtMs + change.shiftMs,
        order: { ...order, event_time: order.event_time + change.shiftMs },
      }
    })
  }
  return changed
}

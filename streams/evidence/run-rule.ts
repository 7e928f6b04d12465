/**
 * A fraud rule run again over the orders of one user, by the job's own code: the task, its deduplication and watermark, and the operator of the rule. Pure.
 *
 * Of the partition's other orders only one thing matters to this user: how far they had moved stream time on, which decides what is late. So they are not needed themselves, only the stream
 * time that they had brought about before each record. Invariant: the alerts are those that the job gives over the whole partition (copies of one order that lie further apart than the horizon of
 * deduplication, and less than two of them, may be judged otherwise: where its periods begin, only a partition's first record tells).
 */
import type { Order } from '../contract/events.ts'
import type { AlertRow } from '../contract/results.ts'
import { ORDERS } from '../contract/topics.ts'
import { fraudDetectorOf } from '../jobs/fraud-detector.ts'
import type { FraudRule } from '../jobs/fraud-rules.ts'
import { Task } from '../runtime/task.ts'

/** What the rule looks at, and where and when the log took it. */
export type RuleOrder = Pick<Order, 'order_id' | 'user_id' | 'status' | 'amount_minor' | 'currency' | 'event_time'>

export interface OrderRecord {
  offset: number
  appendedAtMs: number
  order: RuleOrder
  /** Stream time that the records of other users before it have brought about; −Infinity: there are none. */
  othersMs: number
}

export interface RuleRun {
  /** Each alert as it is at the end, in the order of their first appearance. */
  alerts: AlertRow[]
  /** By offset: why an order did not take part. */
  refused: Map<number, { outcome: 'late' | 'duplicate'; behindMs: number }>
}

const NO_VALUE = Buffer.alloc(0)

/** @param records in the order of their offsets */
export function runRule(rule: FraudRule, partition: number, records: readonly OrderRecord[]): RuleRun {
  const refused: RuleRun['refused'] = new Map()
  const task = new Task({
    topology: [fraudDetectorOf([rule])],
    topic: ORDERS,
    partition,
    encodeAlert: () => NO_VALUE,
    onRefused: ({ record, event, outcome }) => {
      if (outcome !== 'dead_letter')
        refused.set(record.offset, { outcome, behindMs: task.watermarkMs - event.event_time })
    },
  })
  for (const { offset, appendedAtMs, order, othersMs } of records) {
    // There is a record between, since one of the others' has moved time on.
    if (othersMs > task.streamTimeMs) task.apply(stamped(offset - 1, othersMs), timeOnly(offset, othersMs))
    task.apply(stamped(offset, appendedAtMs), wholeOrder(order, appendedAtMs))
  }
  const { drained } = task.drain('everything', Number.MAX_SAFE_INTEGER)
  const alerts = new Map<string, AlertRow>()
  for (const row of drained.rows.fraud_alerts ?? []) alerts.set(row.alert_id, row)
  return { alerts: [...alerts.values()], refused }
}

const stamped = (offset: number, appendedAtMs: number) => ({ offset, appendedAtMs, key: null, value: NO_VALUE })

const wholeOrder = (order: RuleOrder, receivedAt: number): Order => ({
  ...order,
  original_time: null,
  sent_at: null,
  received_at: receivedAt,
  product_id: null,
  category: null,
  quantity: null,
  region: null,
  properties: null,
})

/** An order that no rule looks at, and that moves stream time on. */
const timeOnly = (before: number, timeMs: number): Order =>
  wholeOrder(
    {
      order_id: `\0others before ${before}`,
      user_id: '\0others',
      status: 'refunded',
      amount_minor: 0,
      currency: 'XXX',
      event_time: timeMs,
    },
    timeMs,
  )

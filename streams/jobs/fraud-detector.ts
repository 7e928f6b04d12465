/** Fraud detector: every rule of `fraud-rules.ts` over the orders, into `fraud_alerts` and the topic `alerts.fraud`. */
import type { Order, OrderStatus } from '../contract/events.ts'
import type { AlertRow } from '../contract/results.ts'
import { stableId } from '../contract/stable-id.ts'
import { ORDERS } from '../contract/topics.ts'
import { type Match, repetition } from '../operators/repetition.ts'
import { plus } from '../operators/sum.ts'
import { FRAUD_RULES, type FraudRule } from './fraud-rules.ts'
import type { Job } from './job.ts'

const READS = ['event_time', 'order_id', 'user_id', 'status', 'amount_minor', 'currency'] as const
type OrderPart = Pick<Order, (typeof READS)[number]>

interface SuspectOrder {
  orderId: string
  amountMinor: number
  status: OrderStatus
}

/** Whether the order can be part of a match. A refund gives money back: it is no order. */
export const isSuspect = (rule: FraudRule, o: Pick<Order, 'amount_minor' | 'currency' | 'status'>): boolean =>
  o.amount_minor > rule.aboveMinor && o.currency === rule.currency && o.status !== 'refunded'

/** The id of a match: of the same orders in the same order it is the same. */
export const alertId = (
  rule: FraudRule,
  user: string,
  orders: readonly { orderId: string; status: string }[],
): string => stableId(rule.id, rule.version, user, ...orders.map(({ orderId, status }) => `${orderId}#${status}`))

export const detector = (rule: FraudRule) =>
  repetition<OrderPart, SuspectOrder>({
    name: `fraud-detector/${rule.id}`,
    count: rule.orders,
    withinMs: rule.withinMs,
    key: (o) => o.user_id,
    where: (o) => isSuspect(rule, o),
    detail: (o) => ({ orderId: o.order_id, amountMinor: o.amount_minor, status: o.status }),
    detailSchema: {
      type: 'record',
      name: 'SuspectOrder',
      fields: [
        { name: 'orderId', type: 'string' },
        { name: 'amountMinor', type: 'long' },
        { name: 'status', type: 'string' },
      ],
    },
    id: (user, candidates) =>
      alertId(
        rule,
        user,
        candidates.map((c) => c.detail),
      ),
    emit(out, user, match, { partition, final, announce }) {
      const row = alertRow(rule, user, match, partition, final)
      out.row('fraud_alerts', row)
      if (announce) out.alert(row)
    },
  })

function alertRow(
  rule: FraudRule,
  user: string,
  match: Match<SuspectOrder>,
  partition: number,
  final: boolean,
): AlertRow {
  return {
    alert_id: match.id,
    rule_id: rule.id,
    rule_version: rule.version,
    user_id: user,
    state: match.state,
    superseded_by: match.supersededBy,
    supersedes: [...match.supersedes],
    total_minor: match.candidates.reduce((sum, c) => plus(sum, c.detail.amountMinor), 0),
    currency: rule.currency,
    first_at: Math.min(...match.candidates.map((c) => c.timeMs)),
    last_at: Math.max(...match.candidates.map((c) => c.timeMs)),
    triggered_at: match.triggeredMs,
    watermark: match.watermarkMs,
    evidence: match.candidates.map((c) => ({
      order_id: c.detail.orderId,
      event_time: c.timeMs,
      amount_minor: c.detail.amountMinor,
      status: c.detail.status,
      topic: ORDERS,
      partition,
      offset: c.offset,
    })),
    trace_id: match.traceId,
    final,
    partition,
    position: match.position,
  }
}

export const fraudDetectorOf = (rules: readonly FraudRule[]): Job => ({
  name: 'fraud-detector',
  about: 'Repeated high-value orders of one user within minutes, told at once, with the orders as evidence.',
  reads: { [ORDERS]: READS },
  on: { [ORDERS]: rules.map(detector) },
})

export const fraudDetector: Job = fraudDetectorOf(FRAUD_RULES)

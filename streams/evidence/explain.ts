/** The question why an alert fired, or whether it would have with other orders, from the alert to the answer: its rule, its user's orders, and the rule run over them. */
import { createDecoder, type SchemaRegistry, Undecodable } from '../contract/codec.ts'
import type { AlertRow } from '../contract/results.ts'
import { ORDERS } from '../contract/topics.ts'
import { OffsetOutOfRange } from '../log/event-log.ts'
import { type Change, orderOf } from './changes.ts'
import { type JudgedOn, type OrdersDeps, ordersAround } from './orders-around.ts'
import { type RuleView, ruleNamed, viewOfRule } from './rules.ts'
import { type WhatIf, whatIf } from './what-if.ts'

export interface Explained extends WhatIf {
  judgedOn: JudgedOn
  /** Orders that the changes name and that were not found. */
  unknown: string[]
}

/** When an order of the evidence came. */
export interface Arrival {
  /** By the edge's clock. */
  receivedAtMs: number
  /** By the log's. */
  appendedAtMs: number
}

export interface AlertExplainer {
  rule(alert: AlertRow): Promise<RuleView>
  /** By offset, as far as the log still has the records. */
  arrivals(alert: AlertRow): Promise<Map<number, Arrival>>
  /** @returns null where the rule, as it was when the alert was raised, is not among those that run here */
  explain(alert: AlertRow, changes: readonly Change[]): Promise<Explained | null>
}

export function createAlertExplainer(deps: OrdersDeps): AlertExplainer {
  return {
    rule: async ({ rule_id, rule_version }) => viewOfRule(rule_id, rule_version),
    arrivals: (alert) => arrivalsOf(deps, alert),
    async explain(alert, changes) {
      const rule = ruleNamed(alert.rule_id, alert.rule_version)
      if (!rule) return null
      const { records, judgedOn } = await ordersAround(deps, alert, rule)
      const known = new Set(records.map(({ order }) => order.order_id))
      const unknown = changes.map(orderOf).filter((id) => !known.has(id))
      return { ...whatIf({ alert, rule, records, changes }), judgedOn, unknown }
    },
  }
}

const ARRIVALS_MAX = 20

async function arrivalsOf(
  { log, registry, currency }: { log: OrdersDeps['log']; registry: SchemaRegistry; currency: string },
  alert: AlertRow,
): Promise<Map<number, Arrival>> {
  const found = new Map<number, Arrival>()
  const decoder = createDecoder(ORDERS, registry, currency)
  for (const { topic, partition, offset } of alert.evidence.slice(0, ARRIVALS_MAX)) {
    try {
      const records = await log.read({ topic, partition }, offset, 1)
      const record = records.find((each) => each.offset === offset)
      if (!record) continue
      await decoder.prepare([record])
      const { received_at } = decoder.decode(record.value, { ...record, partition })
      found.set(offset, { receivedAtMs: received_at, appendedAtMs: record.appendedAtMs })
    } catch (error) {
      if (!(error instanceof OffsetOutOfRange || error instanceof Undecodable)) throw error
    }
  }
  return found
}

/**
 * Whether an alert would have been raised had its orders been different: the rule is run over the changed orders (run-rule.ts), and what comes of it is put into steps and a sentence. Pure.
 *
 * Invariant: whether it fires is what the job's own code says; the steps and the sentence only say why.
 */
import type { AlertRow } from '../contract/results.ts'
import { ORDERS } from '../contract/topics.ts'
import { isSuspect } from '../jobs/fraud-detector.ts'
import type { FraudRule } from '../jobs/fraud-rules.ts'
import { type Change, changeOrders, orderOf } from './changes.ts'
import { countText, moneyText, spanText } from './rules.ts'
import { type OrderRecord, type RuleRun, runRule } from './run-rule.ts'

export interface Step {
  orderId: string
  eventTimeMs: number
  amountMinor: number
  currency: string
  status: string
  topic: string
  partition: number
  offset: number
  /** What the question changed of it. */
  changed: 'removed' | 'moved' | 'amount' | null
  isEvidence: boolean
  /** Whether it takes part in the pattern. */
  counts: boolean
  /** Why it does or does not. */
  reason: string
  /** Orders that count and lie within the rule's span up to this one, itself included. */
  together: string[]
  /** The alert that it belongs to then. */
  alertId: string | null
}

export interface WhatIf {
  /** Whether some alert has one of the evidence's orders in it. */
  fires: boolean
  /** Those, as the job would have them at the end. */
  alerts: AlertRow[]
  /** Further alerts of the user that come or go by the change: it may move orders from one match into the next. */
  appearing: string[]
  vanishing: string[]
  explanation: string
  steps: Step[]
}

/** Of the orders that are shown, around the evidence. */
const STEPS_MAX = 100

export interface Question {
  alert: AlertRow
  rule: FraudRule
  /** The user's orders around the evidence, which is among them, by offset. */
  records: readonly OrderRecord[]
  changes: readonly Change[]
}

export function whatIf({ alert, rule, records, changes }: Question): WhatIf {
  const evidence = new Set(alert.evidence.map(({ offset }) => offset))
  const after = changeOrders(records, changes)
  const run = runRule(rule, alert.partition, after)
  const active = run.alerts.filter(({ state }) => state === 'active')
  const isNear = (row: AlertRow) => row.evidence.some(({ offset }) => evidence.has(offset))
  const alerts = active.filter(isNear)
  const before = new Set(
    runRule(rule, alert.partition, records).alerts.flatMap(({ state, alert_id }) =>
      state === 'active' ? alert_id : [],
    ),
  )
  const now = new Set(active.map(({ alert_id }) => alert_id))
  const steps = stepsOf({ alert, rule, records, changes }, after, run, active)
  return {
    fires: alerts.length > 0,
    alerts,
    appearing: active.filter((row) => !before.has(row.alert_id) && !isNear(row)).map(({ alert_id }) => alert_id),
    vanishing: [...before].filter((id) => !now.has(id) && id !== alert.alert_id),
    explanation: sentence(rule, changes, alerts, steps, after),
    steps,
  }
}

function stepsOf(
  { alert, rule, records, changes }: Question,
  after: readonly OrderRecord[],
  run: RuleRun,
  active: readonly AlertRow[],
): Step[] {
  const evidence = new Set(alert.evidence.map(({ offset }) => offset))
  const alertAt = new Map(active.flatMap((row) => row.evidence.map(({ offset }) => [offset, row.alert_id] as const)))
  const kept = new Map(after.map((record) => [record.offset, record]))
  const shown = records
    .map((original) => kept.get(original.offset) ?? original)
    .sort((a, b) => a.order.event_time - b.order.event_time || a.offset - b.offset)
  const times = shown.flatMap((r) => (evidence.has(r.offset) ? r.order.event_time : []))
  const [fromMs, toMs] = [Math.min(...times) - rule.withinMs, Math.max(...times) + rule.withinMs]
  const recent: { orderId: string; timeMs: number }[] = []
  const steps: Step[] = []
  for (const { offset, order } of shown) {
    if (order.event_time <= fromMs || order.event_time >= toMs) continue
    const isRemoved = !kept.has(offset)
    const why = isRemoved ? 'left out, as the question asks' : refusalOf(rule, order, run.refused.get(offset))
    if (why === null) recent.push({ orderId: order.order_id, timeMs: order.event_time })
    steps.push({
      orderId: order.order_id,
      eventTimeMs: order.event_time,
      amountMinor: order.amount_minor,
      currency: order.currency,
      status: order.status,
      topic: ORDERS,
      partition: alert.partition,
      offset,
      changed: changeOf(changes, order.order_id),
      isEvidence: evidence.has(offset),
      counts: why === null,
      reason: why ?? `above ${moneyText(rule.aboveMinor, rule.currency)}`,
      together: recent.filter(({ timeMs }) => order.event_time - timeMs < rule.withinMs).map(({ orderId }) => orderId),
      alertId: isRemoved ? null : (alertAt.get(offset) ?? null),
    })
    if (steps.length === STEPS_MAX) break
  }
  return steps
}

/** null: it takes part. */
function refusalOf(
  rule: FraudRule,
  order: OrderRecord['order'],
  refused: ReturnType<RuleRun['refused']['get']>,
): string | null {
  if (refused?.outcome === 'duplicate') return 'a copy of an order that was seen before'
  if (refused) return `late: it came ${spanText(refused.behindMs)} behind the watermark`
  if (isSuspect(rule, order)) return null
  if (order.status === 'refunded') return 'a refund'
  if (order.currency !== rule.currency) return `in ${order.currency}, and the rule is about ${rule.currency}`
  return `not above ${moneyText(rule.aboveMinor, rule.currency)}`
}

function changeOf(changes: readonly Change[], orderId: string): Step['changed'] {
  const change = changes.findLast((each) => orderOf(each) === orderId)
  if (!change) return null
  return 'without' in change ? 'removed' : 'shiftMs' in change ? 'moved' : 'amount'
}

function sentence(
  rule: FraudRule,
  changes: readonly Change[],
  alerts: readonly AlertRow[],
  steps: readonly Step[],
  after: readonly OrderRecord[],
): string {
  const above = `above ${moneyText(rule.aboveMinor, rule.currency)}`
  const within = `within ${spanText(rule.withinMs)}`
  const premise = changes.map((change) => premiseOf(change, rule.currency)).join(' and ')
  const start = (text: string) => {
    const whole = premise === '' ? text : `${premise} ${text}`
    return whole[0]!.toUpperCase() + whole.slice(1)
  }
  if (alerts.length > 0) {
    const named = alerts.map(
      (row) =>
        `${listed(row.evidence.map(({ order_id }) => order_id))}, ${moneyText(row.total_minor, row.currency)} in all`,
    )
    return start(`${countText(rule.orders)} orders ${above} lie ${within}: ${named.join('; and ')}.`)
  }
  const late = steps.filter((step) => step.isEvidence && step.reason.startsWith('late'))
  const aside = late.length > 0 ? ` ${late.map(({ orderId, reason }) => `${orderId} is ${reason}`).join('; ')}.` : ''
  // Those that some other alert has used are not free any more.
  const free = new Set(steps.flatMap(({ counts, alertId, orderId }) => (counts && alertId === null ? orderId : [])))
  const most = Math.max(0, ...steps.map(({ together }) => together.filter((id) => free.has(id)).length))
  const used = most < Math.max(0, ...steps.map(({ together }) => together.length))
  const what = most === 1 ? `one order ${above} lies` : `${countText(most)} orders ${above} lie`
  const only = most === 0 || after.length === 0 ? '' : 'only '
  return start(
    `${only}${what} ${within}${used ? ' that no other alert has used' : ''}, and the rule takes ${countText(rule.orders)}.${aside}`,
  )
}

function premiseOf(change: Change, currency: string): string {
  if ('without' in change) return `without ${change.without}`
  if ('amountMinor' in change) return `with ${change.orderId} at ${moneyText(change.amountMinor, currency)}`
  return `with ${change.orderId} ${spanText(Math.abs(change.shiftMs))} ${change.shiftMs < 0 ? 'earlier' : 'later'}`
}

const listed = (names: readonly string[]): string =>
  names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`

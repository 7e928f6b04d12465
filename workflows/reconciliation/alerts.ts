/**
 * The exact truth of fraud alerts, from the lake: each user's high-value orders in the order of their times. What the streams applied must give the live alerts, by their ids; what the truth has more
 * or less comes from orders that are named.
 */
import { ERASED } from '../../streams/contract/erasure.ts'
import { RAW_TABLES } from '../../streams/contract/lake-tables.ts'
import { ORDERS } from '../../streams/contract/topics.ts'
import { alertId, type FraudRule, msOfText, numberOf, objectsOf, textLiteral } from '../../streams/shadow/index.ts'
import { byUser } from './by-user.ts'
import { exactFromOf } from './exact-from.ts'
import { type Flags, flagsOf } from './flags.ts'
import { inTime, ofLog, type TimeBounds } from './lake-rows.ts'
import { matchesOf, type NaiveOrder } from './naive.ts'
import type { TruthDeps } from './windows.ts'

interface Order extends NaiveOrder {
  user: string
  partition: number
  offset: number
}

const SAMPLES = 5

export async function reconcileAlerts(deps: TruthDeps, rule: FraudRule, range: TimeBounds): Promise<void> {
  const { shadow, findings, partitions } = deps
  const exactFrom = exactFromOf(partitions, ORDERS)
  const passed = new Set(partitions.filter((run) => run.topic === ORDERS && run.passed).map((run) => run.partition))
  if (passed.size === 0) return
  const flags = await flagsOf(shadow, ORDERS, `fraud-detector/${rule.id}`)
  const live = new Map(
    (
      await shadow.sql<{ alert_id: string; partition: number; total_minor: number; currency: string }[]>`
        SELECT alert_id, partition, total_minor, currency FROM public.fraud_alerts
        WHERE rule_id = ${rule.id} AND rule_version = ${rule.version} AND state = 'active' AND NOT starts_with(user_id, ${ERASED})
          AND last_at >= to_timestamp(${range.fromMs}::float8 / 1000) AND last_at < to_timestamp(${range.toMs}::float8 / 1000)`
    )
      .filter(({ partition }) => passed.has(partition))
      .map((alert) => [alert.alert_id, alert]),
  )
  for await (const orders of byUser(ordersOf(deps, rule, { fromMs: exactFrom.earliestMs, toMs: range.toMs }))) {
    const { user, partition } = orders[0]!
    if (!passed.has(partition)) continue
    const of = (order: Order): Flags => flags(order.partition, order.offset)
    const alerts = (given: Order[]): Map<string, Order[]> =>
      new Map(
        matchesOf(given, rule.orders, rule.withinMs)
          .filter((match) => match.at(-1)!.timeMs >= range.fromMs)
          .map((match) => [alertId(rule, user, match), match]),
      )
    const applied = alerts(orders.filter((order) => of(order).refused === null))
    const truth = alerts(orders.filter((order) => !of(order).repeated))
    for (const [id, match] of applied) if (!live.delete(id)) unexplained(deps, id, { user, orders: match, rule })
    const strays = orders.filter((order) => (of(order).refused !== null) !== of(order).repeated)
    for (const [id, match, has] of [
      ...[...truth].filter(([id]) => !applied.has(id)).map(([id, match]) => [id, match, 'more'] as const),
      ...[...applied].filter(([id]) => !truth.has(id)).map(([id, match]) => [id, match, 'less'] as const),
    ]) {
      // The chain that the match is in reaches from stray to stray; the nearest ones tell why.
      const nearest = [...strays].sort((a, b) => distance(a, match) - distance(b, match)).slice(0, SAMPLES)
      findings.add({
        explained: true,
        table: 'fraud_alerts',
        cause: nearest[0] ? (of(nearest[0]).refused ?? 'duplicate') : 'late',
        key: { alert_id: id, user_id: user },
        message: `The truth has one alert ${has} of this user.`,
        records: nearest.length,
        minor: {},
        live: null,
        expected: null,
        sample: nearest.map(({ offset }) => `${ORDERS}:${partition}:${offset}`),
      })
    }
  }
  for (const [id, { total_minor, currency }] of live)
    if (!findings.has('fraud_alerts', { alert_id: id }))
      findings.add({
        explained: false,
        table: 'fraud_alerts',
        cause: 'truth',
        key: { alert_id: id },
        message: "There is no such match among the lake's orders.",
        records: 0,
        minor: { [currency]: total_minor },
        live: { alert_id: id, total_minor, currency },
        expected: null,
        sample: [],
      })
}

const distance = (order: Order, match: readonly Order[]): number =>
  Math.min(...match.map(({ timeMs }) => Math.abs(timeMs - order.timeMs)))

function unexplained(
  { findings }: TruthDeps,
  id: string,
  { user, orders, rule }: { user: string; orders: readonly Order[]; rule: FraudRule },
): void {
  if (findings.has('fraud_alerts', { alert_id: id })) return
  const minor = orders.reduce((sum, order) => sum + order.minor, 0)
  findings.add({
    explained: false,
    table: 'fraud_alerts',
    cause: 'truth',
    key: { alert_id: id },
    message: `The lake's orders of the user ${user} match, and there is no live alert.`,
    records: orders.length,
    minor: { [rule.currency]: minor },
    live: null,
    expected: { alert_id: id, total_minor: minor },
    sample: orders.map(({ partition, offset }) => `${ORDERS}:${partition}:${offset}`),
  })
}

async function* ordersOf(
  { engine, options, lakeUntil }: TruthDeps,
  rule: FraudRule,
  bounds: TimeBounds,
): AsyncGenerator<Order[]> {
  const statement = `
    SELECT user_id, log_partition, log_offset, event_time, order_id, status, amount_minor FROM ${RAW_TABLES[ORDERS].name}
    WHERE ${inTime(bounds)} AND ${ofLog(ORDERS, lakeUntil)}
      AND amount_minor > ${rule.aboveMinor} AND currency = ${textLiteral(rule.currency)} AND status <> 'refunded' AND user_id NOT LIKE '${ERASED}%'
    ORDER BY user_id, log_partition, event_time, log_offset`
  for await (const rows of objectsOf(engine, statement, { ...options, name: 'alerts' }))
    yield rows.map((row) => ({
      user: String(row.user_id),
      partition: numberOf(row.log_partition),
      offset: numberOf(row.log_offset),
      timeMs: msOfText(row.event_time),
      orderId: String(row.order_id),
      status: String(row.status),
      minor: numberOf(row.amount_minor),
    }))
}

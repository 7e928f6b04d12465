/**
 * The graph on one page: which jobs run, and so which operators each topic feeds.
 *
 *   clickstream.events ──┬─ sessions ───────────── sessions
 *                        ├─ traffic ────────────── traffic_by_minute
 *                        ├─ top-products ───────── products_by_hour
 *                        └─ user-features ──────── feature store (clicks)
 *   transactions.orders ─┬─ fraud-detector ─────── fraud_alerts, alerts.fraud
 *                        ├─ revenue ────────────── revenue_by_minute
 *                        ├─ top-products ───────── products_by_hour
 *                        └─ user-features ──────── feature store (orders)
 *   trips.completed ─────── regions ────────────── trips_by_region
 *
 * Every task also counts what it did not apply, in outcomes_by_minute; what is late goes to late.events, what can't be read to dlq.<topic>.
 */
import { ALWAYS_READ, type EventOf } from './contract/events.ts'
import type { InputTopic } from './contract/topics.ts'
import { fraudDetector } from './jobs/fraud-detector.ts'
import type { Job } from './jobs/job.ts'
import { regions } from './jobs/regions.ts'
import { revenue } from './jobs/revenue.ts'
import { sessions } from './jobs/sessions.ts'
import { topProducts } from './jobs/top-products.ts'
import { traffic } from './jobs/traffic.ts'
import { userFeatures } from './jobs/user-features.ts'
import type { Operator } from './operators/operator.ts'

export const TOPOLOGY: readonly Job[] = [sessions, traffic, topProducts, userFeatures, fraudDetector, revenue, regions]

/** The jobs' operators for one partition of a topic, freshly made. */
export function operatorsFor<T extends InputTopic>(
  topology: readonly Job[],
  topic: T,
  partition: number,
  hotMax?: number,
): Operator<EventOf[T]>[] {
  return topology.flatMap((job) => (job.on[topic] ?? []).map((open) => open(partition, hotMax)))
}

/** The fields of a topic's events that any of the jobs looks at, or time, identity and key need; undefined for all of them. */
export function fieldsRead(topology: readonly Job[], topic: InputTopic): ReadonlySet<string> | undefined {
  const fields = new Set<string>(ALWAYS_READ[topic])
  for (const job of topology) {
    if (!job.on[topic]) continue
    const reads = job.reads?.[topic]
    if (!reads) return undefined
    for (const name of reads) fields.add(name)
  }
  return fields
}

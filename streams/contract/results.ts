/**
 * The results of the jobs: one row type per table, as the jobs emit them and PostgreSQL keeps them.
 *
 * Every row says which partition and position of the log produced it. A store applies a row only over a lower position of the same key,
 * so publishing again (after a crash, by a zombie) changes nothing. Rows that several partitions contribute to are partials, one per
 * partition, and are summed when read.
 *
 * Times are epoch milliseconds; money is minor units; `final` is true once the watermark has passed and the row can't change any more.
 */
import type { OrderStatus } from './events.ts'
import { CLICKSTREAM, type InputTopic, ORDERS } from './topics.ts'

/** Where a row comes from. `topic` and `partition` name the log partition, `position` the offset of the record that last changed the row. */
export interface Provenance {
  partition: number
  position: number
}

export interface SessionRow extends Provenance {
  /** `<user>@<event time of the event that created the session, base 36>`: independent of batches and of later merges. */
  session_id: string
  user_id: string
  started_at: number
  ended_at: number
  events: number
  page_views: number
  product_views: number
  carts: number
  checkouts: number
  purchases: number
  /** Revenue of the purchases, minor units by currency. */
  revenue_minor: Record<string, number>
  funnel_stage: FunnelStage
  entry_page: string | null
  exit_page: string | null
  final: boolean
  /** Set when an out-of-order event joined this session to another: the survivor's id. Such a row is a tombstone. */
  merged_into: string | null
}

export const FUNNEL_STAGES = ['visit', 'product_view', 'cart', 'checkout', 'purchase'] as const
export type FunnelStage = (typeof FUNNEL_STAGES)[number]

export interface RevenueRow extends Provenance {
  window_start: number
  category: string
  currency: string
  orders: number
  revenue_minor: number
  refunds: number
  refunded_minor: number
  final: boolean
}

export interface TrafficRow extends Provenance {
  window_start: number
  event_type: string
  events: number
  users: number
  final: boolean
}

/** Views and carts come from the clickstream, purchases from orders and from purchase events that name no order. */
export interface ProductRow extends Provenance {
  topic: string
  window_start: number
  product_id: string
  /** Empty on the rows that only count views and carts. */
  currency: string
  views: number
  carts: number
  purchases: number
  revenue_minor: number
  final: boolean
}

export const REGION_WINDOWS = ['1m', '5m', '1h'] as const
export type RegionWindow = (typeof REGION_WINDOWS)[number]

export interface RegionRow extends Provenance {
  region_id: string
  window: RegionWindow
  window_start: number
  currency: string
  trips: number
  fare_minor: number
  duration_s: number
  distance_m: number
  final: boolean
}

export interface AlertEvidence {
  order_id: string
  event_time: number
  amount_minor: number
  status: OrderStatus
  topic: string
  partition: number
  offset: number
}

export interface AlertRow extends Provenance {
  /** Derived from rule, user and order ids: the same match always has the same id. */
  alert_id: string
  rule_id: string
  rule_version: number
  user_id: string
  /** `superseded` when an out-of-order event changed which orders form the match; `superseded_by` then names the alert that replaced it, if any. */
  state: 'active' | 'superseded'
  superseded_by: string | null
  supersedes: string[]
  total_minor: number
  currency: string
  first_at: number
  last_at: number
  /** Event time of the order whose arrival completed the match, and the partition's watermark at that moment. */
  triggered_at: number
  watermark: number
  evidence: AlertEvidence[]
  trace_id: string | null
  final: boolean
}

export const OUTCOMES = ['late', 'duplicate', 'dead_letter'] as const
export type Outcome = (typeof OUTCOMES)[number]

/** How many records of a partition were not applied, by job, minute of event time and reason. `job` is `*` where all jobs are meant. */
export interface OutcomeRow extends Provenance {
  topic: string
  job: string
  window_start: number
  outcome: Outcome
  reason: string
  events: number
}

export interface ResultRows {
  sessions: SessionRow
  revenue_by_minute: RevenueRow
  traffic_by_minute: TrafficRow
  products_by_hour: ProductRow
  trips_by_region: RegionRow
  fraud_alerts: AlertRow
  outcomes_by_minute: OutcomeRow
}
export type ResultTable = keyof ResultRows

/** The columns that identify a row, per table: the primary key in PostgreSQL, the map key in memory. */
export const RESULT_KEYS = {
  sessions: ['session_id'],
  revenue_by_minute: ['window_start', 'category', 'currency', 'partition'],
  traffic_by_minute: ['window_start', 'event_type', 'partition'],
  products_by_hour: ['window_start', 'product_id', 'currency', 'topic', 'partition'],
  trips_by_region: ['region_id', 'window', 'window_start', 'currency', 'partition'],
  fraud_alerts: ['alert_id'],
  outcomes_by_minute: ['topic', 'partition', 'job', 'window_start', 'outcome', 'reason'],
} as const satisfies { [T in ResultTable]: readonly (keyof ResultRows[T])[] }

/** The tables whose rows are of one person each, with the topic that they are made of. All others are sums over many. */
export const PERSONAL_TABLES = { sessions: CLICKSTREAM, fraud_alerts: ORDERS } as const satisfies {
  [T in ResultTable]?: InputTopic
}
export type PersonalTable = keyof typeof PERSONAL_TABLES

/** What is left of a person's row, so that sums over the table stay as they were. It is final, and its position is that of the erasure: no older row replaces it. */
export const WITHOUT_PERSON: {
  [T in PersonalTable]: (row: ResultRows[T], standIn: string, position: number) => ResultRows[T]
} = {
  sessions: (row, standIn, position) => ({
    ...row,
    session_id: otherUser(row.session_id, standIn),
    user_id: standIn,
    merged_into: row.merged_into === null ? null : otherUser(row.merged_into, standIn),
    entry_page: null,
    exit_page: null,
    final: true,
    position,
  }),
  fraud_alerts: (row, standIn, position) => ({
    ...row,
    user_id: standIn,
    evidence: [],
    trace_id: null,
    final: true,
    position,
  }),
}

/** A session's id is `<user>@<time>`. */
const otherUser = (sessionId: string, user: string): string => user + sessionId.slice(sessionId.lastIndexOf('@'))

export const RESULT_TABLES = Object.keys(RESULT_KEYS) as ResultTable[]

/**
 * What the edge needs from outside, as interfaces. `edge/main.ts` composes the real ones; tests bring their own.
 * Times are epoch milliseconds, money is minor units with a currency; the routes turn both into their API form.
 */

import type { FeatureReader } from '../db/features/feature-store.ts'
import type { Role } from '../db/postgres/schema.ts'
import type { SchemaRegistry } from '../streams/contract/codec.ts'
import type { AlertRow, RegionWindow, SessionRow } from '../streams/contract/results.ts'
import type { EventLog } from '../streams/log/event-log.ts'
import type { Clock } from '../streams/time/clock.ts'

/** The parts of the log that the edge uses. */
export type AppendLog = Pick<EventLog, 'append'>
export type LogEnds = Pick<EventLog, 'bounds'>
export type { Clock, FeatureReader, Role, SchemaRegistry }

/** The part of pino's logger that the edge uses. */
export interface EdgeLogger {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** Metrics of other threads of this process in Prometheus' text form, e.g. the embedded streams. */
export interface MetricSource {
  text(): Promise<string>
}

/** From, inclusive, to, exclusive; by event time. */
export interface TimeRange {
  from: number
  to: number
}

export interface CurrencyTotals {
  currency: string
  orders: number
  revenue_minor: number
  refunds: number
  refunded_minor: number
}

export interface Overview {
  events: number
  sessions: number
  /** Sessions with an event in the last 30 minutes before the range's end. */
  active_sessions: number
  converted_sessions: number
  totals: CurrencyTotals[]
  alerts: number
}

export interface EventsPoint {
  window_start: number
  event_type: string
  events: number
  final: boolean
}

export interface RevenuePoint extends CurrencyTotals {
  window_start: number
  /** Null where categories are summed. */
  category: string | null
  final: boolean
}

export const PRODUCT_ORDERS = ['views', 'carts', 'purchases', 'revenue'] as const
export type ProductOrder = (typeof PRODUCT_ORDERS)[number]
export interface ProductTotals {
  product_id: string
  views: number
  carts: number
  purchases: number
  revenue: { currency: string; revenue_minor: number }[]
}

export interface RegionPoint {
  window_start: number
  currency: string
  trips: number
  fare_minor: number
  duration_s: number
  distance_m: number
  final: boolean
}

export interface AlertFilter {
  user_id?: string | undefined
  state?: AlertRow['state'] | undefined
  limit: number
  /** What an earlier page gave as `next`. */
  cursor?: string | undefined
}
export interface AlertPage {
  alerts: AlertRow[]
  next: string | null
}

/** How far one task (one partition of the log) is. */
export interface PipelineState {
  topic: string
  partition: number
  next_offset: number
  end_offset: number
  /** Null before the first event. */
  watermark: number | null
  events: number
  late: number
  duplicates: number
  dead_letters: number
  live: boolean
  updated_at: number
}

/** The queries on the results; `db/postgres/queries` answers them. */
export interface MetricReader {
  overview(range: TimeRange): Promise<Overview>
  eventsTimeseries(range: TimeRange, bucketMs: number): Promise<EventsPoint[]>
  revenueTimeseries(
    range: TimeRange,
    bucketMs: number,
    filter: { category?: string | undefined; currency?: string | undefined },
  ): Promise<RevenuePoint[]>
  topProducts(range: TimeRange, by: ProductOrder, limit: number): Promise<ProductTotals[]>
  /** Newest window first; empty when the region is unknown. */
  region(regionId: string, window: RegionWindow, limit: number): Promise<RegionPoint[]>
  /** Newest first. */
  fraudAlerts(filter: AlertFilter): Promise<AlertPage>
  fraudAlert(alertId: string): Promise<AlertRow | null>
  /** Newest first. */
  userSessions(userId: string, limit: number): Promise<SessionRow[]>
  pipelines(): Promise<PipelineState[]>
}

export interface User {
  username: string
  password_hash: string
  role: Role
}

export interface UserStore {
  find(username: string): Promise<User | null>
  /** @returns false when there is one of that name already. */
  create(user: User): Promise<boolean>
  /** Replaces the password of a user that exists. */
  setPassword(username: string, passwordHash: string): Promise<void>
}

/** A file that the edge serves from memory. */
export interface Asset {
  body: Uint8Array<ArrayBuffer>
  contentType: string
  /** Whether the name changes with the content. */
  immutable: boolean
}
/** By path, e.g. `/` or `/assets/app-3F2A.js`. */
export type Assets = ReadonlyMap<string, Asset>

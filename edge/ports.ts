/**
 * What the edge needs from outside, as interfaces. `edge/main.ts` composes the real ones; tests bring their own.
 * Times are epoch milliseconds, money is minor units with a currency; the routes turn both into their API form.
 */

import type { FeatureReader } from '../db/features/feature-store.ts'
import type { NewSession, RefreshToken, Rotation, SessionOwner } from '../db/postgres/access-sessions.ts'
import type { NewReview } from '../db/postgres/alert-reviews.ts'
import type { Actor, AuditEntry, AuditFilter, AuditRow } from '../db/postgres/audit.ts'
import type { ErasureFilter, ErasureRow, NewErasure } from '../db/postgres/erasures.ts'
import type { PipelineRun } from '../db/postgres/pipeline-store.ts'
import type { AlertChange, ChangePlace, ChangesQuestion } from '../db/postgres/queries/alert-changes.ts'
import type { AlertDetail, AlertFilter, ReviewedAlert } from '../db/postgres/queries/alerts.ts'
import type { Page } from '../db/postgres/queries/cursor.ts'
import type { DailyCategory, DailyKpis, DailyRegion, DailyStage, DayRange } from '../db/postgres/queries/daily.ts'
import type { StageReached } from '../db/postgres/queries/funnel.ts'
import type { Pipeline } from '../db/postgres/queries/health.ts'
import type { TimeRange } from '../db/postgres/queries/numbers.ts'
import type { Overview } from '../db/postgres/queries/overview.ts'
import type { ProductOrder, ProductQuestion, TopProduct } from '../db/postgres/queries/products.ts'
import type { CheckPoint, CheckQuestion, QualityQuestion, QualityReport } from '../db/postgres/queries/quality.ts'
import type { Reconciled } from '../db/postgres/queries/reconciliation.ts'
import type { RegionPoint, RegionQuestion, TopRegion } from '../db/postgres/queries/regions.ts'
import type {
  LowStock,
  PriceChange,
  PricedProduct,
  ShopOrder,
  ShopProduct,
  StockChange,
} from '../db/postgres/queries/shop.ts'
import type { EventsPoint, RevenuePoint, SeriesRange } from '../db/postgres/queries/timeseries.ts'
import type { WorkflowState, WorkflowsState } from '../db/postgres/queries/workflows.ts'
import type { Role } from '../db/postgres/roles.ts'
import type { Account, Change, ChangeOutcome, User, UserChange } from '../db/postgres/users.ts'
import type { NewWriteKey, WriteKeyRow } from '../db/postgres/write-keys.ts'
import type { SchemaRegistry } from '../streams/contract/codec.ts'
import type { SessionRow } from '../streams/contract/results.ts'
import type { Quarantine } from '../streams/dead-letters/index.ts'
import type { AlertExplainer, Arrival, EventTracer } from '../streams/evidence/index.ts'
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

export type {
  Account,
  AlertChange,
  AlertDetail,
  AlertExplainer,
  AlertFilter,
  Arrival,
  AuditEntry,
  AuditFilter,
  AuditRow,
  Change,
  ChangeOutcome,
  ChangePlace,
  DailyKpis,
  DayRange,
  ErasureRow,
  EventsPoint,
  EventTracer,
  Overview,
  Page,
  Pipeline,
  PipelineRun,
  ProductOrder,
  QualityReport,
  Quarantine,
  Reconciled,
  RegionPoint,
  RevenuePoint,
  ReviewedAlert,
  SeriesRange,
  SessionOwner,
  ShopOrder,
  ShopProduct,
  StageReached,
  TimeRange,
  TopProduct,
  TopRegion,
  User,
  WorkflowState,
  WorkflowsState,
  WriteKeyRow,
}

/** The queries on the results; `db/postgres/queries` answers them, and documents each. They throw QueryError for what can't be asked. */
export interface MetricReader {
  overview(range: TimeRange & { now: number }): Promise<Overview>
  eventsTimeseries(range: SeriesRange): Promise<EventsPoint[]>
  revenueTimeseries(
    range: SeriesRange & { category?: string | undefined; currency?: string | undefined },
  ): Promise<RevenuePoint[]>
  topProducts(question: ProductQuestion): Promise<Page<TopProduct>>
  region(question: RegionQuestion): Promise<Page<RegionPoint>>
  topRegions(range: TimeRange & { limit: number; cursor?: string | undefined }): Promise<Page<TopRegion>>
  funnel(range: TimeRange): Promise<StageReached[]>
  fraudAlerts(filter: AlertFilter): Promise<Page<ReviewedAlert>>
  fraudAlert(alertId: string): Promise<AlertDetail | null>
  userSessions(userId: string, page: { limit: number; cursor?: string | undefined }): Promise<Page<SessionRow>>
  pipelines(): Promise<Pipeline[]>
  workflows(): Promise<WorkflowsState>
  dailyKpis(range: DayRange): Promise<DailyKpis[]>
  dailyCategories(range: DayRange & { limit: number }): Promise<DailyCategory[]>
  dailyRegions(range: DayRange & { limit: number }): Promise<DailyRegion[]>
  dailyFunnel(range: DayRange): Promise<DailyStage[]>
  latestQuality(question: QualityQuestion): Promise<QualityReport[]>
  checkHistory(question: CheckQuestion): Promise<Page<CheckPoint>>
  latestReconciliation(): Promise<Reconciled | null>
}

/** A shop's own database as change data capture tells of it; `db/postgres/queries/shop.ts` documents each. Lists throw QueryError for a cursor that is none. */
export interface ShopReader {
  product(productId: string): Promise<ShopProduct | null>
  prices(productId: string, page: ListPage): Promise<Page<PriceChange>>
  stocks(productId: string, page: ListPage): Promise<Page<StockChange>>
  lowStock(question: ListPage & { below: number }): Promise<LowStock>
  priceChanges(page: ListPage): Promise<Page<PricedProduct>>
  order(orderId: string): Promise<ShopOrder | null>
}
interface ListPage {
  limit: number
  cursor?: string | undefined
}

/** What people make of alerts; every change is audited. */
export interface AlertReviews {
  /** @returns false where there is no such alert */
  review(review: NewReview): Promise<boolean>
}

/** Alerts in the order in which they changed; `db/postgres/queries/alert-changes.ts` documents each. */
export interface AlertFeed {
  changes(question: ChangesQuestion): Promise<AlertChange[]>
  newest(): Promise<ChangePlace>
  isKnown(place: ChangePlace): Promise<boolean>
}

export interface UserStore {
  find(username: string): Promise<User | null>
  /** By name. @throws QueryError for a cursor that is none */
  list(page: { limit: number; cursor?: string | undefined }): Promise<Page<Account>>
  hasAdmin(): Promise<boolean>
  /** @returns false when there is one of that name already. */
  create(user: User, change: Change): Promise<boolean>
  /** Ends its sessions. */
  change(username: string, to: UserChange, change: Change): Promise<ChangeOutcome>
  /** Ends its sessions. */
  remove(username: string, change: Change): Promise<ChangeOutcome>
}

/** Sessions of people and the links that begin them. Tokens and codes come as hashes; times are epoch milliseconds. */
export interface SessionStore {
  /** @returns false where the account is no longer the one whose password was checked */
  begin(user: User, session: NewSession, change: Change): Promise<boolean>
  createLink(link: RefreshToken & { role: Role }, change: Change): Promise<void>
  /** Uses the link up. @returns null where there is none, or no longer */
  beginByLink(
    codeHash: Uint8Array,
    session: NewSession,
    now: { address: string | null; at: number },
  ): Promise<SessionOwner | null>
  /** Exchanges a token for the next; one that was exchanged before ends its family. */
  rotate(hash: Uint8Array, next: RefreshToken, now: { address: string | null; at: number }): Promise<Rotation>
  end(hash: Uint8Array, now: { address: string | null; at: number }): Promise<void>
}

export interface AuditStore {
  /** For what is no change of something that is stored: that is recorded with it. */
  record(entry: AuditEntry): Promise<void>
  /** The newest first. @throws QueryError for a cursor that is none */
  page(filter: AuditFilter): Promise<Page<AuditRow>>
}

/** Persons who are to be forgotten; every request is audited. */
export interface ErasureStore {
  /** @returns the erasure; the one there is, where the same person is being erased already */
  request(erasure: NewErasure): Promise<ErasureRow>
  /** The newest first. @throws QueryError for a cursor that is none */
  page(filter: ErasureFilter): Promise<Page<ErasureRow>>
  /** @param id a UUID */
  find(id: string): Promise<ErasureRow | null>
}

/** Write keys where they are kept; every change is audited. */
export interface WriteKeyStore {
  /** Those that hold, the oldest first: few. */
  live(): Promise<WriteKeyRow[]>
  /** The last that were revoked. */
  revoked(limit: number): Promise<WriteKeyRow[]>
  /** @returns false when there are as many as there may be */
  create(key: NewWriteKey, by: Actor): Promise<boolean>
  /** @returns false when there is none of that id that holds */
  revoke(id: string, at: number, by: Actor): Promise<boolean>
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

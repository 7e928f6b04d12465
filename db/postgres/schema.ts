/**
 * The tables of the platform. Those of the results have the very columns of their row type in streams/contract/results.ts, which is checked at
 * the end of this file by the compiler: a field added there and forgotten here does not build.
 *
 * Invariant: changes come as migrations only (`npm run db:generate`, then read what it wrote). Storage settings live in 0001_storage.sql.
 */
import { type InferSelectModel, sql } from 'drizzle-orm'
import { boolean, index, integer, jsonb, type PgTable, pgTable, primaryKey, text, timestamp } from 'drizzle-orm/pg-core'
import type {
  AlertEvidence,
  AlertRow,
  FunnelStage,
  Outcome,
  RegionWindow,
  ResultRows,
  ResultTable,
} from '../../streams/contract/results.ts'
import { bytea, epochMs, integer64 } from './columns.ts'
import type { Role } from './roles.ts'

const provenance = { partition: integer().notNull(), position: integer64().notNull() }

export const sessions = pgTable(
  'sessions',
  {
    session_id: text().primaryKey(),
    user_id: text().notNull(),
    started_at: epochMs().notNull(),
    ended_at: epochMs().notNull(),
    events: integer64().notNull(),
    page_views: integer64().notNull(),
    product_views: integer64().notNull(),
    carts: integer64().notNull(),
    checkouts: integer64().notNull(),
    purchases: integer64().notNull(),
    revenue_minor: jsonb().$type<Record<string, number>>().notNull(),
    funnel_stage: text().$type<FunnelStage>().notNull(),
    entry_page: text(),
    exit_page: text(),
    final: boolean().notNull(),
    merged_into: text(),
    ...provenance,
  },
  // Ascending indexes serve newest-first pages as well: they are read backwards.
  (t) => [
    index('sessions_by_user').on(t.user_id, t.started_at, t.session_id),
    index('sessions_by_start').on(t.started_at),
    // `ended_at` moves with every event. A BRIN index does not stand in the way of HOT updates (PostgreSQL 16 and newer), a b-tree would.
    index('sessions_by_end').using('brin', t.ended_at),
  ],
)

export const revenue_by_minute = pgTable(
  'revenue_by_minute',
  {
    window_start: epochMs().notNull(),
    category: text().notNull(),
    currency: text().notNull(),
    orders: integer64().notNull(),
    revenue_minor: integer64().notNull(),
    refunds: integer64().notNull(),
    refunded_minor: integer64().notNull(),
    final: boolean().notNull(),
    ...provenance,
  },
  (t) => [
    primaryKey({ name: 'revenue_by_minute_key', columns: [t.window_start, t.category, t.currency, t.partition] }),
  ],
)

export const traffic_by_minute = pgTable(
  'traffic_by_minute',
  {
    window_start: epochMs().notNull(),
    event_type: text().notNull(),
    events: integer64().notNull(),
    users: integer64().notNull(),
    final: boolean().notNull(),
    ...provenance,
  },
  (t) => [primaryKey({ name: 'traffic_by_minute_key', columns: [t.window_start, t.event_type, t.partition] })],
)

export const products_by_hour = pgTable(
  'products_by_hour',
  {
    topic: text().notNull(),
    window_start: epochMs().notNull(),
    product_id: text().notNull(),
    currency: text().notNull(),
    views: integer64().notNull(),
    carts: integer64().notNull(),
    purchases: integer64().notNull(),
    revenue_minor: integer64().notNull(),
    final: boolean().notNull(),
    ...provenance,
  },
  (t) => [
    primaryKey({
      name: 'products_by_hour_key',
      columns: [t.window_start, t.product_id, t.currency, t.topic, t.partition],
    }),
  ],
)

export const trips_by_region = pgTable(
  'trips_by_region',
  {
    region_id: text().notNull(),
    window: text().$type<RegionWindow>().notNull(),
    window_start: epochMs().notNull(),
    currency: text().notNull(),
    trips: integer64().notNull(),
    fare_minor: integer64().notNull(),
    duration_s: integer64().notNull(),
    distance_m: integer64().notNull(),
    final: boolean().notNull(),
    ...provenance,
  },
  (t) => [
    primaryKey({
      name: 'trips_by_region_key',
      columns: [t.region_id, t.window, t.window_start, t.currency, t.partition],
    }),
    index('trips_by_window').on(t.window, t.window_start),
  ],
)

export const fraud_alerts = pgTable(
  'fraud_alerts',
  {
    alert_id: text().primaryKey(),
    rule_id: text().notNull(),
    rule_version: integer().notNull(),
    user_id: text().notNull(),
    state: text().$type<AlertRow['state']>().notNull(),
    superseded_by: text(),
    supersedes: jsonb().$type<string[]>().notNull(),
    total_minor: integer64().notNull(),
    currency: text().notNull(),
    first_at: epochMs().notNull(),
    last_at: epochMs().notNull(),
    triggered_at: epochMs().notNull(),
    watermark: epochMs().notNull(),
    evidence: jsonb().$type<AlertEvidence[]>().notNull(),
    trace_id: text(),
    final: boolean().notNull(),
    ...provenance,
  },
  (t) => [
    index('fraud_alerts_by_time').on(t.triggered_at, t.alert_id),
    index('fraud_alerts_by_user').on(t.user_id, t.triggered_at, t.alert_id),
  ],
)

export const outcomes_by_minute = pgTable(
  'outcomes_by_minute',
  {
    topic: text().notNull(),
    job: text().notNull(),
    window_start: epochMs().notNull(),
    outcome: text().$type<Outcome>().notNull(),
    reason: text().notNull(),
    events: integer64().notNull(),
    ...provenance,
  },
  (t) => [
    primaryKey({
      name: 'outcomes_by_minute_key',
      columns: [t.topic, t.partition, t.job, t.window_start, t.outcome, t.reason],
    }),
    index('outcomes_by_time').on(t.window_start),
  ],
)

const createdAt = timestamp({ withTimezone: true }).notNull().defaultNow()

/** Records to publish once per id. `seq` is their order; a published one keeps its id, to be known again, and loses its value. */
export const outbox = pgTable(
  'outbox',
  {
    id: text().primaryKey(),
    seq: integer64().generatedAlwaysAsIdentity().notNull(),
    topic: text().notNull(),
    key: text(),
    value: bytea().notNull(),
    headers: jsonb().$type<Record<string, string>>(),
    created_at: createdAt,
    published_at: timestamp({ withTimezone: true }),
  },
  (t) => [
    index('outbox_unpublished').on(t.seq).where(sql`${t.published_at} IS NULL`),
    index('outbox_by_age').on(t.created_at),
  ],
)

/** One row per partition ever owned. `epoch` is the fence: whoever writes with a lower one has been replaced. */
export const tasks = pgTable(
  'tasks',
  {
    topic: text().notNull(),
    partition: integer().notNull(),
    epoch: integer64().notNull(),
    owner: text().notNull(),
    next_offset: integer64().notNull().default(0),
    end_offset: integer64().notNull().default(0),
    watermark: epochMs().notNull().default(sql`'-infinity'`),
    events: integer64().notNull().default(0),
    late: integer64().notNull().default(0),
    duplicates: integer64().notNull().default(0),
    dead_letters: integer64().notNull().default(0),
    live: boolean().notNull().default(false),
    updated_at: timestamp({ withTimezone: true }).notNull().defaultNow(),
  },
  (t) => [primaryKey({ name: 'tasks_key', columns: [t.topic, t.partition] })],
)

/** The newest few per partition, by `id`: the one saved last is the newest, whatever its offset. */
export const checkpoints = pgTable(
  'checkpoints',
  {
    id: integer64().generatedAlwaysAsIdentity().primaryKey(),
    topic: text().notNull(),
    partition: integer().notNull(),
    epoch: integer64().notNull(),
    next_offset: integer64().notNull(),
    files: jsonb().$type<string[]>().notNull(),
    created_at: createdAt,
  },
  (t) => [index('checkpoints_by_partition').on(t.topic, t.partition, t.id)],
)

export const users = pgTable('users', {
  username: text().primaryKey(),
  password_hash: text().notNull(),
  role: text().$type<Role>().notNull(),
  created_at: createdAt,
})

/** Facts about this database as a whole, e.g. the identity of the log its results come from. */
export const platform = pgTable('platform', { key: text().primaryKey(), value: text().notNull() })

/** The tables that {@link ResultRows} are kept in. */
export const RESULT_SCHEMA = {
  sessions,
  revenue_by_minute,
  traffic_by_minute,
  products_by_hour,
  trips_by_region,
  fraud_alerts,
  outcomes_by_minute,
} as const satisfies { [T in ResultTable]: PgTable }

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false
type Stored<T extends ResultTable> = InferSelectModel<(typeof RESULT_SCHEMA)[T]>
/** Does not compile when a table and its row type differ in a column, its type or whether it may be null. */
export const COLUMNS_AGREE: { [T in ResultTable]: Same<Required<Stored<T>>, Required<ResultRows[T]>> } = {
  sessions: true,
  revenue_by_minute: true,
  traffic_by_minute: true,
  products_by_hour: true,
  trips_by_region: true,
  fraud_alerts: true,
  outcomes_by_minute: true,
}

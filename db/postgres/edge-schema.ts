/**
 * What the edge keeps for itself: who changed what, and whatever access and ingestion need to remember. No result is here.
 *
 * Invariant: changes come as migrations only (`npm run db:generate`, then read what it wrote).
 */
import { boolean, index, integer, jsonb, pgTable, text } from 'drizzle-orm/pg-core'
import { bytea, epochMs, integer64, xid8 } from './columns.ts'
import type { Role } from './roles.ts'
import { users } from './schema.ts'

/** One row for each change that somebody made through the edge. Never changed, never deleted by the platform. */
export const audit_log = pgTable(
  'audit_log',
  {
    id: integer64().generatedAlwaysAsIdentity().primaryKey(),
    at: epochMs().notNull(),
    actor: text().notNull(),
    action: text().notNull(),
    target: text().notNull(),
    /** What is worth knowing besides; never a secret. */
    detail: jsonb().$type<Record<string, unknown>>().notNull(),
    address: text(),
  },
  (t) => [index('audit_log_by_actor').on(t.actor, t.id), index('audit_log_by_target').on(t.target, t.id)],
)

/** Whether people believe an alert. */
export const REVIEW_STATES = ['open', 'confirmed', 'dismissed'] as const
export type ReviewState = (typeof REVIEW_STATES)[number]

/** What was said last of an alert; one without a row is open. It outlives the alert's own changes, and the alert. */
export const alert_reviews = pgTable(
  'alert_reviews',
  {
    alert_id: text().primaryKey(),
    state: text().$type<ReviewState>().notNull(),
    at: epochMs().notNull(),
    by: text().notNull(),
  },
  (t) => [index('alert_reviews_by_state').on(t.state, t.at)],
)

/** Every step of the reviews, in order. Only added to. */
export const alert_review_notes = pgTable(
  'alert_review_notes',
  {
    id: integer64().generatedAlwaysAsIdentity().primaryKey(),
    alert_id: text().notNull(),
    at: epochMs().notNull(),
    by: text().notNull(),
    state: text().$type<ReviewState>().notNull(),
    note: text(),
  },
  (t) => [index('alert_review_notes_by_alert').on(t.alert_id, t.id)],
)

/**
 * When each alert changed, by the clock of the database, and in which transaction: the order in which the live stream tells of them. A trigger on `fraud_alerts` fills it, whoever writes there.
 * One row an alert, so that it is told once however often it has changed.
 */
export const alert_changes = pgTable(
  'alert_changes',
  {
    alert_id: text().primaryKey(),
    changed_in: xid8().notNull(),
    changed_at: epochMs().notNull(),
    /** null: of an alert that is older than this table. */
    alerted_at: epochMs(),
    superseded_at: epochMs(),
    final_at: epochMs(),
  },
  (t) => [index('alert_changes_in_order').on(t.changed_in, t.alert_id)],
)

/** Who may send events. Few: edges hold all that are not revoked in memory. A revoked one stays, so that its name can still be told. */
export const write_keys = pgTable('write_keys', {
  /** Public, and the beginning of the key itself. */
  id: text().primaryKey(),
  name: text().notNull(),
  /** SHA-256 of the key, which is kept nowhere. */
  hash: bytea().notNull(),
  /** Of the pages that may send with it; null: all. */
  origins: text().array(),
  /** null: as many as there are. */
  events_per_minute: integer(),
  /** Whether an event must say that whom it is about agrees. */
  requires_consent: boolean().notNull().default(false),
  created_at: epochMs().notNull(),
  created_by: text().notNull(),
  revoked_at: epochMs(),
  revoked_by: text(),
})

/**
 * What lets a session of somebody who has signed in go on. Each is used once and gives the next of its family; a used one stays until it would have ended, so that
 * it is known when it comes again. An ended family has no rows.
 */
export const refresh_tokens = pgTable(
  'refresh_tokens',
  {
    /** SHA-256 of the token, which is kept nowhere. */
    hash: bytea().primaryKey(),
    family: text().notNull(),
    /** null: of a login link, which belongs to no account. */
    username: text().references(() => users.username, { onDelete: 'cascade' }),
    /** Of a login link's session: whose it is, and its role. An account's are asked for each time. */
    link_name: text(),
    link_role: text().$type<Role>(),
    expires_at: epochMs().notNull(),
    used_at: epochMs(),
  },
  (t) => [
    index('refresh_tokens_by_family').on(t.family),
    index('refresh_tokens_by_username').on(t.username),
    index('refresh_tokens_by_end').on(t.expires_at),
  ],
)

/** Links that sign in once. */
export const login_links = pgTable('login_links', {
  /** SHA-256 of the code, which is kept nowhere. */
  hash: bytea().primaryKey(),
  role: text().$type<Role>().notNull(),
  created_by: text().notNull(),
  expires_at: epochMs().notNull(),
})

/**
 * What the edge keeps for itself: who changed what, and whatever access and ingestion need to remember. No result is here.
 *
 * Invariant: changes come as migrations only (`npm run db:generate`, then read what it wrote).
 */
import { index, jsonb, pgTable, text } from 'drizzle-orm/pg-core'
import { epochMs, integer64 } from './columns.ts'

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

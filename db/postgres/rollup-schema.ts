/**
 * Hours of what the results tell by the minute, or one by one: so that a year is read in some thousand rows. Triggers on the results keep them (the migration `rollup_triggers`), in the transaction
 * that changes a result, whoever writes there.
 *
 * Invariant: each row is the sum over the rows of its hour and partition. `open` counts those that are not final. Rows of one partition have one writer, so nobody waits for another's hour.
 */
import { integer, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import type { FunnelStage } from '../../streams/contract/results.ts'
import { epochMs, integer64 } from './columns.ts'

const amount = () => integer64().notNull()

export const traffic_by_hour = pgTable(
  'traffic_by_hour',
  {
    window_start: epochMs().notNull(),
    event_type: text().notNull(),
    partition: integer().notNull(),
    events: amount(),
    open: amount(),
  },
  (t) => [primaryKey({ name: 'traffic_by_hour_key', columns: [t.window_start, t.event_type, t.partition] })],
)

export const revenue_by_hour = pgTable(
  'revenue_by_hour',
  {
    window_start: epochMs().notNull(),
    category: text().notNull(),
    currency: text().notNull(),
    partition: integer().notNull(),
    orders: amount(),
    revenue_minor: amount(),
    refunds: amount(),
    refunded_minor: amount(),
    open: amount(),
  },
  (t) => [primaryKey({ name: 'revenue_by_hour_key', columns: [t.window_start, t.category, t.currency, t.partition] })],
)

/** Sessions by the hour they began in; those that were merged into another are in the survivor's. */
export const sessions_by_hour = pgTable(
  'sessions_by_hour',
  {
    window_start: epochMs().notNull(),
    funnel_stage: text().$type<FunnelStage>().notNull(),
    partition: integer().notNull(),
    sessions: amount(),
    converted: amount(),
  },
  (t) => [primaryKey({ name: 'sessions_by_hour_key', columns: [t.window_start, t.funnel_stage, t.partition] })],
)

/**
 * Hours of what the results tell by the minute, or one by one; days of trips, weeks of products: so that a year is read in few rows. Triggers on the results keep them
 * (the migrations `rollup_triggers` and `long_rollup_triggers`), in the transaction that changes a result, whoever writes there.
 *
 * Invariant: each row is the sum over the rows of its time and partition; one whose rows were removed is all zeros. `open` counts those that are not final. Rows of one partition have one
 * writer, so nobody waits for another's sums, but for the moment in which a replay takes the place of results.
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

/**
 * Sums of `products_by_hour`. By weeks, for each product that is seen costs a row more to write, and one that is seen a few times a day has hardly fewer days than hours. Weeks begin on
 * Thursdays, as the first day of 1970 did.
 */
export const products_by_week = pgTable(
  'products_by_week',
  {
    topic: text().notNull(),
    window_start: epochMs().notNull(),
    product_id: text().notNull(),
    currency: text().notNull(),
    partition: integer().notNull(),
    views: amount(),
    carts: amount(),
    purchases: amount(),
    revenue_minor: amount(),
  },
  (t) => [
    primaryKey({
      name: 'products_by_week_key',
      columns: [t.window_start, t.product_id, t.currency, t.topic, t.partition],
    }),
  ],
)

/** Sums of the windows of an hour in `trips_by_region`. */
export const trips_by_day = pgTable(
  'trips_by_day',
  {
    window_start: epochMs().notNull(),
    region_id: text().notNull(),
    currency: text().notNull(),
    partition: integer().notNull(),
    trips: amount(),
    fare_minor: amount(),
    duration_s: amount(),
    distance_m: amount(),
  },
  (t) => [primaryKey({ name: 'trips_by_day_key', columns: [t.window_start, t.region_id, t.currency, t.partition] })],
)

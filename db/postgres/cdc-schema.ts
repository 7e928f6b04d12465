/**
 * What the change data capture of a shop's database tells: its products, orders and items as they are now, and how prices, stocks and states of orders came to be what they are.
 * The projector (streams/cdc) writes here, the edge reads.
 *
 * Invariants: a row says which record of the log made it (`partition`, `position`), and a lower position never replaces a higher one; a row that was deleted in the shop stays, marked. A batch's rows,
 * its histories and the offset behind it (`cdc_positions`) are one transaction. Changes come as migrations only (`npm run db:generate`).
 */
import { type InferSelectModel, sql } from 'drizzle-orm'
import { boolean, index, integer, jsonb, numeric, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import { epochMs, integer64 } from './columns.ts'

/** What all rows of the shop's tables have besides. Any column of the shop's may be null here: tables of others look as they like. */
const captured = {
  /** Columns that nothing here knows, by name. */
  extra: jsonb().$type<Record<string, unknown>>().notNull(),
  deleted: boolean().notNull(),
  /** When the shop's database changed it, by that database's clock. */
  changed_at: epochMs().notNull(),
  partition: integer().notNull(),
  position: integer64().notNull(),
}

export const cdc_products = pgTable(
  'cdc_products',
  {
    product_id: text().primaryKey(),
    sku: text(),
    name: text(),
    category: text(),
    price: numeric(),
    currency: text(),
    stock: integer64(),
    updated_at: epochMs(),
    ...captured,
  },
  (t) => [index('cdc_products_by_stock').on(t.stock, t.product_id).where(sql`NOT ${t.deleted}`)],
)

export const cdc_orders = pgTable(
  'cdc_orders',
  {
    order_id: text().primaryKey(),
    user_id: text(),
    status: text(),
    total: numeric(),
    currency: text(),
    created_at: epochMs(),
    updated_at: epochMs(),
    ...captured,
  },
  (t) => [index('cdc_orders_by_user').on(t.user_id)],
)

export const cdc_order_items = pgTable(
  'cdc_order_items',
  {
    item_id: text().primaryKey(),
    order_id: text(),
    product_id: text(),
    quantity: integer64(),
    price: numeric(),
    ...captured,
  },
  (t) => [index('cdc_order_items_by_order').on(t.order_id)],
)

/** Of a history: entries of one row of the shop are in the order of `id`. */
const entry = {
  id: integer64().generatedAlwaysAsIdentity().primaryKey(),
  changed_at: epochMs().notNull(),
  partition: integer().notNull(),
  position: integer64().notNull(),
}

/** The first entry of a product has no price before. */
export const price_changes = pgTable(
  'price_changes',
  {
    product_id: text().notNull(),
    price_before: numeric(),
    currency_before: text(),
    price: numeric(),
    currency: text(),
    ...entry,
  },
  (t) => [
    index('price_changes_by_product').on(t.product_id, t.id),
    index('price_changes_by_time').on(t.changed_at, t.id).where(sql`${t.price_before} IS NOT NULL`),
  ],
)

export const stock_changes = pgTable(
  'stock_changes',
  { product_id: text().notNull(), stock_before: integer64(), stock: integer64(), ...entry },
  (t) => [index('stock_changes_by_product').on(t.product_id, t.id)],
)

export const order_status_changes = pgTable(
  'order_status_changes',
  { order_id: text().notNull(), status_before: text(), status: text(), ...entry },
  (t) => [index('order_status_changes_by_order').on(t.order_id, t.id)],
)

/** How far each partition has been read. Its row is the lock under which a batch of that partition is applied. */
export const cdc_positions = pgTable(
  'cdc_positions',
  {
    topic: text().notNull(),
    partition: integer().notNull(),
    next_offset: integer64().notNull(),
  },
  (t) => [primaryKey({ name: 'cdc_positions_key', columns: [t.topic, t.partition] })],
)

/** The shop's tables as they are now, and the histories: what the projection writes, by name. */
export const CURRENT_TABLES = { cdc_products, cdc_orders, cdc_order_items } as const
export const HISTORY_TABLES = { price_changes, stock_changes, order_status_changes } as const
export type CurrentTable = keyof typeof CURRENT_TABLES
export type HistoryTable = keyof typeof HISTORY_TABLES
export type CurrentRow<T extends CurrentTable> = InferSelectModel<(typeof CURRENT_TABLES)[T]>
export type HistoryRow<T extends HistoryTable> = InferSelectModel<(typeof HISTORY_TABLES)[T]>

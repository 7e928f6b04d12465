/** What change data capture tells of a shop: its products and orders as they are, and how their prices, stocks and states came to be. */
import type { CurrentRow, HistoryRow } from '../cdc-schema.ts'
import type { Sql } from '../connect.ts'
import { cleanText } from '../result-version.ts'
import { decodeCursor, type Page, type Place, toPage } from './cursor.ts'
import { QueryError, timeSql } from './numbers.ts'

export type ShopProduct = CurrentRow<'cdc_products'>
export type PriceChange = HistoryRow<'price_changes'>
export type StockChange = HistoryRow<'stock_changes'>
export type PricedProduct = PriceChange & Pick<ShopProduct, 'name'>
export interface ShopOrder extends CurrentRow<'cdc_orders'> {
  /** Those that are not deleted, by id; at most {@link ITEMS_MAX}. */
  items: CurrentRow<'cdc_order_items'>[]
  /** In order; of more than {@link ITEMS_MAX} the last ones. */
  statuses: HistoryRow<'order_status_changes'>[]
}

export const ITEMS_MAX = 500

interface PageQuestion {
  limit: number
  cursor?: string | undefined
}

export interface LowStock extends Page<ShopProduct> {
  /** Whether any product of a shop is known at all. */
  known: boolean
}

export async function shopProduct(sql: Sql, productId: string): Promise<ShopProduct | null> {
  const [row] = await sql<ShopProduct[]>`SELECT * FROM cdc_products WHERE product_id = ${cleanText(productId)}`
  return row ? { ...row } : null
}

/** Those that there are fewest of first. @throws QueryError for a cursor that is none */
export async function lowStock(
  sql: Sql,
  { below, limit, cursor }: PageQuestion & { below: number },
): Promise<LowStock> {
  const after = cursor === undefined ? null : decodeCursor(cursor)
  const [rows, [any]] = await Promise.all([
    sql<ShopProduct[]>`
      SELECT * FROM cdc_products WHERE NOT deleted AND stock < ${below}
        ${after === null ? sql`` : sql`AND (stock, product_id) > (${after.at}, ${after.id})`}
      ORDER BY stock, product_id LIMIT ${limit + 1}`,
    sql<{ known: boolean }[]>`SELECT EXISTS (SELECT FROM cdc_products) AS known`,
  ])
  const page = toPage(rows, limit, ({ stock, product_id }) => ({ at: stock ?? 0, id: product_id }))
  return { ...page, known: any!.known }
}

/** The newest first, without first prices. @throws QueryError for a cursor that is none */
export async function priceChanges(sql: Sql, { limit, cursor }: PageQuestion): Promise<Page<PricedProduct>> {
  const after = cursor === undefined ? null : numbered(decodeCursor(cursor))
  const rows = await sql<PricedProduct[]>`
    SELECT c.*, p.name FROM price_changes c LEFT JOIN cdc_products p ON p.product_id = c.product_id WHERE c.price_before IS NOT NULL
      ${after === null ? sql`` : sql`AND (c.changed_at, c.id) < (${timeSql(sql, after.at)}, ${after.id}::bigint)`}
    ORDER BY c.changed_at DESC, c.id DESC LIMIT ${limit + 1}`
  return toPage(rows, limit, ({ changed_at, id }) => ({ at: changed_at, id: String(id) }))
}

/** The newest first. @throws QueryError for a cursor that is none */
export const productPrices = (sql: Sql, productId: string, page: PageQuestion): Promise<Page<PriceChange>> =>
  historyOf(sql, 'price_changes', productId, page)
export const productStocks = (sql: Sql, productId: string, page: PageQuestion): Promise<Page<StockChange>> =>
  historyOf(sql, 'stock_changes', productId, page)

async function historyOf<Row extends { id: number }>(
  sql: Sql,
  table: 'price_changes' | 'stock_changes',
  productId: string,
  { limit, cursor }: PageQuestion,
): Promise<Page<Row>> {
  const after = cursor === undefined ? null : decodeCursor(cursor)
  const rows = await sql<Row[]>`
    SELECT * FROM ${sql(table)} WHERE product_id = ${cleanText(productId)} ${after === null ? sql`` : sql`AND id < ${after.at}`}
    ORDER BY id DESC LIMIT ${limit + 1}`
  return toPage(rows, limit, ({ id }) => ({ at: id, id: '' }))
}

export async function shopOrder(sql: Sql, orderId: string): Promise<ShopOrder | null> {
  const id = cleanText(orderId)
  const [order] = await sql<CurrentRow<'cdc_orders'>[]>`SELECT * FROM cdc_orders WHERE order_id = ${id}`
  if (!order) return null
  const [items, statuses] = await Promise.all([
    sql<ShopOrder['items']>`
      SELECT * FROM cdc_order_items WHERE order_id = ${id} AND NOT deleted ORDER BY length(item_id), item_id LIMIT ${ITEMS_MAX}`,
    sql<ShopOrder['statuses']>`
      SELECT * FROM (SELECT * FROM order_status_changes WHERE order_id = ${id} ORDER BY id DESC LIMIT ${ITEMS_MAX}) AS last ORDER BY id`,
  ])
  return { ...order, items: [...items], statuses: [...statuses] }
}

/** @throws QueryError unless the place's id is a number */
function numbered(place: Place): Place {
  if (/^\d{1,18}$/.test(place.id)) return place
  throw new QueryError('The cursor is not one that this list gave out. Leave it out to start from the first page.')
}

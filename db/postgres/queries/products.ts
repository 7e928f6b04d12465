/** The products most seen, put in carts, bought or earning most in a time range. */
import type { Sql } from '../connect.ts'
import { decodeCursor, type Page, toPage } from './cursor.ts'
import { exact, HOUR_MS, type TimeRange, windowStart } from './numbers.ts'
import { productsIn } from './rollups.ts'

export const PRODUCT_ORDERS = ['views', 'carts', 'purchases', 'revenue'] as const
export type ProductOrder = (typeof PRODUCT_ORDERS)[number]

export interface ProductQuestion extends TimeRange {
  limit: number
  by: ProductOrder
  currency: string
  cursor?: string | undefined
}

export interface TopProduct {
  product_id: string
  views: number
  carts: number
  purchases: number
  /** Minor units by currency. */
  revenue_minor: Record<string, number>
}

/**
 * Windows of an hour count where they begin in [from, to), `from` taken down to the whole hour. Ties go by product id.
 * @param currency whose revenue `by: 'revenue'` compares; other currencies are shown, not converted.
 * @throws QueryError for a cursor that is none.
 */
export async function topProducts(
  sql: Sql,
  { from, to, limit, by, currency, cursor }: ProductQuestion,
): Promise<Page<TopProduct>> {
  const after = cursor === undefined ? null : decodeCursor(cursor)
  const measure =
    by === 'revenue' ? sql`sum(revenue_minor) FILTER (WHERE currency = ${currency})` : sql`sum(${sql(by)})`
  const rows = await sql<TopProduct[]>`
    WITH by_currency AS (
      SELECT product_id, currency, sum(views) AS views, sum(carts) AS carts, sum(purchases) AS purchases, sum(revenue_minor) AS revenue_minor
      FROM ${productsIn(sql, { from: windowStart(from, HOUR_MS), to })} AS p
      GROUP BY product_id, currency
    )
    SELECT product_id, sum(views)::bigint AS views, sum(carts)::bigint AS carts, sum(purchases)::bigint AS purchases,
      coalesce(jsonb_object_agg(currency, revenue_minor::bigint) FILTER (WHERE currency <> ''), '{}') AS revenue_minor
    FROM by_currency GROUP BY product_id
    HAVING ${measure} > 0 ${after === null ? sql`` : sql`AND (${measure} < ${after.at} OR (${measure} = ${after.at} AND product_id > ${after.id}))`}
    ORDER BY ${measure} DESC, product_id LIMIT ${limit + 1}`
  const products = rows.map((row) => ({
    product_id: row.product_id,
    views: exact(row.views),
    carts: exact(row.carts),
    purchases: exact(row.purchases),
    revenue_minor: Object.fromEntries(Object.entries(row.revenue_minor).map(([code, sum]) => [code, exact(sum)])),
  }))
  return toPage(products, limit, (row) => ({
    at: by === 'revenue' ? (row.revenue_minor[currency] ?? 0) : row[by],
    id: row.product_id,
  }))
}

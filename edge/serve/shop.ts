/**
 * `/products` and `/shop_orders`: a shop's own database as change data capture tells of it, which is something else than what events say of products (`/metrics/top_products`).
 * Where nothing is captured, lists are empty.
 */
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import { toIso } from '../../streams/contract/time-text.ts'
import type { Clock, ShopProduct, ShopReader } from '../ports.ts'
import { Problem } from '../problem.ts'
import { enveloped, metaOf, paged, problems } from './envelope.ts'
import { cursor, idParam, limit, noQuery, query } from './params.ts'

export interface ShopDeps {
  shop: ShopReader
  clock: Pick<Clock, 'now'>
}

const STOCK_MAX = 100_000

const amount = z.number().nullable()
const text = z.string().nullable()
const whole = z.number().int().nullable()
const time = z.iso.datetime()
const changed_at = time.describe("When the shop's database changed it, by its clock")
/** Of every row of the shop. */
const captured = {
  extra: z.record(z.string(), z.unknown()).describe("The shop's other columns"),
  deleted: z.boolean().describe('Deleted in the shop; the rest is how it was then'),
  changed_at,
}

const product = z
  .object({
    product_id: z.string(),
    sku: text,
    name: text,
    category: text,
    price: amount,
    currency: text,
    stock: whole,
    updated_at: time.nullable(),
    ...captured,
  })
  .openapi('ShopProduct')

const price = z
  .object({
    price_before: amount.describe('null: the first price that is known'),
    currency_before: text,
    price: amount,
    currency: text,
    changed_at,
  })
  .openapi('PriceChange')

const stock = z
  .object({ stock_before: whole.describe('null: the first that is known'), stock: whole, changed_at })
  .openapi('StockChange')

const order = z
  .object({
    order_id: z.string(),
    user_id: text,
    status: text,
    total: amount,
    currency: text,
    created_at: time.nullable(),
    updated_at: time.nullable(),
    ...captured,
    items: z.array(z.object({ item_id: z.string(), product_id: text, quantity: whole, price: amount, changed_at })),
    statuses: z
      .array(z.object({ status_before: text.describe('null: the first that is known'), status: text, changed_at }))
      .describe('What the order has been, in that order'),
  })
  .openapi('ShopOrder')

const tags = ['Shop']
const params = z.object({ id: idParam("The product's id in the shop") })
const listed = { limit: limit(200, 50), cursor }
const route = {
  lowStock: createRoute({
    method: 'get',
    path: '/products/low_stock',
    tags,
    summary: 'Products of which few are left, the fewest first',
    request: { query: query({ below: limit(STOCK_MAX, 10), ...listed }) },
    responses: {
      200: paged(product, 'Products with a stock below that', {
        known: z.boolean().describe('Whether any product of a shop is known: false where no database is captured'),
      }),
      ...problems(400),
    },
  }),
  priceChanges: createRoute({
    method: 'get',
    path: '/products/price_changes',
    tags,
    summary: 'What prices were changed to, the newest first',
    request: { query: query(listed) },
    responses: {
      200: paged(price.extend({ product_id: z.string(), name: text }), 'Changes; first prices are none'),
      ...problems(400),
    },
  }),
  product: createRoute({
    method: 'get',
    path: '/products/{id}',
    tags,
    summary: "A product as it is in the shop's database",
    request: { params, query: noQuery },
    responses: { 200: enveloped(product, 'The product'), ...problems(400, 404) },
  }),
  prices: createRoute({
    method: 'get',
    path: '/products/{id}/prices',
    tags,
    summary: 'The prices a product has had, the newest first',
    request: { params, query: query(listed) },
    responses: { 200: paged(price, 'The last is its first price that is known'), ...problems(400) },
  }),
  stocks: createRoute({
    method: 'get',
    path: '/products/{id}/stock',
    tags,
    summary: 'How many of a product there were, the newest first',
    request: { params, query: query(listed) },
    responses: { 200: paged(stock, 'Changes of its stock'), ...problems(400) },
  }),
  order: createRoute({
    method: 'get',
    path: '/shop_orders/{id}',
    tags,
    summary: "An order as it is in the shop's database, with its items and the states it has had",
    request: { params: z.object({ id: idParam("The order's id in the shop") }), query: noQuery },
    responses: { 200: enveloped(order, 'The order'), ...problems(400, 404) },
  }),
}

export function addShopRoutes(api: OpenAPIHono, { shop, clock }: ShopDeps): void {
  const meta = () => metaOf(clock.now())

  // Before those that take any name there.
  api.openapi(route.lowStock, async (c) => {
    const { items, next, known } = await shop.lowStock(c.req.valid('query'))
    return c.json({ data: items.map(productOf), meta: { ...meta(), known, next_cursor: next } }, 200)
  })

  api.openapi(route.priceChanges, async (c) => {
    const { items, next } = await shop.priceChanges(c.req.valid('query'))
    const data = items.map((change) => ({ product_id: change.product_id, name: change.name, ...priceOf(change) }))
    return c.json({ data, meta: { ...meta(), next_cursor: next } }, 200)
  })

  api.openapi(route.product, async (c) => {
    const { id } = c.req.valid('param')
    const found = await shop.product(id)
    if (!found) throw new Problem('not_found', `No product ${id} is known from a shop's database.`)
    return c.json({ data: productOf(found), meta: meta() }, 200)
  })

  api.openapi(route.prices, async (c) => {
    const { items, next } = await shop.prices(c.req.valid('param').id, c.req.valid('query'))
    return c.json({ data: items.map(priceOf), meta: { ...meta(), next_cursor: next } }, 200)
  })

  api.openapi(route.stocks, async (c) => {
    const { items, next } = await shop.stocks(c.req.valid('param').id, c.req.valid('query'))
    const data = items.map(({ stock_before, stock, changed_at }) => ({
      stock_before,
      stock,
      changed_at: toIso(changed_at),
    }))
    return c.json({ data, meta: { ...meta(), next_cursor: next } }, 200)
  })

  api.openapi(route.order, async (c) => {
    const { id } = c.req.valid('param')
    const found = await shop.order(id)
    if (!found) throw new Problem('not_found', `No order ${id} is known from a shop's database.`)
    const { partition: _, position: _position, ...row } = found
    const data = {
      ...row,
      total: majorOf(row.total),
      created_at: isoOf(row.created_at),
      updated_at: isoOf(row.updated_at),
      changed_at: toIso(row.changed_at),
      items: row.items.map(({ item_id, product_id, quantity, price, changed_at }) => ({
        item_id,
        product_id,
        quantity,
        price: majorOf(price),
        changed_at: toIso(changed_at),
      })),
      statuses: row.statuses.map(({ status_before, status, changed_at }) => ({
        status_before,
        status,
        changed_at: toIso(changed_at),
      })),
    }
    return c.json({ data, meta: meta() }, 200)
  })
}

const productOf = ({ partition: _, position: _position, ...row }: ShopProduct) => ({
  ...row,
  price: majorOf(row.price),
  updated_at: isoOf(row.updated_at),
  changed_at: toIso(row.changed_at),
})

interface Priced {
  price_before: string | null
  currency_before: string | null
  price: string | null
  currency: string | null
  changed_at: number
}
const priceOf = ({ price_before, currency_before, price, currency, changed_at }: Priced) => ({
  price_before: majorOf(price_before),
  currency_before,
  price: majorOf(price),
  currency,
  changed_at: toIso(changed_at),
})

/** Decimals of the shop's, exact in the database, as JSON has numbers. */
const majorOf = (amount: string | null): number | null => (amount === null ? null : Number(amount))
const isoOf = (ms: number | null): string | null => (ms === null ? null : toIso(ms))

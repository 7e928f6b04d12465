/** `GET /metrics/top_products`: the products with the most views, carts, purchases or revenue. */
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import { PRODUCT_ORDERS } from '../../db/postgres/queries/products.ts'
import { toMajor } from '../../streams/contract/money.ts'
import { toIso } from '../../streams/contract/time-text.ts'
import type { Clock, MetricReader, TopProduct } from '../ports.ts'
import { metaOf, paged, problems, rangeMeta } from './envelope.ts'
import { currency, cursor, limit, query, rangeOf, rangeQuery } from './params.ts'
import { watermarkOf } from './pipelines.ts'

export interface ProductsDeps {
  reader: Pick<MetricReader, 'topProducts' | 'pipelines'>
  clock: Pick<Clock, 'now'>
  /** The platform's own currency. */
  currency: string
}

const product = z
  .object({
    product_id: z.string(),
    views: z.number().int(),
    carts: z.number().int(),
    purchases: z.number().int(),
    revenue: z.array(z.object({ currency: z.string(), revenue: z.number() })),
  })
  .openapi('ProductTotals')
const by = z.enum(PRODUCT_ORDERS)

const route = createRoute({
  method: 'get',
  path: '/metrics/top_products',
  tags: ['Metrics'],
  summary: 'The products with the most views, carts, purchases or revenue',
  request: {
    query: query({
      ...rangeQuery,
      limit: limit(100, 10),
      cursor,
      by: by.default('purchases'),
      currency: currency.optional().openapi({
        type: 'string',
        description: "Whose revenue `by=revenue` compares; the platform's own when missing",
      }),
    }),
  },
  responses: {
    200: paged(product, 'Products, the first is the top one; counted by whole hours', { ...rangeMeta, by }),
    ...problems(400),
  },
})

export function addProductsRoute(api: OpenAPIHono, { reader, clock, currency: ownCurrency }: ProductsDeps): void {
  api.openapi(route, async (c) => {
    const now = clock.now()
    const { by, limit, cursor, currency = ownCurrency, ...asked } = c.req.valid('query')
    const range = rangeOf(asked, now)
    const [page, pipelines] = await Promise.all([
      reader.topProducts({ ...range, by, limit, cursor, currency }),
      reader.pipelines(),
    ])
    const about = { from: toIso(range.from), to: toIso(range.to), by, next_cursor: page.next }
    return c.json({ data: page.items.map(productOf), meta: { ...metaOf(now, watermarkOf(pipelines)), ...about } }, 200)
  })
}

export function productOf({ revenue_minor, ...product }: TopProduct) {
  const revenue = Object.entries(revenue_minor).map(([currency, minor]) => ({
    currency,
    revenue: toMajor(minor, currency),
  }))
  return { ...product, revenue }
}

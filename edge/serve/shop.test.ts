/** A shop's database by HTTP. */
import { expect, test } from 'vitest'
import { createHarness, sampleShop, sampleShopProduct } from '../testing/harness.ts'

const body = async (response: Response) => (await response.json()) as { data: never; meta: never; detail: string }

test('a product as it is, its prices and its stock, with decimals as numbers and times as text', async () => {
  const edge = await createHarness()
  const product = {
    ...{ product_id: '7', sku: 'K-7', name: 'Kettle', category: 'home', price: 49.9, currency: 'TRY', stock: 3 },
    ...{ updated_at: '2026-01-31T11:59:00.000Z', extra: { colour: 'red' }, deleted: false },
    changed_at: '2026-01-31T11:59:00.000Z',
  }
  for (const base of ['', '/api/v1']) expect((await body(await edge.get(`${base}/products/7`))).data).toEqual(product)
  const price = {
    ...{ price_before: 59.9, currency_before: 'TRY', price: 49.9, currency: 'TRY' },
    changed_at: '2026-01-31T11:59:00.000Z',
  }
  const prices = await body(await edge.get('/products/7/prices'))
  expect(prices).toMatchObject({ data: [price], meta: { next_cursor: null } })
  expect((await body(await edge.get('/products/7/stock'))).data).toEqual([
    { stock_before: null, stock: 3, changed_at: '2026-01-31T11:59:00.000Z' },
  ])
  // Neither is taken for a product of that name.
  expect((await body(await edge.get('/products/low_stock'))).data).toEqual([product])
  expect((await body(await edge.get('/products/price_changes'))).data).toEqual([
    { product_id: '7', name: 'Kettle', ...price },
  ])
})

test('an order with its items and what it has been', async () => {
  const { data } = await body(await (await createHarness()).get('/shop_orders/9'))
  expect(data).toMatchObject({
    ...{ order_id: '9', user_id: 'u-1', status: 'paid', total: 99.8, updated_at: null, deleted: false },
    items: [{ item_id: '1', product_id: '7', quantity: 2, price: 49.9 }],
    statuses: [
      { status_before: null, status: 'new' },
      { status_before: 'new', status: 'paid' },
    ],
  })
})

test('what is asked for goes to the database as it was asked, and what is not there is a sentence', async () => {
  const asked: unknown[] = []
  const edge = await createHarness({
    shop: sampleShop({
      lowStock: async (question) => {
        asked.push(question)
        return { items: [sampleShopProduct], next: 'more', known: true }
      },
    }),
  })
  const { meta } = await body(await edge.get('/products/low_stock?below=3&limit=1&cursor=c'))
  expect([asked, meta]).toEqual([
    [{ below: 3, limit: 1, cursor: 'c' }],
    expect.objectContaining({ known: true, next_cursor: 'more' }),
  ])
  for (const [path, status, detail] of [
    ['/products/none', 404, "No product none is known from a shop's database."],
    ['/shop_orders/none', 404, "No order none is known from a shop's database."],
    ['/products/low_stock?below=0', 400, 'below: expected a whole number from 1 to 100000'],
    ['/products/7?fields=price', 400, 'fields: not known here; GET /docs shows what is'],
  ] as const) {
    const response = await edge.get(path)
    expect([path, response.status, (await body(response)).detail]).toEqual([path, status, detail])
  }
})

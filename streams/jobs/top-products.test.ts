/** The top-products job, in the sentences of the business. */
import { beforeEach, describe, expect, it } from 'vitest'
import { CLICKSTREAM, ORDERS } from '../contract/topics.ts'
import { createDriver, type Driver } from '../testing/driver.ts'
import { topProducts } from './top-products.ts'

let driver: Driver
let id = 0
beforeEach(async () => {
  driver = await createDriver({ jobs: [topProducts] })
})
const click = (event_type: string, more: object = {}): Promise<void> =>
  driver.send(CLICKSTREAM, {
    user_id: 'ada',
    event_type,
    product_id: 'lamp',
    event_time: '2026-01-15T12:00:00Z',
    ...more,
  })
const order = (amount: number, more: object = {}): Promise<void> =>
  driver.send(ORDERS, {
    order_id: `o${id++}`,
    user_id: 'ada',
    product_id: 'lamp',
    amount,
    event_time: '2026-01-15T12:00:00Z',
    ...more,
  })
/** As readers see it: summed over topics and partitions. */
async function lamp() {
  const sum = { views: 0, carts: 0, purchases: 0, revenue_minor: 0 }
  for (const row of await driver.rows('products_by_hour')) {
    expect(row.product_id).toBe('lamp')
    for (const key of Object.keys(sum) as (keyof typeof sum)[]) sum[key] += row[key]
  }
  return sum
}

describe('a product', () => {
  it('has its views and carts from the clicks, its purchases from the orders', async () => {
    await click('product_view')
    await click('product_view')
    await click('add_to_cart')
    await order(20)
    expect(await lamp()).toEqual({ views: 2, carts: 1, purchases: 1, revenue_minor: 2000 })
  })

  it('is not bought twice when a purchase event names its order', async () => {
    await order(20, { order_id: 'x' })
    await click('purchase', { order_id: 'x', revenue: 20 })
    expect(await lamp()).toMatchObject({ purchases: 1, revenue_minor: 2000 })
  })

  it('is bought by a purchase event that names no order', async () => {
    await click('purchase', { revenue: 20 })
    expect(await lamp()).toMatchObject({ purchases: 1, revenue_minor: 2000 })
  })

  it('is not bought by failed and refunded orders', async () => {
    await order(20, { status: 'failed' })
    await order(20, { status: 'refunded' })
    expect(await driver.rows('products_by_hour')).toEqual([])
  })

  it('is kept by the hour, and by currency where it was bought', async () => {
    await order(20)
    await order(20, { currency: 'EUR' })
    await order(20, { event_time: '2026-01-15T13:00:00Z' })
    const rows = await driver.rows('products_by_hour')
    expect(rows.map((r) => [new Date(r.window_start).getUTCHours(), r.currency])).toEqual([
      [12, 'EUR'],
      [12, 'TRY'],
      [13, 'TRY'],
    ])
  })

  it('is not counted by events that name no product, nor by other kinds of events', async () => {
    await click('product_view', { product_id: null })
    await click('page_view')
    await click('checkout')
    await order(20, { product_id: null })
    expect(await driver.rows('products_by_hour')).toEqual([])
  })
})

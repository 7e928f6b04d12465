/** The revenue job, in the sentences of the business. */
import { beforeEach, describe, expect, it } from 'vitest'
import { ORDERS } from '../contract/topics.ts'
import { createDriver, type Driver } from '../testing/driver.ts'
import { revenue, UNCATEGORIZED } from './revenue.ts'

let driver: Driver
let id = 0
beforeEach(async () => {
  driver = await createDriver({ jobs: [revenue] })
})
const order = (time: string, amount: number, more: object = {}): Promise<void> =>
  driver.send(ORDERS, {
    order_id: `o${id++}`,
    user_id: 'ada',
    amount,
    category: 'books',
    event_time: `2026-01-15T${time}Z`,
    ...more,
  })
const rows = () => driver.rows('revenue_by_minute')

describe('the revenue of a minute', () => {
  it('is the sum of its successful orders, to the cent', async () => {
    for (const amount of [0.1, 0.2, 19.99]) await order('12:00:30', amount)
    await order('12:01:00', 1)
    expect((await rows()).map((r) => [r.orders, r.revenue_minor])).toEqual([
      [3, 2029],
      [1, 100],
    ])
  })

  it('does not count failed orders', async () => {
    await order('12:00:00', 10, { status: 'failed' })
    expect(await rows()).toEqual([])
  })

  it('counts refunds apart: what was earned stays what it was', async () => {
    await order('12:00:00', 10, { order_id: 'x' })
    await order('12:00:20', 10, { order_id: 'x', status: 'refunded' })
    expect(await rows()).toMatchObject([{ orders: 1, revenue_minor: 1000, refunds: 1, refunded_minor: 1000 }])
  })

  it('is kept per category and currency', async () => {
    await order('12:00:00', 1)
    await order('12:00:00', 2, { category: 'home' })
    await order('12:00:00', 3, { category: null })
    await order('12:00:00', 4, { currency: 'JPY' })
    await order('12:00:00', 5, { category: 'a|b' })
    expect((await rows()).map((r) => [r.category, r.currency, r.revenue_minor]).sort()).toEqual([
      ['a|b', 'TRY', 500],
      ['books', 'JPY', 4],
      ['books', 'TRY', 100],
      ['home', 'TRY', 200],
      [UNCATEGORIZED, 'TRY', 300],
    ])
  })

  it('is in partial rows, one per partition, that add up', async () => {
    for (let i = 0; i < 40; i++) await order('12:00:00', 1, { user_id: `user-${i}` })
    const partials = await rows()
    expect(new Set(partials.map((r) => r.partition)).size).toBe(4)
    expect(partials.reduce((sum, r) => sum + r.revenue_minor, 0)).toBe(4000)
  })

  it('counts an order once, however often it is sent', async () => {
    for (let i = 0; i < 3; i++) await order('12:00:00', 10, { order_id: 'again' })
    expect(await rows()).toMatchObject([{ orders: 1 }])
    expect(driver.outcomes().duplicate).toBe(2)
  })

  it('is final ten seconds of event time after its end', async () => {
    await order('12:00:59.999', 1)
    await order('12:01:09.999', 1)
    expect((await rows()).map((r) => r.final)).toEqual([false, false])
    await order('12:01:10', 1)
    expect((await rows()).map((r) => r.final)).toEqual([true, false])
  })
})

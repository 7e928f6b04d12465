/** The user features, in the sentences of the business. */
import { beforeEach, describe, expect, it } from 'vitest'
import { CLICKSTREAM, ORDERS } from '../contract/topics.ts'
import { createDriver, type Driver } from '../testing/driver.ts'
import { userFeatures } from './user-features.ts'

let driver: Driver
let id = 0
beforeEach(async () => {
  driver = await createDriver({ jobs: [userFeatures] })
})
const at = (time: string): string => (time.includes('T') ? `${time}Z` : `2026-01-15T${time}Z`)
const click = (time: string, event_type: string, more: object = {}): Promise<void> =>
  driver.send(CLICKSTREAM, { user_id: 'ada', event_type, event_time: at(time), ...more })
const order = (time: string, amount: number, more: object = {}): Promise<void> =>
  driver.send(ORDERS, { order_id: `o${id++}`, user_id: 'ada', amount, event_time: at(time), ...more })
const ada = (time: string) => driver.featuresAt('ada', at(time))

describe('the features of a user', () => {
  it('are unknown before the first event', async () => {
    expect(await ada('12:00:00')).toMatchObject({ clicks: null, orders: null, session: null, last_product: null })
  })

  it('count events and spend over five minutes, an hour and a day, by event time', async () => {
    await order('2026-01-14T13:00:00', 1)
    await order('11:30:00', 10)
    await order('11:58:00', 100)
    await order('12:00:00', 1_000)
    const { windows } = (await ada('12:00:30')).orders!
    expect(windows).toEqual({
      last_5m: { count: 2, amount_minor: 110_000 },
      last_1h: { count: 3, amount_minor: 111_000 },
      last_24h: { count: 4, amount_minor: 111_100 },
    })
  })

  it('decay although nobody writes', async () => {
    await click('12:00:00', 'page_view')
    const counts = async (time: string) => Object.values((await ada(time)).clicks!.windows).map((w) => w.count)
    expect(await counts('12:01:00')).toEqual([1, 1, 1])
    expect(await counts('12:06:00')).toEqual([0, 1, 1])
    expect(await counts('13:01:00')).toEqual([0, 0, 1])
    expect(await counts('2026-01-16T13:00:00')).toEqual([0, 0, 0])
  })

  it('know the average, failed and refunded orders, and that only successful ones are spend', async () => {
    await order('12:00:00', 10)
    await order('12:00:01', 20)
    await order('12:00:02', 99, { status: 'failed' })
    await order('12:00:03', 10, { status: 'refunded' })
    expect((await ada('12:01:00')).orders).toMatchObject({
      total_orders: 2,
      total_minor: 3_000,
      average_minor: 1_500,
      failed_orders: 1,
      refunds: 1,
    })
  })

  it('begin the sums anew when the user pays in another currency', async () => {
    await order('12:00:00', 10)
    await order('12:00:01', 5, { currency: 'EUR' })
    expect((await ada('12:01:00')).orders).toMatchObject({ currency: 'EUR', total_orders: 1, total_minor: 500 })
  })

  it('know the cart since the last purchase', async () => {
    await click('12:00:00', 'add_to_cart')
    await click('12:00:01', 'add_to_cart')
    expect((await ada('12:01:00')).clicks?.cart_items).toBe(2)
    await click('12:00:02', 'purchase')
    await click('12:00:03', 'add_to_cart')
    expect((await ada('12:01:00')).clicks).toMatchObject({ cart_items: 1, total_purchases: 1, total_events: 4 })
  })

  it('know the last page and product by event time, whatever arrived last', async () => {
    await click('12:00:10', 'product_view', { product_id: 'lamp', page_url: '/lamp' })
    await click('12:00:05', 'product_view', { product_id: 'scarf', page_url: '/scarf' })
    await click('12:00:20', 'page_view')
    expect(await ada('12:01:00')).toMatchObject({
      last_product: 'lamp',
      clicks: { last_page: '/lamp', last_event_type: 'page_view' },
    })
    await order('12:00:30', 1, { product_id: 'novel' })
    expect((await ada('12:01:00')).last_product).toBe('novel')
  })

  it('know the live session, until thirty minutes after its last event', async () => {
    await click('12:00:00', 'page_view')
    await click('12:10:00', 'page_view')
    expect((await ada('12:40:00')).session).toMatchObject({ events: 2, started_at: Date.UTC(2026, 0, 15, 12) })
    expect((await ada('12:40:01')).session).toBeNull()
    await click('12:50:00', 'page_view')
    expect((await ada('12:50:00')).session).toMatchObject({ events: 1, started_at: Date.UTC(2026, 0, 15, 12, 50) })
  })

  it('take events up to a day late', async () => {
    await click('12:00:00', 'page_view')
    await click('2026-01-14T12:00:00', 'page_view')
    await click('2026-01-14T11:00:00', 'page_view')
    expect((await ada('12:00:00')).clicks?.total_events).toBe(2)
    expect(driver.outcomes().late).toBe(1)
  })

  it('are forgotten after a week of absence', async () => {
    await click('12:00:00', 'page_view')
    await click('2026-01-22T11:00:00', 'page_view')
    expect((await ada('2026-01-22T11:00:00')).clicks?.total_events).toBe(2)
    await click('2026-01-29T11:00:10', 'page_view')
    expect((await ada('2026-01-29T11:00:10')).clicks?.total_events).toBe(1)
  })
})

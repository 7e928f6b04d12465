/**
 * Chapter 5: features and panes.
 *
 * A model asks: how many orders in the last five minutes, how much in the last day? That is a question about *now*, and now moves on while nobody writes. So
 * the streams don't store the answers. They store panes, counts per minute and per hour, and whoever reads sums those that are inside the window at that
 * moment.
 */
import { beforeEach, describe, expect, it } from 'vitest'
import type { Order } from '../contract/events.ts'
import type { OrderFeatures } from '../contract/features.ts'
import { ORDERS } from '../contract/topics.ts'
import { days, hours, type Job } from '../jobs/job.ts'
import { addToPanes, type PackedPanes, unpackPanes } from '../operators/panes.ts'
import { Profile, profile } from '../operators/profile.ts'
import { createDriver, type Driver } from '../testing/driver.ts'

/*
 * The operator for "what is known of this user" is the profile: one object per key, updated by every event, never closed. Ours is a smaller version of
 * the order features in streams/jobs/user-features.ts. As with sessions, the class holds our fields, and `fields` says how they are saved.
 */
class Spender extends Profile {
  panes: PackedPanes | null = null
  orders = 0
  totalMinor = 0
  lastOrderMs = 0
  lastOrderId = ''
}

const spending: Job = {
  name: 'spending',
  about: 'What each user orders.',
  on: {
    [ORDERS]: [
      profile<Order, Spender, 'orders'>({
        name: 'spending',
        // A user's features have parts, one per topic that contributes. Each part is versioned by the positions of its own topic.
        part: 'orders',
        horizonMs: hours(24),
        forgetAfterMs: days(7),
        key: (o) => o.user_id,
        profile: Spender,
        fields: [
          { name: 'panes', type: ['null', { type: 'array', items: 'long' }] },
          { name: 'orders', type: 'long' },
          { name: 'totalMinor', type: 'long' },
          { name: 'lastOrderMs', type: 'long' },
          { name: 'lastOrderId', type: 'string' },
        ],
        add(p, o) {
          p.panes = addToPanes(p.panes, o.event_time, o.amount_minor)
          p.orders++
          p.totalMinor += o.amount_minor
          // Out-of-order events must not take the place of newer ones.
          if (o.event_time < p.lastOrderMs) return
          p.lastOrderMs = o.event_time
          p.lastOrderId = o.order_id
        },
        toFeatures: (p): OrderFeatures => ({
          orders: unpackPanes(p.panes),
          total_orders: p.orders,
          total_minor: p.totalMinor,
          failed_orders: 0,
          refunds: 0,
          currency: 'TRY',
          last_order_at: p.lastOrderMs,
          last_order_id: p.lastOrderId,
          last_product: null,
        }),
      }),
    ],
  },
}

let driver: Driver
beforeEach(async () => {
  driver = await createDriver({ jobs: [spending] })
})
const order = (order_id: string, event_time: string, amount: number) =>
  driver.send(ORDERS, { order_id, user_id: 'ada', amount, event_time })

describe('features', () => {
  it('are stored as panes: one per minute that had orders, and one per hour', async () => {
    await order('a', '2026-01-15T12:00:10Z', 10)
    await order('b', '2026-01-15T12:00:50Z', 20)
    await order('c', '2026-01-15T12:03:00Z', 40)
    const { orders } = await driver.features('ada')
    expect(orders?.orders).toEqual({
      minutes: [
        [Date.UTC(2026, 0, 15, 12, 0), 2, 3_000],
        [Date.UTC(2026, 0, 15, 12, 3), 1, 4_000],
      ],
      hours: [[Date.UTC(2026, 0, 15, 12), 3, 7_000]],
    })
  })

  it('are summed at the moment of reading, and so decay by themselves', async () => {
    await order('a', '2026-01-15T12:00:10Z', 10)
    await order('b', '2026-01-15T12:04:00Z', 20)

    const windows = async (at: string) => (await driver.featuresAt('ada', at)).orders?.windows
    expect(await windows('2026-01-15T12:04:30Z')).toEqual({
      last_5m: { count: 2, amount_minor: 3_000 },
      last_1h: { count: 2, amount_minor: 3_000 },
      last_24h: { count: 2, amount_minor: 3_000 },
    })
    expect(await windows('2026-01-15T12:07:00Z')).toMatchObject({ last_5m: { count: 1 }, last_1h: { count: 2 } })
    expect(await windows('2026-01-15T14:00:00Z')).toMatchObject({ last_1h: { count: 0 }, last_24h: { count: 2 } })
    expect(await windows('2026-01-17T00:00:00Z')).toMatchObject({ last_24h: { count: 0 } })
  })

  it('take orders in any order: an older one goes into its own panes, and is not the last one', async () => {
    await order('newer', '2026-01-15T12:04:00Z', 20)
    await order('older', '2026-01-15T11:58:00Z', 10)
    expect(await driver.featuresAt('ada', '2026-01-15T12:05:00Z')).toMatchObject({
      orders: {
        windows: { last_5m: { count: 1 }, last_1h: { count: 2 }, last_24h: { count: 2 } },
        total_orders: 2,
        average_minor: 1_500,
        last_order_id: 'newer',
      },
    })
  })

  it('have no watermark to wait for: an order counts the moment it is read, up to a day late', async () => {
    await order('now', '2026-01-15T12:00:00Z', 10)
    await order('this morning', '2026-01-15T06:00:00Z', 10)
    await order('before yesterday', '2026-01-13T06:00:00Z', 10)
    const { orders } = await driver.featuresAt('ada', '2026-01-15T12:00:00Z')
    expect(orders?.total_orders).toBe(2)
    expect(driver.outcomes().late).toBe(1)
  })

  it('are a projection of the state: after a crash they are what they were', async () => {
    await order('a', '2026-01-15T12:00:10Z', 10)
    await driver.checkpoint()
    await order('b', '2026-01-15T12:00:50Z', 20)
    const before = await driver.features('ada')
    await driver.crash()
    expect(await driver.features('ada')).toEqual(before)
    // Were the feature store emptied (a Redis without its disk), the runtime would notice, and write everything again from this same state.
  })

  it('are small: an hour of minutes and a day of hours, whatever the user does', async () => {
    for (let i = 0; i < 200; i++) {
      await order(`o${i}`, new Date(Date.UTC(2026, 0, 15, 12) + i * 10 * 60_000).toISOString(), 1)
    }
    const { orders } = await driver.features('ada')
    expect(orders?.orders.minutes).toHaveLength(6)
    expect(orders?.orders.hours).toHaveLength(24)
    expect(orders?.total_orders).toBe(200)
  })
})

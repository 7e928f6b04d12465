/** The sessions job, in the sentences of the business. */
import { beforeEach, describe, expect, it } from 'vitest'
import { CLICKSTREAM } from '../contract/topics.ts'
import { createDriver, type Driver } from '../testing/driver.ts'
import { sessions } from './sessions.ts'

let driver: Driver
beforeEach(async () => {
  driver = await createDriver({ jobs: [sessions] })
})
const click = (time: string, event_type: string, more: object = {}): Promise<void> =>
  driver.send(CLICKSTREAM, { user_id: 'ada', event_type, event_time: `2026-01-15T${time}Z`, ...more })
const rows = () => driver.rows('sessions')

describe('a session', () => {
  it('counts what was done in it, by kind', async () => {
    await click('12:00:00', 'page_view')
    await click('12:01:00', 'product_view')
    await click('12:02:00', 'add_to_cart')
    await click('12:03:00', 'checkout')
    await click('12:04:00', 'purchase', { revenue: 19.99 })
    await click('12:05:00', 'custom')
    expect(await rows()).toMatchObject([
      {
        user_id: 'ada',
        events: 6,
        page_views: 1,
        product_views: 1,
        carts: 1,
        checkouts: 1,
        purchases: 1,
        revenue_minor: { TRY: 1999 },
        started_at: Date.UTC(2026, 0, 15, 12),
        ended_at: Date.UTC(2026, 0, 15, 12, 5),
        final: false,
        merged_into: null,
      },
    ])
  })

  it.each([
    [['page_view', 'custom'], 'visit'],
    [['product_view', 'page_view'], 'product_view'],
    [['add_to_cart', 'product_view'], 'cart'],
    [['checkout', 'add_to_cart'], 'checkout'],
    [['purchase', 'page_view'], 'purchase'],
  ])('of %j reached the stage %s, whatever came last', async (types, stage) => {
    for (const [i, type] of types.entries()) await click(`12:0${i}:00`, type)
    expect((await rows())[0]?.funnel_stage).toBe(stage)
  })

  it('ends after thirty minutes of silence, not before', async () => {
    await click('12:00:00', 'page_view')
    await click('12:30:00', 'page_view')
    await click('13:00:00.001', 'page_view')
    expect((await rows()).map((s) => s.events)).toEqual([2, 1])
  })

  it('has its entry and exit page by event time, not by arrival', async () => {
    await click('12:05:00', 'page_view', { page_url: '/middle' })
    await click('12:09:00', 'page_view', { page_url: '/last' })
    await click('12:00:00', 'page_view', { page_url: '/first' })
    expect(await rows()).toMatchObject([{ entry_page: '/first', exit_page: '/last' }])
  })

  it('keeps revenue of each currency apart, to the cent', async () => {
    for (const revenue of [0.1, 0.2]) await click('12:00:00', 'purchase', { revenue })
    await click('12:00:01', 'purchase', { revenue: 500, currency: 'JPY' })
    await click('12:00:02', 'purchase')
    expect(await rows()).toMatchObject([{ purchases: 4, revenue_minor: { TRY: 30, JPY: 500 } }])
  })

  it('is joined to another by an event that comes late, counts, pages and money together', async () => {
    await click('12:00:00', 'purchase', { revenue: 1, page_url: '/a' })
    await click('12:30:05', 'purchase', { revenue: 2, page_url: '/c' })
    expect(await rows()).toHaveLength(2)
    await click('12:20:00', 'page_view', { page_url: '/b' })
    const [survivor, tombstone] = await rows()
    expect(survivor).toMatchObject({
      events: 3,
      purchases: 2,
      revenue_minor: { TRY: 300 },
      entry_page: '/a',
      exit_page: '/c',
    })
    expect(tombstone).toMatchObject({ merged_into: survivor?.session_id, final: true })
  })

  it('of a visitor without a user id belongs to the anonymous id', async () => {
    await click('12:00:00', 'page_view', { user_id: null, anonymous_id: 'cookie-1' })
    expect((await rows())[0]?.user_id).toBe('cookie-1')
  })

  it('is final when the watermark is thirty minutes past its end', async () => {
    await click('12:00:00', 'page_view')
    await click('12:31:00', 'page_view')
    expect((await rows()).map((s) => s.final)).toEqual([true, false])
    await click('12:00:30', 'page_view')
    expect(driver.outcomes().late).toBe(1)
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assembleFeatures } from './assemble-features.ts'
import type { ClickFeatures, OrderFeatures, Pane } from './features.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const NOON = Date.UTC(2026, 0, 31, 12)

const clicks = (over: Partial<ClickFeatures> = {}): ClickFeatures => ({
  events: { minutes: [], hours: [] },
  total_events: 0,
  total_purchases: 0,
  first_seen: NOON,
  last_seen: NOON,
  last_event_type: 'page_view',
  last_page: '/',
  last_product: null,
  session_start: NOON,
  session_events: 1,
  cart_items: 0,
  ...over,
})
const orders = (over: Partial<OrderFeatures> = {}): OrderFeatures => ({
  orders: { minutes: [], hours: [] },
  total_orders: 0,
  total_minor: 0,
  failed_orders: 0,
  refunds: 0,
  currency: 'TRY',
  last_order_at: NOON,
  last_order_id: 'o-1',
  last_product: null,
  ...over,
})
const atNoon = (minutesAgo: number): number => NOON - minutesAgo * MINUTE

describe('the features of a user', () => {
  it('sums each window from the panes that it reaches', () => {
    const minutes: Pane[] = [
      [atNoon(60), 1, 100],
      [atNoon(59), 2, 200],
      [atNoon(5), 4, 400],
      [atNoon(4), 8, 800],
      [NOON, 16, 1600],
    ]
    const hours: Pane[] = [
      [NOON - 24 * HOUR, 1, 1],
      [NOON - 23 * HOUR, 2, 2],
      [NOON, 4, 4],
    ]
    const { windows } = assembleFeatures({ orders: { value: orders({ orders: { minutes, hours } }) } }, NOON + 30_000)
      .orders!
    expect(windows).toEqual({
      last_5m: { count: 24, amount_minor: 2400 },
      last_1h: { count: 30, amount_minor: 3000 },
      last_24h: { count: 6, amount_minor: 6 },
    })
  })

  it('lets windows decay although nobody writes, and leaves totals alone', () => {
    const value = clicks({ events: { minutes: [[NOON, 3, 0]], hours: [[NOON, 3, 0]] }, total_events: 3 })
    const later = assembleFeatures({ clicks: { value } }, NOON + 2 * HOUR).clicks!
    expect(later.windows.last_5m.count).toBe(0)
    expect(later.windows.last_1h.count).toBe(0)
    expect(later.windows.last_24h.count).toBe(3)
    expect(later.total_events).toBe(3)
  })

  it('does not count panes after the moment asked for', () => {
    const value = clicks({
      events: {
        minutes: [
          [NOON, 1, 0],
          [NOON + MINUTE, 1, 0],
        ],
        hours: [],
      },
    })
    expect(assembleFeatures({ clicks: { value } }, NOON).clicks!.windows.last_5m.count).toBe(1)
  })

  it('has a live session until thirty minutes after the last event', () => {
    const stored = { clicks: { value: clicks({ session_events: 7 }) } }
    expect(assembleFeatures(stored, NOON + 30 * MINUTE).session).toEqual({
      started_at: NOON,
      last_event_at: NOON,
      events: 7,
    })
    expect(assembleFeatures(stored, NOON + 30 * MINUTE + 1).session).toBeNull()
    expect(assembleFeatures(stored, NOON - 1).session).toBeNull()
  })

  it('takes the last product from whichever came later', () => {
    const both = (lastSeen: number, lastOrder: number) =>
      assembleFeatures(
        {
          clicks: { value: clicks({ last_seen: lastSeen, last_product: 'seen' }) },
          orders: { value: orders({ last_order_at: lastOrder, last_product: 'ordered' }) },
        },
        NOON,
      ).last_product
    expect(both(NOON, NOON - 1)).toBe('seen')
    expect(both(NOON - 1, NOON)).toBe('ordered')
    expect(assembleFeatures({ orders: { value: orders({ last_product: 'ordered' }) } }, NOON).last_product).toBe(
      'ordered',
    )
    expect(assembleFeatures({}, NOON)).toEqual({
      as_of: NOON,
      clicks: null,
      orders: null,
      last_product: null,
      session: null,
    })
  })

  it('averages successful orders, and has no average before the first', () => {
    expect(
      assembleFeatures({ orders: { value: orders({ total_orders: 3, total_minor: 1000 }) } }, NOON).orders!
        .average_minor,
    ).toBeCloseTo(333.33, 1)
    expect(assembleFeatures({ orders: { value: orders() } }, NOON).orders!.average_minor).toBeNull()
  })

  it('has no currency and no last order while there were only failed ones', () => {
    const value = orders({ failed_orders: 2, refunds: 1, currency: '', last_order_at: 0, last_order_id: '' })
    expect(assembleFeatures({ orders: { value } }, NOON).orders).toMatchObject({
      failed_orders: 2,
      refunds: 1,
      average_minor: null,
      currency: null,
      last_order_at: null,
      last_order_id: null,
    })
  })

  it('never counts more in a shorter window of minutes than in a longer one', () => {
    const pane = fc
      .tuple(fc.integer({ min: 0, max: 120 }), fc.nat(50))
      .map(([ago, count]): Pane => [atNoon(ago), count, count])
    fc.assert(
      fc.property(fc.array(pane), fc.integer({ min: -HOUR, max: HOUR }), (minutes, shift) => {
        const value = clicks({ events: { minutes, hours: [] } })
        const { windows } = assembleFeatures({ clicks: { value } }, NOON + shift).clicks!
        expect(windows.last_5m.count).toBeLessThanOrEqual(windows.last_1h.count)
      }),
    )
  })
})

/** A day of the star schema as it should be, as rows: small, and with something in every table. Tests put it into a lake and spoil what they are about. */
import type { Lake } from '../../lake/index.ts'
import { dayNumber } from '../render.ts'
import { type ModelRow, noon, putRows } from './put-rows.ts'

const HOUR = 3_600_000_000n

/** By model, in the order in which they are built. */
export function goodDay(day: string): Readonly<Record<string, readonly ModelRow[]>> {
  const date = dayNumber(day)
  const clicks = ['e1', 'e2', 'e3'].map((event_id, i) => ({
    event_id,
    event_type: ['page_view', 'product_view', 'purchase'][i]!,
    user_id: 'u1',
    product_id: i === 1 ? 'p1' : null,
    event_time: noon(day) + BigInt(i) * HOUR,
  }))
  const money = { amount_minor: 1_999, currency: 'TRY' }
  const orders = [
    { order_id: 'o1', transaction_id: 'o1', status: 'success', user_id: 'u1', product_id: 'p1', ...money },
    { order_id: 'o1', transaction_id: 'o1#refunded', status: 'refunded', user_id: 'u1', product_id: 'p1', ...money },
  ]
  const trips = [
    { trip_id: 't1', region_id: 'r1', fare_minor: 900, currency: 'TRY', duration_s: 600, distance_m: 4_000 },
  ]
  const [gross, nothing] = [
    { gross_minor: 1_999, refunded_minor: 0, net_minor: 1_999 },
    { gross_minor: 0, refunded_minor: 1_999, net_minor: -1_999 },
  ]
  const sums = { orders: 1, refunds: 1, gross_minor: 1_999, refunded_minor: 1_999, net_minor: 0 }
  return {
    stg_clickstream_events: clicks.map((click) => ({ ...click, visitor_id: 'u1' })),
    stg_orders: orders.map((order) => ({ ...order, quantity: 2 })),
    stg_trips: trips,
    dim_users: [
      { user_id: 'u1', valid_from: date - 3, valid_to: date, is_current: false },
      { user_id: 'u1', valid_from: date, is_current: true },
    ],
    dim_products: [{ product_id: 'p1', category: 'books', first_seen: noon(day), last_seen: noon(day) }],
    dim_time: Array.from({ length: 24 }, (_, hour) => ({ date, hour, iso_weekday: 5 })),
    fact_events: clicks.map((click, i) => ({ ...click, hour: 12 + i })),
    fact_transactions: orders.map((order, i) => ({ ...order, ...(i === 0 ? gross : nothing), hour: 12 })),
    fact_trips: trips.map((trip) => ({ ...trip, hour: 12 })),
    metrics_daily_kpis: [
      {
        events: 3,
        page_views: 1,
        users: 1,
        sessions: 2,
        converted_sessions: 1,
        conversion_rate: 0.5,
        orders: 1,
        failed_orders: 0,
        refunds: 1,
        customers: 1,
        trips: 1,
      },
    ],
    metrics_daily_revenue: [{ currency: 'TRY', ...sums, average_order_minor: 1_999 }],
    metrics_revenue_by_category: [{ category: 'books', currency: 'TRY', ...sums }],
    metrics_top_regions: [
      { place: 1, region: 'r1', currency: 'TRY', trips: 1, fare_minor: 900, duration_s: 600, distance_m: 4_000 },
    ],
    metrics_conversion_funnel: ['visit', 'product_view', 'cart', 'checkout', 'purchase'].map((stage, i) => ({
      position: i + 1,
      stage,
      sessions: 2,
      users: 1,
      rate_of_visits: 1,
      rate_of_previous: i === 0 ? null : 1,
    })),
  }
}

export async function putGoodDay(lake: Lake, day: string): Promise<void> {
  for (const [model, rows] of Object.entries(goodDay(day))) await putRows(lake, model, day, rows)
}

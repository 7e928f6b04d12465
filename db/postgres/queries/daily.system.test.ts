/** The published figures of days, from a real PostgreSQL: replaced as a whole, given newest first. */
import { expect, test } from 'vitest'
import { withPostgres } from '../../testing/postgres.ts'
import type { DayRevenue } from '../batch-schema.ts'
import { publishDay } from '../publish-day.ts'
import { dailyCategories, dailyFunnel, dailyKpis, dailyRegions } from './daily.ts'

const postgres = withPostgres()

const earned: DayRevenue = {
  orders: 2,
  refunds: 1,
  gross_minor: 1000,
  refunded_minor: 400,
  net_minor: 600,
  average_order_minor: 500,
}
const { average_order_minor: _, ...money } = earned
const kpis = (events: number) => ({
  events,
  page_views: 1,
  users: 1,
  sessions: 0,
  converted_sessions: 0,
  conversion_rate: null,
  orders: 2,
  failed_orders: 0,
  refunds: 1,
  customers: 1,
  trips: 0,
  revenue: { TRY: earned },
})
const figures = (events: number) => ({
  daily_kpis: [kpis(events)],
  daily_revenue_by_category: ['b', 'a', 'c'].map((category, i) => ({
    category,
    currency: 'TRY',
    ...money,
    net_minor: i === 2 ? 700 : 600,
  })),
  daily_top_regions: ['r-1', 'r-2'].map((region, i) => ({
    region,
    place: i + 1,
    currency: 'TRY',
    trips: 3,
    fare_minor: 30,
    duration_s: 60,
    distance_m: 100,
    ...money,
  })),
  daily_conversion_funnel: ['visit', 'product_view'].map((stage, i) => ({
    stage,
    position: i + 1,
    sessions: 4,
    users: 3,
    rate_of_visits: 1,
    rate_of_previous: i === 0 ? null : 1,
  })),
})

test('a day is published and replaced as a whole; ranges are given newest first', async () => {
  const { sql } = await postgres.database()
  const publishedAt = Date.UTC(2026, 0, 3)
  await publishDay(sql, '2026-01-01', figures(5), publishedAt)
  await publishDay(sql, '2026-01-02', figures(6), publishedAt)
  await publishDay(sql, '2026-01-02', { ...figures(7), daily_conversion_funnel: [] }, publishedAt)
  const range = { from: '2026-01-01', to: '2026-01-02' }
  expect(await dailyKpis(sql, range)).toEqual([
    { day: '2026-01-02', ...kpis(7), published_at: publishedAt },
    { day: '2026-01-01', ...kpis(5), published_at: publishedAt },
  ])
  expect(await dailyKpis(sql, { from: '2026-01-03', to: '2026-02-01' })).toEqual([])
  const categories = await dailyCategories(sql, { ...range, limit: 2 })
  expect(categories.map(({ day, category }) => `${day} ${category}`)).toEqual([
    '2026-01-02 c',
    '2026-01-02 a',
    '2026-01-01 c',
    '2026-01-01 a',
  ])
  expect(await dailyRegions(sql, { ...range, limit: 1 })).toMatchObject([
    { day: '2026-01-02', place: 1, region: 'r-1', trips: 3, net_minor: 600 },
    { day: '2026-01-01', region: 'r-1' },
  ])
  expect(await dailyFunnel(sql, range)).toEqual([
    {
      day: '2026-01-01',
      position: 1,
      stage: 'visit',
      sessions: 4,
      users: 3,
      rate_of_visits: 1,
      rate_of_previous: null,
    },
    {
      day: '2026-01-01',
      position: 2,
      stage: 'product_view',
      sessions: 4,
      users: 3,
      rate_of_visits: 1,
      rate_of_previous: 1,
    },
  ])
})

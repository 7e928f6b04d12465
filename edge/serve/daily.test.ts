/** The published figures of days by HTTP: their form, the range of days that is asked, and what is refused. */
import { expect, test } from 'vitest'
import { encodeCursor } from '../../db/postgres/queries/cursor.ts'
import type { DayRange } from '../ports.ts'
import { createHarness, sampleReader } from '../testing/harness.ts'

const body = async (response: Response) => (await response.json()) as { data: never; meta: never; detail: string }

test('days come with money in major units of each currency, the largest first', async () => {
  const edge = await createHarness()
  expect(await body(await edge.get('/metrics/daily'))).toMatchObject({
    data: [
      {
        day: '2026-01-30',
        sessions: 50,
        conversion_rate: 0.2,
        totals: [
          { currency: 'TRY', revenue: 1234.5, refunded: 34.5, net_revenue: 1200, orders: 10, average_order: 123.45 },
          { currency: 'JPY', revenue: 500, net_revenue: 500, average_order: 500 },
        ],
        published_at: '2026-01-31T11:59:00.000Z',
      },
    ],
    meta: { from: '2026-01-01', to: '2026-01-30' },
  })
})

test('categories, regions and the funnel', async () => {
  const money = { currency: 'TRY', gross_minor: 1999, refunded_minor: 999, net_minor: 1000 }
  const edge = await createHarness({
    reader: sampleReader({
      dailyCategories: async ({ to, limit }) => [
        { day: to, category: `at most ${limit}`, orders: 2, refunds: 1, ...money },
      ],
      dailyRegions: async ({ to }) => [
        {
          day: to,
          place: 1,
          region: 'r-1',
          orders: 2,
          trips: 3,
          fare_minor: 4550,
          duration_s: 60,
          distance_m: 1500,
          ...money,
        },
      ],
      dailyFunnel: async ({ to }) => [
        { day: to, position: 1, stage: 'visit', sessions: 4, users: 3, rate_of_visits: 1, rate_of_previous: null },
      ],
    }),
  })
  const earned = { currency: 'TRY', revenue: 19.99, refunded: 9.99, net_revenue: 10 }
  expect(await body(await edge.get('/metrics/daily/revenue_by_category?limit=7'))).toMatchObject({
    data: [{ day: '2026-01-30', category: 'at most 7', ...earned, orders: 2, refunds: 1 }],
  })
  expect(await body(await edge.get('/metrics/daily/top_regions'))).toMatchObject({
    data: [{ region: 'r-1', place: 1, ...earned, trips: 3, fare: 45.5, duration: 60, distance: 1.5 }],
  })
  expect((await body(await edge.get('/metrics/daily/conversion_funnel'))).data).toEqual([
    { day: '2026-01-30', stage: 'visit', sessions: 4, users: 3, rate_of_visits: 1, rate_of_previous: null },
  ])
})

test('the range is asked in days, both included; what is missing follows from what is given', async () => {
  const asked: DayRange[] = []
  const edge = await createHarness({
    reader: sampleReader({
      dailyKpis: async (range) => {
        asked.push(range)
        return []
      },
    }),
  })
  for (const query of ['', '?to=2025-03-01', '?from=2026-01-29', '?from=2026-01-31', '?from=2024-02-29&to=2024-02-29'])
    expect((await edge.get(`/metrics/daily${query}`)).status, query).toBe(200)
  expect(asked).toEqual([
    { from: '2026-01-01', to: '2026-01-30' },
    { from: '2025-01-31', to: '2025-03-01' },
    { from: '2026-01-29', to: '2026-01-30' },
    { from: '2026-01-31', to: '2026-01-31' },
    { from: '2024-02-29', to: '2024-02-29' },
  ])
})

test('days come in pages, as many at once as are about two thousand rows', async () => {
  const asked: (DayRange & { limit: number })[] = []
  const edge = await createHarness({
    reader: sampleReader({
      dailyRegions: async (range) => {
        asked.push(range)
        return []
      },
    }),
  })
  const path = '/metrics/daily/top_regions?from=2026-01-01&to=2026-01-09&limit=500'
  let cursor: string | null = ''
  while (cursor !== null) {
    const { meta } = await body(await edge.get(cursor ? `${path}&cursor=${cursor}` : path))
    expect(meta).toMatchObject({ from: '2026-01-01', to: '2026-01-09' })
    cursor = (meta as { next_cursor: string | null }).next_cursor
  }
  expect(asked).toEqual([
    { from: '2026-01-06', to: '2026-01-09', limit: 500 },
    { from: '2026-01-02', to: '2026-01-05', limit: 500 },
    { from: '2026-01-01', to: '2026-01-01', limit: 500 },
  ])
})

test('a place in another range is no place of this one', async () => {
  const edge = await createHarness()
  for (const at of [Date.UTC(2026, 0, 9), Date.UTC(2026, 0, 2) + 1, Date.UTC(2025, 11, 31)]) {
    const response = await edge.get(
      `/metrics/daily?from=2026-01-01&to=2026-01-08&cursor=${encodeCursor({ at, id: '' })}`,
    )
    expect(response.status).toBe(400)
    expect((await body(response)).detail).toMatch(/^cursor: /)
  }
})

test('a day that does not exist, a range backwards or too long is a sentence', async () => {
  const edge = await createHarness()
  for (const [query, detail] of [
    ['from=2026-02-30', 'from: expected a day such as 2026-01-31'],
    ['to=0000-01-01', 'to: expected a day such as 2026-01-31'],
    ['from=2026-01-02&to=2026-01-01', 'from: must not be after to'],
    ['from=2020-01-01&to=2026-01-01', 'from: that is 2193 days; ask for 400 at most.'],
  ]) {
    const response = await edge.get(`/metrics/daily?${query}`)
    expect(response.status).toBe(400)
    expect((await body(response)).detail).toBe(detail)
  }
})

import { afterEach, describe, expect, it } from 'vitest'
import { QueryError } from '../../db/postgres/queries/numbers.ts'
import type { ClickFeatures, OrderFeatures } from '../../streams/contract/features.ts'
import { createHarness, NOW, samplePipeline, sampleReader } from '../testing/harness.ts'

const body = async (response: Response) =>
  (await response.json()) as { data: never; meta: never; detail: string; code: string }
const ISO_NOW = '2026-01-31T12:00:00.000Z'

const clicks: ClickFeatures = {
  events: { minutes: [[NOW - 60_000, 4, 0]], hours: [[NOW - 3600_000, 9, 0]] },
  total_events: 40,
  total_purchases: 1,
  first_seen: NOW - 86_400_000,
  last_seen: NOW - 60_000,
  last_event_type: 'page_view',
  last_page: '/shoes',
  last_product: 'p-1',
  session_start: NOW - 120_000,
  session_events: 6,
  cart_items: 2,
}
const orders: OrderFeatures = {
  orders: { minutes: [[NOW, 1, 1999]], hours: [[NOW, 3, 5999]] },
  total_orders: 3,
  total_minor: 5999,
  failed_orders: 1,
  refunds: 0,
  currency: 'TRY',
  last_order_at: NOW,
  last_order_id: 'o-1',
  last_product: 'p-2',
}
/** As the streams write it while a user's orders have only failed. */
const nothingBought: OrderFeatures = {
  orders: { minutes: [], hours: [] },
  total_orders: 0,
  total_minor: 0,
  failed_orders: 1,
  refunds: 0,
  currency: '',
  last_order_at: 0,
  last_order_id: '',
  last_product: null,
}
const features = {
  read: async (userId: string) =>
    userId === 'u-1'
      ? { clicks: { value: clicks, partition: 0, position: 1 }, orders: { value: orders, partition: 0, position: 1 } }
      : userId === 'ordered-only'
        ? { orders: { value: orders, partition: 0, position: 1 } }
        : userId === 'failed-only'
          ? { orders: { value: nothingBought, partition: 0, position: 1 } }
          : null,
}

describe('what the edge serves', () => {
  it('is at /api/v1 and at the bare path', async () => {
    const edge = await createHarness()
    for (const path of ['/health', '/api/v1/health']) {
      const response = await edge.get(path)
      expect(response.status).toBe(200)
      expect(await body(response)).toMatchObject({ data: { status: 'ok', version: '0.0.0-test' } })
    }
  })

  it('says how fresh it is', async () => {
    const edge = await createHarness()
    const { meta } = await body(await edge.get('/metrics/overview'))
    expect(meta).toEqual({ generated_at: ISO_NOW, watermark: '2026-01-31T11:59:50.000Z', freshness_ms: 10_000 })
    const empty = await createHarness({ reader: sampleReader({ pipelines: async () => [] }) })
    expect(await body(await empty.get('/metrics/overview'))).toMatchObject({
      meta: { watermark: null, freshness_ms: null },
    })
  })

  it('gives the overview of the last hour, money in major units of each currency', async () => {
    const edge = await createHarness()
    expect(await body(await edge.get('/metrics/overview'))).toMatchObject({
      data: {
        range: { from: '2026-01-31T11:00:00.000Z', to: ISO_NOW },
        events: 7200,
        orders: 10,
        conversion_rate: 0.25,
        totals: [
          { currency: 'TRY', revenue: 1234.5, refunded: 34.5, net_revenue: 1200 },
          { currency: 'JPY', revenue: 500 },
        ],
      },
    })
  })

  it('passes range and bucket on, and takes ISO times as well as milliseconds', async () => {
    const asked: unknown[] = []
    const reader = sampleReader({
      eventsTimeseries: async (range) => {
        asked.push(range)
        return []
      },
    })
    const edge = await createHarness({ reader })
    const from = Date.UTC(2019, 11, 1)
    await edge.get('/metrics/events_timeseries?from=2019-12-01T00:00:00Z&to=2019-12-02&bucket=1h')
    await edge.get(`/metrics/events_timeseries?from=${from}&to=${from + 3600_000}`)
    expect(asked).toEqual([
      { from, to: from + 86_400_000, bucketMs: 3600_000 },
      { from, to: from + 3600_000, bucketMs: 60_000 },
    ])
  })

  it('gives series with their range, and the rest of the metrics', async () => {
    const edge = await createHarness()
    expect(await body(await edge.get('/metrics/events_timeseries?bucket=5m'))).toMatchObject({
      data: [{ time: '2026-01-31T11:00:00.000Z', events: 12, by_type: { page_view: 10 } }],
      meta: { from: '2026-01-31T11:00:00.000Z', to: ISO_NOW, bucket: '5m' },
    })
    expect(await body(await edge.get('/metrics/revenue_timeseries?currency=jpy&category=shoes'))).toMatchObject({
      data: [{ currency: 'JPY', revenue: 500, orders: 2 }],
      meta: { category: 'shoes' },
    })
    expect(await body(await edge.get('/metrics/top_products?by=revenue&limit=1'))).toMatchObject({
      data: [{ product_id: 'p-1', views: 9, revenue: [{ currency: 'TRY', revenue: 9.99 }] }],
    })
    expect(await body(await edge.get('/metrics/region/r-1?window=5m'))).toMatchObject({
      data: [{ trips: 2, fare: 50.5, average_fare: 25.25, distance: 4, average_duration: 300 }],
      meta: { region_id: 'r-1', window: '5m' },
    })
  })

  it('puts a user’s features together at the moment asked for', async () => {
    const edge = await createHarness({ features })
    expect(await body(await edge.get('/features/u-1'))).toMatchObject({
      data: {
        user_id: 'u-1',
        as_of: ISO_NOW,
        events: { counts: { last_5m: 4, last_1h: 4, last_24h: 9 }, total: 40 },
        orders: { spend: { last_5m: 19.99, last_24h: 59.99 }, average_order: 20, total: 3 },
        last_product: 'p-2',
        cart_items: 2,
        session: { events: 6 },
      },
    })
    const later = await body(await edge.get('/features/u-1?as_of=2026-01-31T14:00:00Z'))
    expect(later).toMatchObject({ data: { session: null, events: { counts: { last_1h: 0 } } } })
    expect(await body(await edge.get('/features/ordered-only'))).toMatchObject({
      data: { events: null, cart_items: 0 },
    })
    expect(await body(await edge.get('/features/failed-only'))).toMatchObject({
      data: {
        orders: { total: 0, failed: 1, total_spend: 0, currency: null, last_order_at: null, average_order: null },
      },
    })
  })

  it('lists alerts and explains one by its evidence', async () => {
    const edge = await createHarness()
    expect(await body(await edge.get('/fraud-alerts?limit=1&state=active'))).toMatchObject({
      data: [{ alert_id: 'a-1', total: 18_000 }],
      meta: { next_cursor: null },
    })
    expect(await body(await edge.get('/fraud-alerts/a-1'))).toMatchObject({
      data: { rule_id: 'three-large-orders', evidence: [{ order_id: 'o-1', amount: 6000, offset: 7 }] },
    })
  })

  it('lists a user’s sessions', async () => {
    const edge = await createHarness()
    expect(await body(await edge.get('/sessions/u-1'))).toMatchObject({
      data: [{ session_id: 'u-1@k', duration_ms: 60_000, revenue: [{ currency: 'TRY', amount: 19.99 }] }],
    })
  })

  it.each(['/features/nobody', '/sessions/nobody', '/fraud-alerts/none', '/metrics/region/nowhere'])(
    'answers 404 for %s',
    async (path) => {
      const edge = await createHarness()
      const response = await edge.get(path)
      expect(response.status).toBe(404)
      expect(response.headers.get('content-type')).toBe('application/problem+json')
      expect((await body(response)).code).toBe('not_found')
    },
  )

  it.each([
    ['/metrics/overview?from=yesterday', 'from'],
    ['/metrics/overview?from=2026-01-31T12:00:00Z&to=2026-01-31T11:00:00Z', 'from'],
    ['/metrics/overview?to=-1', 'to'],
    ['/metrics/overview?to=1e30', 'to'],
    ['/metrics/events_timeseries?bucket=1s', 'bucket'],
    ['/metrics/events_timeseries?bucket=0m', 'bucket'],
    ['/metrics/events_timeseries?from=2019-01-01&bucket=1m', 'bucket'],
    ['/metrics/revenue_timeseries?currency=euro', 'currency'],
    ['/metrics/top_products?limit=0', 'limit'],
    ['/metrics/top_products?limit=ten', 'limit'],
    ['/metrics/top_products?by=magic', 'by'],
    ['/metrics/region/r-1?window=2m', 'window'],
    ['/features/u-1?as_of=now', 'as_of'],
    ['/features/a%00b', 'user_id'],
    [`/features/${'x'.repeat(300)}`, 'user_id'],
    ['/fraud-alerts?state=maybe', 'state'],
  ])('names what is wrong with %s', async (path, name) => {
    const edge = await createHarness({ features })
    const response = await edge.get(path)
    expect(response.status).toBe(400)
    const problem = await body(response)
    expect(problem.code).toBe('invalid_parameter')
    expect(problem.detail).toMatch(new RegExp(`^${name}: .{10,}`))
  })

  it('gives what a query refuses as a 400', async () => {
    const refuses = sampleReader({
      fraudAlerts: async () => {
        throw new QueryError('The cursor is not one that this API gave out.')
      },
    })
    const edge = await createHarness({ reader: refuses })
    expect((await edge.get('/fraud-alerts?cursor=x')).status).toBe(400)
  })

  it('says 404 for unknown paths and 405 with Allow for known ones', async () => {
    const edge = await createHarness()
    expect((await edge.get('/api/v1/nothing')).status).toBe(404)
    expect((await edge.get('/api/v2/health')).status).toBe(404)
    for (const [method, path, allow] of [
      ['DELETE', '/api/v1/events', 'POST'],
      ['GET', '/orders', 'POST'],
      ['POST', '/features/u-1', 'GET, HEAD'],
      ['PUT', '/api/v1/metrics/overview', 'GET, HEAD'],
    ] as const) {
      const response = await edge.app.request(path, { method })
      expect([path, response.status, response.headers.get('allow')]).toEqual([path, 405, allow])
      expect(response.headers.get('content-type')).toBe('application/problem+json')
    }
  })

  it('hides the reason of an unexpected error from the client and logs it', async () => {
    const broken = sampleReader({ overview: () => Promise.reject(new Error('password of the database')) })
    const edge = await createHarness({ reader: broken })
    const response = await edge.get('/metrics/overview')
    expect(response.status).toBe(500)
    expect(await response.text()).not.toContain('password')
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    expect(edge.logged).toEqual([['error', expect.objectContaining({ path: '/metrics/overview' }), 'A request failed']])
  })

  it('asks a query once, however many clients ask in a second', async () => {
    let asked = 0
    const overview = sampleReader().overview
    const reader = sampleReader({
      overview: (range) => {
        asked++
        return overview(range)
      },
    })
    const edge = await createHarness({ reader })
    await Promise.all(Array.from({ length: 20 }, () => edge.get('/metrics/overview')))
    expect(asked).toBe(1)
    edge.clock.nowMs += 1001
    await edge.get('/metrics/overview')
    expect(asked).toBe(2)
  })
})

describe('the health of the pipelines', () => {
  const withPipelines = (over: Partial<typeof samplePipeline>) =>
    createHarness({ reader: sampleReader({ pipelines: async () => [{ ...samplePipeline, ...over }] }) })

  it('is fine while nothing waits or something moves', async () => {
    const idle = await (await withPipelines({ updated_at: NOW - 3600_000 })).get('/health/pipelines')
    expect(await body(idle)).toMatchObject({
      data: { status: 'ok', lag: 0, pipelines: [{ status: 'idle', late: 1, duplicates: 2 }] },
    })
    const behind = await (await withPipelines({ end_offset: 500, lag: 400, live: false })).get('/health/pipelines')
    expect(await body(behind)).toMatchObject({ data: { lag: 400, pipelines: [{ status: 'catching_up' }] } })
    const along = await (await withPipelines({ end_offset: 103, lag: 3, live: true })).get('/health/pipelines')
    expect(await body(along)).toMatchObject({ data: { lag: 3, pipelines: [{ status: 'live' }] } })
  })

  it('is 503 when records wait and nothing has moved for half a minute', async () => {
    const response = await (await withPipelines({ lag: 1, updated_at: NOW - 31_000 })).get('/health/pipelines')
    expect(response.status).toBe(503)
    expect(await body(response)).toMatchObject({ detail: expect.stringContaining('clickstream.events[0]') })
  })

  it('is starting before any task has told of itself', async () => {
    const edge = await createHarness({ reader: sampleReader({ pipelines: async () => [] }) })
    expect(await body(await edge.get('/health/pipelines'))).toMatchObject({ data: { status: 'starting' } })
  })
})

describe('the metrics for Prometheus', () => {
  it('count requests by route pattern and events by outcome', async () => {
    const edge = await createHarness({ features })
    await edge.get('/features/u-1')
    await edge.get('/api/v1/features/u-2')
    await edge.get('/wp-admin.php')
    await edge.json('/events', [{ event_id: 'a', event_type: 'custom', user_id: 'u' }, {}])
    const text = await (await edge.get('/metrics')).text()
    expect(text).toContain('streamforge_http_requests_total{method="GET",route="/features/:user_id",status="200"} 1')
    expect(text).toContain('streamforge_http_requests_total{method="GET",route="/features/:user_id",status="404"} 1')
    expect(text).toContain('streamforge_http_requests_total{method="GET",route="unmatched",status="404"} 1')
    expect(text).toContain('streamforge_ingest_events_total{topic="clickstream.events",outcome="accepted"} 1')
    expect(text).toContain('streamforge_ingest_events_total{topic="clickstream.events",outcome="missing_field"} 1')
    expect(text).toContain('streamforge_http_request_duration_seconds_count{method="POST",route="/events"} 1')
    expect(text).not.toContain('wp-admin')
  })

  it('put other threads’ text to its own, and do without a thread that is gone', async () => {
    const metricSources = [
      { text: async () => '# HELP streams_x X.\n# TYPE streams_x counter\nstreams_x 1\n' },
      { text: () => Promise.reject(new Error('gone')) },
    ]
    const edge = await createHarness({ metricSources })
    const response = await edge.get('/metrics')
    expect(response.headers.get('content-type')).toContain('text/plain; version=0.0.4')
    const text = await response.text()
    expect(text).toContain('streams_x 1')
    expect(text).toContain('streamforge_http_requests_total')
  })
})

describe('browsers', () => {
  it('get headers that protect them, on every answer', async () => {
    const edge = await createHarness()
    for (const response of [await edge.get('/health'), await edge.get('/nothing'), await edge.json('/events', {})]) {
      expect(response.headers.get('content-security-policy')).toContain("script-src 'self';")
      expect(response.headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
      expect(response.headers.get('x-content-type-options')).toBe('nosniff')
      expect(response.headers.get('referrer-policy')).toBe('no-referrer')
    }
  })

  it('may send events from any origin, and read from the configured ones', async () => {
    const edge = await createHarness({ access: { corsOrigins: ['https://ok.example'] } })
    const preflight = (path: string, origin: string) =>
      edge.app.request(path, { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'POST' } })
    const ingest = await preflight('/api/v1/events', 'https://any.example')
    expect([ingest.status, ingest.headers.get('access-control-allow-origin')]).toEqual([204, '*'])
    expect(ingest.headers.get('access-control-allow-headers')).toContain('x-write-key')
    expect(
      (await preflight('/metrics/overview', 'https://any.example')).headers.get('access-control-allow-origin'),
    ).toBeNull()
    const read = await edge.get('/metrics/overview', { origin: 'https://ok.example' })
    expect(read.headers.get('access-control-allow-origin')).toBe('https://ok.example')
    expect(read.headers.get('vary')).toBe('origin, authorization')
  })
})

describe('the live stream', () => {
  const streams: ReadableStream[] = []
  afterEach(async () => {
    for (const stream of streams.splice(0)) await stream.cancel().catch(() => undefined)
  })

  it('is server-sent events', async () => {
    const edge = await createHarness()
    const response = await edge.get('/api/v1/live')
    streams.push(response.body!)
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    expect((await edge.app.request('/live', { method: 'HEAD', headers: await edge.as('viewer') })).status).toBe(200)
  })
})

/** Clients as users have them, on a whole platform: Segment's Node SDK and the tracker in a browser tell of one purchase, and the results have it once. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Analytics } from '@segment/analytics-node'
import { beforeAll, expect, it } from 'vitest'
import type { Tracker } from '../edge/tracker/index.ts'
import { caughtUp, get } from './support/api.ts'
import { withBrowser } from './support/browser.ts'
import { eventually } from './support/eventually.ts'
import { startPlatform, type TestPlatform, WITHOUT_LAKE } from './support/platform.ts'

const browser = withBrowser()
let platform: TestPlatform

beforeAll(async () => {
  platform = await startPlatform({ env: WITHOUT_LAKE })
})

it('a shop’s pages and its server tell of one visit, and the numbers are right', async () => {
  const shop = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html')
    response.end(`<script defer src="${platform.url}/sf.js" data-key="${platform.writeKey}"></script>`)
  }).listen(0, '127.0.0.1')
  await once(shop, 'listening')
  const { context, problems } = await browser.profile()
  const page = await context.newPage()
  await page.goto(`http://127.0.0.1:${(shop.address() as AddressInfo).port}/lamp`)
  await page.evaluate(async () => {
    const { sf } = window as unknown as { sf: Tracker }
    sf.identify('ada')
    sf.track('product_view', { product_id: 'lamp', category: 'Home' })
    sf.track('add_to_cart', { product_id: 'lamp', category: 'Home' })
    await sf.flush()
  })
  shop.close()

  const analytics = new Analytics({ writeKey: platform.writeKey, host: platform.url })
  const sale = {
    userId: 'ada',
    event: 'Order Completed',
    messageId: 'sale-of-o-1',
    properties: {
      order_id: 'o-1',
      total: 59.9,
      currency: 'TRY',
      products: [{ product_id: 'lamp', category: 'Home', price: 59.9 }],
    },
  }
  analytics.track(sale)
  await analytics.flush({ timeout: 30_000 })
  // Sent again, as by a server that crashed before it knew.
  analytics.track(sale)
  await analytics.closeAndFlush({ timeout: 30_000 })
  await caughtUp(platform.url)

  const { data: overview } = await get(platform.url, '/metrics/overview')
  expect(overview).toMatchObject({ events: 5, orders: 1, totals: [{ currency: 'TRY', revenue: 59.9 }] })
  const { data: products } = await get(platform.url, '/metrics/top_products', { by: 'revenue' })
  expect(products).toMatchObject([
    { product_id: 'lamp', views: 1, carts: 1, purchases: 1, revenue: [{ currency: 'TRY', revenue: 59.9 }] },
  ])
  const session = await eventually('the session is there', 30_000, async () => {
    const { data } = await get(platform.url, '/sessions/ada')
    return data.find((row: { purchases: number }) => row.purchases === 1)
  })
  expect(session).toMatchObject({ product_views: 1, carts: 1, purchases: 1, funnel_stage: 'purchase' })
  expect(problems).toEqual([])
})

/** Segment's own Node SDK, unmodified, pointed at a listening edge by its host alone. */
import { Analytics } from '@segment/analytics-node'
import { afterEach, expect, it } from 'vitest'
import { CLICKSTREAM, ORDERS } from '../../../streams/contract/topics.ts'
import { eventually } from '../../../tests/support/eventually.ts'
import { type Served, serve } from '../../runtime/node.ts'
import { createHarness, type Harness, WRITE_KEY } from '../../testing/harness.ts'

const open: Served[] = []
afterEach(async () => {
  for (const served of open.splice(0)) await served.close()
})

async function listening(): Promise<{ edge: Harness; url: string }> {
  const edge = await createHarness()
  // The SDK stamps its messages by the wall clock.
  edge.clock.nowMs = Date.now()
  const served = await serve({ fetch: edge.app.fetch, host: '127.0.0.1', port: 0 })
  open.push(served)
  return { edge, url: served.url }
}

function client(url: string, writeKey = WRITE_KEY): { analytics: Analytics; answers: number[]; errors: unknown[] } {
  const analytics = new Analytics({ writeKey, host: url, maxRetries: 5, flushAt: 61 })
  const answers: number[] = []
  const errors: unknown[] = []
  analytics.on('http_response', ({ status }) => void answers.push(status))
  analytics.on('error', (error) => void errors.push(error))
  return { analytics, answers, errors }
}

it('brings every call, flushed when it closes', async () => {
  const { edge, url } = await listening()
  const { analytics, answers, errors } = client(url)
  const userId = 'ada'
  analytics.identify({ userId, traits: { email: 'ada@shop.example' } })
  analytics.group({ userId, groupId: 'g-1' })
  analytics.alias({ userId, previousId: 'browser-1' })
  analytics.page({ userId, name: 'Home', properties: { url: 'https://shop.example/' } })
  analytics.screen({ userId, name: 'Basket' })
  analytics.track({ anonymousId: 'browser-2', event: 'Product Viewed', properties: { product_id: 'lamp' } })
  analytics.track({
    userId,
    event: 'Order Completed',
    messageId: 'm-sale',
    properties: { order_id: 'o-1', total: 59.9, currency: 'EUR', products: [{ product_id: 'lamp', price: 59.9 }] },
  })
  analytics.track({ userId, event: 'Signed Up', integrations: { All: true } })
  await analytics.closeAndFlush({ timeout: 20_000 })

  expect(errors).toEqual([])
  expect(answers).toEqual([200])
  const clicks = await edge.events(CLICKSTREAM)
  expect(clicks.map((e) => [e.event_type, JSON.parse(e.properties ?? '').type])).toEqual([
    ['custom', 'identify'],
    ['custom', 'group'],
    ['custom', 'alias'],
    ['page_view', 'page'],
    ['page_view', 'screen'],
    ['product_view', 'track'],
    ['purchase', 'track'],
    ['custom', 'track'],
  ])
  for (const event of clicks) {
    expect(event.sent_at).not.toBeNull()
    expect(JSON.parse(event.properties ?? '')).toMatchObject({
      context: { library: { name: '@segment/analytics-node' } },
    })
    // The SDK is a program, what it tells of was done by people.
    expect(event.bot).not.toBe(true)
  }
  expect(await edge.events(ORDERS)).toMatchObject([
    { order_id: 'o-1', user_id: 'ada', amount_minor: 5990, currency: 'EUR', product_id: 'lamp' },
  ])
})

it('sends again what was answered with 503, and nothing is lost or double', async () => {
  const { edge, url } = await listening()
  const { analytics, answers, errors } = client(url)
  edge.log.unavailable = true
  analytics.on('http_response', ({ status }) => {
    if (status === 503) edge.log.unavailable = false
  })
  const sale = { userId: 'ada', event: 'Order Completed', properties: { order_id: 'o-1', total: 10 } }
  analytics.track({ ...sale, messageId: 'm-1' })
  await analytics.flush({ timeout: 20_000 })
  expect(answers).toEqual([503, 200])
  // A process that ended before it read the answer would send it anew.
  analytics.track({ ...sale, messageId: 'm-1' })
  await analytics.closeAndFlush({ timeout: 20_000 })
  expect(errors).toEqual([])
  expect((await edge.events(CLICKSTREAM)).map((e) => e.event_id)).toEqual(['m-1'])
  expect(await edge.events(ORDERS)).toHaveLength(1)
})

it('waits as long as it is told when its key has used up its quota', async () => {
  const { edge, url } = await listening()
  const made = await edge.app.request('/api/v1/write-keys', {
    method: 'POST',
    headers: { ...(await edge.as('operator')), 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'small', events_per_minute: 60 }),
  })
  const { key } = ((await made.json()) as { data: { key: string } }).data
  const { analytics, answers, errors } = client(url, key)
  analytics.on('http_response', ({ status }) => {
    // The minute passes for the edge; the SDK waits by its own clock.
    if (status === 429) edge.clock.nowMs += 60_000
  })
  // One request, which is taken whole although it is one event too many.
  for (let n = 0; n < 61; n++) analytics.track({ userId: 'ada', event: 'E' })
  await eventually('the first batch is taken', 20_000, () => answers.length === 1)
  const startedAt = performance.now()
  analytics.track({ userId: 'ada', event: 'Another' })
  await analytics.closeAndFlush({ timeout: 20_000 })
  expect(answers).toEqual([200, 429, 200])
  expect(performance.now() - startedAt).toBeGreaterThan(1_000)
  expect(errors).toEqual([])
  expect(await edge.events(CLICKSTREAM)).toHaveLength(62)
})

it('is told when its write key is not known', async () => {
  const { edge, url } = await listening()
  const { analytics, answers, errors } = client(url, 'another')
  analytics.track({ userId: 'ada', event: 'E' })
  await analytics.closeAndFlush({ timeout: 20_000 })
  expect(answers).toEqual([401])
  expect(errors).toHaveLength(1)
  expect(edge.log.records).toEqual([])
})

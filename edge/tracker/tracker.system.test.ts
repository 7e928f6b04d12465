/** The tracker in Chromium: a shop's page on one origin, a listening edge on another, which goes away and comes back. */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import type { ClickstreamEvent } from '../../streams/contract/events.ts'
import { CLICKSTREAM } from '../../streams/contract/topics.ts'
import { withBrowser } from '../../tests/support/browser.ts'
import { eventually } from '../../tests/support/eventually.ts'
import { type Served, serve } from '../runtime/node.ts'
import { createHarness, type Harness, WRITE_KEY } from '../testing/harness.ts'
import { buildTracker } from './bundle.ts'
import type { Tracker } from './index.ts'

const DEADLINE_MS = 60_000

const browser = withBrowser()
let shop: Server
/** Attributes of the page's script element. */
let attributes: string
let edge: Harness
let served: Served

beforeAll(async () => {
  shop = createServer((request, response) => {
    if (request.url === '/favicon.ico') return void response.writeHead(204).end()
    response.setHeader('content-type', 'text/html')
    response.end(`<title>Shop</title><script defer src="${served.url}/sf.js" ${attributes}></script>`)
  })
  shop.listen(0, '127.0.0.1')
  await once(shop, 'listening')
})
afterAll(() => shop.close())

beforeEach(async () => {
  attributes = `data-key="${WRITE_KEY}"`
  edge = await createHarness({ assets: new Map([['/sf.js', await buildTracker()]]) })
  edge.clock.nowMs = Date.now()
  await up()
})
afterEach(() => served.close())

async function up(port = 0): Promise<void> {
  served = await serve({ fetch: edge.app.fetch, host: '127.0.0.1', port, graceMs: 0 })
}
const down = (): Promise<void> => served.close()

const at = (path: string): string => `http://127.0.0.1:${(shop.address() as AddressInfo).port}${path}`

async function visit(context: BrowserContext, path = '/'): Promise<Page> {
  const page = await context.newPage()
  await page.goto(at(path))
  return page
}
/** Calls the tracker of the page. */
const sf = <M extends keyof Tracker>(page: Page, method: M, ...args: unknown[]): Promise<string | null> =>
  page.evaluate(
    ([name, given]) =>
      (window as unknown as { sf: Record<string, (...args: unknown[]) => string> }).sf[name]!(...given),
    [method, args] as const,
  )
/** From now on it sends nothing, nor on leaving, which may be when the network is back. */
const cutOff = (page: Page): Promise<void> =>
  page.evaluate(() => {
    window.fetch = () => Promise.reject(new TypeError('cut off'))
  })
const stored = (page: Page): Promise<string[]> => page.evaluate(() => Object.keys(localStorage))

/** What the log has, as soon as it is so many. */
const arrived = (count: number): Promise<ClickstreamEvent[]> =>
  eventually(`${count} events arrived`, DEADLINE_MS, async () => {
    const events = await edge.events(CLICKSTREAM)
    return events.length >= count && events
  })
const ids = (events: readonly ClickstreamEvent[]): string[] => events.map((e) => e.event_id).sort()
const duplicates = async (): Promise<boolean> =>
  (await (await edge.get('/metrics')).text()).includes('outcome="duplicate"')
/** Requests of the tracker, from now on. */
function requestsOf(context: BrowserContext): string[] {
  const methods: string[] = []
  context.on('request', (request) => {
    if (request.url().includes('/events')) methods.push(request.method())
  })
  return methods
}

it('tells of the pages that a visitor sees, also where the page’s own script changes the address', async () => {
  const { context, problems } = await browser.profile()
  const requests = requestsOf(context)
  const page = await visit(context, '/a?q=1#reviews')
  await page.evaluate(() => {
    history.replaceState({ scroll: 10 }, '')
    history.pushState(null, '', '/b')
    location.hash = 'top'
  })
  await page.goBack()
  await page.goBack()
  await page.waitForURL('**/a?q=1#reviews')
  const events = await arrived(3)
  expect(events.map((e) => [e.event_type, e.page_url, e.referrer])).toEqual([
    ['page_view', at('/a?q=1'), ''],
    ['page_view', at('/b'), at('/a?q=1')],
    ['page_view', at('/a?q=1'), at('/b')],
  ])
  expect(new Set(events.map((e) => e.anonymous_id)).size).toBe(1)
  expect(events[0]).toMatchObject({ user_id: null, device: 'desktop', bot: true, properties: '{"title":"Shop"}' })
  expect(await context.cookies()).toEqual([])
  // From another origin, and yet without a preflight.
  expect(new Set(requests)).toEqual(new Set(['POST']))
  expect(problems).toEqual([])
})

it('sends product events, events of any name, and who the visitor is, over reloads', async () => {
  const { context, problems } = await browser.profile()
  attributes += ' data-pages="off"'
  const page = await visit(context)
  await sf(page, 'track', 'product_view', { product_id: 'lamp', category: 'Home', colour: 'red' })
  await sf(page, 'identify', 'ada', { plan: 'pro' })
  await sf(page, 'track', 'purchase', { product_id: 'lamp', order_id: 'o-1', revenue: 19.9, currency: 'EUR' })
  await page.reload()
  await sf(page, 'track', 'Signed Up', { plan: 'pro' })
  await sf(page, 'reset')
  await sf(page, 'page')
  const events = await arrived(5)
  expect(events.map((e) => [e.event_type, e.user_id, e.properties])).toEqual([
    ['product_view', null, '{"colour":"red"}'],
    ['custom', 'ada', '{"plan":"pro","event":"identify"}'],
    ['purchase', 'ada', null],
    ['custom', 'ada', '{"plan":"pro","event":"Signed Up"}'],
    ['page_view', null, '{"title":"Shop"}'],
  ])
  expect(events[0]).toMatchObject({ product_id: 'lamp', category: 'Home' })
  expect(events[2]).toMatchObject({ order_id: 'o-1', revenue_minor: 1990, currency: 'EUR' })
  expect(new Set(events.slice(0, 4).map((e) => e.anonymous_id)).size).toBe(1)
  expect(events[4]!.anonymous_id).not.toBe(events[0]!.anonymous_id)
  expect(problems).toEqual([])
})

it('takes the calls of a page that was quicker than the script', async () => {
  const { context } = await browser.profile()
  await context.addInitScript(() => {
    Object.assign(window, { sf: [['track', 'Early', { n: 1 }]] })
  })
  const page = await visit(context)
  await page.evaluate(() => (window as unknown as { sf: { push(call: unknown[]): void } }).sf.push(['track', 'Late']))
  const events = await arrived(3)
  expect(events.map((e) => JSON.parse(e.properties ?? '').event)).toEqual([undefined, 'Early', 'Late'])
})

it('keeps events while the edge is down, over a reload, and brings each once when it is back', async () => {
  const { context } = await browser.profile()
  attributes += ' data-pages="off"'
  const page = await visit(context)
  const { port } = served
  await down()
  const failed = page.waitForEvent('requestfailed')
  const tracked = [await sf(page, 'track', 'One'), await sf(page, 'track', 'Two')]
  await failed
  // Its script comes from the cache, for the edge is still away.
  await page.reload()
  tracked.push(await sf(page, 'track', 'Three'))
  await up(port)
  const events = await arrived(3)
  expect(ids(events)).toEqual(tracked.toSorted())
  for (const event of events) expect(event.sent_at).toBeGreaterThanOrEqual(event.original_time!)
  expect(await duplicates()).toBe(false)
  await eventually('nothing waits', DEADLINE_MS, async () => !(await stored(page)).some((name) => /:e/.test(name)))
})

it('comes again when it is told to, after as long as it is told', async () => {
  const { context } = await browser.profile()
  edge.log.unavailable = true
  const page = await context.newPage()
  const refused = page.waitForResponse((response) => response.status() === 503)
  await page.goto(at('/'))
  await refused
  edge.log.unavailable = false
  expect(await arrived(1)).toHaveLength(1)
  // By the page's own clock: it may be a while until we hear of the refusal.
  const requests = await eventually('the page has both answers', DEADLINE_MS, async () => {
    const all = await page.evaluate(() =>
      performance.getEntriesByType('resource').map((entry) => entry.toJSON() as PerformanceResourceTiming),
    )
    const sent = all.filter(({ name }) => name.includes('/events'))
    return sent.length > 1 && sent
  })
  expect(requests[1]!.startTime - requests[0]!.responseEnd).toBeGreaterThan(2_000)
})

it('brings what was kept offline when the visitor comes back', async () => {
  const { context } = await browser.profile()
  attributes += ' data-pages="off"'
  const page = await visit(context)
  await context.setOffline(true)
  const failed = page.waitForEvent('requestfailed')
  const id = await sf(page, 'track', 'In the tunnel')
  await failed
  await cutOff(page)
  await page.close()
  await context.setOffline(false)
  expect(await edge.events(CLICKSTREAM)).toEqual([])
  await visit(context)
  expect(ids(await arrived(1))).toEqual([id])
})

it('brings what a tab could not send, as soon as it is gone, from one that is open', async () => {
  const { context } = await browser.profile()
  attributes += ' data-pages="off"'
  const cut = await visit(context)
  await cutOff(cut)
  const kept = await sf(cut, 'track', 'Not sent')
  const other = await visit(context)
  const sent = await sf(other, 'track', 'Sent')
  expect(ids(await arrived(1))).toEqual([sent])
  await cut.close()
  expect(ids(await arrived(2))).toEqual([kept, sent].toSorted())
  expect(await duplicates()).toBe(false)
})

it('sends at once when the network is back', async () => {
  const { context } = await browser.profile()
  const page = await visit(context)
  await arrived(1)
  await context.setOffline(true)
  const failed = page.waitForEvent('requestfailed')
  const id = await sf(page, 'track', 'In the tunnel')
  await failed
  await context.setOffline(false)
  expect((await arrived(2))[1]!.event_id).toBe(id)
})

it('still sends what a visitor does on leaving', async () => {
  const { context } = await browser.profile()
  const page = await visit(context)
  await arrived(1)
  const id = await page.evaluate(() => {
    const { sf } = window as unknown as { sf: Tracker }
    const made = sf.track('Clicked a link')
    location.href = 'about:blank'
    return made
  })
  // No page with the tracker follows.
  await page.waitForURL('about:blank')
  expect((await arrived(2))[1]!.event_id).toBe(id)
})

it('sends nothing twice from several tabs', async () => {
  const { context } = await browser.profile()
  attributes += ' data-pages="off"'
  const { port } = served
  const tabs = [await visit(context), await visit(context), await visit(context)]
  await down()
  const failed = Promise.all(tabs.map((tab) => tab.waitForEvent('requestfailed')))
  const tracked: (string | null)[] = []
  for (const tab of tabs) {
    for (let n = 0; n < 5; n++) tracked.push(await sf(tab, 'track', `Event ${n}`))
  }
  await failed
  await up(port)
  await Promise.all(tabs.map((tab) => sf(tab, 'flush')))
  expect(ids(await arrived(15))).toEqual(tracked.toSorted())
  expect(await duplicates()).toBe(false)
})

it('keeps the newest thousand events, and no more', async () => {
  const { context } = await browser.profile()
  attributes += ' data-pages="off"'
  const page = await visit(context)
  const { port } = served
  await down()
  const [first, last] = await page.evaluate(() => {
    const { sf } = window as unknown as { sf: Tracker }
    const made = Array.from({ length: 1_001 }, (_, n) => sf.track('Event', { n }))
    return [made[0], made.at(-1)]
  })
  await up(port)
  const events = await arrived(1_000)
  expect(events).toHaveLength(1_000)
  expect(ids(events)).toContain(last)
  expect(ids(events)).not.toContain(first)
})

it.each(['doNotTrack', 'globalPrivacyControl'])('leaves visitors alone whose browser says %s', async (signal) => {
  const { context, problems } = await browser.profile()
  const requests = requestsOf(context)
  await context.addInitScript((name) => {
    Object.defineProperty(navigator, name, { value: name === 'doNotTrack' ? '1' : true })
  }, signal)
  const page = await visit(context)
  expect(await sf(page, 'track', 'Seen')).toBeNull()
  await sf(page, 'consent', true)
  await sf(page, 'flush')
  expect([requests, await stored(page), problems]).toEqual([[], [], []])
})

it('waits for consent where that is required, and forgets when it is withdrawn', async () => {
  const { context } = await browser.profile()
  const requests = requestsOf(context)
  attributes += ' data-consent="required"'
  const page = await visit(context)
  const held = await sf(page, 'track', 'Before')
  await sf(page, 'flush')
  expect([requests, await stored(page)]).toEqual([[], []])

  await sf(page, 'consent', true)
  const events = await arrived(2)
  expect(events[1]!.event_id).toBe(held)
  // It is remembered.
  await page.reload()
  expect((await arrived(3))[2]!.anonymous_id).toBe(events[0]!.anonymous_id)

  await sf(page, 'consent', false)
  expect(await stored(page)).toEqual([])
  expect(await sf(page, 'track', 'After')).toBeNull()
  await page.reload()
  await sf(page, 'track', 'Undecided again')
  await sf(page, 'flush')
  expect(await edge.events(CLICKSTREAM)).toHaveLength(3)
  expect(await stored(page)).toEqual([])
})

it('heeds in every tab what was decided in one', async () => {
  const { context } = await browser.profile()
  attributes += ' data-pages="off"'
  const [one, other] = [await visit(context), await visit(context)]
  await sf(other, 'track', 'Before')
  await arrived(1)
  await sf(one, 'consent', false)
  await eventually(
    'the other tab tracks nothing',
    DEADLINE_MS,
    async () => (await sf(other, 'track', 'After')) === null,
  )
})

it('remembers a refusal where consent is not required', async () => {
  const { context } = await browser.profile()
  const page = await visit(context)
  await arrived(1)
  await sf(page, 'consent', false)
  await page.reload()
  expect(await sf(page, 'track', 'Seen')).toBeNull()
  await sf(page, 'flush')
  expect(await stored(page)).toEqual([`sf:${WRITE_KEY}:consent`])
  expect(await edge.events(CLICKSTREAM)).toHaveLength(1)
})

/**
 * The dashboard as people use it, in a real Chromium on a real platform: signing in, what moves while one looks, an alert opened, questioned and judged by keyboard,
 * and a platform that is empty, or away. One platform for all, in the order of its life: empty first.
 */
import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { loadConfig } from '../db/config.ts'
import { recordsOf, type Step } from '../streams/cdc/testing/shop.ts'
import { ORDERS } from '../streams/contract/topics.ts'
import type { NewRecord } from '../streams/log/event-log.ts'
import { openLog, storeSettings } from '../streams/stores.ts'
import { systemClock } from '../streams/time/clock.ts'
import { violationsOf } from './support/accessibility.ts'
import { ask, post } from './support/api.ts'
import { withBrowser } from './support/browser.ts'
import { eventually } from './support/eventually.ts'
import { newDataDir, runCli, startPlatform, type TestPlatform, WITHOUT_LAKE } from './support/platform.ts'

const PASSWORD = 'a password for this test'
const WAIT_MS = 60_000
const PHONE = { width: 390, height: 844 }
const DESK = { width: 1440, height: 1000 }

const browser = withBrowser()
let platform: TestPlatform
let dataDir: string

beforeAll(async () => {
  dataDir = await newDataDir()
  platform = await startPlatform({ dataDir, env: { ...WITHOUT_LAKE, STREAMFORGE_ADMIN_PASSWORD: PASSWORD } })
})

/** A page that nobody has signed in to. */
async function open(options: Parameters<typeof browser.profile>[0] = {}, hash = '') {
  const { context, problems } = await browser.profile({ viewport: DESK, ...options })
  const page = await context.newPage()
  await page.goto(`${platform.url}/${hash}`)
  return { page, problems, context }
}

async function fillIn(page: Page, password: string): Promise<void> {
  await page.getByLabel('User name').fill('admin')
  await page.getByLabel('Password').fill(password)
  await page.getByLabel('Password').press('Enter')
}

/** A page that the admin looks at, with its first numbers. */
async function signedIn(options: Parameters<typeof browser.profile>[0] = {}, hash = '') {
  const opened = await open(options, hash)
  await fillIn(opened.page, PASSWORD)
  await isLive(opened.page)
  return opened
}

const isLive = (page: Page) => page.locator('#status[data-state="live"]').waitFor({ timeout: WAIT_MS })

const tile = (page: Page, title: string) => page.locator('.tile', { has: page.getByText(title, { exact: true }) })

/** Resolves when a value of the page is what it should be. */
const shows = (what: string, page: Page, title: string, value: string) =>
  eventually(what, WAIT_MS, async () => (await tile(page, title).locator('.value').textContent()) === value)

let made = 0
async function order(user_id: string, amount: number): Promise<string> {
  const order_id = `order-${++made}`
  const body = { order_id, user_id, product_id: 'kettle', category: 'home', amount, currency: 'TRY' }
  expect((await post(platform, '/orders', body)).body).toMatchObject({ accepted: 1 })
  return order_id
}

async function visit(user_id: string): Promise<void> {
  const body = { event_id: `visit-${++made}`, user_id, event_type: 'page_view', page_url: '/' }
  expect((await post(platform, '/events', body)).body).toMatchObject({ accepted: 1 })
}

/** As a producer would that knows nothing of our events. */
const appendRaw = (values: readonly string[]): Promise<void> =>
  append(values.map((value) => ({ topic: ORDERS, key: 'grace', value: Buffer.from(value) })))

async function append(records: readonly NewRecord[]): Promise<void> {
  const { log } = await openLog(storeSettings(loadConfig({ STREAMFORGE_DATA_DIR: dataDir })), { clock: systemClock })
  await log.append(records)
  await log.close()
}

describe('an empty platform', () => {
  it('says in each panel what is not there yet, and what to do', { timeout: 180_000 }, async () => {
    const { page, problems } = await signedIn()
    await page.getByText('Nothing has arrived yet.').waitFor()
    for (const sentence of [
      'No order is from the last hour.',
      'No session began in the last hour.',
      'No product was seen in the last hour.',
      'No trip began in the last hour.',
      'No alert so far.',
      'No day was checked yet.',
      'Live results were not compared with the lake yet.',
      'No workflow has run yet.',
      'Everything that came could be read.',
    ])
      await page.getByText(sentence).waitFor({ timeout: WAIT_MS })
    expect(await violationsOf(page)).toEqual([])
    expect(problems).toEqual([])
  })
})

describe('signing in', () => {
  it('by form: a wrong password is told; the session outlives a reload, and ends by signing out', async () => {
    const { page, problems } = await open()
    await fillIn(page, 'a wrong password')
    await page.getByRole('alert').getByText('The user name or the password is wrong.').waitFor()
    await fillIn(page, PASSWORD)
    await isLive(page)
    expect(await page.locator('#account').textContent()).toContain('Signed in as admin')
    await page.reload()
    await isLive(page)
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('heading', { name: 'Sign in to StreamForge' }).waitFor()
    await page.reload()
    await page.getByRole('heading', { name: 'Sign in to StreamForge' }).waitFor()
    // The browser tells of the 401 by itself.
    expect(problems).toEqual([expect.stringContaining('401')])
  })

  it('by a link: once, and its code leaves the address', async () => {
    const { code, out } = await runCli(['login-link', '--data', dataDir, '--role', 'viewer'])
    expect(code).toBe(0)
    const hash = /#login=\S+/.exec(out)![0]
    const first = await open({}, hash)
    await isLive(first.page)
    expect(await first.page.locator('#account').textContent()).toContain('viewer')
    expect(first.page.url()).not.toContain('login')
    expect(first.problems).toEqual([])

    const second = await open({}, hash)
    await second.page.getByRole('heading', { name: 'Sign in to StreamForge' }).waitFor()
    expect(await second.page.getByRole('alert').textContent()).not.toBe('')
  })
})

describe('what happens', () => {
  it('shows without a reload: an order in the numbers, and its user in the look-up', async () => {
    const { page, problems } = await signedIn()
    await shows('no orders yet', page, 'Orders', '0')
    await order('ada', 49.9)
    await shows('the order is there', page, 'Orders', '1')
    await shows('its amount is there', page, 'Revenue', '₺49.90')

    // A flush writes features behind its rows.
    await eventually(
      'its user is known',
      WAIT_MS,
      async () => (await ask(platform.url, '/features/ada')).status === 200,
    )
    await page.getByLabel('User id').fill('ada')
    await page.getByLabel('User id').press('Enter')
    await page.getByText('Orders in 5 min · 1 h · 24 h').waitFor()
    expect(page.url()).toContain('user=ada')
    await page.getByLabel('User id').fill('nobody-knows-me')
    await page.getByRole('button', { name: 'Look up' }).click()
    await page.getByText('Nothing is known of “nobody-knows-me”.').waitFor()
    // The browser tells of the two 404s by itself.
    expect(problems.filter((problem) => !problem.includes('404'))).toEqual([])
  })

  it('is drawn for each range from a few dozen points, and can be read as a table', async () => {
    const { page, problems } = await signedIn()
    for (const name of ['24 hours', '7 days', '30 days', '1 year']) {
      await page.getByRole('radio', { name }).check({ force: true })
      await eventually(`the panels are of ${name}`, WAIT_MS, async () =>
        (await page.locator('#products .note').textContent())?.includes(name.replace('1 year', 'last year')),
      )
      await shows('its orders', page, 'Orders', '1')
    }
    const table = page.locator('#revenue details')
    await table.getByText('As a table').click()
    await table.getByRole('cell', { name: '₺49.90' }).waitFor()
    expect(await table.getByRole('row').count()).toBeLessThan(60)
    await page.reload()
    await isLive(page)
    expect(await page.getByRole('radio', { name: '1 year' }).isChecked()).toBe(true)
    expect(problems).toEqual([])
  })
})

describe('an alert', () => {
  it('fires while one looks, opens by keyboard, and says whether it would have fired otherwise', async () => {
    const { page, problems } = await signedIn()
    await page.getByText('No alert so far.').waitFor()
    await visit('mallory')
    const ids = [await order('mallory', 6000), await order('mallory', 7000), await order('mallory', 8000.5)]
    const row = page.getByRole('button', { name: /^mallory/ })
    await row.waitFor({ timeout: WAIT_MS })
    await page.locator('#announcement').getByText('1 new fraud alert').waitFor({ state: 'attached' })

    await row.press('Enter')
    const dialog = page.getByRole('dialog', { name: '3 orders of mallory' })
    await dialog.getByText('Three orders above 5000.00 TRY within five minutes, paid or not.').waitFor()
    for (const id of ids) await dialog.getByRole('rowheader', { name: id }).waitFor()
    expect(await dialog.getByRole('cell', { name: /^\d+:\d+$/ }).count()).toBe(3)
    expect(page.url()).toContain('alert=')
    expect(await violationsOf(page)).toEqual([])

    const without = dialog.getByRole('group', { name: ids[1]! })
    await without.getByLabel('leave out').press('Space')
    await dialog.getByRole('button', { name: 'What then?' }).press('Enter')
    await dialog.getByText('does not fire', { exact: true }).waitFor()
    await dialog.getByRole('button', { name: 'As it was' }).press('Enter')
    await without.getByLabel('later by, s').fill('5')
    await without.getByLabel('later by, s').press('Enter')
    await dialog.getByText('fires', { exact: true }).waitFor()

    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'hidden' })
    expect(await row.evaluate((element) => element === document.activeElement)).toBe(true)
    expect(problems).toEqual([])
  })

  it('is confirmed with a note by who may, and only read by others', async () => {
    const { page, problems } = await signedIn()
    await page.getByRole('button', { name: /^mallory/ }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Note').fill('the card was stolen')
    await dialog.getByRole('button', { name: 'Confirm' }).click()
    await dialog.getByText('the card was stolen').waitFor()
    await dialog.getByRole('button', { name: 'Close' }).click()
    await page.getByRole('button', { name: /^mallory\s*confirmed/ }).waitFor()
    await page.getByLabel('Show').selectOption('dismissed')
    await page.getByText('No alert is dismissed.').waitFor()
    expect(problems).toEqual([])

    const { out } = await runCli(['login-link', '--data', dataDir, '--role', 'viewer'])
    const viewer = await open({}, /#login=\S+/.exec(out)![0])
    await viewer.page.getByRole('button', { name: /^mallory\s*confirmed/ }).click()
    await viewer.page.getByText('the card was stolen').waitFor()
    await viewer.page.getByText('Confirming and dismissing takes the account of an operator.').waitFor()
    expect(await viewer.page.getByRole('button', { name: 'Dismiss' }).count()).toBe(0)
    expect(viewer.problems).toEqual([])
  })
})

describe('what could not be read', () => {
  it('is told by its cause, tried with a mapping, and brought back once', async () => {
    const at = new Date().toISOString()
    await appendRaw([1, 2].map((no) => JSON.stringify({ no: `till-${no}`, customer: { id: 'grace' }, sum: 12.5, at })))
    const { page, problems } = await signedIn()
    await page.locator('#quarantine').getByText('2 records put aside').waitFor({ timeout: WAIT_MS })
    await page.getByRole('button', { name: 'invalid event' }).press('Enter')
    const sheet = page.getByRole('dialog', { name: 'invalid event, transactions.orders' })
    await sheet.getByText('"no": "till-2"').waitFor()
    await sheet.getByRole('button', { name: 'Try', exact: true }).press('Enter')
    await sheet.getByText('0 records would go back, 2 still can not be read.').waitFor()
    expect(await sheet.getByRole('button', { name: 'Bring them back' }).isDisabled()).toBe(true)

    await sheet.getByText('With a fix', { exact: true }).click()
    const columns = { order_id: 'no', user_id: 'customer.id', amount: 'sum', event_time: 'at' }
    await sheet.getByLabel('Mapping').fill(JSON.stringify({ topic: 'orders', currency: 'TRY', columns }))
    await sheet.getByRole('button', { name: 'Try', exact: true }).press('Enter')
    await sheet.getByText('2 records would go back.').waitFor()
    expect(await violationsOf(page)).toEqual([])
    await sheet.getByRole('button', { name: 'Bring them back' }).press('Enter')
    await sheet.getByText('2 records went back.').waitFor()
    await page.keyboard.press('Escape')
    await page.getByText('all were brought back').waitFor({ timeout: WAIT_MS })
    await eventually('both orders are applied', WAIT_MS, async () => {
      const { status, body } = await ask(platform.url, '/features/grace')
      return status === 200 && body.data.orders?.total === 2
    })
    expect(problems).toEqual([])
  })
})

describe('a shop whose database is followed', () => {
  it('has cards of its own as soon as there is one: what is low on stock, and which prices changed', async () => {
    const { page, problems } = await signedIn()
    const lowStock = page.getByRole('region', { name: 'Low stock' })
    await page.getByText('Everything that came could be read.').or(page.locator('#quarantine table')).first().waitFor()
    expect(await lowStock.count()).toBe(0)

    const atMs = Date.now()
    const put = (id: number, columns: object): Step => ({
      ...{ table: 'products', id, atMs },
      row: { name: `Kettle ${id}`, category: 'home', currency: 'TRY', stock: 50, price: '49.90', ...columns },
    })
    const steps = [put(1, {}), put(2, { stock: 3 }), put(3, { stock: 0 }), put(1, { price: '39.92' })]
    await append(steps.flatMap((step) => recordsOf(step)))
    await lowStock.waitFor({ timeout: WAIT_MS })
    await lowStock.getByRole('row', { name: 'Kettle 3 home ₺49.90 sold out' }).waitFor()
    await lowStock.getByRole('row', { name: 'Kettle 2 home ₺49.90 3' }).waitFor()
    expect(await lowStock.getByText('Kettle 1').count()).toBe(0)
    const prices = page.getByRole('region', { name: 'Price changes' })
    await prices.getByRole('row', { name: /Kettle 1 ₺49.90 ₺39.92 −20%/ }).waitFor()
    expect(problems).toEqual([])

    const { body } = await ask(platform.url, '/products/1')
    expect(body.data).toMatchObject({ product_id: '1', name: 'Kettle 1', price: 39.92, stock: 50, deleted: false })
  })
})

describe('for everybody', () => {
  it.each([
    ['light', DESK],
    ['dark', DESK],
    ['light', PHONE],
    ['dark', PHONE],
  ] as const)('nothing that axe finds is wrong: %s, %o', async (colorScheme, viewport) => {
    const { page, problems } = await signedIn({ colorScheme, viewport }, '#user=mallory')
    await page.getByText('Orders in 5 min · 1 h · 24 h').waitFor()
    await page.getByText('Each partition').click()
    expect(await violationsOf(page)).toEqual([])
    // Nothing is wider than the screen.
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true)
    expect(problems).toEqual([])
  })

  it('colours can be chosen, and stay', async () => {
    const { page } = await signedIn({ colorScheme: 'light' })
    const background = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor)
    const light = await background()
    await page.getByLabel('Colours').selectOption('dark')
    const dark = await background()
    expect(dark).not.toBe(light)
    await page.reload()
    expect(await background()).toBe(dark)
    await page.getByLabel('Colours').selectOption('system')
    expect(await background()).toBe(light)
  })
})

describe('a platform that goes away', () => {
  it('is told of, and followed again when it is back, without a new sign-in', { timeout: 180_000 }, async () => {
    const { page } = await signedIn()
    const { port } = new URL(platform.url)
    await platform.stop()
    await page.locator('#status[data-state="offline"]').waitFor({ timeout: WAIT_MS })
    platform = await startPlatform({ dataDir, args: ['--no-simulate', '--port', port], env: WITHOUT_LAKE })
    await isLive(page)
    const before = Number(await tile(page, 'Orders').locator('.value').textContent())
    await order('ada', 20)
    await shows('the order is there', page, 'Orders', String(before + 1))
  })
})

/** What becomes of a person's results when they ask to be forgotten, job by job, in the sentences of the business. */
import { beforeEach, describe, expect, it } from 'vitest'
import { CLICKSTREAM, ORDERS } from '../contract/topics.ts'
import { createDriver, type Driver } from '../testing/driver.ts'
import { TOPOLOGY } from '../topology.ts'

let driver: Driver
beforeEach(async () => {
  driver = await createDriver({ jobs: TOPOLOGY })
})
const click = (user_id: string, time: string, more: object = {}): Promise<void> =>
  driver.send(CLICKSTREAM, {
    user_id,
    event_type: 'page_view',
    page_url: `/of/${user_id}`,
    event_time: `2026-01-15T${time}Z`,
    ...more,
  })
let orders = 0
const order = (user_id: string, time: string): Promise<void> =>
  driver.send(ORDERS, {
    order_id: `${user_id}-${orders++}`,
    user_id,
    product_id: 'kettle',
    amount: 6_000,
    event_time: `2026-01-15T${time}Z`,
  })

const everything = async (): Promise<string> => {
  const tables = ['sessions', 'fraud_alerts', 'traffic_by_minute', 'revenue_by_minute', 'products_by_hour'] as const
  const rows = await Promise.all(tables.map((table) => driver.rows(table)))
  return JSON.stringify([rows, await driver.features('ada')])
}

describe('of a person who is forgotten', () => {
  it('a session is left without name and pages, whether it was open or over', async () => {
    await click('ada', '12:00:00')
    await click('ben', '12:00:00')
    await click('ada', '14:00:00', { event_type: 'purchase', revenue: 10 })
    await click('ben', '14:00:00')
    const before = await driver.rows('sessions')
    await driver.forget('ada')
    const after = await driver.rows('sessions')
    expect(after).toHaveLength(before.length)
    expect(after.filter((s) => s.user_id === 'ben')).toEqual(before.filter((s) => s.user_id === 'ben'))
    const theirs = after.filter((s) => s.user_id !== 'ben')
    expect(theirs).toMatchObject([
      { events: 1, entry_page: null, exit_page: null, final: true, revenue_minor: {} },
      { events: 1, purchases: 1, entry_page: null, exit_page: null, final: true, revenue_minor: { TRY: 1000 } },
    ])
    for (const { user_id, session_id } of theirs) {
      expect(user_id).toMatch(/^erased-\d-\d+$/)
      expect(session_id).toMatch(new RegExp(`^${user_id}@`))
    }
    expect(await everything()).not.toContain('ada')
  })

  it('sessions that were joined stay joined', async () => {
    await click('ada', '12:00:00')
    await click('ada', '12:30:05')
    await click('ada', '12:15:00')
    await driver.forget('ada')
    const [survivor, absorbed] = (await driver.rows('sessions')).sort((a, b) => b.events - a.events)
    expect(survivor?.merged_into).toBeNull()
    expect(absorbed?.merged_into).toBe(survivor?.session_id)
    expect(await everything()).not.toContain('ada')
  })

  it('an alert is left without name, orders and trace, and is no longer completed or changed', async () => {
    for (const time of ['12:00:00', '12:01:00', '12:02:00']) await order('ada', time)
    for (const time of ['12:00:00', '12:01:00']) await order('ben', time)
    const [before] = await driver.rows('fraud_alerts')
    await driver.forget('ada')
    await driver.forget('ben')
    await order('ben', '12:02:00')
    expect(await driver.rows('fraud_alerts')).toEqual([
      {
        ...before,
        user_id: expect.stringMatching(/^erased-/),
        evidence: [],
        trace_id: null,
        final: true,
        position: expect.any(Number),
      },
    ])
    expect(await everything()).not.toContain('ada')
    // What was announced was announced.
    expect(await driver.alerts()).toHaveLength(1)
  })

  it('features are gone, and begin anew with what comes later', async () => {
    await click('ada', '12:00:00')
    await order('ada', '12:00:00')
    await click('ben', '12:00:00')
    await driver.forget('ada')
    expect(await driver.features('ada')).toEqual({})
    await click('ada', '12:05:00')
    expect(await driver.features('ada')).toMatchObject({
      clicks: { total_events: 1, first_seen: Date.UTC(2026, 0, 15, 12, 5) },
    })
    expect(await driver.features('ben')).toMatchObject({ clicks: { total_events: 1 } })
  })

  it('counts stay, also of distinct users in a minute that is not over, for whom they are one more when they come back', async () => {
    await click('ada', '12:00:01')
    await click('ada', '12:00:02')
    await order('ada', '12:00:03')
    await driver.forget('ada')
    expect(await driver.rows('traffic_by_minute')).toMatchObject([{ events: 2, users: 1 }])
    expect(await driver.rows('revenue_by_minute')).toMatchObject([{ orders: 1 }])
    expect(await driver.rows('products_by_hour')).toMatchObject([{ purchases: 1 }])
    await driver.restart()
    await click('ada', '12:00:04')
    expect(await driver.rows('traffic_by_minute')).toMatchObject([{ events: 3, users: 2 }])
  })

  it('what was sent before is still a duplicate when it is sent again', async () => {
    await click('ada', '12:00:00', { event_id: 'once' })
    await driver.forget('ada')
    await click('ada', '12:00:00', { event_id: 'once' })
    expect(driver.outcomes().duplicate).toBe(1)
    expect(await driver.features('ada')).toEqual({})
  })

  it('nothing comes back after a crash, which reads everything again', async () => {
    await click('ada', '12:00:00')
    await driver.checkpoint()
    for (const time of ['12:00:00', '12:01:00', '12:02:00']) await order('ada', time)
    await click('ada', '12:01:00')
    await driver.forget('ada')
    const before = await everything()
    await driver.crash()
    expect(await everything()).toBe(before)
    expect(before).not.toContain('ada')
  })
})

/** The traffic job, in the sentences of the business. */
import { beforeEach, describe, expect, it } from 'vitest'
import { CLICKSTREAM } from '../contract/topics.ts'
import { createDriver, type Driver } from '../testing/driver.ts'
import { traffic } from './traffic.ts'

let driver: Driver
beforeEach(async () => {
  driver = await createDriver({ jobs: [traffic] })
})
const click = (user_id: string, event_type = 'page_view', time = '12:00:00'): Promise<void> =>
  driver.send(CLICKSTREAM, { user_id, event_type, event_time: `2026-01-15T${time}Z` })
const rows = () => driver.rows('traffic_by_minute')

describe('the traffic of a minute', () => {
  it('counts events per type', async () => {
    await click('ada')
    await click('ada', 'purchase')
    await click('ada', 'purchase')
    expect((await rows()).map((r) => [r.event_type, r.events])).toEqual([
      ['page_view', 1],
      ['purchase', 2],
    ])
  })

  it('counts each user once', async () => {
    for (let i = 0; i < 3; i++) await click('ada')
    expect(await rows()).toMatchObject([{ events: 3, users: 1 }])
  })

  it('adds up over partitions to the exact number of users, since a user lives in one', async () => {
    for (let i = 0; i < 100; i++) await click(`user-${i % 50}`)
    const partials = await rows()
    expect(partials.length).toBe(4)
    expect(partials.reduce((sum, r) => sum + r.users, 0)).toBe(50)
    expect(partials.reduce((sum, r) => sum + r.events, 0)).toBe(100)
  })

  it('knows its users after a restart', async () => {
    await click('ada')
    await driver.restart()
    await click('ada')
    expect(await rows()).toMatchObject([{ events: 2, users: 1 }])
  })
})

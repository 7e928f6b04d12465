/** The regions job, in the sentences of the business. */
import { beforeEach, describe, expect, it } from 'vitest'
import { TRIPS } from '../contract/topics.ts'
import { createDriver, type Driver } from '../testing/driver.ts'
import { regions } from './regions.ts'

let driver: Driver
let id = 0
beforeEach(async () => {
  driver = await createDriver({ jobs: [regions] })
})
const trip = (time: string, more: object = {}): Promise<void> =>
  driver.send(TRIPS, {
    trip_id: `t${id++}`,
    region_id: 7,
    fare: 12.5,
    duration: 600,
    distance: 3.2,
    event_time: `2026-01-15T${time}Z`,
    ...more,
  })

describe('a region', () => {
  it('sums trips, fares, seconds and metres over one minute, five minutes and an hour', async () => {
    await trip('12:00:10')
    await trip('12:03:00')
    await trip('12:30:00')
    const rows = await driver.rows('trips_by_region')
    expect(rows.map((r) => [r.window, r.trips]).sort()).toEqual([
      ['1h', 3],
      ['1m', 1],
      ['1m', 1],
      ['1m', 1],
      ['5m', 1],
      ['5m', 2],
    ])
    expect(rows.find((r) => r.window === '1h')).toMatchObject({
      region_id: '7',
      fare_minor: 3750,
      duration_s: 1800,
      distance_m: 9600,
    })
  })

  it('keeps currencies apart', async () => {
    await trip('12:00:00')
    await trip('12:00:00', { currency: 'USD' })
    const hours = (await driver.rows('trips_by_region')).filter((r) => r.window === '1h')
    expect(hours.map((r) => [r.currency, r.trips])).toEqual([
      ['TRY', 1],
      ['USD', 1],
    ])
  })

  it('refuses a trip for the windows that are closed, and takes it for those that are not', async () => {
    await trip('12:10:00')
    await trip('12:04:00')
    expect(driver.outcomes().late).toBe(2)
    const late = await driver.published('late.events')
    expect(late.map((r) => r.headers?.job)).toEqual(['regions/1m', 'regions/5m'])
    const hour = (await driver.rows('trips_by_region')).find((r) => r.window === '1h')
    expect(hour?.trips).toBe(2)
  })
})

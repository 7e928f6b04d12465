/**
 * Chapter 2: event time, the watermark, and lateness.
 *
 * Events say when they happened; they arrive later, and in another order. All jobs compute by the time of the event, so that a result doesn't depend on
 * the network, on a queue, or on the day it is computed again. The price is a question: when is a minute complete?
 */
import { beforeEach, describe, expect, it } from 'vitest'
import type { Order } from '../contract/events.ts'
import { ORDERS } from '../contract/topics.ts'
import { type Job, minutes, seconds } from '../jobs/job.ts'
import { tumblingWindow } from '../operators/tumbling-window.ts'
import { FUTURE_CAP_MS } from '../runtime/task.ts'
import { createDriver, type Driver } from '../testing/driver.ts'

/** Orders per minute, and the time a job may allow for latecomers. */
const ordersByMinute = (allowedLatenessMs = 0): Job => ({
  name: 'orders-by-minute',
  about: 'Orders per minute.',
  on: {
    [ORDERS]: [
      tumblingWindow<Order, { orders: number }, 'traffic_by_minute'>({
        name: 'orders-by-minute',
        sizeMs: minutes(1),
        allowedLatenessMs,
        group: () => 'orders',
        accumulator: {
          schema: { type: 'record', name: 'Orders', fields: [{ name: 'orders', type: 'long' }] },
          create: () => ({ orders: 0 }),
          add(acc) {
            acc.orders++
          },
        },
        table: 'traffic_by_minute',
        row: ({ startMs, group, acc, final, partition, position }) => ({
          window_start: startMs,
          event_type: group,
          events: acc.orders,
          users: 0,
          final,
          partition,
          position,
        }),
      }),
    ],
  },
})

let driver: Driver
let orders = 0
beforeEach(async () => {
  driver = await createDriver({ jobs: [ordersByMinute()] })
})
const order = (time: string, more: object = {}, at?: { arrives: string }) =>
  driver.send(
    ORDERS,
    { order_id: `order-${++orders}`, user_id: 'ada', amount: 10, event_time: `2026-01-15T${time}Z`, ...more },
    at,
  )
/** [minute, orders, final] of each row. */
const shown = async () =>
  (await driver.rows('traffic_by_minute')).map((row) => [
    new Date(row.window_start).toISOString().slice(11, 16),
    row.events,
    row.final,
  ])
const watermark = () => new Date(driver.watermark(ORDERS, 'ada') ?? Number.NaN).toISOString().slice(11, 19)

describe('the watermark', () => {
  it('says how far time has come: ten seconds behind the newest event of the partition', async () => {
    await order('12:00:30')
    expect(watermark()).toBe('12:00:20')

    // An older event changes nothing about it: it never runs back.
    await order('12:00:25')
    expect(watermark()).toBe('12:00:20')
  })

  it('closes a minute when it passes its end; until then the minute takes events in any order', async () => {
    await order('12:00:30')
    await order('12:01:05') // the watermark is 12:00:55
    await order('12:00:58') // out of order, and in time
    expect(await shown()).toEqual([
      ['12:00', 2, false],
      ['12:01', 1, false],
    ])

    await order('12:01:10') // now it is 12:01:00
    expect(await shown()).toEqual([
      ['12:00', 2, true],
      ['12:01', 2, false],
    ])
  })

  it('depends on nothing but the log: no clock on the wall closes a window', async () => {
    /*
     * A partition that falls silent keeps its last windows open, for hours if need be. Readers see their provisional rows all the while (chapter 3). In
     * return the same log always gives the same tables, today or a year from now.
     */
    await order('12:00:30')
    expect(await shown()).toEqual([['12:00', 1, false]])
  })

  it('is not carried off by a clock from the future', async () => {
    /*
     * A phone whose clock is two hours ahead would close two hours of everybody's windows. So an event moves time no further than the moment at which the
     * log took it (and `FUTURE_CAP_MS` beyond that). The event itself counts, in the minute that it names.
     */
    await order('12:00:30')
    await order('14:00:00', {}, { arrives: '2026-01-15T12:00:31Z' })
    expect(driver.watermark(ORDERS, 'ada')).toBe(Date.UTC(2026, 0, 15, 12, 0, 31) + FUTURE_CAP_MS - seconds(10))
    await order('12:05:30')
    expect(await shown()).toEqual([
      ['12:00', 1, true],
      ['12:05', 1, false],
      ['14:00', 1, false],
    ])
  })
})

describe('a late event', () => {
  it('is not applied: its minute is final. It is counted, and goes to late.events', async () => {
    await order('12:00:30')
    await order('12:03:00')
    await order('12:00:45', { order_id: 'too-late' })

    expect(await shown()).toEqual([
      ['12:00', 1, true],
      ['12:03', 1, false],
    ])
    // Counted, per job and reason …
    expect(driver.outcomes()).toEqual({ late: 1, duplicate: 0, dead_letter: 0 })
    expect(await driver.rows('outcomes_by_minute')).toMatchObject([
      { job: 'orders-by-minute', outcome: 'late', reason: 'window_closed', events: 1 },
    ])
    // … and kept, as it came, with the job that refused it and by how much. Nothing is ever dropped without a trace.
    expect(await driver.published('late.events')).toMatchObject([
      { key: 'ada', headers: { job: 'orders-by-minute', late_by_ms: '125000' } },
    ])
  })

  it('is in time for a job that allows for it; that job is final so much later', async () => {
    driver = await createDriver({ jobs: [ordersByMinute(seconds(120))] })
    await order('12:00:30')
    await order('12:03:00') // the watermark is 12:02:50; with two minutes of lateness 12:00 is open until 12:03:00
    await order('12:00:45')
    expect(await shown()).toEqual([
      ['12:00', 2, false],
      ['12:03', 1, false],
    ])
    await order('12:03:10')
    expect(await shown()).toEqual([
      ['12:00', 2, true],
      ['12:03', 2, false],
    ])
  })
})

describe('what else is not applied', () => {
  it('a duplicate: the same id within ten minutes is one event', async () => {
    await order('12:00:30', { order_id: 'again' })
    await order('12:00:30', { order_id: 'again' })
    expect(await shown()).toEqual([['12:00', 1, false]])
    expect(driver.outcomes().duplicate).toBe(1)
  })

  it('a value that nobody can read: it becomes a dead letter with its reason, and its neighbours go on', async () => {
    await driver.sendBytes(ORDERS, Buffer.from('{"order_id": 17}'))
    await order('12:00:30')
    expect(driver.outcomes().dead_letter).toBe(1)
    expect(await driver.published('dlq.transactions.orders')).toMatchObject([
      { headers: { error_class: 'invalid_event', topic: ORDERS, offset: '0' } },
    ])
    expect(await shown()).toEqual([['12:00', 1, false]])
  })
})

/** The fraud detector, in the sentences of the business. */
import { beforeEach, describe, expect, it } from 'vitest'
import { ORDERS } from '../contract/topics.ts'
import { createDriver, type Driver } from '../testing/driver.ts'
import { detector, fraudDetector } from './fraud-detector.ts'
import { FRAUD_RULES } from './fraud-rules.ts'

let driver: Driver
beforeEach(async () => {
  driver = await createDriver({ jobs: [fraudDetector] })
})
const order = (order_id: string, time: string, more: object = {}): Promise<void> =>
  driver.send(ORDERS, { order_id, user_id: 'ada', amount: 6_000, event_time: `2026-01-15T${time}Z`, ...more })
const rows = () => driver.rows('fraud_alerts')

describe('three orders above 5000.00 within five minutes', () => {
  it('raise one alert at once, with the orders as evidence', async () => {
    await order('a', '12:00:00')
    await order('b', '12:02:00', { amount: 7_000.5 })
    expect(await rows()).toEqual([])
    await order('c', '12:04:59', { status: 'failed' })
    const [alert] = await rows()
    expect(alert).toMatchObject({
      rule_id: 'rapid-high-value-orders',
      rule_version: 1,
      user_id: 'ada',
      state: 'active',
      total_minor: 1_900_050,
      currency: 'TRY',
      first_at: Date.UTC(2026, 0, 15, 12),
      last_at: Date.UTC(2026, 0, 15, 12, 4, 59),
      watermark: Date.UTC(2026, 0, 15, 12, 4, 49),
      final: false,
    })
    expect(alert?.evidence.map((e) => [e.order_id, e.amount_minor, e.status, e.topic, e.offset])).toEqual([
      ['a', 600_000, 'success', ORDERS, 0],
      ['b', 700_050, 'success', ORDERS, 1],
      ['c', 600_000, 'failed', ORDERS, 2],
    ])
    expect(await driver.alerts()).toMatchObject([{ alert_id: alert?.alert_id, evidence: alert?.evidence }])
  })

  it.each([
    ['exactly 5000.00', { amount: 5_000 }],
    ['another currency', { currency: 'EUR' }],
    ['a refund', { status: 'refunded' }],
    ['another user', { user_id: 'ben' }],
    ['the order sent twice', { order_id: 'a' }],
  ])('do not, when one is %s', async (_, difference) => {
    await order('a', '12:00:00')
    await order('b', '12:01:00')
    await order('c', '12:02:00', difference)
    expect(await rows()).toEqual([])
  })

  it('do not, when the third comes a full five minutes after the first', async () => {
    await order('a', '12:00:00')
    await order('b', '12:01:00')
    await order('c', '12:05:00')
    expect(await rows()).toEqual([])
  })

  it('are used up: the fourth and fifth alone raise nothing, the sixth does', async () => {
    for (let i = 0; i < 5; i++) await order(`o${i}`, `12:00:0${i}`)
    expect(await rows()).toHaveLength(1)
    await order('o5', '12:00:05')
    expect(await rows()).toHaveLength(2)
  })

  it('count as failed and as successful order of the same id: both are attempts', async () => {
    await order('a', '12:00:00', { status: 'failed' })
    await order('a', '12:00:01')
    await order('b', '12:00:02')
    expect((await rows())[0]?.evidence.map((e) => e.order_id)).toEqual(['a', 'a', 'b'])
  })

  it('across a restart raise the same alert', async () => {
    await order('a', '12:00:00')
    await order('b', '12:01:00')
    await driver.restart()
    await order('c', '12:02:00')
    expect(await rows()).toHaveLength(1)
  })
})

describe('an alert', () => {
  it('has an id that depends on its orders alone', async () => {
    for (const id of ['a', 'b', 'c']) await order(id, '12:00:00')
    const [first] = await rows()
    const other = await createDriver({ jobs: [fraudDetector] })
    await other.send(ORDERS, { order_id: 'x', user_id: 'ben', amount: 1, event_time: '2026-01-15T11:59:00Z' })
    for (const id of ['a', 'b', 'c'])
      await other.send(ORDERS, { order_id: id, user_id: 'ada', amount: 6_000, event_time: '2026-01-15T12:00:00Z' })
    expect((await other.rows('fraud_alerts'))[0]?.alert_id).toBe(first?.alert_id)
  })

  it('is superseded by name when a late arrival changes its orders', async () => {
    await order('b', '12:00:02')
    await order('c', '12:00:03')
    await order('d', '12:00:04')
    const [before] = await rows()
    await order('a', '12:00:01')
    const alerts = await rows()
    const after = alerts.find((a) => a.state === 'active')
    expect(alerts).toHaveLength(2)
    expect(after?.evidence.map((e) => e.order_id)).toEqual(['a', 'b', 'c'])
    expect(after?.supersedes).toEqual([before?.alert_id])
    expect(alerts.find((a) => a.alert_id === before?.alert_id)).toMatchObject({
      state: 'superseded',
      superseded_by: after?.alert_id,
    })
    expect((await driver.alerts()).map((a) => [a.alert_id === before?.alert_id, a.state])).toEqual([
      [true, 'active'],
      [false, 'active'],
      [true, 'superseded'],
    ])
  })

  it('is final when the watermark has passed its last order', async () => {
    for (const id of ['a', 'b', 'c']) await order(id, '12:00:00')
    await order('z', '12:00:30', { user_id: 'ada', amount: 1 })
    expect(await rows()).toMatchObject([{ final: true }])
    expect(await driver.alerts()).toHaveLength(1)
  })

  it('of a rule that has changed gets an id of its own', async () => {
    const [rule] = FRAUD_RULES
    const changed = { ...rule!, version: 2 }
    const both = await createDriver({
      jobs: [{ name: 'both', about: '', on: { [ORDERS]: [detector(rule!), detector({ ...changed, id: rule!.id })] } }],
    })
    for (const id of ['a', 'b', 'c'])
      await both.send(ORDERS, { order_id: id, user_id: 'ada', amount: 6_000, event_time: '2026-01-15T12:00:00Z' })
    expect((await both.rows('fraud_alerts')).map((a) => a.rule_version).sort()).toEqual([1, 2])
  })

  it('never has two rules of one id and version, whose state would be one', () => {
    const names = FRAUD_RULES.map((r) => r.id)
    expect(new Set(names).size).toBe(names.length)
  })
})

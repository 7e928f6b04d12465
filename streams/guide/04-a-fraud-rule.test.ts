/**
 * Chapter 4: a fraud rule of your own.
 *
 * A rule is data: so many orders of one user, above so much, within so long. The operator under it, the repetition, alerts the moment the last order arrives,
 * keeps the evidence, and when an order arrives out of order it says what that changes: alerts are amended by name, never silently replaced.
 */
import { beforeEach, describe, expect, it } from 'vitest'
import type { Order } from '../contract/events.ts'
import { stableId } from '../contract/stable-id.ts'
import { ORDERS } from '../contract/topics.ts'
import { detector } from '../jobs/fraud-detector.ts'
import type { FraudRule } from '../jobs/fraud-rules.ts'
import { type Job, minutes } from '../jobs/job.ts'
import { repetition } from '../operators/repetition.ts'
import { createDriver, type Driver } from '../testing/driver.ts'

/*
 * In the product this would be one more element of `FRAUD_RULES` in streams/jobs/fraud-rules.ts: that is all. To change a rule that is in use, raise its
 * version: the alerts of the new version then have ids of their own, and each says which version it was raised by.
 */
const cardTesting: FraudRule = {
  id: 'card-testing',
  version: 1,
  orders: 2,
  aboveMinor: 10_000,
  currency: 'EUR',
  withinMs: minutes(1),
  about: 'Two orders above 100.00 EUR within a minute.',
}

let driver: Driver
beforeEach(async () => {
  driver = await createDriver({
    jobs: [{ name: 'fraud-detector', about: 'One rule of ours.', on: { [ORDERS]: [detector(cardTesting)] } }],
  })
})
const order = (order_id: string, time: string, amount = 150) =>
  driver.send(ORDERS, {
    order_id,
    user_id: 'eve',
    amount,
    currency: 'EUR',
    event_time: `2026-01-15T${time}Z`,
  })
/** [orders, state, final] of each alert. */
const shown = async () =>
  (await driver.rows('fraud_alerts'))
    .map((alert) => [alert.evidence.map((e) => e.order_id).join(' + '), alert.state, alert.final])
    .sort()

describe('a rule', () => {
  it('alerts when the last order arrives, and the alert says why', async () => {
    await order('first', '12:00:10')
    await order('small', '12:00:20', 100)
    expect(await shown()).toEqual([])

    await order('second', '12:00:30')
    const [alert] = await driver.rows('fraud_alerts')
    expect(alert).toMatchObject({ rule_id: 'card-testing', rule_version: 1, user_id: 'eve', total_minor: 30_000 })
    // The evidence names every order with its place in the log: anyone can look it up there.
    expect(alert?.evidence).toMatchObject([
      { order_id: 'first', amount_minor: 15_000, topic: ORDERS, offset: 0 },
      { order_id: 'second', amount_minor: 15_000, topic: ORDERS, offset: 2 },
    ])
    // It is announced, too: on the topic alerts.fraud, for whoever acts on it.
    expect(await driver.alerts()).toMatchObject([{ alert_id: alert?.alert_id, state: 'active' }])
  })

  it('uses its orders up: a third one begins anew', async () => {
    for (const [id, time] of [
      ['a', '12:00:21'],
      ['b', '12:00:22'],
      ['c', '12:00:23'],
    ] as const)
      await order(id, time)
    expect(await shown()).toEqual([['a + b', 'active', false]])
  })
})

describe('an order out of order', () => {
  it('supersedes an alert whose orders it changes, and both say so', async () => {
    await order('b', '12:00:25')
    await order('c', '12:00:30')
    expect(await shown()).toEqual([['b + c', 'active', false]])

    // `a` was first, as it turns out: in event-time order the pair is a + b, and c stands alone.
    await order('a', '12:00:24')
    expect(await shown()).toEqual([
      ['a + b', 'active', false],
      ['b + c', 'superseded', false],
    ])
    const alert = async (orders: string) =>
      (await driver.rows('fraud_alerts')).find((x) => x.evidence.map((e) => e.order_id).join(' + ') === orders)
    // Nothing disappears: whoever has acted on `b + c` finds it still, with the name of the alert that took its place.
    expect((await alert('b + c'))?.superseded_by).toBe((await alert('a + b'))?.alert_id)
    expect((await alert('a + b'))?.supersedes).toEqual([(await alert('b + c'))?.alert_id])

    // And `z` was before that. Now there are two pairs, and the one that we had first is back.
    await order('z', '12:00:23')
    expect(await shown()).toEqual([
      ['a + b', 'superseded', false],
      ['b + c', 'active', false],
      ['z + a', 'active', false],
    ])
    // Each step was announced, the coming back too.
    expect((await driver.alerts()).map((x) => [x.evidence.map((e) => e.order_id).join(' + '), x.state])).toEqual([
      ['b + c', 'active'],
      ['a + b', 'active'],
      ['b + c', 'superseded'],
      ['z + a', 'active'],
      ['b + c', 'active'],
      ['a + b', 'superseded'],
    ])
  })

  it('comes too late when the watermark has passed: the alert is final then', async () => {
    await order('b', '12:00:20')
    await order('c', '12:00:30')
    await order('later', '12:05:00')
    expect(await shown()).toEqual([['b + c', 'active', true]])

    await order('a', '12:00:10')
    expect(await shown()).toEqual([['b + c', 'active', true]])
    expect((await driver.published('late.events'))[0]?.headers?.job).toBe('fraud-detector/card-testing')
  })

  it('across a crash changes nothing: the same matches have the same ids, and nothing is announced twice', async () => {
    await order('b', '12:00:20')
    await order('c', '12:00:30')
    await order('a', '12:00:10')
    const before = [await driver.rows('fraud_alerts'), await driver.alerts()]
    await driver.crash()
    expect([await driver.rows('fraud_alerts'), await driver.alerts()]).toEqual(before)
  })
})

describe('a pattern of another kind', () => {
  it('is a repetition with its own `where` and `detail`', async () => {
    /*
     * Three failed payments within ten minutes, whatever the amount. What `detail` keeps of an order is what the alert can show of it later: the state
     * holds nothing else. The id must depend on the matched orders alone, so that a replay names the same match alike.
     */
    const failedPayments: Job = {
      name: 'failed-payments',
      about: 'Three failed payments within ten minutes.',
      on: {
        [ORDERS]: [
          repetition<Order, string>({
            name: 'failed-payments',
            count: 3,
            withinMs: minutes(10),
            key: (o) => o.user_id,
            where: (o) => o.status === 'failed',
            detail: (o) => o.order_id,
            detailSchema: 'string',
            id: (user, candidates) => stableId('failed-payments', user, ...candidates.map((c) => c.detail)),
            emit(out, user, match, { partition, final, announce }) {
              const [first, last] = [match.candidates[0]!, match.candidates.at(-1)!]
              const row = {
                alert_id: match.id,
                rule_id: 'failed-payments',
                rule_version: 1,
                user_id: user,
                state: match.state,
                superseded_by: match.supersededBy,
                supersedes: [...match.supersedes],
                total_minor: 0,
                currency: 'TRY',
                first_at: first.timeMs,
                last_at: last.timeMs,
                triggered_at: match.triggeredMs,
                watermark: match.watermarkMs,
                evidence: match.candidates.map((c) => ({
                  order_id: c.detail,
                  event_time: c.timeMs,
                  amount_minor: 0,
                  status: 'failed' as const,
                  topic: ORDERS,
                  partition,
                  offset: c.offset,
                })),
                trace_id: match.traceId,
                final,
                partition,
                position: match.position,
              }
              out.row('fraud_alerts', row)
              if (announce) out.alert(row)
            },
          }),
        ],
      },
    }
    driver = await createDriver({ jobs: [failedPayments] })
    for (const [i, status] of ['failed', 'success', 'failed', 'failed'].entries()) {
      const event_time = `2026-01-15T12:0${i}:00Z`
      await driver.send(ORDERS, { order_id: `o${i}`, user_id: 'eve', amount: 1, status, event_time })
    }
    expect(await shown()).toEqual([['o0 + o2 + o3', 'active', false]])
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Order } from '../contract/events.ts'
import type { AlertRow } from '../contract/results.ts'
import { ORDERS } from '../contract/topics.ts'
import { fraudDetector } from '../jobs/fraud-detector.ts'
import { FRAUD_RULES } from '../jobs/fraud-rules.ts'
import { Task } from '../runtime/task.ts'
import { type Change, changeOrders } from './changes.ts'
import { type OrderRecord, type RuleOrder, runRule } from './run-rule.ts'
import { whatIf } from './what-if.ts'

const rule = FRAUD_RULES[0]!
const T = Date.UTC(2026, 0, 15, 12)
const SECOND = 1_000
const PARTITION = 2

const order = (order_id: string, seconds: number, over: Partial<RuleOrder> = {}): RuleOrder => ({
  order_id,
  user_id: 'ada',
  status: 'success',
  amount_minor: 600_000,
  currency: 'TRY',
  event_time: T + seconds * SECOND,
  ...over,
})
/** As they came, each when it happened. */
const recordsOf = (...orders: RuleOrder[]): OrderRecord[] =>
  orders.map((each, offset) => ({
    offset,
    appendedAtMs: each.event_time,
    order: each,
    othersMs: Number.NEGATIVE_INFINITY,
  }))
const ask = (records: OrderRecord[], changes: Change[]) => {
  const [alert] = runRule(rule, PARTITION, records).alerts.filter(({ state }) => state === 'active')
  return whatIf({ alert: alert!, rule, records, changes })
}

describe('what if', () => {
  const three = recordsOf(order('o-1', 0), order('o-2', 100), order('o-3', 200))

  it('nothing is changed, says why it fired', () => {
    const answer = ask(three, [])
    expect(answer).toMatchObject({ fires: true, appearing: [], vanishing: [] })
    expect(answer.explanation).toBe(
      'Three orders above 5,000.00 TRY lie within 5 min: o-1, o-2 and o-3, 18,000.00 TRY in all.',
    )
    expect(answer.steps.map(({ orderId, counts, together }) => [orderId, counts, together.length])).toEqual([
      ['o-1', true, 1],
      ['o-2', true, 2],
      ['o-3', true, 3],
    ])
  })

  it('an order is taken away, says what is missing', () => {
    const answer = ask(three, [{ without: 'o-2' }])
    expect(answer).toMatchObject({ fires: false, alerts: [] })
    expect(answer.explanation).toBe(
      'Without o-2 only two orders above 5,000.00 TRY lie within 5 min, and the rule takes three.',
    )
    expect(answer.steps[1]).toMatchObject({ orderId: 'o-2', changed: 'removed', counts: false, alertId: null })
  })

  it('an order is taken away and another of the user takes its place, says so', () => {
    const answer = ask(
      [...three, ...recordsOf(order('o-4', 210)).map((r) => ({ ...r, offset: 3 }))],
      [{ without: 'o-2' }],
    )
    expect(answer.fires).toBe(true)
    expect(answer.alerts.map(({ evidence }) => evidence.map(({ order_id }) => order_id))).toEqual([
      ['o-1', 'o-3', 'o-4'],
    ])
    expect(answer.explanation).toBe(
      'Without o-2 three orders above 5,000.00 TRY lie within 5 min: o-1, o-3 and o-4, 18,000.00 TRY in all.',
    )
  })

  it.each([
    [{ orderId: 'o-3', shiftMs: 99 * SECOND }, true, 'With o-3 1 min 39 s later three orders'],
    [{ orderId: 'o-3', shiftMs: 100 * SECOND }, false, 'With o-3 1 min 40 s later only two orders'],
    [{ orderId: 'o-1', shiftMs: -100 * SECOND }, false, 'With o-1 1 min 40 s earlier only two orders'],
    [{ orderId: 'o-2', amountMinor: 500_000 }, false, 'With o-2 at 5,000.00 TRY only two orders'],
    [{ orderId: 'o-2', amountMinor: 500_001 }, true, 'With o-2 at 5,000.01 TRY three orders'],
  ] as const)('%j', (change, fires, begin) => {
    const answer = ask(three, [change])
    expect(answer.fires).toBe(fires)
    expect(answer.explanation.startsWith(begin), answer.explanation).toBe(true)
  })

  it('an order moves so far back that it comes late, says so', () => {
    const answer = ask(recordsOf(order('o-1', 0), order('o-2', 100), order('o-3', 110)), [
      { orderId: 'o-3', shiftMs: -60 * SECOND },
    ])
    expect(answer.fires).toBe(false)
    expect(answer.explanation).toContain('o-3 is late: it came 40 s behind the watermark')
  })

  it('moves what is left into other matches, which it names', () => {
    const six = recordsOf(...[0, 10, 20, 30, 40, 50].map((seconds, i) => order(`o-${i + 1}`, seconds)))
    const answer = ask(six, [{ without: 'o-1' }])
    expect(answer.alerts.map(({ evidence }) => evidence.map(({ order_id }) => order_id))).toEqual([
      ['o-2', 'o-3', 'o-4'],
    ])
    expect(answer.vanishing).toHaveLength(1)
  })
})

/** Users, and amounts and times that make matches, ties, copies and late ones likely. */
const orders = fc.array(
  fc.record({
    user: fc.constantFrom('ada', 'ada', 'ben'),
    id: fc.integer({ min: 0, max: 25 }),
    status: fc.constantFrom('success', 'success', 'success', 'failed', 'refunded'),
    amount: fc.constantFrom(600_000, 700_000, 900_000, 500_000),
    stepS: fc.integer({ min: 0, max: 60 }),
    backS: fc.constantFrom(0, 0, 0, 5, 9, 10, 11, 60),
  }),
  { minLength: 3, maxLength: 40 },
)

describe('the answer for one user', () => {
  it('is that of the whole job over the changed log of the partition', () => {
    let asked = 0
    fc.assert(
      fc.property(
        orders,
        fc.array(
          fc.tuple(fc.nat(5), fc.constantFrom('without', 'shift', 'amount'), fc.integer({ min: -90, max: 400 })),
          { maxLength: 2 },
        ),
        (given, wishes) => {
          let nowMs = T
          const log = given.map(({ user, id, status, amount, stepS, backS }, offset) => {
            nowMs += stepS * SECOND
            const event = order(`${user}-${id}`, 0, {
              user_id: user,
              status: status as Order['status'],
              amount_minor: amount,
              event_time: nowMs - backS * SECOND,
            })
            return { offset: offset * 2, appendedAtMs: nowMs, order: event }
          })
          // Copies of one order that lie apart by more than the horizon are another matter.
          fc.pre(nowMs - T < 600 * SECOND)
          const ofUser = withOthers(log, 'ada')
          const alert = runRule(rule, PARTITION, ofUser).alerts.find(({ state }) => state === 'active')
          expect(runRule(rule, PARTITION, ofUser).alerts.map(comparable).sort()).toEqual(
            wholeJob(log).map(comparable).sort(),
          )
          if (!alert) return
          asked++
          const changes = wishes.map(([which, kind, seconds]): Change => {
            const { order_id } = alert.evidence[which % alert.evidence.length]!
            if (kind === 'without') return { without: order_id }
            return kind === 'shift'
              ? { orderId: order_id, shiftMs: seconds * SECOND }
              : { orderId: order_id, amountMinor: 500_000 + seconds }
          })
          const answer = whatIf({ alert, rule, records: ofUser, changes })
          const changed = changeOrders(
            log.map((r) => ({ ...r, othersMs: Number.NEGATIVE_INFINITY })),
            changes,
          )
          const evidence = new Set(alert.evidence.map(({ offset }) => offset))
          const expected = wholeJob(changed).filter(
            ({ state, evidence: found }) => state === 'active' && found.some(({ offset }) => evidence.has(offset)),
          )
          expect(answer.alerts.map(comparable).sort()).toEqual(expected.map(comparable).sort())
          expect(answer.fires).toBe(expected.length > 0)
        },
      ),
      { numRuns: 400 },
    )
    expect(asked).toBeGreaterThan(100)
  })
})

const comparable = ({ alert_id, state, evidence }: AlertRow) =>
  JSON.stringify([alert_id, state, evidence.map(({ offset, event_time }) => [offset, event_time])])

/** The user's records, and of the others' what they did to stream time. */
function withOthers(log: readonly Omit<OrderRecord, 'othersMs'>[], user: string): OrderRecord[] {
  let othersMs = Number.NEGATIVE_INFINITY
  return log.flatMap((record) => {
    if (record.order.user_id === user) return { ...record, othersMs }
    othersMs = Math.max(othersMs, Math.min(record.order.event_time, record.appendedAtMs))
    return []
  })
}

/** The job over all records; the alerts of ada at the end. */
function wholeJob(log: readonly Omit<OrderRecord, 'othersMs'>[]): AlertRow[] {
  const task = new Task({
    topology: [fraudDetector],
    topic: ORDERS,
    partition: PARTITION,
    encodeAlert: () => Buffer.alloc(0),
  })
  for (const { offset, appendedAtMs, order: event } of log)
    task.apply({ offset, appendedAtMs, key: null, value: Buffer.alloc(0) }, {
      ...event,
      received_at: appendedAtMs,
    } as Order)
  const rows = task.drain('everything', Number.MAX_SAFE_INTEGER).drained.rows.fraud_alerts ?? []
  const alerts = new Map(rows.map((row) => [row.alert_id, row]))
  return [...alerts.values()].filter(({ user_id }) => user_id === 'ada')
}

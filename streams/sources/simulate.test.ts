/** The simulator: the same seed gives the same events, all of them valid, with the faults it promises. */
import { describe, expect, it } from 'vitest'
import { parseEvent } from '../contract/input.ts'
import { CLICKSTREAM, ORDERS, TRIPS } from '../contract/topics.ts'
import { FRAUD_AMOUNT, type SimulatedClick, type SimulatedOrder, type SimulatedTrip, simulate } from './simulate.ts'

const START = Date.UTC(2026, 0, 31, 12)
const MINUTE_MS = 60_000
const run = (seed: number, events: number, rate = 500) => [...simulate({ seed, startMs: START, rate, events })]

const many = run(11, 200_000)
const clicks = many.filter((e) => e.topic === CLICKSTREAM).map((e) => e.event as SimulatedClick)
const orders = many.filter((e) => e.topic === ORDERS).map((e) => e.event as SimulatedOrder)
const trips = many.filter((e) => e.topic === TRIPS).map((e) => e.event as SimulatedTrip)
const idOf = (e: SimulatedClick | SimulatedOrder | SimulatedTrip): string =>
  'event_id' in e ? e.event_id : 'trip_id' in e ? e.trip_id : `${e.order_id}#${e.status}`

describe('the simulator', () => {
  it('gives the same events for the same seed, and others for another', () => {
    expect(run(5, 2_000)).toEqual(run(5, 2_000))
    expect(run(6, 2_000)).not.toEqual(run(5, 2_000))
  })

  it('uses no id again when it is started later with the same seed', () => {
    const first = new Set(run(5, 2_000).map((e) => idOf(e.event)))
    const later = [...simulate({ seed: 5, startMs: START + 1, rate: 500, events: 2_000 })]
    expect(later.filter((e) => first.has(idOf(e.event)))).toEqual([])
  })

  it('yields as many events as asked for, at the rate asked for, in order of arrival', () => {
    expect(many).toHaveLength(200_000)
    const seconds = (many.at(-1)!.arrivalMs - START) / 1000
    expect(200_000 / seconds).toBeGreaterThan(490)
    expect(200_000 / seconds).toBeLessThan(510)
    expect(many.every((e, i) => i === 0 || e.arrivalMs >= many[i - 1]!.arrivalMs)).toBe(true)
  })

  it('yields nothing that the contract refuses, nor anything from the future', () => {
    for (const { topic, event, arrivalMs } of many.slice(0, 20_000)) {
      const parsed = parseEvent(topic, event, { receivedAt: arrivalMs, currency: 'TRY', newId: () => 'made' })
      expect(parsed.ok ? '' : parsed.problem.message).toBe('')
      expect(event.event_time).toBeLessThanOrEqual(arrivalMs)
    }
  })

  it('leads visitors through a funnel that narrows at every step', () => {
    const count = (type: string) => clicks.filter((c) => c.event_type === type).length
    const funnel = ['product_view', 'add_to_cart', 'checkout', 'purchase'].map(count)
    expect(funnel.every((n, i) => i === 0 || n < funnel[i - 1]! * 0.8)).toBe(true)
    expect(funnel[3]).toBeGreaterThan(500)
  })

  it('names a successful order in every click of purchase, with its amount as revenue', () => {
    const byId = new Map(orders.filter((o) => o.status === 'success').map((o) => [o.order_id, o]))
    const purchases = clicks.filter((c) => c.event_type === 'purchase' && c.event_time > START + 20_000)
    // At either end of the run a click or its order may be outside it, and the few late ones lie.
    const matched = purchases.filter((c) => byId.get(c.order_id!)?.amount === c.revenue)
    expect(matched.length / purchases.length).toBeGreaterThan(0.97)
    for (const c of matched) expect(byId.get(c.order_id!)!.user_id).toBe(c.user_id)
  })

  it('fails about 5 % of the orders and refunds some', () => {
    const failed = orders.filter((o) => o.status === 'failed').length / orders.length
    expect(failed).toBeGreaterThan(0.03)
    expect(failed).toBeLessThan(0.07)
    expect(orders.some((o) => o.status === 'refunded')).toBe(true)
  })

  it('has users of very different activity, and prices of very different size', () => {
    const byUser = new Map<string, number>()
    for (const c of clicks) byUser.set(c.anonymous_id, (byUser.get(c.anonymous_id) ?? 0) + 1)
    const counts = [...byUser.values()].sort((a, b) => b - a)
    expect(counts[0]).toBeGreaterThan(20 * counts[Math.floor(counts.length / 2)]!)
    const amounts = orders.map((o) => o.amount).sort((a, b) => a - b)
    expect(amounts.at(-1)! / amounts[0]!).toBeGreaterThan(100)
    expect(orders.every((o) => Number.isSafeInteger(Math.round(o.amount * 100)) && o.amount > 0)).toBe(true)
  })

  it('drives trips that cost and last according to their distance', () => {
    for (const t of trips) {
      expect(t.duration).toBeGreaterThan(0)
      expect(t.fare).toBeGreaterThan(42)
      expect((t.distance * 1000) / t.duration).toBeLessThan(12)
    }
    expect(new Set(trips.map((t) => t.region_id)).size).toBe(12)
  })

  it('brings bursts of three to five large orders of one user within five minutes, the first within ten seconds', () => {
    const large = new Map<string, number[]>()
    for (const o of orders) {
      if (o.amount <= FRAUD_AMOUNT || o.status !== 'success') continue
      large.set(o.user_id, [...(large.get(o.user_id) ?? []), o.event_time])
    }
    const bursts = [...large.values()].filter((times) =>
      times.some((t, i) => i >= 2 && t - times[i - 2]! < 5 * MINUTE_MS),
    )
    expect(bursts.length).toBeGreaterThanOrEqual(2)
    expect(Math.min(...bursts.map((times) => times[0]!))).toBeLessThan(START + 10_000)
  })

  it('sends about 1 % twice, unchanged and within five seconds', () => {
    const first = new Map<string, { arrivalMs: number; event: object }>()
    const gaps: number[] = []
    for (const e of many) {
      const before = first.get(idOf(e.event))
      if (before) {
        gaps.push(e.arrivalMs - before.arrivalMs)
        expect(e.event).toEqual(before.event)
      } else first.set(idOf(e.event), e)
    }
    expect(gaps.length / many.length).toBeGreaterThan(0.007)
    expect(gaps.length / many.length).toBeLessThan(0.013)
    expect(Math.max(...gaps)).toBeLessThan(5_100)
  })

  it('lets about 2 % arrive out of order, by up to 8 s, and 0.1 % truly late, by up to an hour', () => {
    const lags = many.map((e) => e.arrivalMs - e.event.event_time)
    const share = (from: number, to: number) => lags.filter((lag) => lag >= from && lag < to).length / many.length
    expect(share(200, 9_000)).toBeGreaterThan(0.015)
    expect(share(200, 9_000)).toBeLessThan(0.035)
    expect(share(9_000, MINUTE_MS)).toBe(0)
    expect(share(MINUTE_MS, 60 * MINUTE_MS + 1_000)).toBeGreaterThan(0.0005)
    expect(share(MINUTE_MS, 60 * MINUTE_MS + 1_000)).toBeLessThan(0.002)
    expect(share(61 * MINUTE_MS, Number.POSITIVE_INFINITY)).toBe(0)
  })
})

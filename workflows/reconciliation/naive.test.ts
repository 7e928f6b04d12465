/** The naive evaluations that the operators are judged by. */
import { expect, it } from 'vitest'
import { matchesOf, type NaiveOrder, sessionsOf } from './naive.ts'

const click = (timeMs: number, minor: number | null = null) => ({
  timeMs,
  isPurchase: minor !== null,
  minor,
  currency: minor === null ? null : 'TRY',
})

it('sessions go on with a click exactly the gap later, and end with one a millisecond beyond', () => {
  expect(sessionsOf([click(0), click(10, 5), click(21), click(31, 7)], 10)).toEqual([
    { startedMs: 0, endedMs: 10, events: 2, purchases: 1, minor: { TRY: 5 } },
    { startedMs: 21, endedMs: 31, events: 2, purchases: 1, minor: { TRY: 7 } },
  ])
  expect(sessionsOf([], 10)).toEqual([])
})

it('matches begin anew behind the last, and their span is less than that of the rule', () => {
  const at = (...times: number[]): NaiveOrder[] =>
    times.map((timeMs) => ({ timeMs, orderId: `o-${timeMs}`, status: 'success', minor: 1 }))
  const times = (orders: NaiveOrder[]) => matchesOf(orders, 3, 10).map((match) => match.map(({ timeMs }) => timeMs))
  expect(times(at(0, 4, 9, 10, 11))).toEqual([[0, 4, 9]])
  expect(times(at(0, 5, 10, 14))).toEqual([[5, 10, 14]])
  expect(times(at(1, 2, 3, 4, 5, 6))).toEqual([
    [1, 2, 3],
    [4, 5, 6],
  ])
})

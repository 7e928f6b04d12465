/**
 * Chapter 6: testing a job against a naive oracle.
 *
 * Examples show what you thought of. What goes wrong in production is what you did not think of: this event late, that one twice, and the process killed in
 * between. So: say what the answer must be in the most naive way (a list, a sort, a loop over everything), let fast-check make up streams, and compare.
 * When they differ, fast-check shrinks the stream to the shortest one that still does.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Order } from '../contract/events.ts'
import { ORDERS } from '../contract/topics.ts'
import { type Job, minutes } from '../jobs/job.ts'
import { tumblingWindow } from '../operators/tumbling-window.ts'
import { createDriver } from '../testing/driver.ts'

/** The job: the largest order of each minute, in the place of its revenue. What `largest` means is a parameter, so that we can get it wrong on purpose. */
const largest = (max: (a: number, b: number) => number): Job => ({
  name: 'largest-order',
  about: 'The largest order of each minute, and how many there were.',
  on: {
    [ORDERS]: [
      tumblingWindow<Order, { orders: number; largestMinor: number }, 'revenue_by_minute'>({
        name: 'largest-order',
        sizeMs: minutes(1),
        group: (o) => o.currency,
        accumulator: {
          schema: {
            type: 'record',
            name: 'Largest',
            fields: [
              { name: 'orders', type: 'long' },
              { name: 'largestMinor', type: 'long' },
            ],
          },
          create: () => ({ orders: 0, largestMinor: 0 }),
          add(acc, o) {
            acc.orders++
            acc.largestMinor = max(acc.largestMinor, o.amount_minor)
          },
        },
        table: 'revenue_by_minute',
        row: ({ startMs, group, acc, final, partition, position }) => ({
          window_start: startMs,
          category: 'largest',
          currency: group,
          orders: acc.orders,
          revenue_minor: acc.largestMinor,
          refunds: 0,
          refunded_minor: 0,
          final,
          partition,
          position,
        }),
      }),
    ],
  },
})

/** What may happen, in the terms of the business; all orders are of one user, so of one partition. */
interface Happening {
  /** Which of a few orders: the same one again is a duplicate. */
  id: number
  /** Seconds that the stream has moved on, and how far behind that this order lies. */
  waitS: number
  behindS: number
  amount: number
  after: 'nothing' | 'checkpoint' | 'crash'
}
const happenings = fc.array(
  fc.record<Happening>({
    id: fc.nat(20),
    waitS: fc.oneof(fc.nat(20), fc.constantFrom(0, 60, 90)),
    behindS: fc.oneof(fc.constant(0), fc.nat(15), fc.nat(100)),
    amount: fc.integer({ min: 1, max: 500 }),
    after: fc.constantFrom('nothing', 'nothing', 'nothing', 'checkpoint', 'crash'),
  }),
  { minLength: 1, maxLength: 20 },
)

const NOON = Date.UTC(2026, 0, 15, 12)

/** The oracle: walks the list, remembers everything, and is so plain that it needs no test. It shares nothing with the operator. */
function oracle(stream: readonly Happening[]): (string | number)[][] {
  const seen = new Set<number>()
  const minutesSeen = new Map<number, number[]>()
  let now = 0
  let newest = Number.NEGATIVE_INFINITY
  for (const { id, waitS, behindS, amount } of stream) {
    now += waitS
    const second = now - behindS
    newest = Math.max(newest, second)
    if (seen.has(id)) continue
    seen.add(id)
    const minute = Math.floor(second / 60)
    const isLate = (minute + 1) * 60 <= newest - 10
    if (!isLate) minutesSeen.set(minute, [...(minutesSeen.get(minute) ?? []), amount * 100])
  }
  return [...minutesSeen]
    .sort(([a], [b]) => a - b)
    .map(([minute, amounts]) => [minute, amounts.length, Math.max(...amounts)])
}

async function answer(job: Job, stream: readonly Happening[]): Promise<(string | number)[][]> {
  const driver = await createDriver({ jobs: [job] })
  let now = 0
  for (const { id, waitS, behindS, amount, after } of stream) {
    now += waitS
    const event_time = NOON + (now - behindS) * 1000
    await driver.send(ORDERS, { order_id: `o${id}`, user_id: 'ada', amount, event_time })
    if (after === 'checkpoint') await driver.checkpoint()
    if (after === 'crash') await driver.crash()
  }
  const rows = await driver.rows('revenue_by_minute')
  return rows.map((row) => [(row.window_start - NOON) / 60_000, row.orders, row.revenue_minor])
}

describe('the largest order of each minute', () => {
  it('is what the oracle says, for any stream, with duplicates, disorder, lateness, checkpoints and crashes', async () => {
    await fc.assert(
      fc.asyncProperty(happenings, async (stream) => {
        expect(await answer(largest(Math.max), stream)).toEqual(oracle(stream))
      }),
      { numRuns: 60 },
    )
  })

  it('would be found wrong if it were: fast-check tells the shortest stream that shows it', async () => {
    // A job that keeps the latest order in place of the largest. Every single order is still right …
    const wrong = largest((_, amount) => amount)
    const property = fc.asyncProperty(happenings, async (stream) => {
      expect(await answer(wrong, stream)).toEqual(oracle(stream))
    })
    const { failed, counterexample } = await fc.check(property, { numRuns: 60, seed: 1 })
    // … so the shortest proof has two, in one minute, the smaller one last.
    expect(failed).toBe(true)
    const [stream] = counterexample as [Happening[]]
    expect(stream).toHaveLength(2)
    expect(stream[1]!.amount).toBeLessThan(stream[0]!.amount)
  })
})

/*
 * A failing run prints its seed and the stream. Put both into `fc.assert(property, { seed, path })` to run it again, and then keep the stream as an example.
 *
 * The platform as a whole is tested in the same way: streams/testing/oracle.ts is the naive truth of all its jobs, and streams/testing/sim.test.ts lets the
 * real runtime die in every way over hundreds of seeds, and compares.
 */

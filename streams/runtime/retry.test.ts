/** Trying again: for ever and ever more slowly, but never against a fence, and not after the stop. */
import { describe, expect, it } from 'vitest'
import { VirtualClock } from '../testing/virtual-clock.ts'
import { Fenced } from './ports.ts'
import { retrying, Stopped } from './retry.ts'

function setUp(failures: number, error: Error = new Error('no answer')) {
  const clock = new VirtualClock(0)
  const stop = new AbortController()
  const delays: number[] = []
  let attempts = 0
  const outcome = retrying(
    async () => {
      if (attempts++ < failures) throw error
      return 'done'
    },
    { clock, signal: stop.signal, onRetry: (_, delayMs) => delays.push(delayMs) },
  ).catch((e: Error) => e)
  return { clock, stop, delays, outcome, attempts: () => attempts }
}

describe('retrying', () => {
  it('answers at once where the first attempt succeeds', async () => {
    const { outcome, delays } = setUp(0)
    expect(await outcome).toBe('done')
    expect(delays).toEqual([])
  })

  it('waits twice as long each time, up to five seconds, and never gives up', async () => {
    const { clock, outcome, delays } = setUp(100)
    await clock.advance(100 * 5_000)
    expect(await outcome).toBe('done')
    expect(delays.slice(0, 9)).toEqual([50, 100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000])
    expect(delays).toHaveLength(100)
  })

  it('does not argue with a fence', async () => {
    const { outcome, attempts } = setUp(1, new Fenced({ topic: 'transactions.orders', partition: 0 }, 'taken over'))
    expect(await outcome).toBeInstanceOf(Fenced)
    expect(attempts()).toBe(1)
  })

  it('ends soon after the stop, saying what it waited for', async () => {
    const { clock, stop, outcome } = setUp(Number.POSITIVE_INFINITY, new Error('no answer'))
    await clock.advance(60_000)
    stop.abort()
    const error = await outcome
    expect(error).toBeInstanceOf(Stopped)
    expect((error as Error).cause).toEqual(new Error('no answer'))
  })
})

/** What the edge takes on at once, and whom it sends away. */
import { describe, expect, it } from 'vitest'
import { Problem } from '../problem.ts'
import { createPressure } from './pressure.ts'

const LIMITS = { requestsMax: 3, bytesMax: 100, turnMsMax: 250 }

/** A loop whose time and turns the test moves on. */
function handLoop() {
  let nowMs = 0
  let waiting: (() => void)[] = []
  return {
    now: () => nowMs,
    afterTurn: (call: () => void) => void waiting.push(call),
    work(ms: number) {
      nowMs += ms
    },
    endTurn() {
      for (const call of waiting.splice(0)) call()
      waiting = []
    },
  }
}

const refusal = (act: () => unknown): Problem => {
  try {
    act()
  } catch (error) {
    if (error instanceof Problem) return error
    throw error
  }
  throw new Error('It was taken')
}

describe('the pressure', () => {
  it('refuses what comes late in a turn that has lasted too long, and takes the next turn’s', () => {
    const loop = handLoop()
    const pressure = createPressure(LIMITS, loop)
    pressure.enter().leave()
    loop.work(250)
    pressure.enter().leave()
    loop.work(1)
    const problem = refusal(() => pressure.enter())
    expect(problem.status).toBe(503)
    expect(problem.headers['retry-after']).toBe('1')
    expect(pressure.requests).toBe(0)
    loop.endTurn()
    pressure.enter().leave()
    // Idle time between turns is nobody's work.
    loop.endTurn()
    loop.work(60_000)
    pressure.enter().leave()
  })

  it('refuses a request beyond those in flight, and bytes beyond those held, until they are given back', () => {
    const pressure = createPressure(LIMITS, handLoop())
    const [first] = [pressure.enter(), pressure.enter(), pressure.enter()]
    expect(refusal(() => pressure.enter()).code).toBe('overloaded')
    first.leave()
    const next = pressure.enter()
    next.hold(100)
    expect(refusal(() => next.hold(1)).code).toBe('overloaded')
    next.leave()
    next.leave()
    expect([pressure.requests, pressure.bytes]).toEqual([2, 0])
  })
})

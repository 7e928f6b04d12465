/** What the edge takes on at once, and whom it sends away. */
import { describe, expect, it } from 'vitest'
import { Problem } from '../problem.ts'
import { createPressure } from './pressure.ts'

const LIMITS = { requestsMax: 3, readingMax: 3, bytesMax: 100, turnMsMax: 250 }

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
    const arrived = () => {
      const ticket = pressure.enter()
      ticket.arrived()
      return ticket
    }
    const [first] = [arrived(), arrived(), arrived()]
    expect(refusal(() => pressure.enter()).code).toBe('overloaded')
    first.leave()
    const next = arrived()
    next.hold(100)
    expect(refusal(() => next.hold(1)).code).toBe('overloaded')
    next.leave()
    next.leave()
    expect([pressure.requests, pressure.bytes]).toEqual([2, 0])
  })

  it('gives up the client that has sent nothing for longest, where others need its room; never one that has just sent', () => {
    const loop = handLoop()
    const pressure = createPressure(LIMITS, loop)
    const givenUp: string[] = []
    const reading = (name: string, bytes: number) => {
      const ticket = pressure.enter()
      ticket.hold(bytes)
      ticket.waits(() => void givenUp.push(name))
      return ticket
    }
    const first = reading('first', 40)
    const second = reading('second', 40)
    const other = pressure.enter()
    expect(refusal(() => other.hold(40)).code).toBe('overloaded')
    other.leave()
    loop.work(900)
    loop.endTurn()
    // It has sent something, so the second has now waited longest.
    first.waits(null)
    first.hold(10)
    first.waits(() => void givenUp.push('first'))
    loop.work(200)
    loop.endTurn()
    const third = pressure.enter()
    third.hold(40)
    expect([givenUp, pressure.bytes]).toEqual([['second'], 90])
    second.leave()
    expect(pressure.bytes).toBe(90)
    expect(refusal(() => third.hold(40)).code).toBe('overloaded')
    loop.work(1_000)
    loop.endTurn()
    expect([pressure.enter(), pressure.enter()]).toHaveLength(2)
    expect(givenUp).toEqual(['second', 'first'])
    for (const ticket of [first, third]) ticket.leave()
    expect(pressure.bytes).toBe(0)
  })

  it('counts bodies that are still to come apart from requests that are worked on', () => {
    const pressure = createPressure({ ...LIMITS, readingMax: 5 }, handLoop())
    const tickets = Array.from({ length: 5 }, () => pressure.enter())
    expect(pressure.requests).toBe(0)
    expect(refusal(() => pressure.enter()).code).toBe('overloaded')
    for (const ticket of tickets.slice(0, 3)) ticket.arrived()
    expect(refusal(() => tickets[3]!.arrived()).code).toBe('overloaded')
    expect(pressure.requests).toBe(3)
  })
})

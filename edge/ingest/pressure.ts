/**
 * How much the ingest routes take on at once: requests and bytes in memory, and work in one turn of the event loop. Beyond a bound a client is told to come back (503).
 *
 * Under a burst the queue is not here but in the sockets: a turn of the loop handles every request that has arrived, however long that takes, and none of them
 * is counted while it waits. So a turn that has lasted too long takes no more: the rest of it is refused, which costs next to nothing, and who is accepted
 * never waits behind more than that. A request whose body is still to come takes no place among those that are worked on, and where room is needed, the one that has waited
 * longest for its client is given up: slow clients can't keep others out. Invariant: what enters is given back exactly once.
 */
import { Problem, retryAfter } from '../problem.ts'

export interface PressureLimits {
  requestsMax: number
  /** Requests whose body is still to come; as many as may be worked on, when missing. */
  readingMax?: number
  bytesMax: number
  /** How long one turn of the event loop may go on taking requests; no bound when missing. */
  turnMsMax?: number
}

/** Monotonic milliseconds, and a call once everything that has arrived was handled. */
export interface EventLoop {
  now(): number
  afterTurn(call: () => void): void
}

const eventLoop: EventLoop = { now: () => performance.now(), afterTurn: (call) => void setImmediate(call) }

/** A client that has sent nothing for so long may be given up for others. */
const STALLED_MS = 1_000

export interface Pressure {
  /** Those whose body has arrived. */
  readonly requests: number
  readonly bytes: number
  /** A request whose body is still to come. @throws Problem `overloaded` */
  enter(): Ticket
}

export interface Ticket {
  /** Bytes of body now held for this request. @throws Problem `overloaded` */
  hold(bytes: number): void
  /** Of those held, so many no longer. */
  release(bytes: number): void
  /** From now on it waits for its client, and `giveUp` ends that; null: it no longer does. */
  waits(giveUp: (() => void) | null): void
  /** The body is here. @throws Problem `overloaded` */
  arrived(): void
  leave(): void
}

interface Waiting {
  giveUp: () => void
  sinceMs: number
}

const overloaded = (what: string) =>
  new Problem('overloaded', `The edge is busy with ${what}. Send the same request again in a second.`, {
    headers: retryAfter(1),
  })

export function createPressure(limits: PressureLimits, loop = eventLoop): Pressure {
  const { requestsMax, readingMax = requestsMax, bytesMax, turnMsMax = Number.POSITIVE_INFINITY } = limits
  let requests = 0
  let reading = 0
  let bytes = 0
  /** When the turn's first request came; null between turns. */
  let turnSinceMs: number | null = null
  /** The one that has waited longest comes first. */
  const waiting = new Set<Waiting>()

  function isTurnOver(): boolean {
    const now = loop.now()
    if (turnSinceMs === null) {
      turnSinceMs = now
      loop.afterTurn(() => {
        turnSinceMs = null
      })
    }
    return now - turnSinceMs > turnMsMax
  }

  /** @returns whether one was */
  function giveUpStalled(): boolean {
    const [longest] = waiting
    if (!longest || loop.now() - longest.sinceMs < STALLED_MS) return false
    waiting.delete(longest)
    longest.giveUp()
    return true
  }

  function ticket(): Ticket {
    let held = 0
    let state: 'reading' | 'arrived' | 'left' = 'reading'
    let mine: Waiting | null = null
    function endWaiting(): void {
      if (mine) waiting.delete(mine)
      mine = null
    }
    function leave(): void {
      if (state === 'left') return
      if (state === 'reading') reading--
      else requests--
      state = 'left'
      bytes -= held
      held = 0
      endWaiting()
    }
    return {
      hold(more) {
        if (state === 'left') return
        while (bytes + more > bytesMax) if (!giveUpStalled()) throw overloaded(`${bytesMax} bytes of bodies`)
        bytes += more
        held += more
      },
      release(less) {
        const given = Math.min(less, held)
        bytes -= given
        held -= given
      },
      waits(giveUp) {
        endWaiting()
        if (giveUp === null || state === 'left') return
        mine = {
          sinceMs: loop.now(),
          giveUp() {
            // What it held is free at once: whoever needs the room does not wait for its end.
            leave()
            giveUp()
          },
        }
        waiting.add(mine)
      },
      arrived() {
        endWaiting()
        if (state !== 'reading') return
        if (requests >= requestsMax) throw overloaded(`${requestsMax} requests`)
        state = 'arrived'
        reading--
        requests++
      },
      leave,
    }
  }

  return {
    get requests() {
      return requests
    },
    get bytes() {
      return bytes
    },
    enter() {
      if (isTurnOver()) throw overloaded('more requests than it can read')
      if (requests >= requestsMax) throw overloaded(`${requestsMax} requests`)
      if (reading >= readingMax && !giveUpStalled()) throw overloaded(`${readingMax} requests that are still to come`)
      reading++
      return ticket()
    },
  }
}

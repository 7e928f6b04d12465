/**
 * How much the ingest routes take on at once: requests and bytes in memory, and work in one turn of the event loop. Beyond a bound a client is told to come back (503).
 *
 * Under a burst the queue is not here but in the sockets: a turn of the loop handles every request that has arrived, however long that takes, and none of them
 * is counted while it waits. So a turn that has lasted too long takes no more: the rest of it is refused, which costs next to nothing, and who is accepted
 * never waits behind more than that. Invariant: what enters is given back exactly once.
 */
import { Problem, retryAfter } from '../problem.ts'

export interface PressureLimits {
  requestsMax: number
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

export interface Pressure {
  readonly requests: number
  readonly bytes: number
  /** @throws Problem `overloaded` */
  enter(): Ticket
}

export interface Ticket {
  /** Bytes of body now held for this request. @throws Problem `overloaded` */
  hold(bytes: number): void
  leave(): void
}

const overloaded = (what: string) =>
  new Problem('overloaded', `The edge is busy with ${what}. Send the same request again in a second.`, {
    headers: retryAfter(1),
  })

export function createPressure(limits: PressureLimits, loop = eventLoop): Pressure {
  const { requestsMax, bytesMax, turnMsMax = Number.POSITIVE_INFINITY } = limits
  let requests = 0
  let bytes = 0
  /** When the turn's first request came; null between turns. */
  let turnSinceMs: number | null = null

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
      requests++
      let held = 0
      let open = true
      return {
        hold(more) {
          if (bytes + more > bytesMax) throw overloaded(`${bytesMax} bytes of bodies`)
          bytes += more
          held += more
        },
        leave() {
          if (!open) return
          open = false
          requests--
          bytes -= held
        },
      }
    },
  }
}

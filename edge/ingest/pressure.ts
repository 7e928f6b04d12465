/**
 * How much the ingest routes hold in memory at once: requests and their bytes. Beyond the bound a client is told to come back (503).
 * Invariant: what enters is given back exactly once.
 */
import { Problem, retryAfter } from '../problem.ts'

export interface PressureLimits {
  requestsMax: number
  bytesMax: number
}

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

export function createPressure({ requestsMax, bytesMax }: PressureLimits): Pressure {
  let requests = 0
  let bytes = 0
  return {
    get requests() {
      return requests
    },
    get bytes() {
      return bytes
    },
    enter() {
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

/**
 * `Idempotency-Key`: a request that is sent again with the same key and the same body gets the answer that the first one got, and nothing is appended again.
 *
 * Answers are remembered in the memory of one process, for an hour and within bounds, the oldest going first; so what is sent again to another process, or after a restart, is a request like any other.
 * Event ids make such repetitions harmless: their events come out as duplicates. Only answers of success are remembered: what was refused may be tried again under the same key.
 * Source: draft-ietf-httpapi-idempotency-key-header.
 */
import type { Clock } from '../ports.ts'
import { Problem, retryAfter } from '../problem.ts'

export interface Idempotency {
  /**
   * @param scope who asks, what, and under which key
   * @param fingerprint the same for the same body
   * @param again makes the answer once more
   * @throws Problem where the key stands for another body, or its first request is not answered yet
   */
  once(
    scope: string,
    fingerprint: string,
    answer: () => Promise<Response>,
    again: (answer: Answer) => Response,
  ): Promise<Response>
}

export interface Answer {
  status: number
  body: string
  contentType: string
}

interface Remembered {
  fingerprint: string
  /** null: not answered yet. */
  answer: Answer | null
  /** Epoch milliseconds. */
  until: number
}

export interface IdempotencyLimits {
  /** How long an answer is remembered. */
  ms: number
  answersMax: number
  /** Characters of all bodies. */
  textMax: number
}

export const IDEMPOTENCY_LIMITS: IdempotencyLimits = { ms: 3_600_000, answersMax: 10_000, textMax: 8_000_000 }
const KEY = /^[\x21-\x7e]{1,200}$/

/** The header's value. @throws Problem where no key can be meant */
export function idempotencyKeyOf(headers: Headers): string | null {
  const key = headers.get('idempotency-key')
  if (key === null || KEY.test(key)) return key
  throw new Problem('invalid_parameter', 'Idempotency-Key: expected 1 to 200 visible ASCII characters, e.g. a UUID.')
}

export function createIdempotency(clock: Pick<Clock, 'now'>, limits = IDEMPOTENCY_LIMITS): Idempotency {
  /** The oldest first. */
  const remembered = new Map<string, Remembered>()
  let text = 0

  function forget(scope: string): void {
    text -= remembered.get(scope)?.answer?.body.length ?? 0
    remembered.delete(scope)
  }

  /** What is not answered yet is bounded by the requests in flight. */
  function makeRoom(): void {
    const now = clock.now()
    for (const [scope, { answer, until }] of remembered) {
      if (until > now && remembered.size <= limits.answersMax && text <= limits.textMax) return
      if (answer) forget(scope)
    }
  }

  return {
    async once(scope, fingerprint, answer, again) {
      makeRoom()
      const before = remembered.get(scope)
      if (before) {
        if (before.fingerprint !== fingerprint) {
          throw new Problem(
            'idempotency_mismatch',
            'This Idempotency-Key was used for another body. Send the same body again, or take a new key.',
          )
        }
        if (before.answer === null) {
          throw new Problem(
            'idempotency_in_flight',
            'The first request with this Idempotency-Key is not answered yet.',
            {
              headers: retryAfter(1),
            },
          )
        }
        return again(before.answer)
      }
      const mine: Remembered = { fingerprint, answer: null, until: clock.now() + limits.ms }
      remembered.set(scope, mine)
      try {
        const response = await answer()
        const body = await response.clone().text()
        const contentType = response.headers.get('content-type') ?? 'application/json'
        mine.answer = { status: response.status, body, contentType }
        text += body.length
        return response
      } catch (error) {
        forget(scope)
        throw error
      }
    },
  }
}

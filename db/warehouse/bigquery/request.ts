/**
 * One request to Google by HTTP: in bounded time, tried again a few times where trying again can help.
 *
 * Invariant: what is thrown never holds a header or a body that was sent: tokens are among them.
 */
import type { Clock } from '../../../streams/time/clock.ts'
import { GoogleUnavailable } from './errors.ts'

export interface Tools {
  clock: Clock
  signal?: AbortSignal | undefined
}

export interface Answer {
  status: number
  headers: Headers
  /** As JSON; null where it is none. */
  body: unknown
}

const ATTEMPTS = 4
const ANSWER_MS = 30_000
const PAUSE_MS = 500
const AGAIN = new Set([408, 429, 500, 502, 503, 504])

/** @throws GoogleUnavailable when no attempt was answered with more than "not now"; the signal's reason */
export async function ask(url: URL, init: RequestInit, { clock, signal }: Tools): Promise<Answer> {
  for (let attempt = 1; ; attempt++) {
    const limit = AbortSignal.timeout(ANSWER_MS)
    let why: string
    try {
      const response = await fetch(url, {
        ...init,
        redirect: 'error',
        signal: signal ? AbortSignal.any([signal, limit]) : limit,
      })
      const text = await response.text()
      if (!AGAIN.has(response.status)) return { status: response.status, headers: response.headers, body: json(text) }
      why = `it answers ${response.status}`
    } catch (error) {
      signal?.throwIfAborted()
      const { message, cause } = error as Error & { cause?: { message?: string; code?: string } }
      why = cause?.message || cause?.code || message
    }
    if (attempt === ATTEMPTS) throw new GoogleUnavailable(`${url.host} can't be used at the moment: ${why}.`)
    await clock.sleep(PAUSE_MS * 2 ** (attempt - 1), signal)
    signal?.throwIfAborted()
  }
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

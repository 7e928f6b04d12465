/** Waiting for a condition instead of sleeping: the only way in which system tests wait. */
import { setTimeout as delay } from 'node:timers/promises'

const POLL_MS = 25

/**
 * Asks until there is an answer other than undefined and false.
 * @param what read as "… did not come true: <what>"
 * @throws Error at the deadline, or whatever `ask` throws
 */
export async function eventually<T>(
  what: string,
  timeoutMs: number,
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  pollMs = POLL_MS,
): Promise<T> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const answer = await ask()
    if (answer !== undefined && answer !== false) return answer
    if (performance.now() > deadline) throw new Error(`Within ${timeoutMs} ms this did not come true: ${what}`)
    await delay(pollMs)
  }
}

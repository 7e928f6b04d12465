/**
 * A part of a worker that looks at something every few seconds, until it is stopped: runs that ended, erasures that were asked for, tables that were committed to.
 *
 * Invariant: a look that fails ends nothing, and is told once, however many fail behind it.
 */
import { setMaxListeners } from 'node:events'
import type { Logger } from '../observability/log.ts'
import type { Clock } from '../streams/time/clock.ts'

export interface LookingOptions {
  /** As which it logs. */
  part: string
  /** The sentence for the first look that fails. */
  failing: string
  /** The sentence for the first that does not any more; none when missing. */
  again?: string
  intervalMs: number
  /** How long to wait behind this error. Default: `intervalMs`. */
  afterFailureMs?: (error: unknown) => number
  clock: Clock
  logger: Logger
}

/** @param look its signal aborts when it is to stop. It is of this look alone, since Temporal's client leaves a listener on it for every request */
export function keepLooking(
  look: (signal: AbortSignal) => Promise<void>,
  { part, failing, again, intervalMs, afterFailureMs = () => intervalMs, clock, logger }: LookingOptions,
): { stop(): Promise<void> } {
  const stopping = new AbortController()

  async function lookOnce(): Promise<void> {
    const looking = new AbortController()
    setMaxListeners(0, looking.signal)
    const abort = () => looking.abort()
    stopping.signal.addEventListener('abort', abort)
    try {
      await look(looking.signal)
    } finally {
      stopping.signal.removeEventListener('abort', abort)
    }
  }

  async function run(): Promise<void> {
    let isFailing = false
    while (!stopping.signal.aborted) {
      let waitMs = intervalMs
      try {
        await lookOnce()
        if (isFailing && again !== undefined) logger.info({ part }, again)
        isFailing = false
      } catch (error) {
        waitMs = afterFailureMs(error)
        if (!isFailing && !stopping.signal.aborted) logger.warn({ part, err: error }, failing)
        isFailing = true
      }
      await clock.sleep(waitMs, stopping.signal)
    }
  }

  const running = run()
  return {
    async stop() {
      stopping.abort()
      await running
    },
  }
}

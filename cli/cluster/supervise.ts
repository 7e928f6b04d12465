/**
 * A part of the cluster form that is to run as long as the platform does: started, and started again with a growing pause when it ends by itself, which is said.
 * Invariants: the first start's failure is the caller's; at most one of the part runs at a time; after `stop` none does, and none is started.
 */
import type { Clock } from '../../streams/time/clock.ts'
import type { Exit } from '../servers/process.ts'

export interface Part {
  readonly pid: number
  readonly exited: Promise<Exit>
  stop(): Promise<void>
}

export interface Supervised<P> {
  /** The one that runs, or ran last. */
  readonly current: P
  stop(): Promise<void>
}

export interface SuperviseOptions<P> {
  /** As read in "… has ended". */
  name: string
  /** @param previous the one that has ended: its successor keeps its address. null at the first start */
  start(previous: P | null): Promise<P>
  say(sentence: string): void
  clock: Clock
}

export const FIRST_PAUSE_MS = 500
export const PAUSE_MAX_MS = 30_000

/** @throws what the first start throws */
export async function supervise<P extends Part>(options: SuperviseOptions<P>): Promise<Supervised<P>> {
  const { name, start, say, clock } = options
  const stopping = new AbortController()
  const { signal } = stopping
  let part = await start(null)

  async function startAgain(pauseMs: number): Promise<number> {
    for (let pause = pauseMs; ; ) {
      await clock.sleep(pause, signal)
      if (signal.aborted) return pause
      pause = Math.min(pause * 2, PAUSE_MAX_MS)
      try {
        part = await start(part)
        return pause
      } catch (error) {
        say(`${name} could not be started again: ${(error as Error).message} The next attempt is in ${pause / 1000} s.`)
      }
    }
  }

  async function watch(): Promise<void> {
    let pauseMs = FIRST_PAUSE_MS
    for (;;) {
      const startedMs = clock.now()
      const how = await part.exited
      if (signal.aborted) return
      if (clock.now() - startedMs > PAUSE_MAX_MS) pauseMs = FIRST_PAUSE_MS
      say(`${name} has ended (${describe(how)}) and is started again in ${pauseMs / 1000} s.`)
      pauseMs = await startAgain(pauseMs)
      // Asked to stop while it was starting.
      if (signal.aborted) return part.stop()
      say(`${name} runs again, as process ${part.pid}.`)
    }
  }

  const watched = watch()
  return {
    get current() {
      return part
    },
    async stop() {
      stopping.abort()
      await part.stop()
      await watched
    },
  }
}

const describe = ({ code, signal }: Exit): string => signal ?? `exit code ${code}`

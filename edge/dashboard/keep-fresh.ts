/**
 * Keeps a panel's numbers fresh: asks, shows, and asks again after a while, as long as the page is looked at.
 *
 * Invariant: one request at a time, and only the answer to the newest question is shown, whichever comes first.
 */
import type { Panel } from './panel.ts'

export interface Fresh {
  /** Asks now. `anew`: it is another question, so the old answer no longer counts. */
  ask(anew?: boolean): void
  /** Asks no more, until asked again. */
  rest(): void
}

export interface FreshOptions<T> {
  panel: Panel
  everyMs: number
  load(signal: AbortSignal): Promise<T>
  show(answer: T): void
}

export function keepFresh<T>({ panel, everyMs, load, show }: FreshOptions<T>): Fresh {
  let asking: AbortController | null = null
  let timer: ReturnType<typeof setTimeout> | undefined
  let dueAt = Number.POSITIVE_INFINITY

  async function run(): Promise<void> {
    asking?.abort()
    clearTimeout(timer)
    const mine = new AbortController()
    asking = mine
    try {
      const answer = await load(mine.signal)
      if (!mine.signal.aborted) show(answer)
    } catch (error) {
      if (!mine.signal.aborted) panel.failed((error as Error).message, () => ask(true))
    }
    if (mine.signal.aborted) return
    asking = null
    dueAt = performance.now() + everyMs
    // A page that nobody looks at asks for nothing; it catches up when it is looked at.
    timer = setTimeout(() => {
      if (!document.hidden) void run()
    }, everyMs)
  }

  function ask(anew = false): void {
    if (anew) panel.loading()
    void run()
  }

  document.addEventListener('visibilitychange', () => {
    if (!document.hidden && asking === null && performance.now() >= dueAt) void run()
  })

  return {
    ask,
    rest() {
      asking?.abort()
      asking = null
      clearTimeout(timer)
      dueAt = Number.POSITIVE_INFINITY
    },
  }
}

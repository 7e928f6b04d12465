/**
 * "Something was appended": wakes the sleeping readers of one log in every thread of this process. Readers in other processes are not
 * reached and poll. A signal says nothing about what came, so losing or doubling one is harmless.
 */
import { BroadcastChannel } from 'node:worker_threads'

export interface AppendSignal {
  /** How many signals there have been: taken before looking, it tells {@link changed} whether one came in the meantime. */
  readonly count: number
  announce(): void
  /** Wakes only the readers that share this very object. */
  wake(): void
  /** Resolves as soon as `count` differs from `seen`. */
  changed(seen: number): Promise<void>
  close(): void
}

/** @param log the log's identity: threads that opened another log are not disturbed */
export function createAppendSignal(log: string): AppendSignal {
  const channel = new BroadcastChannel(`streamforge-log-${log}`)
  let count = 0
  let waiting: (() => void)[] = []
  const wake = (): void => {
    count++
    const woken = waiting
    waiting = []
    for (const resolve of woken) resolve()
  }
  channel.onmessage = wake
  channel.unref() // an open log alone must not keep a process alive
  return {
    get count() {
      return count
    },
    announce() {
      wake()
      channel.postMessage(null)
    },
    wake,
    changed: (seen) => (seen === count ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve()),
    close() {
      channel.close()
      wake()
    },
  }
}

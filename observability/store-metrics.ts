/**
 * How long calls to stores take and how many fail, counted around a port: whoever composes a process wraps the stores that it opens, and nobody below or above knows.
 * Invariant: labels are bounded by the code: names of stores, and names of their methods. What a call returns or throws is passed on as it is.
 */
import { Counter, Histogram, type Registry } from 'prom-client'
import { aroundPort } from './around-port.ts'

/** A call within a data centre, from memory to a slow statement. */
const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

export type StoreName = 'postgresql' | 'redis' | 'lmdb' | 'objects'

/**
 * @param port its methods that return promises are watched; all else is passed through
 * @param isFault whether an error is the store's and not the caller's; default: each is
 * @returns the port
 */
export type WatchStore = <P extends object>(store: StoreName, port: P, isFault?: (error: unknown) => boolean) => P

/** @param register the metrics are registered here: one of these per registry */
export function watchStores(register: Registry): WatchStore {
  const labelNames = ['store', 'operation'] as const
  const seconds = new Histogram({
    name: 'streamforge_store_call_duration_seconds',
    help: 'Seconds of calls to a store that were answered, by what was asked.',
    labelNames,
    buckets: SECONDS,
    registers: [register],
  })
  const errors = new Counter({
    name: 'streamforge_store_errors_total',
    help: 'Calls to a store that failed.',
    labelNames,
    registers: [register],
  })

  async function watched<T>(
    labels: { store: StoreName; operation: string },
    call: Promise<T>,
    isFault: (error: unknown) => boolean,
  ) {
    const startedMs = performance.now()
    try {
      const answer = await call
      seconds.observe(labels, (performance.now() - startedMs) / 1000)
      return answer
    } catch (error) {
      if (isFault(error)) errors.inc(labels)
      throw error
    }
  }

  return (store, port, isFault = () => true) =>
    aroundPort(port, (operation, call) => {
      const labels = { store, operation }
      // A count that is there from the beginning can be seen to grow; one that appears with its first error can't.
      errors.inc(labels, 0)
      return (...args) => {
        const result = call(...args)
        return result instanceof Promise ? watched(labels, result, isFault) : result
      }
    })
}

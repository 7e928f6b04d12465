/**
 * Which span is active, through everything that is awaited: the SDK's context manager, in a form that costs nothing while nobody follows a span.
 *
 * Until Node 24 an AsyncLocalStorage hooks into the making of every promise, of whoever is traced and of whoever is not: a fifth and more of what a request of one event costs. So it is
 * switched on with the first span that is active and off with the last. Switching costs milliseconds, too: where requests come by the thousand, spans are passed on by hand. Invariant: within `with`, and in what it awaits, the context is the one that was given; what goes on behind the end of
 * that is in none, once no other is active.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { type Context, type ContextManager, ROOT_CONTEXT, trace } from '@opentelemetry/api'

export function createActiveContext(): ContextManager {
  const storage = new AsyncLocalStorage<Context>()
  let within = 0
  function leave(): void {
    if (--within === 0) storage.disable()
  }

  const manager: ContextManager = {
    active: () => (within > 0 ? storage.getStore() : undefined) ?? ROOT_CONTEXT,
    with(context, work, thisArg, ...args) {
      // The SDK's own exports, which only say that they are not to be traced: nothing here would trace them.
      if (within === 0 && !trace.getSpan(context)) return work.apply(thisArg as ThisParameterType<typeof work>, args)
      within++
      let result: ReturnType<typeof work>
      try {
        result = storage.run(context, () => work.apply(thisArg as ThisParameterType<typeof work>, args))
      } catch (error) {
        leave()
        throw error
      }
      if (isPromise(result)) result.then(leave, leave)
      else leave()
      return result
    },
    bind(context, target) {
      if (typeof target !== 'function') return target
      return ((...args: unknown[]) => manager.with(context, () => target(...args))) as typeof target
    },
    enable: () => manager,
    disable() {
      storage.disable()
      return manager
    },
  }
  return manager
}

const isPromise = (value: unknown): value is Promise<unknown> =>
  typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'

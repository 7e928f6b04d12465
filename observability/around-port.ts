/**
 * A port whose methods do something around their calls: count them, make spans of them. Put around by whoever composes a process, so that nobody below or above knows.
 * Invariant: what a call returns or throws is passed on by whoever is around it; all that is no method is passed through.
 */

type Call = (...args: unknown[]) => unknown

/**
 * @param around asked once for each method, when it is first used
 * @returns the port
 */
export function aroundPort<P extends object>(port: P, around: (method: string, call: Call) => Call): P {
  const wrapped = new Map<string, Call>()
  return new Proxy(port, {
    get(target, method) {
      const known = typeof method === 'string' ? wrapped.get(method) : undefined
      if (known) return known
      const value: unknown = Reflect.get(target, method, target)
      if (typeof value !== 'function' || typeof method !== 'string') return value
      const call = around(method, value.bind(target))
      wrapped.set(method, call)
      return call
    },
  })
}

/** What metrics and traces say of a request. Invariant: bounded, whatever clients send: patterns of routes, never paths; known methods, never what somebody makes up. */
import type { Context } from 'hono'
import { routePath } from 'hono/route'
import { withoutBase } from './base-path.ts'

const METHODS = new Set(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'])

export const methodOf = ({ req: { method } }: Context): string => (METHODS.has(method) ? method : 'other')

/** Once it was answered. What no route matched is one route too. */
export function routeOf(c: Context): string {
  const pattern = withoutBase(routePath(c, -1))
  return pattern.endsWith('*') ? 'unmatched' : pattern
}

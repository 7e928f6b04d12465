/**
 * Headers that protect browsers, and who may call from other origins.
 *
 * Ingestion is open to every origin that the write key allows, which ships in web pages: a preflight brings no headers, so it is answered by the key in the query, and without one allowed.
 * Reading is open to the configured origins only.
 */
import type { Context, MiddlewareHandler } from 'hono'

/** Scripts and styles come from the edge itself, nothing inline, nothing from elsewhere. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ')

export const securityHeaders: MiddlewareHandler = async (c, next) => {
  c.header('content-security-policy', CONTENT_SECURITY_POLICY)
  c.header('x-content-type-options', 'nosniff')
  c.header('referrer-policy', 'no-referrer')
  c.header('cross-origin-opener-policy', 'same-origin')
  await next()
}

const ALLOWED_HEADERS =
  'authorization, content-type, content-encoding, idempotency-key, if-none-match, last-event-id, x-write-key, traceparent'
const EXPOSED_HEADERS = 'retry-after, etag, traceparent, ratelimit, ratelimit-policy, idempotency-replayed'
const PREFLIGHT_SECONDS = '7200'

/** @param originsFor which origins may call this request's route, of a page of `origin`; `*` is any. */
export function crossOrigin(originsFor: (c: Context, origin: string) => readonly string[]): MiddlewareHandler {
  return async (c, next) => {
    const origin = c.req.header('origin')
    if (origin === undefined) return next()
    const allowed = originsFor(c, origin)
    const any = allowed.includes('*')
    if (!any) c.header('vary', 'origin')
    if (!any && !allowed.includes(origin)) return next()
    c.header('access-control-allow-origin', any ? '*' : origin)
    c.header('access-control-expose-headers', EXPOSED_HEADERS)
    if (c.req.method !== 'OPTIONS' || !c.req.header('access-control-request-method')) return next()
    c.header('access-control-allow-methods', 'GET, POST, PATCH, DELETE, OPTIONS')
    c.header('access-control-allow-headers', ALLOWED_HEADERS)
    c.header('access-control-max-age', PREFLIGHT_SECONDS)
    return c.body(null, 204)
  }
}

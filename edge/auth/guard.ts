/**
 * Who may read. Everything that is not listed as public needs permission: so a new route is closed until somebody opens it.
 *
 * On loopback reading is open to requests that name a loopback host; one that names another host (as after DNS rebinding by a web page, or through
 * a proxy) needs a token, as every request does when the edge listens elsewhere.
 */
import type { Context, MiddlewareHandler } from 'hono'
import { Problem } from '../problem.ts'
import type { Tokens } from './tokens.ts'

export interface GuardOptions {
  tokens: Tokens
  /** Whether reading is open on loopback names. */
  openOnLoopback: boolean
  isPublic: (c: Context) => boolean
}

export function requireReader({ tokens, openOnLoopback, isPublic }: GuardOptions): MiddlewareHandler {
  return async (c, next) => {
    if (isPublic(c) || (openOnLoopback && isLoopback(new URL(c.req.url).hostname))) return next()
    const authorization = c.req.header('authorization') ?? ''
    const token = /^bearer (.+)$/i.exec(authorization)?.[1]
    if (token && (await tokens.identify(token.trim()))) return next()
    throw new Problem(
      'unauthorized',
      token
        ? 'The access token is not valid or no longer so. Get a new one from POST /api/v1/auth/login.'
        : 'Reading needs an access token: Authorization: Bearer …, from POST /api/v1/auth/login.',
      { headers: { 'www-authenticate': 'Bearer realm="StreamForge"' } },
    )
  }
}

export const isLoopback = (host: string): boolean =>
  host === 'localhost' ||
  host.endsWith('.localhost') ||
  host === '[::1]' ||
  host === '::1' ||
  /^127(\.\d{1,3}){3}$/.test(host)

/**
 * The gate before every route: who asks, and whether that is enough. What each route needs is in `policy.ts`.
 *
 * On loopback reading is open to requests that name a loopback host; one that names another host (as after DNS rebinding by a web page, or through
 * a proxy) needs a token, as every request does when the edge listens elsewhere. Changing always needs one.
 */
import type { Context, MiddlewareHandler } from 'hono'
import { Problem } from '../problem.ts'
import { isEnough, type Needs } from './policy.ts'
import type { Identity, Tokens } from './tokens.ts'

export interface GuardOptions {
  tokens: Pick<Tokens, 'identify'>
  /** Whether reading is open on loopback names. */
  openOnLoopback: boolean
  needsOf: (c: Context) => Needs
}

const IDENTITY = 'identity'

/** Who has passed the gate. Only for routes that need somebody. */
export function identityOf(c: Context): Identity {
  const identity = c.get(IDENTITY) as Identity | undefined
  if (!identity) throw new Error(`${c.req.path} asks who calls it, but its policy lets everybody pass`)
  return identity
}

export function requireRole({ tokens, openOnLoopback, needsOf }: GuardOptions): MiddlewareHandler {
  return async (c, next) => {
    const needs = needsOf(c)
    if (needs === 'nobody') return next()
    const token = /^bearer +(.+)$/i.exec(c.req.header('authorization') ?? '')?.[1]?.trim()
    const identity = token ? await tokens.identify(token) : null
    if (identity) {
      if (!isEnough(identity.role, needs)) {
        throw new Problem(
          'forbidden',
          `This takes ${article(needs)} ${needs}; this account is ${article(identity.role)} ${identity.role}.`,
        )
      }
      c.set(IDENTITY, identity)
      return next()
    }
    if (!token && needs === 'viewer' && openOnLoopback && isLoopback(new URL(c.req.url).hostname)) return next()
    throw new Problem(
      'unauthorized',
      token
        ? 'The access token is not valid or no longer so. Get a new one from POST /api/v1/auth/login.'
        : 'This needs an access token: Authorization: Bearer …, from POST /api/v1/auth/login.',
      { headers: { 'www-authenticate': 'Bearer realm="StreamForge"' } },
    )
  }
}

const article = (role: Needs): string => (role === 'viewer' ? 'a' : 'an')

export const isLoopback = (host: string): boolean =>
  host === 'localhost' ||
  host.endsWith('.localhost') ||
  host === '[::1]' ||
  host === '::1' ||
  /^127(\.\d{1,3}){3}$/.test(host)

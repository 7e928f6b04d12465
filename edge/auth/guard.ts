/**
 * The gate before every route: who asks, and whether that is enough. What each route needs is in `policy.ts`.
 *
 * Invariant: where a request comes from opens nothing. A loopback address is also that of every program of this machine, and, after DNS rebinding, of any web page.
 */
import type { Context, MiddlewareHandler } from 'hono'
import { Problem } from '../problem.ts'
import { isEnough, type Needs } from './policy.ts'
import type { Identity, Tokens } from './tokens.ts'

export interface GuardOptions {
  tokens: Pick<Tokens, 'identify'>
  needsOf: (c: Context) => Needs
}

const IDENTITY = 'identity'

/** Who has passed the gate. Only for routes that need somebody. */
export function identityOf(c: Context): Identity {
  const identity = c.get(IDENTITY) as Identity | undefined
  if (!identity) throw new Error(`${c.req.path} asks who calls it, but its policy lets everybody pass`)
  return identity
}

export function requireRole({ tokens, needsOf }: GuardOptions): MiddlewareHandler {
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
    throw new Problem(
      'unauthorized',
      token
        ? 'The access token is not valid or no longer so. Get a new one from POST /api/v1/auth/login.'
        : 'This needs an access token: Authorization: Bearer …, from POST /api/v1/auth/login, or from "streamforge token" on the machine of the platform.',
      { headers: { 'www-authenticate': 'Bearer realm="StreamForge"' } },
    )
  }
}

const article = (role: Needs): string => (role === 'viewer' ? 'a' : 'an')

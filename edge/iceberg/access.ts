/**
 * Who may use the lake by REST: every request needs an access token, on loopback too, since whoever commits to a table decides what everybody reads.
 * Reading takes any account, changes an operator or an admin; what can't be undone takes an admin. The write key opens nothing.
 */
import type { MiddlewareHandler } from 'hono'
import { ROLES } from '../../db/postgres/roles.ts'
import type { Tokens } from '../auth/tokens.ts'
import type { Role } from '../ports.ts'
import { Problem } from '../problem.ts'

export const MAY = {
  read: ROLES,
  change: ['operator', 'admin'],
  drop: ['admin'],
} as const satisfies Record<string, readonly Role[]>
export type Need = keyof typeof MAY

const HOW = 'Get one from POST /api/v1/auth/login, or give the client a credential "user:password".'

export const icebergAccess =
  (tokens: Pick<Tokens, 'identify'>) =>
  (need: Need): MiddlewareHandler =>
  async (c, next) => {
    const [, token] = /^bearer +(\S+)\s*$/i.exec(c.req.header('authorization') ?? '') ?? []
    const identity = token === undefined ? null : await tokens.identify(token)
    if (!identity) {
      const what =
        token === undefined
          ? 'The lake needs an access token (Bearer).'
          : 'The access token is not valid or no longer so.'
      throw new Problem('unauthorized', `${what} ${HOW}`, {
        headers: { 'www-authenticate': 'Bearer realm="StreamForge"' },
      })
    }
    const roles: readonly Role[] = MAY[need]
    if (!roles.includes(identity.role))
      throw new Problem(
        'forbidden',
        `${need === 'drop' ? 'Dropping' : 'Changing'} what is in the lake takes the role ${roles.join(' or ')}; this token has the role ${identity.role}.`,
      )
    return next()
  }

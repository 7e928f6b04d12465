/** Access tokens: JWT signed with HS256 and nothing else; the algorithm is never taken from the token. */
import { sign, verify } from 'hono/jwt'
import { ROLES } from '../../db/postgres/roles.ts'
import type { Clock, Role } from '../ports.ts'

/** Of people's sessions, which refresh tokens carry on. */
export const ACCESS_SECONDS = 15 * 60
/** Of programs that sign in with a credential and run for long, as Iceberg's clients do. */
export const CLIENT_SECONDS = 8 * 3600
const ALGORITHM = 'HS256'
const ISSUER = 'streamforge'

export interface Identity {
  username: string
  role: Role
  /** Of a token that was identified, epoch ms. */
  expiresAt?: number
  /** What lets a token be exchanged for a new one, as long as it is what the account has; only tokens of long-running clients carry it. */
  renewal?: string
}

export interface Tokens {
  /** @param seconds how long it holds */
  issue(identity: Identity, seconds?: number): Promise<string>
  /** Whom the token names, or null when it is not ours or no longer valid. */
  identify(token: string): Promise<Identity | null>
}

export function createTokens(secret: string, clock: Pick<Clock, 'now'>): Tokens {
  return {
    issue({ username, role, renewal }, seconds = ACCESS_SECONDS) {
      const iat = Math.floor(clock.now() / 1000)
      const claims = { sub: username, role, iss: ISSUER, iat, exp: iat + seconds }
      return sign(renewal === undefined ? claims : { ...claims, renewal }, secret, ALGORITHM)
    },
    async identify(token) {
      try {
        // Expiry is judged by our own clock below.
        const claims = await verify(token, secret, { alg: ALGORITHM, iss: ISSUER, exp: false, iat: false })
        const { sub, role, exp, renewal } = claims
        if (typeof sub !== 'string' || typeof exp !== 'number' || exp * 1000 <= clock.now()) return null
        const known = ROLES.find((r) => r === role)
        if (!known) return null
        const expiresAt = exp * 1000
        return { username: sub, role: known, expiresAt, ...(typeof renewal === 'string' && { renewal }) }
      } catch {
        return null
      }
    },
  }
}

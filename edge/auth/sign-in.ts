/**
 * User name and password to account, for whatever asks for them. Tries are limited per user and address, all ways in together; unknown users cost the same work
 * as known ones. What fails is in the audit log.
 */
import type { Context } from 'hono'
import type { AuditStore, Clock, User, UserStore } from '../ports.ts'
import { Problem, retryAfter } from '../problem.ts'
import { createFailedSignIns } from './failed-sign-ins.ts'
import { verifyPassword } from './password.ts'
import { createRateLimit } from './rate-limit.ts'

export interface SignInDeps {
  users: Pick<UserStore, 'find'>
  audit: Pick<AuditStore, 'record'>
  clock: Pick<Clock, 'now'>
  /** The address of the client, as the server sees it. */
  clientAddress: (c: Context) => string
}

/** @throws Problem unauthorized, too_many_attempts or overloaded */
export type SignIn = (c: Context, username: string, password: string) => Promise<User>

const MINUTE_MS = 60_000
/** Comparisons at once: each takes tens of milliseconds of CPU. */
const COMPARISONS_MAX = 4

export function createSignIn({ users, audit, clock, clientAddress }: SignInDeps): SignIn {
  const perLogin = createRateLimit({ triesMax: 5, windowMs: MINUTE_MS, keysMax: 10_000 })
  const perAddress = createRateLimit({ triesMax: 30, windowMs: MINUTE_MS, keysMax: 10_000 })
  const failed = createFailedSignIns(audit)
  let comparing = 0

  return async (c, username, password) => {
    const address = clientAddress(c)
    const now = clock.now()
    const login = JSON.stringify([username, address])
    const waitMs = Math.max(perAddress.take(address, now), perLogin.take(login, now))
    if (waitMs > 0) {
      throw new Problem('too_many_attempts', 'Too many attempts to sign in. Wait a minute and try again.', {
        headers: retryAfter(Math.ceil(waitMs / 1000)),
      })
    }
    if (comparing >= COMPARISONS_MAX) {
      throw new Problem('overloaded', 'Many sign in at once. Try again in a second.', { headers: retryAfter(1) })
    }
    comparing++
    try {
      const user = username.includes('\0') ? null : await users.find(username)
      if (!(await verifyPassword(password, user?.password_hash ?? null)) || !user) {
        await failed({ username, isKnown: user !== null, address, at: now })
        throw new Problem('unauthorized', 'The user name or the password is wrong.')
      }
      perAddress.giveBack(address)
      perLogin.giveBack(login)
      return user
    } finally {
      comparing--
    }
  }
}

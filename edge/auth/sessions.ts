/**
 * The sessions of people who have signed in: a short access token, and a refresh token that is good for one exchange.
 *
 * In the flow: `session-routes.ts` asks, `ports.ts`' SessionStore remembers hashes. An access token is believed until it ends; what is changed of an account shows with the next
 * exchange, a quarter of an hour later at most.
 */
import type { Context } from 'hono'
import type { Clock, Role, SessionOwner, SessionStore, User } from '../ports.ts'
import { Problem } from '../problem.ts'
import { sha256Of } from '../sha256.ts'
import { newOpaque } from './opaque.ts'
import { ACCESS_SECONDS, type Identity, type Tokens } from './tokens.ts'

export interface SessionDeps {
  sessions: SessionStore
  tokens: Pick<Tokens, 'issue'>
  clock: Pick<Clock, 'now'>
  clientAddress: (c: Context) => string
}

export interface Granted {
  access_token: string
  token_type: 'Bearer'
  expires_in: number
  refresh_token: string
  refresh_expires_in: number
  role: Role
  username: string
}

export interface Sessions {
  /** @throws Problem unauthorized, where the account has changed since its password was checked */
  begin(c: Context, user: User): Promise<Granted>
  /** @throws Problem unauthorized */
  beginByLink(c: Context, code: string): Promise<Granted>
  /** @throws Problem unauthorized */
  refresh(c: Context, token: string): Promise<Granted>
  end(c: Context, token: string): Promise<void>
  /** @returns a code that signs in once, for {@link LINK_SECONDS} */
  newLink(c: Context, role: Role, by: Identity): Promise<string>
}

export const REFRESH_SECONDS = 14 * 86_400
export const LINK_SECONDS = 15 * 60

export function createSessions({ sessions, tokens, clock, clientAddress }: SessionDeps): Sessions {
  const circumstances = (c: Context) => ({ address: clientAddress(c), at: clock.now() })
  const inSeconds = (seconds: number): number => clock.now() + seconds * 1000
  const next = async () => {
    const { text, hash } = await newOpaque()
    return { text, token: { hash, expiresAt: inSeconds(REFRESH_SECONDS) } }
  }
  const grant = async ({ username, role }: SessionOwner, refresh_token: string): Promise<Granted> => ({
    access_token: await tokens.issue({ username, role }, ACCESS_SECONDS),
    token_type: 'Bearer',
    expires_in: ACCESS_SECONDS,
    refresh_token,
    refresh_expires_in: REFRESH_SECONDS,
    role,
    username,
  })

  return {
    async begin(c, user) {
      const { text, token } = await next()
      const { address, at } = circumstances(c)
      const session = { ...token, family: crypto.randomUUID() }
      if (await sessions.begin(user, session, { by: { username: user.username, address }, at }))
        return grant(user, text)
      throw new Problem('unauthorized', 'The account has just changed. Sign in again.')
    },
    async beginByLink(c, code) {
      const { text, token } = await next()
      const session = { ...token, family: crypto.randomUUID() }
      const owner = await sessions.beginByLink(await sha256Of(code), session, circumstances(c))
      if (owner) return grant(owner, text)
      throw new Problem(
        'unauthorized',
        'The link is not valid, was used already, or is older than 15 minutes. Get a new one with "streamforge login-link", or sign in with user name and password.',
      )
    },
    async refresh(c, given) {
      const { text, token } = await next()
      const rotation = await sessions.rotate(await sha256Of(given), token, circumstances(c))
      if (rotation.outcome === 'rotated') return grant(rotation.owner, text)
      throw new Problem(
        'unauthorized',
        rotation.outcome === 'reused'
          ? 'The refresh token was used already, so that somebody else may have it: its session is ended. Sign in again.'
          : 'The session has ended. Sign in again.',
      )
    },
    end: async (c, token) => sessions.end(await sha256Of(token), circumstances(c)),
    async newLink(c, role, { username }) {
      const { text, hash } = await newOpaque()
      const { address, at } = circumstances(c)
      await sessions.createLink({ hash, role, expiresAt: inSeconds(LINK_SECONDS) }, { by: { username, address }, at })
      return text
    },
  }
}

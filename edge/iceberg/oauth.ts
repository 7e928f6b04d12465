/**
 * `POST /iceberg/v1/oauth/tokens`: user name and password for an access token, in the form of OAuth 2 (RFC 6749, 4.4) that Iceberg's clients use by themselves, and the exchange
 * (RFC 8693) by which they renew it while they run.
 *
 * Invariants: tries are limited as in all ways to sign in; a token can be exchanged only if it came from here, and only until its account's password changes; the new one has
 * no more rights than it, nor than the account has by then.
 */
import type { Context } from 'hono'
import { ROLES } from '../../db/postgres/roles.ts'
import type { SignIn } from '../auth/sign-in.ts'
import { CLIENT_SECONDS, type Tokens } from '../auth/tokens.ts'
import type { Role, User, UserStore } from '../ports.ts'
import { Problem, retryAfter } from '../problem.ts'
import { sha256Of } from '../sha256.ts'

export interface OAuthDeps {
  tokens: Tokens
  signIn: SignIn
  users: Pick<UserStore, 'find'>
}

const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'
/** From the least to the most. */

type OAuthError = 'invalid_request' | 'invalid_client' | 'invalid_grant' | 'unsupported_grant_type'

/** @param form the body of the request */
export async function answerToken(c: Context, form: URLSearchParams, deps: OAuthDeps): Promise<Response> {
  const refuse = (
    status: 400 | 401 | 429 | 503,
    error: OAuthError,
    text: string,
    headers: Record<string, string> = {},
  ) =>
    c.body(JSON.stringify({ error, error_description: text }), status, {
      'content-type': 'application/json',
      'cache-control': 'no-store',
      ...headers,
    })
  const give = async (user: User, most: Role) => {
    const role = lesser(user.role, most)
    const access_token = await deps.tokens.issue(
      { username: user.username, role, renewal: await renewalOf(user) },
      CLIENT_SECONDS,
    )
    const answer = { access_token, token_type: 'bearer', expires_in: CLIENT_SECONDS, issued_token_type: ACCESS_TOKEN }
    return c.body(JSON.stringify(answer), 200, { 'content-type': 'application/json', 'cache-control': 'no-store' })
  }

  const grant = form.get('grant_type')
  if (grant !== 'client_credentials' && grant !== EXCHANGE)
    return refuse(400, 'unsupported_grant_type', 'grant_type is client_credentials, or the token exchange of RFC 8693.')
  const asked = roleIn(form.get('scope'))
  const login = basicLogin(c.req.header('authorization')) ?? formLogin(form)
  if (login) {
    try {
      return await give(await deps.signIn(c, ...login), asked)
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      const { code, message, headers } = error
      if (code === 'unauthorized') return refuse(401, 'invalid_client', message)
      return refuse(code === 'too_many_attempts' ? 429 : 503, 'invalid_client', message, headers)
    }
  }
  if (grant === 'client_credentials')
    return refuse(
      401,
      'invalid_client',
      'Give user name and password as client_id and client_secret: credential "user:password".',
    )

  const identity = await deps.tokens.identify(form.get('subject_token') ?? '')
  const user = identity?.renewal === undefined ? null : await deps.users.find(identity.username)
  if (!identity || !user || identity.renewal !== (await renewalOf(user)))
    return refuse(
      400,
      'invalid_grant',
      'This token can not be exchanged: only one that came from here can, while it is valid and its account unchanged. Sign in with a credential "user:password".',
      retryAfter(60),
    )
  return give(user, lesser(identity.role, asked))
}

const lesser = (a: Role, b: Role): Role => (ROLES.indexOf(a) < ROLES.indexOf(b) ? a : b)

/** A scope that is a role asks for no more than it; clients' default scopes ask for nothing special. */
const roleIn = (scope: string | null): Role =>
  ROLES.find((role) => (scope ?? '').split(' ').includes(role)) ?? ROLES.at(-1)!

/** Changes with the password, and tells nothing of it. */
async function renewalOf({ username, password_hash }: User): Promise<string> {
  const digest = await sha256Of(`${username}\0${password_hash}`)
  return btoa(String.fromCharCode(...digest.subarray(0, 15)))
}

function formLogin(form: URLSearchParams): [username: string, password: string] | null {
  const [id, secret] = [form.get('client_id'), form.get('client_secret')]
  return id && secret ? [id.slice(0, 201), secret.slice(0, 201)] : null
}

function basicLogin(authorization: string | undefined): [username: string, password: string] | null {
  const [, credentials] = /^basic +(\S+)\s*$/i.exec(authorization ?? '') ?? []
  if (credentials === undefined) return null
  try {
    const text = new TextDecoder().decode(Uint8Array.from(atob(credentials), (c) => c.charCodeAt(0)))
    const colon = text.indexOf(':')
    return colon < 1 ? null : [text.slice(0, colon), text.slice(colon + 1)]
  } catch {
    return null
  }
}

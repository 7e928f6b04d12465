/**
 * Who may use the schema registry: any account may read, a change takes an operator or an admin.
 *
 * Serializers know nothing but Basic authorization, so besides an access token the user name and password of an account are taken. The write key opens nothing:
 * it ships in web pages, and whoever may grow a schema decides what the next release may be.
 */
import type { Context, MiddlewareHandler } from 'hono'
import type { Role } from '../ports.ts'
import { Problem } from '../problem.ts'
import type { SignIn } from './sign-in.ts'
import type { Tokens } from './tokens.ts'

export interface RegistryAccess {
  mayRead: MiddlewareHandler
  mayChange: MiddlewareHandler
}

export interface RegistryAccessOptions {
  tokens: Pick<Tokens, 'identify'>
  signIn: SignIn
}

const CHANGERS: readonly Role[] = ['operator', 'admin']

export function registryAccess({ tokens, signIn }: RegistryAccessOptions): RegistryAccess {
  /** @returns null without authorization. @throws Problem for one that is wrong */
  async function roleOf(c: Context): Promise<Role | null> {
    const authorization = c.req.header('authorization') ?? ''
    const [, scheme = '', credentials = ''] = /^(\w+) +(.+)$/.exec(authorization) ?? []
    if (scheme.toLowerCase() === 'bearer') {
      const identity = await tokens.identify(credentials)
      if (!identity) throw unauthorized('The access token is not valid or no longer so.')
      return identity.role
    }
    if (scheme.toLowerCase() === 'basic') {
      const login = basicLogin(credentials)
      if (!login) throw unauthorized('The Basic authorization is not valid.')
      return (await signIn(c, ...login)).role
    }
    return null
  }

  return {
    async mayRead(c, next) {
      if ((await roleOf(c)) === null) throw unauthorized('Reading schemas needs an account.')
      return next()
    },
    async mayChange(c, next) {
      const role = await roleOf(c)
      if (role === null) throw unauthorized('Changing schemas needs the account of an operator or an admin.')
      if (!CHANGERS.includes(role)) {
        throw new Problem('forbidden', `Changing schemas takes an operator or an admin; this account is a ${role}.`)
      }
      return next()
    },
  }
}

const unauthorized = (what: string): Problem =>
  new Problem(
    'unauthorized',
    `${what} Give user name and password (Basic, e.g. http://user:password@… as the registry's URL), or an access token from POST /api/v1/auth/login (Bearer).`,
    { headers: { 'www-authenticate': 'Basic realm="StreamForge schema registry", charset="UTF-8"' } },
  )

function basicLogin(credentials: string): [username: string, password: string] | null {
  try {
    const text = new TextDecoder().decode(Uint8Array.from(atob(credentials.trim()), (c) => c.charCodeAt(0)))
    const colon = text.indexOf(':')
    return colon < 0 ? null : [text.slice(0, colon), text.slice(colon + 1)]
  } catch {
    return null
  }
}

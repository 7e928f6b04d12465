/** `POST /auth/login`: a password for an access token. Tries are limited per user and address; unknown users cost the same time as known ones. */
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { Clock, UserStore } from '../ports.ts'
import { Problem, retryAfter } from '../problem.ts'
import { problems } from '../serve/envelope.ts'
import { verifyPassword } from './password.ts'
import { createRateLimit } from './rate-limit.ts'
import { TOKEN_SECONDS, type Tokens } from './tokens.ts'

export interface LoginDeps {
  users: Pick<UserStore, 'find'>
  tokens: Tokens
  clock: Pick<Clock, 'now'>
  /** The address of the client, as the server sees it. */
  clientAddress: (c: Context) => string
}

const MINUTE_MS = 60_000
const BODY_BYTES_MAX = 4096
/** Comparisons at once: each takes tens of milliseconds of CPU. */
const COMPARISONS_MAX = 4

const route = createRoute({
  method: 'post',
  path: '/auth/login',
  tags: ['Access'],
  summary: 'Get an access token',
  middleware: [
    bodyLimit({
      maxSize: BODY_BYTES_MAX,
      onError: () => {
        throw new Problem('body_too_large', `The body is larger than ${BODY_BYTES_MAX} bytes.`)
      },
    }),
  ],
  request: {
    body: {
      required: true,
      content: {
        'application/json': {
          schema: z
            .object({ username: z.string().min(1).max(200), password: z.string().min(1).max(200) })
            .openapi('Login'),
        },
      },
    },
  },
  responses: {
    200: {
      description: 'The token, for `Authorization: Bearer`',
      content: {
        'application/json': {
          schema: z.object({
            data: z.object({
              access_token: z.string(),
              token_type: z.literal('Bearer'),
              expires_in: z.number().int().describe('Seconds'),
              role: z.enum(['viewer', 'operator', 'admin']),
            }),
          }),
        },
      },
    },
    ...problems(400, 401, 413, 415, 429, 503),
  },
})

export function addLoginRoute(api: OpenAPIHono, { users, tokens, clock, clientAddress }: LoginDeps): void {
  const perLogin = createRateLimit({ triesMax: 5, windowMs: MINUTE_MS, keysMax: 10_000 })
  const perAddress = createRateLimit({ triesMax: 30, windowMs: MINUTE_MS, keysMax: 10_000 })
  let comparing = 0

  api.openapi(route, async (c) => {
    const { username, password } = c.req.valid('json')
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
        throw new Problem('unauthorized', 'The user name or the password is wrong.')
      }
      perAddress.giveBack(address)
      perLogin.giveBack(login)
      const access_token = await tokens.issue({ username: user.username, role: user.role })
      const data = { access_token, token_type: 'Bearer' as const, expires_in: TOKEN_SECONDS, role: user.role }
      c.header('cache-control', 'no-store')
      return c.json({ data }, 200)
    } finally {
      comparing--
    }
  })
}

/** `POST /auth/login`: a password for an access token. */
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import { bodyLimit } from 'hono/body-limit'
import { Problem } from '../problem.ts'
import { problems } from '../serve/envelope.ts'
import type { SignIn } from './sign-in.ts'
import { TOKEN_SECONDS, type Tokens } from './tokens.ts'

export interface LoginDeps {
  signIn: SignIn
  tokens: Tokens
}

const BODY_BYTES_MAX = 4096

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

export function addLoginRoute(api: OpenAPIHono, { signIn, tokens }: LoginDeps): void {
  api.openapi(route, async (c) => {
    const { username, password } = c.req.valid('json')
    const user = await signIn(c, username, password)
    const access_token = await tokens.issue({ username: user.username, role: user.role })
    const data = { access_token, token_type: 'Bearer' as const, expires_in: TOKEN_SECONDS, role: user.role }
    c.header('cache-control', 'no-store')
    return c.json({ data }, 200)
  })
}

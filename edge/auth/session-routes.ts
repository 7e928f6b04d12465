/** `/auth/*`: signing in by password or link, going on with a session, ending it, and who one is. */
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import { ROLES } from '../../db/postgres/roles.ts'
import { problems } from '../serve/envelope.ts'
import { smallBody } from '../small-body.ts'
import { identityOf } from './guard.ts'
import { LINK_SECONDS, type Sessions } from './sessions.ts'
import type { SignIn } from './sign-in.ts'

export interface SessionRoutesDeps {
  signIn: SignIn
  sessions: Sessions
}

/** Whoever may call these without an account is given little room. */
const BODY_BYTES_MAX = 4096
export const roleOf = z.enum(ROLES)

const tags = ['Access']
const json = <S extends z.ZodType>(schema: S) => ({ required: true, content: { 'application/json': { schema } } })
const answered = <S extends z.ZodType>(data: S, description: string) => ({
  description,
  content: { 'application/json': { schema: z.object({ data }) } },
})
/** What {@link Sessions} gave out; anything else is as unknown as a token that ended. */
const opaque = z.string().min(1).max(200)
const granted = z
  .object({
    access_token: z.string().describe('For `Authorization: Bearer`'),
    token_type: z.literal('Bearer'),
    expires_in: z.number().int().describe('Seconds'),
    refresh_token: z.string().describe('For `POST /auth/refresh`, once'),
    refresh_expires_in: z.number().int().describe('Seconds'),
    role: roleOf,
    username: z.string(),
  })
  .openapi('SignedIn')
const refreshBody = json(z.object({ refresh_token: opaque }).openapi('Refresh'))

const route = {
  login: createRoute({
    method: 'post',
    path: '/auth/login',
    tags,
    summary: 'Sign in with user name and password',
    middleware: [smallBody(BODY_BYTES_MAX)],
    request: {
      body: json(
        z.object({ username: z.string().min(1).max(200), password: z.string().min(1).max(200) }).openapi('Login'),
      ),
    },
    responses: { 200: answered(granted, 'A session'), ...problems(400, 401, 413, 415, 429, 503) },
  }),
  refresh: createRoute({
    method: 'post',
    path: '/auth/refresh',
    tags,
    summary: 'Go on with a session',
    description:
      'A refresh token is good for one exchange and gives the next. One that comes a second time was copied: then the whole session is ended. The role is what the account has by now.',
    middleware: [smallBody(BODY_BYTES_MAX)],
    request: { body: refreshBody },
    responses: { 200: answered(granted, 'The session goes on'), ...problems(400, 401, 413, 415) },
  }),
  link: createRoute({
    method: 'post',
    path: '/auth/link',
    tags,
    summary: 'Sign in with the code of a login link',
    description:
      'The code is what stands behind `#login=` in the link that `npm start` and `streamforge login-link` print.',
    middleware: [smallBody(BODY_BYTES_MAX)],
    request: { body: json(z.object({ code: opaque }).openapi('LoginCode')) },
    responses: { 200: answered(granted, 'A session'), ...problems(400, 401, 413, 415) },
  }),
  newLink: createRoute({
    method: 'post',
    path: '/auth/links',
    tags,
    summary: 'Make a link that signs in once',
    middleware: [smallBody(BODY_BYTES_MAX)],
    request: { body: json(z.object({ role: roleOf }).openapi('NewLoginLink')) },
    responses: {
      201: answered(
        z.object({ code: z.string(), expires_in: z.number().int().describe('Seconds'), role: roleOf }),
        'The code, for `#login=` behind the address of the dashboard',
      ),
      ...problems(400, 401, 403, 413, 415),
    },
  }),
  logout: createRoute({
    method: 'post',
    path: '/auth/logout',
    tags,
    summary: 'End a session',
    description: 'Its refresh token no longer holds; an access token holds until it ends by itself.',
    middleware: [smallBody(BODY_BYTES_MAX)],
    request: { body: refreshBody },
    responses: { 204: { description: 'It has ended, or had already' }, ...problems(400, 413, 415) },
  }),
  me: createRoute({
    method: 'get',
    path: '/auth/me',
    tags,
    summary: 'Whose token this is',
    responses: { 200: answered(z.object({ username: z.string(), role: roleOf }), 'The account'), ...problems(401) },
  }),
}

export function addSessionRoutes(api: OpenAPIHono, { signIn, sessions }: SessionRoutesDeps): void {
  api.use('/auth/*', async (c, next) => {
    await next()
    c.header('cache-control', 'no-store')
  })
  api.openapi(route.login, async (c) => {
    const { username, password } = c.req.valid('json')
    return c.json({ data: await sessions.begin(c, await signIn(c, username, password)) }, 200)
  })
  api.openapi(route.refresh, async (c) =>
    c.json({ data: await sessions.refresh(c, c.req.valid('json').refresh_token) }, 200),
  )
  api.openapi(route.link, async (c) => c.json({ data: await sessions.beginByLink(c, c.req.valid('json').code) }, 200))
  api.openapi(route.newLink, async (c) => {
    const { role } = c.req.valid('json')
    const code = await sessions.newLink(c, role, identityOf(c))
    return c.json({ data: { code, expires_in: LINK_SECONDS, role } }, 201)
  })
  api.openapi(route.logout, async (c) => {
    await sessions.end(c, c.req.valid('json').refresh_token)
    return c.body(null, 204)
  })
  api.openapi(route.me, (c) => {
    const { username, role } = identityOf(c)
    return c.json({ data: { username, role } }, 200)
  })
}

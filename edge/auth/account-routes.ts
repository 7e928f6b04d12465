/** `/users`: the accounts of people, for admins. What is changed of one ends its sessions; the last admin stays one. */
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { toIso } from '../../streams/contract/time-text.ts'
import type { Account, ChangeOutcome, Clock, UserStore } from '../ports.ts'
import { Problem } from '../problem.ts'
import { enveloped, metaOf, paged, problems } from '../serve/envelope.ts'
import { cursor, limit, query } from '../serve/params.ts'
import { smallBody } from '../small-body.ts'
import { identityOf } from './guard.ts'
import { hashPassword, PASSWORD_BYTES_MAX, PASSWORD_LENGTH_MIN, passwordFits } from './password.ts'
import { roleOf } from './session-routes.ts'

export interface AccountRoutesDeps {
  users: UserStore
  clock: Pick<Clock, 'now'>
  clientAddress: (c: Context) => string
}

/** Without a colon, which Basic authorization can't carry, and which marks those who are no accounts (`cli:ada`). */
const username = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9._@-]{0,63}$/,
    'expected 1 to 64 lower-case letters, digits, dots, dashes, underscores or @, a letter or digit first',
  )
  .openapi({ example: 'ada' })
const password = z
  .string()
  .min(PASSWORD_LENGTH_MIN)
  .refine(passwordFits, `expected at most ${PASSWORD_BYTES_MAX} bytes in UTF-8`)
  .openapi({ description: `At least ${PASSWORD_LENGTH_MIN} characters`, example: 'correct horse battery staple' })
const account = z.object({ username: z.string(), role: roleOf, created_at: z.iso.datetime() }).openapi('Account')
const named = { params: z.object({ username: z.string().min(1).max(200).openapi({ example: 'ada' }) }) }
const tags = ['Accounts']

const route = {
  list: createRoute({
    method: 'get',
    path: '/users',
    tags,
    summary: 'The accounts, by name',
    request: { query: query({ limit: limit(500, 100), cursor }) },
    responses: { 200: paged(account, 'Accounts'), ...problems(400, 401, 403) },
  }),
  create: createRoute({
    method: 'post',
    path: '/users',
    tags,
    summary: 'Make an account',
    middleware: [smallBody()],
    request: {
      body: {
        required: true,
        content: {
          'application/json': {
            schema: z.strictObject({ username, password, role: roleOf.default('viewer') }).openapi('NewAccount'),
          },
        },
      },
    },
    responses: {
      201: enveloped(account, 'The account'),
      ...problems(400, 401, 403, 409, 413, 415),
    },
  }),
  change: createRoute({
    method: 'patch',
    path: '/users/{username}',
    tags,
    summary: 'Change the role or the password of an account',
    description:
      'Ends its sessions: it signs in again. Access tokens that are out hold until they end by themselves, fifteen minutes at most.',
    middleware: [smallBody()],
    request: {
      ...named,
      body: {
        required: true,
        content: {
          'application/json': {
            schema: z
              .strictObject({ role: roleOf.optional(), password: password.optional() })
              .refine(
                (body) => body.role !== undefined || body.password !== undefined,
                'expected a role, a password or both',
              )
              .openapi('AccountChange', { minProperties: 1 }),
          },
        },
      },
    },
    responses: { 204: { description: 'It is changed' }, ...problems(400, 401, 403, 404, 409, 413, 415) },
  }),
  remove: createRoute({
    method: 'delete',
    path: '/users/{username}',
    tags,
    summary: 'Remove an account',
    request: named,
    responses: { 204: { description: 'It is gone, and its sessions are ended' }, ...problems(400, 401, 403, 404, 409) },
  }),
}

export function addAccountRoutes(api: OpenAPIHono, { users, clock, clientAddress }: AccountRoutesDeps): void {
  const change = (c: Context) => ({
    by: { username: identityOf(c).username, address: clientAddress(c) },
    at: clock.now(),
  })

  api.openapi(route.list, async (c) => {
    const { items, next } = await users.list(c.req.valid('query'))
    return c.json({ data: items.map(shown), meta: { ...metaOf(clock.now()), next_cursor: next } }, 200)
  })
  api.openapi(route.create, async (c) => {
    const { username, password, role } = c.req.valid('json')
    const by = change(c)
    if (!(await users.create({ username, role, password_hash: await hashPassword(password) }, by)))
      throw new Problem('conflict', `There is an account "${username}" already. Change it, or choose another name.`)
    return c.json({ data: shown({ username, role, created_at: by.at }), meta: metaOf(by.at) }, 201)
  })
  api.openapi(route.change, async (c) => {
    const { role, password } = c.req.valid('json')
    const { username } = c.req.valid('param')
    const password_hash = password === undefined ? undefined : await hashPassword(password)
    requireDone(username, await users.change(username, { role, password_hash }, change(c)))
    return c.body(null, 204)
  })
  api.openapi(route.remove, async (c) => {
    const { username } = c.req.valid('param')
    requireDone(username, await users.remove(username, change(c)))
    return c.body(null, 204)
  })
}

/** @throws Problem */
function requireDone(username: string, outcome: ChangeOutcome): void {
  if (outcome === 'missing')
    throw new Problem('not_found', `There is no account "${username}". GET /users has those there are.`)
  if (outcome === 'last_admin')
    throw new Problem('conflict', `"${username}" is the last admin. Make another account an admin first.`)
}

const shown = ({ username, role, created_at }: Account) => ({ username, role, created_at: toIso(created_at) })

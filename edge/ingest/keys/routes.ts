/** `/write-keys`: who may send events. Made and revoked by operators; every change is in the audit log, and holds at this edge at once, at others within seconds. */
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { toIso } from '../../../streams/contract/time-text.ts'
import { identityOf } from '../../auth/guard.ts'
import type { Clock, WriteKeyRow, WriteKeyStore } from '../../ports.ts'
import { Problem } from '../../problem.ts'
import { enveloped, metaOf, problems } from '../../serve/envelope.ts'
import { query } from '../../serve/params.ts'
import { smallBody } from '../../small-body.ts'
import type { KeyMaker } from './key-text.ts'
import { BUILT_IN, type WriteKeys } from './write-keys.ts'

export interface WriteKeyRoutesDeps {
  store: WriteKeyStore
  keys: Pick<WriteKeys, 'refresh'>
  maker: Pick<KeyMaker, 'make'>
  clock: Pick<Clock, 'now'>
  clientAddress: (c: Context) => string
}

const ORIGINS_MAX = 50
const REVOKED_SHOWN = 100
const EVENTS_PER_MINUTE_MAX = 1_000_000_000

/** As browsers send it: `https://shop.example`, a port only where it is not the usual one. */
const origin = z
  .string()
  .max(300)
  .refine(
    (text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) && new URL(text).origin === text,
    'expected an origin as browsers send it, e.g. https://shop.example or http://localhost:3000: lower case, no path, no slash at the end',
  )
  .openapi({ example: 'https://shop.example' })
const name = z
  .string()
  .min(1)
  .max(100)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  .regex(/^[^\u0000-\u001f\u007f]+$/, 'must not contain control characters')

const described = z
  .object({
    id: z.string().describe('Public: the key begins with it. `default` is the key of the platform itself'),
    name: z.string(),
    origins: z.array(z.string()).nullable().describe('Of pages that may send with it; null: all pages'),
    events_per_minute: z.number().int().nullable().describe('For each edge process; null: no quota'),
    requires_consent: z.boolean().describe('Whether an event that does not say `"consent": true` is let go'),
    created_at: z.iso.datetime().nullable(),
    created_by: z.string().nullable(),
    revoked_at: z.iso.datetime().nullable(),
    revoked_by: z.string().nullable(),
  })
  .openapi('WriteKey')
const made = described.extend({ key: z.string().describe('The key itself: shown now and never again') })

const list = createRoute({
  method: 'get',
  path: '/write-keys',
  tags: ['Write keys'],
  summary: 'The keys that let clients send events',
  request: {
    query: query({
      revoked: z
        .enum(['true', 'false'])
        .default('false')
        .openapi({ description: `true: the last ${REVOKED_SHOWN} that were revoked as well` }),
    }),
  },
  responses: {
    200: enveloped(z.array(described), 'Keys without their secrets, the oldest first'),
    ...problems(400, 401, 403),
  },
})
const create = createRoute({
  method: 'post',
  path: '/write-keys',
  tags: ['Write keys'],
  summary: 'Make a key',
  description:
    'The answer has the key itself, this once: only its hash is kept. `origins` keeps other web pages from sending with a key that is public by nature; programs that are no browsers can name any ' +
    'origin, or none. Beyond `events_per_minute` the key is answered with 429 until some have come back. With `requires_consent`, an event that does not say that whom it is about agrees is let go, as one is everywhere that says no.',
  middleware: [smallBody()],
  request: {
    body: {
      required: true,
      content: {
        'application/json': {
          schema: z
            .strictObject({
              name,
              origins: z.array(origin).max(ORIGINS_MAX).nullish().describe('[]: no page at all, servers only'),
              events_per_minute: z.number().int().min(1).max(EVENTS_PER_MINUTE_MAX).nullish(),
              requires_consent: z.boolean().optional(),
            })
            .openapi('NewWriteKey'),
        },
      },
    },
  },
  responses: { 201: enveloped(made, 'The key'), ...problems(400, 401, 403, 413, 415, 422) },
})
const revoke = createRoute({
  method: 'delete',
  path: '/write-keys/{id}',
  tags: ['Write keys'],
  summary: 'Revoke a key',
  description: 'For ever. What it has sent stays.',
  request: { params: z.object({ id: z.string().min(1).max(100).openapi({ example: 'wk_3f9a0c12d4e5' }) }) },
  responses: { 204: { description: 'It no longer holds' }, ...problems(400, 401, 403, 404, 409) },
})

export function addWriteKeyRoutes(
  api: OpenAPIHono,
  { store, keys, maker, clock, clientAddress }: WriteKeyRoutesDeps,
): void {
  const actorOf = (c: Context) => ({ username: identityOf(c).username, address: clientAddress(c) })

  api.openapi(list, async (c) => {
    const { revoked } = c.req.valid('query')
    const rows = await store.live()
    if (revoked === 'true') rows.push(...(await store.revoked(REVOKED_SHOWN)))
    return c.json({ data: [BUILT_IN_ROW, ...rows.map(rowOf)], meta: metaOf(clock.now()) }, 200)
  })

  api.openapi(create, async (c) => {
    const { name, origins = null, events_per_minute = null, requires_consent = false } = c.req.valid('json')
    const { id, text, hash } = maker.make()
    const row = {
      id,
      name,
      hash,
      origins: origins && [...new Set(origins)],
      events_per_minute,
      requires_consent,
      created_at: clock.now(),
    }
    const by = actorOf(c)
    if (!(await store.create(row, by))) {
      throw new Problem('unprocessable', 'There are as many write keys as there may be. Revoke one that is not used.')
    }
    await keys.refresh()
    c.header('cache-control', 'no-store')
    const data = { ...rowOf({ ...row, created_by: by.username, revoked_at: null, revoked_by: null }), key: text }
    return c.json({ data, meta: metaOf(clock.now()) }, 201)
  })

  api.openapi(revoke, async (c) => {
    const { id } = c.req.valid('param')
    if (id === BUILT_IN.id) {
      throw new Problem(
        'conflict',
        'The key `default` is the platform’s own: change STREAMFORGE_WRITE_KEY, or writeKey in secrets.json of the data folder, and start it again.',
      )
    }
    if (id.includes('\0') || !(await store.revoke(id, clock.now(), actorOf(c)))) {
      throw new Problem('not_found', 'There is no such write key, or it is revoked already. GET /write-keys has them.')
    }
    await keys.refresh()
    return c.body(null, 204)
  })
}

const BUILT_IN_ROW = {
  id: BUILT_IN.id,
  name: BUILT_IN.name,
  origins: null,
  events_per_minute: null,
  requires_consent: false,
  created_at: null,
  created_by: null,
  revoked_at: null,
  revoked_by: null,
}

const rowOf = (row: WriteKeyRow) => ({
  id: row.id,
  name: row.name,
  origins: row.origins && [...row.origins],
  events_per_minute: row.events_per_minute,
  requires_consent: row.requires_consent,
  created_at: toIso(row.created_at),
  created_by: row.created_by,
  revoked_at: row.revoked_at === null ? null : toIso(row.revoked_at),
  revoked_by: row.revoked_by,
})

/**
 * `/privacy/erasures`: a person is to be forgotten, and how far that is; for admins. The edge notes the wish alone; the workflow `eraseSubject` carries it out, and the steps that it notes are the
 * certificate.
 *
 * Invariant: no answer holds the person's id. A hash tells whoever knows the id that it was this one.
 */
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { ERASURE_STATES } from '../../db/postgres/batch-schema.ts'
import { toIso } from '../../streams/contract/time-text.ts'
import { identityOf } from '../auth/guard.ts'
import { BASE } from '../base-path.ts'
import type { Clock, ErasureRow, ErasureStore } from '../ports.ts'
import { Problem } from '../problem.ts'
import { smallBody } from '../small-body.ts'
import { enveloped, metaOf, paged, problems } from './envelope.ts'
import { cursor, idParam, limit, noQuery, query } from './params.ts'

export interface ErasureRoutesDeps {
  erasures: ErasureStore
  newId: () => string
  clock: Pick<Clock, 'now'>
  clientAddress: (c: Context) => string
}

const state = z
  .enum(ERASURE_STATES)
  .describe('`waiting_for_log`: everything is erased but the events that the log keeps until its retention has passed')
const erasure = z
  .object({
    id: z.string(),
    state,
    subject_hash: z
      .string()
      .describe('SHA-256 of `<salt>:<user id>`, hexadecimal: tells who knows the id that it was this one'),
    salt: z.string(),
    requested_at: z.iso.datetime(),
    requested_by: z.string(),
    updated_at: z.iso.datetime(),
    waits_until: z.iso.datetime().nullable().describe('When the log will have let go of the events, by its retention'),
    completed_at: z.iso.datetime().nullable(),
    failure: z
      .string()
      .nullable()
      .describe(
        'Why it failed; asking again for the same person goes on where it stopped. Of one that is under way: what it can not get past at the moment, and tries again',
      ),
    steps: z
      .array(z.looseObject({ step: z.string(), at: z.iso.datetime() }))
      .describe('What was removed where and when, in counts. Of a complete erasure this is the certificate'),
  })
  .openapi('Erasure')

const tags = ['Privacy']
const route = {
  request: createRoute({
    method: 'post',
    path: '/privacy/erasures',
    tags,
    summary: 'Erase a person',
    description:
      'Removes the person from features, results, the lake and every snapshot of it, and waits until the log has let go of the events. An id that is being erased is not erased twice: the answer is that erasure. Where it waits for the log alone, the answer is another one, of what has come since. What is sent of the person after this is new, and is kept.',
    middleware: [smallBody()],
    request: {
      query: noQuery,
      body: {
        required: true,
        content: {
          'application/json': {
            schema: z
              .strictObject({
                user_id: idParam(
                  'A user id, or an anonymous one. Anonymous ids seen with a user id are erased with it',
                ),
              })
              .openapi('NewErasure'),
          },
        },
      },
    },
    responses: {
      202: {
        ...enveloped(erasure, 'The erasure, which goes on by itself'),
        headers: { Location: { description: 'Where it is told how far it is', schema: { type: 'string' as const } } },
      },
      ...problems(400, 401, 403, 413, 415),
    },
  }),
  list: createRoute({
    method: 'get',
    path: '/privacy/erasures',
    tags,
    summary: 'Erasures of persons, the newest first',
    request: { query: query({ state: state.optional(), limit: limit(500, 100), cursor }) },
    responses: { 200: paged(erasure, 'Erasures'), ...problems(400, 401, 403) },
  }),
  one: createRoute({
    method: 'get',
    path: '/privacy/erasures/{id}',
    tags,
    summary: 'How far an erasure is; its certificate',
    request: { query: noQuery, params: z.object({ id: z.uuid() }) },
    responses: { 200: enveloped(erasure, 'The erasure'), ...problems(400, 401, 403, 404) },
  }),
}

export function addErasureRoutes(api: OpenAPIHono, { erasures, newId, clock, clientAddress }: ErasureRoutesDeps): void {
  api.openapi(route.request, async (c) => {
    const { user_id: userId } = c.req.valid('json')
    const at = clock.now()
    const by = { username: identityOf(c).username, address: clientAddress(c) }
    const row = await erasures.request({ id: newId(), userId, salt: newId(), by, at })
    c.header('location', `${BASE}/privacy/erasures/${row.id}`)
    return c.json({ data: shown(row), meta: metaOf(at) }, 202)
  })
  api.openapi(route.list, async (c) => {
    const { items, next } = await erasures.page(c.req.valid('query'))
    return c.json({ data: items.map(shown), meta: { ...metaOf(clock.now()), next_cursor: next } }, 200)
  })
  api.openapi(route.one, async (c) => {
    const row = await erasures.find(c.req.valid('param').id)
    if (row === null)
      throw new Problem('not_found', 'There is no such erasure. GET /privacy/erasures has those there are.')
    return c.json({ data: shown(row), meta: metaOf(clock.now()) }, 200)
  })
}

const isoOrNull = (ms: number | null): string | null => (ms === null ? null : toIso(ms))

const shown = (row: ErasureRow) => ({
  id: row.id,
  state: row.state,
  subject_hash: row.subject_hash,
  salt: row.salt,
  requested_at: toIso(row.requested_at),
  requested_by: row.requested_by,
  updated_at: toIso(row.updated_at),
  waits_until: isoOrNull(row.waits_until),
  completed_at: isoOrNull(row.completed_at),
  failure: row.failure,
  steps: row.steps,
})

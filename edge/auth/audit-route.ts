/** `GET /audit`: who changed what through the edge, and who signed in, the newest first. */
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import { toIso } from '../../streams/contract/time-text.ts'
import type { AuditStore, Clock } from '../ports.ts'
import { metaOf, paged, problems } from '../serve/envelope.ts'
import { cursor, idParam, limit, query } from '../serve/params.ts'

export interface AuditRouteDeps {
  audit: Pick<AuditStore, 'page'>
  clock: Pick<Clock, 'now'>
}

const entry = z
  .object({
    id: z.number().int(),
    at: z.iso.datetime(),
    actor: z.string().describe('An account; `cli:<user>` on the machine of the platform; `start` when it started'),
    action: z.string().openapi({ example: 'user.change' }),
    target: z.string().describe('What it was done to'),
    detail: z.record(z.string(), z.unknown()).describe('What is worth knowing besides, never a secret'),
    address: z.string().nullable().describe('Of the client, as the server sees it'),
  })
  .openapi('AuditEntry')

const route = createRoute({
  method: 'get',
  path: '/audit',
  tags: ['Access'],
  summary: 'The audit log, the newest first',
  request: {
    query: query({
      actor: idParam('Only what this account did').optional(),
      target: idParam('Only what was done to this').optional(),
      limit: limit(500, 100),
      cursor,
    }),
  },
  responses: { 200: paged(entry, 'Entries'), ...problems(400, 401, 403) },
})

export function addAuditRoute(api: OpenAPIHono, { audit, clock }: AuditRouteDeps): void {
  api.openapi(route, async (c) => {
    const { items, next } = await audit.page(c.req.valid('query'))
    const data = items.map((row) => ({ ...row, at: toIso(row.at) }))
    return c.json({ data, meta: { ...metaOf(clock.now()), next_cursor: next } }, 200)
  })
}

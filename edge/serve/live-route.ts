/** `GET /live`: the live stream as server-sent events. */
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import { identityOf } from '../auth/guard.ts'
import { problems } from './envelope.ts'
import type { LiveHub } from './live.ts'
import { LIVE_TOPICS, type LiveTopic } from './live-client.ts'
import { placeOf } from './live-place.ts'
import { query } from './params.ts'

const id = z.string().max(300)
const topics = z
  .string()
  .max(100)
  .transform((text, context): LiveTopic[] => {
    const names = text.split(',').map((name) => name.trim())
    const known = LIVE_TOPICS.filter((topic) => names.includes(topic))
    if (known.length === new Set(names).size) return known
    context.addIssue({ code: 'custom', message: `expected some of ${LIVE_TOPICS.join(', ')}, with commas between` })
    return z.NEVER
  })
  .openapi({
    type: 'string',
    description: 'Some of snapshot, alert, pipeline, with commas between; all when missing',
    example: 'alert',
  })

const route = createRoute({
  method: 'get',
  path: '/live',
  tags: ['Metrics'],
  summary: 'Everything the dashboard shows, once a second, and each alert that is new or has changed',
  description: `Server-sent events, each with JSON as its data:

- \`snapshot\`: what the dashboard shows, whole in itself, once a second. Clients that are slow miss some.
- \`alert\`: an alert that is new or has changed, as \`GET /fraud-alerts\` has it. In the order of the changes; none is left out.
- \`pipeline\`: how tasks and workflows are, at first and when one changes its state.
- \`problem\`: the results can not be read at the moment; the stream goes on by itself.
- \`reset\`: too much has changed since the id that was given, or it is not known here. Read \`/fraud-alerts\` anew.
- \`bye\`: the stream ends. \`reason\` is \`token_expired\` (come back with a new token) or \`stopping\`.

Every event has an id. Given back as \`Last-Event-ID\`, or \`last_event_id\` in the query, to any edge of the platform, the stream begins with the alerts that have changed since. Comments are heartbeats.`,
  request: {
    query: query({
      topics: topics.optional(),
      last_event_id: id.optional().openapi({ description: 'Where the header can not be sent' }),
    }),
    headers: z.object({
      'last-event-id': id.optional().openapi({ description: 'Of the last event that was received' }),
    }),
  },
  responses: {
    200: { description: 'The stream', content: { 'text/event-stream': { schema: z.string() } } },
    ...problems(400, 401, 503),
  },
})

export function addLiveRoute(api: OpenAPIHono, hub: Pick<LiveHub, 'subscribe'>): void {
  api.openapi(route, (c) => {
    const headers = { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' }
    // HEAD must not leave a client behind that nobody reads.
    if (c.req.method === 'HEAD') return c.body(null, 200, headers)
    const asked = c.req.valid('query')
    const last = c.req.valid('header')['last-event-id'] || asked.last_event_id
    const stream = hub.subscribe({
      topics: new Set(asked.topics ?? LIVE_TOPICS),
      expiresAt: identityOf(c).expiresAt ?? Number.POSITIVE_INFINITY,
      after: last ? (placeOf(last) ?? 'unknown') : null,
    })
    return c.body(stream, 200, headers)
  })
}

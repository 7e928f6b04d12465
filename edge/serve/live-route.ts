/** `GET /live`: the live stream as server-sent events. */
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import { problems } from './envelope.ts'
import type { LiveHub } from './live.ts'

const route = createRoute({
  method: 'get',
  path: '/live',
  tags: ['Metrics'],
  summary: 'Everything the dashboard shows, once a second',
  description:
    'Server-sent events: `snapshot` (JSON, whole in itself), `problem` while results can not be read, and comments as heartbeats. Clients that are slow miss snapshots.',
  responses: {
    200: { description: 'The stream', content: { 'text/event-stream': { schema: z.string() } } },
    ...problems(401, 503),
  },
})

export function addLiveRoute(api: OpenAPIHono, hub: Pick<LiveHub, 'subscribe'>): void {
  api.openapi(route, (c) => {
    const headers = { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' }
    // HEAD must not leave a client behind that nobody reads.
    if (c.req.method === 'HEAD') return c.body(null, 200, headers)
    return c.body(hub.subscribe(), 200, headers)
  })
}

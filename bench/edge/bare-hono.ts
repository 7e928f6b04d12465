/** The limit that ingestion can be held to: a Hono handler that parses the JSON and does nothing with it, behind the same server as the edge's. A part of the benchmark, on any runtime. */
import { Hono } from 'hono'
import { serveHere } from '../../edge/runtime/here.ts'
import { tell, told } from '../child.ts'

const app = new Hono().post('/api/v1/events', async (c) => {
  const events = await c.req.json<unknown[]>()
  return c.json({ accepted: events.length }, 202)
})
const serve = await serveHere()
const served = await serve({ fetch: app.fetch, host: '127.0.0.1', port: 0 })
tell({ url: served.url })
while ((await told()) !== 'end');
await served.close()
process.exit()

/**
 * What caches may do with answers, and answers that a client has already: ETag, If-None-Match and 304 (RFC 9110) for every reading, in one place.
 *
 * A tag is weak: it stands for what an answer says, not for when it was made. So `generated_at`, the watermark and the freshness in `meta` are left out of it, and a range
 * that is over keeps its tag while the platform goes on. Whatever is no reading, and names no rule of its own, is kept by nobody.
 */
import type { MiddlewareHandler } from 'hono'
import { withoutBase } from '../base-path.ts'
import { sha256Of } from '../sha256.ts'

/** Live metrics are kept for a second here too (`reader.ts`); anything else is asked for each time, and mostly answered by a 304. */
const CACHE_METRICS = 'private, max-age=1'
const CACHE = 'private, no-cache'

export const conditional: MiddlewareHandler = async (c, next) => {
  if (c.req.method !== 'GET' && c.req.method !== 'HEAD') {
    // Before there is an answer: to look into one, or to change it, makes a slower one of it on Node.
    c.header('cache-control', 'no-store')
    return next()
  }
  await next()
  if (c.res.headers.has('cache-control')) return
  if (c.res.status !== 200 || !c.res.headers.get('content-type')?.startsWith('application/json')) {
    c.header('cache-control', 'no-store')
    return
  }
  const text = await c.res.text()
  const tag = await tagOf(text)
  const isKnown = knows(c.req.header('if-none-match'), tag)
  c.res = isKnown ? new Response(null, { status: 304 }) : new Response(text, c.res)
  c.header('etag', tag)
  c.header('cache-control', withoutBase(c.req.path).startsWith('/metrics/') ? CACHE_METRICS : CACHE)
  c.header('vary', 'authorization', { append: true })
}

/** In `meta` as `metaOf` writes it. No text of the data can look like this: its quotes are escaped. */
const FRESHNESS = /"meta":\{"generated_at":"[^"]*","watermark":(?:null|"[^"]*"),"freshness_ms":(?:null|-?\d+)/

async function tagOf(text: string): Promise<string> {
  const hash = (await sha256Of(text.replace(FRESHNESS, ''))).subarray(0, 16)
  return `W/"${Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('')}"`
}

function knows(ifNoneMatch: string | undefined, tag: string): boolean {
  if (ifNoneMatch === undefined) return false
  const opaque = tag.slice(2)
  return ifNoneMatch.split(',').some((known) => known.trim() === '*' || known.trim().replace(/^W\//, '') === opaque)
}

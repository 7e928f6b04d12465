/** Files from memory: the dashboard, its scripts and styles, the API's documentation page, and the tracker. */
import type { OpenAPIHono } from '@hono/zod-openapi'
import type { Asset, Assets } from '../ports.ts'

/** The tracker: for pages of other origins, and kept by browsers for an hour, since its address stays the same. */
export const TRACKER_PATH = '/sf.js'

export function addAssetRoutes(app: OpenAPIHono, assets: Assets): void {
  for (const [path, asset] of assets) {
    const headers = headersOf(path, asset)
    let compressed: Promise<ArrayBuffer> | undefined
    app.get(path, async (c) => {
      c.header('vary', 'accept-encoding', { append: true })
      if (!TAKES_GZIP.test(c.req.header('accept-encoding') ?? '')) return c.body(asset.body, 200, headers)
      compressed ??= gzip(asset.body)
      return c.body(await compressed, 200, { ...headers, 'content-encoding': 'gzip' })
    })
  }
}

const TAKES_GZIP = /(?:^|,)\s*gzip\s*(?!\s*;\s*q=0(?:\.0+)?\s*(?:,|$))/i

const gzip = (body: Asset['body']): Promise<ArrayBuffer> =>
  new Response(new Blob([body]).stream().pipeThrough(new CompressionStream('gzip'))).arrayBuffer()

function headersOf(path: string, { contentType, immutable }: Asset): Record<string, string> {
  const type = { 'content-type': contentType }
  if (immutable) return { ...type, 'cache-control': 'public, max-age=31536000, immutable' }
  return path === TRACKER_PATH
    ? { ...type, 'cache-control': 'public, max-age=3600', 'access-control-allow-origin': '*' }
    : { ...type, 'cache-control': 'no-cache' }
}

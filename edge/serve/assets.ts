/** Files from memory: the dashboard, its scripts and styles, and the API's documentation page. */
import type { OpenAPIHono } from '@hono/zod-openapi'
import type { Assets } from '../ports.ts'

export function addAssetRoutes(app: OpenAPIHono, assets: Assets): void {
  for (const [path, asset] of assets) {
    const cacheControl = asset.immutable ? 'public, max-age=31536000, immutable' : 'no-cache'
    app.get(path, (c) => c.body(asset.body, 200, { 'content-type': asset.contentType, 'cache-control': cacheControl }))
  }
}

import { gzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { createHarness } from '../testing/harness.ts'
import { buildTracker } from './bundle.ts'

const KIB = 1024

it('is less than 4 KiB to load, gzipped', async () => {
  const { body } = await buildTracker()
  expect(gzipSync(body).length).toBeLessThan(4 * KIB)
})

it('can be loaded by the pages of any origin, and is kept for an hour', async () => {
  const edge = await createHarness({ assets: new Map([['/sf.js', await buildTracker()]]) })
  const { status, headers } = await edge.app.request('/sf.js')
  expect(status).toBe(200)
  expect(headers.get('content-type')).toBe('text/javascript; charset=utf-8')
  expect(headers.get('access-control-allow-origin')).toBe('*')
  expect(headers.get('cache-control')).toBe('public, max-age=3600')
})

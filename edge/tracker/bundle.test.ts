import { gunzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { createHarness } from '../testing/harness.ts'
import { buildTracker } from './bundle.ts'

const KIB = 1024

it('is less than 4 KiB to load, and the same as it is', async () => {
  const tracker = await buildTracker()
  const edge = await createHarness({ assets: new Map([['/sf.js', tracker]]) })
  const load = (encoding: string) => edge.app.request('/sf.js', { headers: { 'accept-encoding': encoding } })
  const compressed = await load('br, gzip;q=0.8')
  expect([compressed.headers.get('content-encoding'), compressed.headers.get('vary')]).toEqual([
    'gzip',
    'accept-encoding',
  ])
  const bytes = new Uint8Array(await compressed.arrayBuffer())
  expect(bytes.length).toBeLessThan(4 * KIB)
  expect(gunzipSync(bytes).equals(tracker.body)).toBe(true)
  const plain = await load('br, gzip;q=0')
  expect(plain.headers.get('content-encoding')).toBeNull()
  expect(Buffer.from(await plain.arrayBuffer()).equals(tracker.body)).toBe(true)
})

it('can be loaded by the pages of any origin, and is kept for an hour', async () => {
  const edge = await createHarness({ assets: new Map([['/sf.js', await buildTracker()]]) })
  const { status, headers } = await edge.app.request('/sf.js')
  expect(status).toBe(200)
  expect(headers.get('content-type')).toBe('text/javascript; charset=utf-8')
  expect(headers.get('access-control-allow-origin')).toBe('*')
  expect(headers.get('cache-control')).toBe('public, max-age=3600')
})

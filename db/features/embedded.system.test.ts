/** The embedded feature store while one thread writes and another reads, as streams and edge do; and with a full disk. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startThread } from '../../observability/threads.ts'
import { clickFeatures } from '../testing/feature-values.ts'
import { openEmbeddedFeatures } from './embedded.ts'

const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'streamforge-features-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

test('a thread reads whole and ever newer features while this one writes them', async () => {
  const last = 400
  const thread = startThread(new URL('../testing/feature-reader.ts', import.meta.url), { workerData: { folder, last } })
  const result = once(thread, 'message') as Promise<[{ reads: number; faults: string[] }]>
  // Its end may come right behind its message.
  const ended = once(thread, 'exit')
  const store = await openEmbeddedFeatures(folder)
  for (let position = 1; position <= last; position++) {
    await store.write(
      ['a', 'b', 'c'].map((userId) => ({
        userId,
        part: 'clicks' as const,
        partition: 0,
        position,
        // Grows and shrinks, so that entries move between pages.
        value: clickFeatures({ total_events: position, last_page: 'p'.repeat((position * 137) % 3_000) }),
      })),
    )
  }
  const [{ reads, faults }] = await result
  expect(faults).toEqual([])
  expect(reads).toBeGreaterThan(0)
  await ended
  await store.close()
})

test('with a full disk a write is an error, not a crash, and what was written stays', async () => {
  const args = [
    '-c',
    'ulimit -f 2048; exec "$@"',
    'bash',
    process.execPath,
    '--import',
    file('../../cli/typescript.mjs'),
  ]
  const child = spawn('bash', [...args, file('../testing/feature-filler.ts'), folder], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let out = ''
  let err = ''
  child.stdout.on('data', (chunk) => {
    out += chunk
  })
  child.stderr.on('data', (chunk) => {
    err += chunk
  })
  const [code] = (await once(child, 'close')) as [number | null]
  expect(code, err).toBe(0)
  const { written, error } = JSON.parse(out) as { written: number; error: string }
  expect(error).toMatch(/^The features in .* could not be written: .*\. If the disk is full, make room\.$/)
  expect(written).toBeGreaterThan(0)
  const store = await openEmbeddedFeatures(folder)
  for (let i = 0; i < written; i++) expect((await store.read(`user-${i}`))?.clicks?.position).toBe(i)
  await store.write([{ userId: 'again', part: 'clicks', partition: 0, position: 1, value: clickFeatures() }])
  expect(await store.read('again')).not.toBe(null)
  await store.close()
})

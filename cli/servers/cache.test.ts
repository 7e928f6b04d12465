/** The cache of servers: complete folders only, one builder at a time, and no lock that outlives its owner. */
import { spawnSync } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { cached } from './cache.ts'

let serversDir: string
beforeEach(async () => {
  serversDir = await mkdtemp(join(tmpdir(), 'streamforge-cache-'))
})
afterEach(() => rm(serversDir, { recursive: true, force: true }))

const build = async (folder: string) => writeFile(join(folder, 'program'), 'built')

test('several that want the same server at once get one build, and nothing else is left in the folder', async () => {
  let builds = 0
  const wanted = Array.from({ length: 8 }, () =>
    cached({
      serversDir,
      name: 'server-1',
      async build(folder) {
        builds++
        await build(folder)
      },
    }),
  )
  const folders = await Promise.all(wanted)
  expect(builds).toBe(1)
  expect(new Set(folders).size).toBe(1)
  expect(await readFile(join(folders[0]!, 'program'), 'utf8')).toBe('built')
  expect(await readdir(serversDir)).toEqual(['server-1'])
})

test('a build that fails leaves nothing, and the next one may succeed', async () => {
  const failing = cached({ serversDir, name: 'server-1', build: () => Promise.reject(new Error('no network')) })
  await expect(failing).rejects.toThrow('no network')
  expect(await readdir(serversDir)).toEqual([])
  await cached({ serversDir, name: 'server-1', build })
  expect(await readdir(serversDir)).toEqual(['server-1'])
})

test('the lock of a builder that was killed is taken over', async () => {
  const dead = spawnSync(process.execPath, ['-e', '']).pid
  await writeFile(join(serversDir, 'server-1.lock'), String(dead))
  await Promise.all([1, 2, 3].map(() => cached({ serversDir, name: 'server-1', build })))
  expect(await readdir(serversDir)).toEqual(['server-1'])
})

test('the lock of a builder that lives is respected, and the waiting ends with a sentence', async () => {
  await writeFile(join(serversDir, 'server-1.lock'), String(process.pid))
  const waiting = cached({ serversDir, name: 'server-1', build, timeoutMs: 300 })
  await expect(waiting).rejects.toThrow(/Another process has been building server-1 .* remove .*server-1\.lock/)
})

/** The embedded and the memory form of the feature store pass the suite; the embedded one keeps what it has. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { describeFeatureStore } from '../testing/feature-store-suite.ts'
import { clickFeatures } from '../testing/feature-values.ts'
import { createMemoryFeatures } from '../testing/memory-features.ts'
import { openEmbeddedFeatures } from './embedded.ts'

const temporary = () => mkdtemp(join(tmpdir(), 'streamforge-features-'))

describeFeatureStore('embedded features', async () => {
  const folder = await temporary()
  const store = await openEmbeddedFeatures(folder)
  return {
    store,
    reopen: () => openEmbeddedFeatures(folder),
    async dispose() {
      await store.close()
      await rm(folder, { recursive: true })
    },
  }
})

describeFeatureStore('memory features', async () => {
  const store = createMemoryFeatures()
  return { store, reopen: async () => store, dispose: () => store.close() }
})

test('features and generation outlast closing, in a folder whose name has a dot', async () => {
  const folder = join(await temporary(), 'features.v1')
  const write = (position: number) => ({
    userId: 'u',
    part: 'clicks' as const,
    partition: 0,
    position,
    value: clickFeatures(),
  })
  const first = await openEmbeddedFeatures(folder)
  await first.write([write(5)])
  await first.setGeneration('g')
  await first.close()
  const second = await openEmbeddedFeatures(folder)
  await second.write([write(4)])
  expect(await second.read('u')).toEqual({ clicks: { value: clickFeatures(), partition: 0, position: 5 } })
  expect(await second.generation()).toBe('g')
  await second.close()
  await rm(join(folder, '..'), { recursive: true })
})

test('an emptied memory store has no generation', async () => {
  const store = createMemoryFeatures()
  await store.write([{ userId: 'u', part: 'clicks', partition: 0, position: 1, value: clickFeatures() }])
  await store.setGeneration('g')
  expect(store.snapshot().map(([id]) => id)).toEqual(['u'])
  store.flushAll()
  expect([await store.read('u'), await store.generation(), store.snapshot()]).toEqual([null, null, []])
})

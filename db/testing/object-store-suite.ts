/**
 * What every form of the object store must do, as tests: the folder, S3 and the memory form each call {@link describeObjectStore}.
 * Each test gets an empty store.
 */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { BulkObjectStore } from '../objects/object-store.ts'

export interface ObjectsUnderTest {
  store: BulkObjectStore
  dispose(): Promise<void>
}

/** Bytes that differ from place to place, so that parts in a wrong order are seen. */
export function patterned(bytes: number): Buffer {
  const body = Buffer.alloc(bytes)
  for (let at = 0; at + 4 <= bytes; at += 4) body.writeUInt32LE(Math.imul(at + 1, 2_654_435_761) >>> 0, at)
  return body
}

export function describeObjectStore(name: string, open: () => Promise<ObjectsUnderTest>): void {
  describe(name, () => {
    let current: ObjectsUnderTest | null = null
    let folder = ''
    const fresh = async (): Promise<BulkObjectStore> => {
      current = await open()
      return current.store
    }
    const local = (name: string): string => join(folder, name)
    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'streamforge-objects-local-'))
    })
    afterEach(async () => {
      await current?.dispose()
      current = null
      await rm(folder, { recursive: true, force: true })
    })

    test('an object that was never put is null', async () => {
      const store = await fresh()
      expect(await store.get('checkpoints/none')).toBe(null)
      expect(await store.get('none')).toBe(null)
    })

    test('what was put is got, byte for byte', async () => {
      const store = await fresh()
      const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i))
      await store.put('a/b/c.bin', bytes)
      await store.put('top', new Uint8Array([1, 2]))
      expect((await store.get('a/b/c.bin'))?.equals(bytes)).toBe(true)
      expect([...(await store.get('top'))!]).toEqual([1, 2])
    })

    test('an empty object is an object', async () => {
      const store = await fresh()
      await store.put('empty', Buffer.alloc(0))
      expect((await store.get('empty'))?.length).toBe(0)
      expect(await store.list('')).toEqual(['empty'])
    })

    test('several megabytes', async () => {
      const store = await fresh()
      const body = Buffer.alloc(6_000_000, 'abcdefg')
      await store.put('large', body)
      expect((await store.get('large'))?.equals(body)).toBe(true)
    })

    test('putting again replaces the whole object', async () => {
      const store = await fresh()
      await store.put('k', Buffer.from('a long first version'))
      await store.put('k', Buffer.from('short'))
      expect((await store.get('k'))?.toString()).toBe('short')
    })

    test('of many puts of one key at once, one is there whole', async () => {
      const store = await fresh()
      const bodies = Array.from({ length: 8 }, (_, i) => Buffer.alloc(20_000, `${i}`))
      await Promise.all(bodies.map((body) => store.put('k', body)))
      const got = await store.get('k')
      expect(bodies.some((body) => body.equals(got!))).toBe(true)
    })

    test('many keys at once, in the same new places', async () => {
      const store = await fresh()
      const keys = Array.from({ length: 40 }, (_, i) => `deep/${i % 3}/er/${i}`)
      await Promise.all(keys.map((key) => store.put(key, Buffer.from(key))))
      expect(await store.list('deep/')).toEqual([...keys].sort())
      for (const key of keys) expect((await store.get(key))?.toString()).toBe(key)
    })

    test('list gives the keys that begin with the prefix, ascending', async () => {
      const store = await fresh()
      const keys = ['a', 'a-b/c', 'ab/1', 'ab/10', 'ab/2', 'b/x/y/z', 'b/x=1, (2)/ü.parquet', 'c.d']
      for (const key of [...keys].reverse()) await store.put(key, Buffer.from(key))
      expect(await store.list('')).toEqual(keys)
      expect(await store.list('ab/')).toEqual(['ab/1', 'ab/10', 'ab/2'])
      expect(await store.list('ab/1')).toEqual(['ab/1', 'ab/10'])
      expect(await store.list('a')).toEqual(['a', 'a-b/c', 'ab/1', 'ab/10', 'ab/2'])
      expect(await store.list('b/x')).toEqual(['b/x/y/z', 'b/x=1, (2)/ü.parquet'].sort())
      expect(await store.list('nothing/here/')).toEqual([])
      expect(await store.list('a/')).toEqual([])
    })

    test('what was deleted is gone, and deleting what is not there is no error', async () => {
      const store = await fresh()
      await store.put('a/1', Buffer.from('1'))
      await store.put('a/2', Buffer.from('2'))
      await store.delete('a/1')
      await store.delete('a/1')
      await store.delete('never/was')
      expect(await store.get('a/1')).toBe(null)
      expect(await store.list('a/')).toEqual(['a/2'])
    })

    test('changing the body after putting it, or what was got, changes nothing stored', async () => {
      const store = await fresh()
      const body = Buffer.from('as put')
      await store.put('k', body)
      body.write('broken')
      ;(await store.get('k'))!.write('broken')
      expect((await store.get('k'))?.toString()).toBe('as put')
    })

    test('its location is a URL without a slash at its end', async () => {
      expect((await fresh()).location).toMatch(/^(s3|file|memory):\/\/(.*[^/])?$/)
    })

    test('put if absent puts once, and tells', async () => {
      const store = await fresh()
      expect(await store.putIfAbsent('a/k', Buffer.from('first'))).toBe(true)
      expect(await store.putIfAbsent('a/k', Buffer.from('second'))).toBe(false)
      expect((await store.get('a/k'))?.toString()).toBe('first')
      await store.delete('a/k')
      expect(await store.putIfAbsent('a/k', Buffer.from('third'))).toBe(true)
      expect(await store.list('')).toEqual(['a/k'])
    })

    test('of 20 that put one absent key at once, one wins, and its bytes are there', async () => {
      const store = await fresh()
      const bodies = Array.from({ length: 20 }, (_, i) => Buffer.alloc(5_000, `${i}.`))
      const won = await Promise.all(bodies.map((body) => store.putIfAbsent('a/race', body)))
      expect(won.filter(Boolean)).toHaveLength(1)
      expect((await store.get('a/race'))?.equals(bodies[won.indexOf(true)]!)).toBe(true)
    })

    test('a range, from either end, and what is left where the object ends before', async () => {
      const store = await fresh()
      const body = patterned(10_000)
      await store.put('k', body)
      const range = async (start: number, length: number) => store.getRange('k', start, length)
      expect((await range(0, 10))?.equals(body.subarray(0, 10))).toBe(true)
      expect((await range(9_000, 500))?.equals(body.subarray(9_000, 9_500))).toBe(true)
      expect((await range(9_990, 500))?.equals(body.subarray(9_990))).toBe(true)
      expect((await range(-8, 8))?.equals(body.subarray(-8))).toBe(true)
      expect((await range(-8, 3))?.equals(body.subarray(-8, -5))).toBe(true)
      expect((await range(-20_000, 20_000))?.equals(body)).toBe(true)
      expect((await range(10_000, 5))?.length).toBe(0)
      expect((await range(20_000, 5))?.length).toBe(0)
      expect((await range(5, 0))?.length).toBe(0)
      expect(await store.getRange('none', 0, 5)).toBe(null)
      await store.put('empty', Buffer.alloc(0))
      expect((await store.getRange('empty', 0, 5))?.length).toBe(0)
      expect((await store.getRange('empty', -5, 5))?.length).toBe(0)
    })

    test('stat tells the size without the object', async () => {
      const store = await fresh()
      await store.put('a/k', Buffer.alloc(1_234))
      expect(await store.stat('a/k')).toEqual({ key: 'a/k', bytes: 1_234, modifiedMs: expect.any(Number) })
      expect(await store.stat('a/none')).toBe(null)
      expect(await store.stat('a')).toBe(null)
    })

    test('files go in and out; no object, no file', async () => {
      const store = await fresh()
      const body = patterned(300_000)
      await writeFile(local('in'), body)
      await store.putFile('a/file', local('in'))
      expect(await store.getFile('a/file', local('deep/er/out'))).toBe(true)
      expect((await readFile(local('deep/er/out'))).equals(body)).toBe(true)
      expect((await store.get('a/file'))?.equals(body)).toBe(true)
      expect(await store.getFile('a/none', local('none'))).toBe(false)
      await writeFile(local('empty'), '')
      await store.putFile('a/empty', local('empty'))
      expect(await store.getFile('a/empty', local('out'))).toBe(true)
      expect((await readFile(local('out'))).length).toBe(0)
      await expect(store.putFile('a/x', local('missing'))).rejects.toThrow(/missing/)
      expect((await readdir(folder)).sort()).toEqual(['deep', 'empty', 'in', 'out'])
    })

    test('a stream gives the bytes in order, and may be broken off', async () => {
      const store = await fresh()
      const body = patterned(2_000_000)
      await store.put('k', body)
      const stream = (await store.stream('k'))!
      expect(stream.bytes).toBe(body.length)
      const chunks: Uint8Array[] = []
      for await (const chunk of stream.body) chunks.push(chunk)
      expect(Buffer.concat(chunks).equals(body)).toBe(true)
      for await (const chunk of (await store.stream('k'))!.body) {
        expect(chunk.length).toBeGreaterThan(0)
        break
      }
      expect(await store.stream('none')).toBe(null)
    })

    test('pages give every object once, ascending, with its size', async () => {
      const store = await fresh()
      const keys = Array.from({ length: 1_050 }, (_, i) => `many/${String(i % 7)}/x-${i}`)
      for (let i = 0; i < keys.length; i += 50)
        await Promise.all(keys.slice(i, i + 50).map((key) => store.put(key, Buffer.alloc(key.length))))
      await store.put('other', Buffer.alloc(1))
      const pages: number[] = []
      const found: string[] = []
      for await (const page of store.pages('many/')) {
        pages.push(page.length)
        for (const { key, bytes } of page) {
          expect(bytes).toBe(key.length)
          found.push(key)
        }
      }
      expect(found).toEqual([...keys].sort())
      expect(Math.max(...pages)).toBeLessThanOrEqual(store.location === 'memory://' ? Infinity : 1_000)
      expect(await store.list('many/3/x-10')).toEqual(keys.filter((key) => key.startsWith('many/3/x-10')).sort())
      for await (const page of store.pages('nothing/')) expect(page).toBe('never')

      await store.deleteMany([...keys.slice(0, 1_040), 'many/never-was'])
      expect(await store.list('')).toEqual([...keys.slice(1_040), 'other'].sort())
      await store.deleteMany([])
    })
  })
}

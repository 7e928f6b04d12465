/**
 * What every form of the object store must do, as tests: the folder, S3 and the memory form each call {@link describeObjectStore}.
 * Each test gets an empty store.
 */
import { afterEach, describe, expect, test } from 'vitest'
import type { ObjectStore } from '../objects/object-store.ts'

export interface ObjectsUnderTest {
  store: ObjectStore
  dispose(): Promise<void>
}

export function describeObjectStore(name: string, open: () => Promise<ObjectsUnderTest>): void {
  describe(name, () => {
    let current: ObjectsUnderTest | null = null
    const fresh = async (): Promise<ObjectStore> => {
      current = await open()
      return current.store
    }
    afterEach(async () => {
      await current?.dispose()
      current = null
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
  })
}

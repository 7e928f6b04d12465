/** The folder and the memory form of the object store pass the suite; the folder guards its borders and cleans up after crashes. */
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createMemoryObjects } from '../testing/memory-objects.ts'
import { describeObjectStore } from '../testing/object-store-suite.ts'
import { openFolderObjects } from './folder.ts'

const temporary = () => mkdtemp(join(tmpdir(), 'streamforge-objects-'))

describeObjectStore('objects in a folder', async () => {
  const folder = await temporary()
  return { store: await openFolderObjects(folder), dispose: () => rm(folder, { recursive: true }) }
})

describeObjectStore('objects in memory', async () => ({ store: createMemoryObjects(), dispose: async () => {} }))

describe('objects in a folder, their own', () => {
  let parent: string
  let folder: string
  beforeEach(async () => {
    parent = await temporary()
    folder = join(parent, 'objects')
  })
  afterEach(() => rm(parent, { recursive: true }))

  test.each([
    '',
    '/etc/passwd',
    '..',
    '../outside',
    'a/../../outside',
    'a/./b',
    'a//b',
    'a/',
    '\\..\\outside',
    'a\u0000b',
    'a\nb',
    '.incomplete/x',
    'x'.repeat(256),
    'x/'.repeat(600),
  ])('%j is refused as a key, before anything is touched', async (key) => {
    await writeFile(join(parent, 'outside'), 'mine')
    const store = await openFolderObjects(folder)
    await expect(store.put(key, Buffer.from('x'))).rejects.toThrow(/can't be an object's key/)
    await expect(store.get(key)).rejects.toThrow(/can't be an object's key/)
    await expect(store.delete(key)).rejects.toThrow(/can't be an object's key/)
    expect(await readdir(parent)).toEqual(['objects', 'outside'])
    expect(await store.list('')).toEqual([])
  })

  test.each(['../', '/', '/etc/', 'a/../../'])('%j is refused as a prefix', async (prefix) => {
    const store = await openFolderObjects(folder)
    await expect(store.list(prefix)).rejects.toThrow(/can't be an object's key/)
  })

  test('names that only look dangerous are keys', async () => {
    const store = await openFolderObjects(folder)
    const keys = ['...', '.hidden', 'a..b/c', 'x/.incomplete/y', `${'x'.repeat(255)}/y`]
    for (const key of keys) await store.put(key, Buffer.from(key))
    expect(await store.list('')).toEqual([...keys].sort())
  })

  test('unfinished files are never listed, and those of a crashed process are removed at opening', async () => {
    const incomplete = join(folder, '.incomplete')
    await mkdir(incomplete, { recursive: true })
    const long = new Date(performance.timeOrigin - 60_000)
    const old = [`${process.pid}-crashed-with-the-same-id`, '999999999-crashed', 'whatever']
    const young = [`${process.pid}-another-thread-writes-it`]
    const others = [`${process.ppid}-another-process-writes-it`]
    for (const name of [...old, ...young, ...others]) await writeFile(join(incomplete, name), 'half')
    for (const name of [...old, ...others]) await utimes(join(incomplete, name), long, long)
    const store = await openFolderObjects(folder)
    expect((await readdir(incomplete)).sort()).toEqual([...young, ...others].sort())
    expect(await store.list('')).toEqual([])
    expect(await store.list('.')).toEqual([])
  })

  test('a put that fails leaves nothing behind and says which object and why', async () => {
    const store = await openFolderObjects(folder)
    await store.put('a', Buffer.from('a file'))
    await expect(store.put('a/b', Buffer.from('x'))).rejects.toThrow(
      /"a\/b" could not be stored in .*objects: .*(ENOTDIR|EEXIST)/,
    )
    expect(await readdir(join(folder, '.incomplete'))).toEqual([])
    expect((await store.get('a'))?.toString()).toBe('a file')
    expect(await store.get('a/b')).toBe(null)
  })

  test('a finished put leaves nothing unfinished', async () => {
    const store = await openFolderObjects(folder)
    await Promise.all(Array.from({ length: 20 }, (_, i) => store.put(`k/${i}`, Buffer.from('x'))))
    expect(await readdir(join(folder, '.incomplete'))).toEqual([])
  })
})

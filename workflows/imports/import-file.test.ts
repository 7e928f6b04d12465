/** Which files a worker reads for an import, and which it doesn't. */
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type ImportPlaces, openImportFile, requireUnchanged, sha256Of } from './import-file.ts'

let root: string
let places: ImportPlaces
const large = Buffer.from(Array.from({ length: 9 * 1024 * 1024 }, (_, i) => i % 251))
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'streamforge-imports-'))
  mkdirSync(join(root, 'imports', 'shop'), { recursive: true })
  writeFileSync(join(root, 'imports', 'shop', 'orders.csv'), 'a,b\n1,2\n')
  writeFileSync(join(root, 'secret.csv'), 'secret')
  places = {
    folder: join(root, 'imports'),
    objects: {
      stat: async (key) => (key === 'imports/large.csv' ? { key, bytes: large.length, modifiedMs: 1 } : null),
      getRange: async (_, start, length) => large.subarray(start, start + length),
    },
  }
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const contentOf = async (file: string, from = 0): Promise<Buffer> => {
  const chunks: Buffer[] = []
  for await (const chunk of (await openImportFile(places, file)).open(from)) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

it('a file below the import folder is read from any byte, also by a link that stays there', async () => {
  symlinkSync(join(root, 'imports', 'shop', 'orders.csv'), join(root, 'imports', 'link.csv'))
  expect((await contentOf('shop/orders.csv')).toString()).toBe('a,b\n1,2\n')
  expect((await contentOf('link.csv', 4)).toString()).toBe('1,2\n')
})

it('an object is read from any byte, however large it is', async () => {
  const from = 5 * 1024 * 1024 + 3
  expect((await contentOf('imports/large.csv', from)).equals(large.subarray(from))).toBe(true)
})

it.each([
  '../secret.csv',
  'shop/../../secret.csv',
  '/etc/hosts',
  '',
  'shop//orders.csv',
  'a\\b.csv',
  './shop/orders.csv',
])('the name %j is refused', async (file) => {
  await expect(openImportFile(places, file)).rejects.toMatchObject({ name: 'BadImportFile' })
})

it('links that lead out are refused, of files and of folders', async () => {
  symlinkSync(join(root, 'secret.csv'), join(root, 'imports', 'link.csv'))
  symlinkSync(root, join(root, 'imports', 'up'))
  for (const file of ['link.csv', 'up/secret.csv'])
    await expect(openImportFile(places, file)).rejects.toThrow('is a link that leads out of the import folder')
  // A folder whose name begins as the import folder's does.
  mkdirSync(join(root, 'imports-of-others'))
  writeFileSync(join(root, 'imports-of-others', 'x.csv'), '')
  symlinkSync(join(root, 'imports-of-others'), join(root, 'imports', 'others'))
  await expect(openImportFile(places, 'others/x.csv')).rejects.toThrow('leads out of the import folder')
})

it('what is missing, or is no file, is told with where it was looked for', async () => {
  await expect(openImportFile(places, 'none.csv')).rejects.toThrow(
    `There is no file "none.csv" in the import folder ${places.folder}`,
  )
  await expect(openImportFile(places, 'shop')).rejects.toThrow('"shop" in the import folder')
  await expect(openImportFile(places, 'imports/none.csv')).rejects.toThrow('no object "imports/none.csv"')
  places = { ...places, folder: join(root, 'nowhere') }
  await expect(openImportFile(places, 'x.csv')).rejects.toThrow('STREAMFORGE_IMPORT_DIR')
})

it('is known by its content, and a change is noticed', async () => {
  const file = await openImportFile(places, 'shop/orders.csv')
  const state = await file.state()
  const { signal } = new AbortController()
  expect(await sha256Of(file, state, { signal, onBytes: () => {} })).toBe(
    createHash('sha256').update('a,b\n1,2\n').digest('hex'),
  )
  writeFileSync(join(root, 'imports', 'shop', 'orders.csv'), 'a,b\n1,2\n3,4\n')
  await expect(requireUnchanged(file, state)).rejects.toMatchObject({ name: 'FileChanged' })
  await expect(sha256Of(file, state, { signal, onBytes: () => {} })).rejects.toThrow(
    'has changed since its import began',
  )
})

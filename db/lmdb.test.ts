/** Environments are shared within a thread, so that opening one that is being written to can't wait for itself. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openLmdb } from './lmdb.ts'

let parent: string
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'streamforge-lmdb-'))
})
afterEach(() => rm(parent, { recursive: true }))

const database = (environment: Awaited<ReturnType<typeof openLmdb>>) =>
  environment.write(() => environment.root.openDB<string, string>('d', { encoding: 'string' }))

test('a folder can be opened again while it is being written to', async () => {
  const first = await openLmdb(parent)
  const db = await database(first)
  let writing = true
  let writes = 0
  const writer = (async () => {
    while (writing) await first.write(() => db.putSync('n', `${++writes}`))
  })()
  for (let i = 0; i < 20; i++) {
    const again = await openLmdb(join(parent, '.')) // the same folder by another name
    const same = await database(again)
    await again.write(() => same.putSync('i', `${i}`))
    await again.close()
  }
  writing = false
  await writer
  expect([db.get('n'), db.get('i')]).toEqual([`${writes}`, '19'])
  await first.close()
})

test('the last to close closes, and opening meanwhile waits for it', async () => {
  const first = await openLmdb(parent)
  const second = await openLmdb(parent)
  await first.close()
  const db = await database(second)
  await second.write(() => db.putSync('k', 'v'))
  const closing = second.close()
  const third = await openLmdb(parent)
  await closing
  expect((await database(third)).get('k')).toBe('v')
  await third.close()
})

test('when the change throws, nothing of it is kept', async () => {
  const environment = await openLmdb(parent)
  const db = await database(environment)
  const change = () => {
    db.putSync('half', 'done')
    throw new Error('thought better of it')
  }
  await expect(environment.write(change)).rejects.toThrow('thought better of it')
  environment.refresh()
  expect(db.get('half')).toBe(undefined)
  await environment.write(() => db.putSync('next', 'fine'))
  environment.refresh()
  expect(db.get('next')).toBe('fine')
  await environment.close()
})

test('a folder that is a file is said to be what can not be opened', async () => {
  const file = join(parent, 'file')
  await writeFile(file, '')
  await expect(openLmdb(file)).rejects.toThrow(/file can't be opened: /)
})

import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { makeOwnFolder } from './own-folder.ts'

it('removes what dead processes of this machine have left, and nothing else', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'streamforge-own-folder-'))
  onTestFinished(() => rm(parent, { recursive: true, force: true }))
  const { pid: dead } = spawnSync(process.execPath, ['--version'])
  const left = `duck-${dead}@${hostname()}-AbCd12`
  const others = [
    `duck-${dead}@another-machine-AbCd12`,
    `duck-${process.pid}@${hostname()}-AbCd12`,
    `goose-${dead}@${hostname()}-AbCd12`,
    'duck-of-somebody',
  ]
  for (const name of [left, ...others]) await mkdir(join(parent, name, 'within'), { recursive: true })

  const mine = await makeOwnFolder(parent, 'duck')
  expect((await readdir(parent)).sort()).toEqual([...others, mine.slice(parent.length + 1)].sort())
  expect(mine).toContain(`duck-${process.pid}@${hostname()}-`)
  expect(await makeOwnFolder(parent, 'duck')).not.toBe(mine)

  const alone = await makeOwnFolder(parent, 'duck', { isAlone: true })
  expect(await readdir(parent)).toHaveLength(others.length)
  expect(await readdir(parent)).toContain(alone.slice(parent.length + 1))
})

/**
 * A folder for what the files of one run of system tests share: tests ask for it by `inject('runFolder')`. Named by vitest.config.ts, and kept by the process that runs the tests'
 * processes: these are ended without a word, and could remove nothing. It goes with the run; what a killed run left is swept by the next.
 */
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { isAlive } from '../../db/process.ts'

declare module 'vitest' {
  interface ProvidedContext {
    runFolder: string
  }
}

const PREFIX = 'streamforge-test-run-'

const remove = (folder: string): Promise<void> => rm(folder, { recursive: true, force: true, maxRetries: 5 })

export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  for (const name of await readdir(tmpdir())) {
    const pid = name.startsWith(PREFIX) ? Number(name.slice(PREFIX.length).split('-')[0]) : Number.NaN
    if (pid > 0 && !isAlive(pid)) await remove(join(tmpdir(), name))
  }
  const folder = await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`))
  provide('runFolder', folder)
  return () => remove(folder)
}

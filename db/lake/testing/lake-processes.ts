/** Starts lake processes, and a folder for their tables. Call at the top of a test file: nothing is left behind. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll } from 'vitest'
import type { LakeTask } from './lake-process.ts'

export interface EndedProcess {
  signal: NodeJS.Signals | null
  code: number | null
  out: string
  err: string
}

const NODE = ['--import', fileURLToPath(new URL('../../../cli/typescript.mjs', import.meta.url))]
const SCRIPT = fileURLToPath(new URL('./lake-process.ts', import.meta.url))

/** @param script reads its task from its one argument; default: `lake-process.ts` */
export function lakeProcesses<Task extends { objects: string; scratch: string } = LakeTask>(script = SCRIPT) {
  const children = new Set<ChildProcess>()
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'streamforge-lake-'))
    await mkdir(join(folder, 'scratch'))
  })
  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL')
    await rm(folder, { recursive: true, force: true })
  })
  return {
    get objects() {
      return join(folder, 'objects')
    },
    async run(task: Omit<Task, 'objects' | 'scratch'>): Promise<EndedProcess> {
      const places = { objects: join(folder, 'objects'), scratch: join(folder, 'scratch') }
      const child = spawn(process.execPath, [...NODE, script, JSON.stringify({ ...task, ...places })], {
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      children.add(child)
      const ended = { out: '', err: '' }
      child.stdout.on('data', (chunk) => {
        ended.out += chunk
      })
      child.stderr.on('data', (chunk) => {
        ended.err += chunk
      })
      await once(child, 'close')
      children.delete(child)
      return { ...ended, signal: child.signalCode, code: child.exitCode }
    },
  }
}

/** The compose file as Docker Compose itself resolves it, with the .env that `make env` would make: for tests of what it says and of the files that it mounts. */
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { composeProgram } from '../../cli/servers/compose.ts'
import { run, type ToolResult } from '../../cli/servers/run.ts'
import { makeTestFolder, onceOrSkip } from '../../cli/servers/testing/once-or-skip.ts'
import { loadConfig } from '../../db/config.ts'
import { ROOT } from './processes.ts'

export interface ComposeService {
  image: string
  build?: { context: string }
  command: string[] | null
  entrypoint: string[] | null
  environment?: Record<string, string | null>
  depends_on?: Record<string, { condition: string }>
  healthcheck?: { test?: string[]; disable?: boolean }
  mem_limit?: string
  ports?: { host_ip?: string; published: string; target: number }[]
  volumes?: { type: string; source?: string; target: string; read_only?: boolean }[]
  networks?: Record<string, unknown>
  cap_drop?: string[]
  cap_add?: string[]
  security_opt?: string[]
  read_only?: boolean
  user?: string
  profiles?: string[]
  restart?: string
  deploy?: { replicas?: number }
}

export interface Composed {
  /** Of all profiles. */
  readonly services: Readonly<Record<string, ComposeService>>
  /** What is in .env. */
  readonly env: Readonly<Record<string, string>>
  readonly folder: string
  compose(args: readonly string[], envFile?: string): Promise<ToolResult>
}

/** Call at the top of a test file: it registers the hooks. The result may be used inside tests only. */
export function withCompose(): Composed {
  const composed: { -readonly [K in keyof Composed]: Composed[K] } = { services: {}, env: {}, folder: '', compose }
  let program = ''

  async function compose(args: readonly string[], envFile = join(composed.folder, '.env')): Promise<ToolResult> {
    const files = [envFile, ...(args.includes('full') ? [join(ROOT, 'deploy/compose/full.env')] : [])]
    const options = ['--project-directory', ROOT, ...files.flatMap((file) => ['--env-file', file])]
    return run('env', ['-i', `PATH=${process.env.PATH}`, `HOME=${composed.folder}`, program, ...options, ...args])
  }

  onceOrSkip(async () => {
    program = await composeProgram(loadConfig(process.env))
    composed.folder = await makeTestFolder({ kind: 'compose', name: 'Compose', folder: 'none' })
    const envFile = join(composed.folder, '.env')
    await run(process.execPath, [join(ROOT, 'deploy/compose/make-env.mjs'), envFile])
    composed.env = parseEnv(await readFile(envFile, 'utf8'))
    const all = ['full', 'cdc', 'shop'].flatMap((profile) => ['--profile', profile])
    const { stdout, stderr } = await compose([...all, 'config', '--format', 'json'])
    if (stdout === '') throw new Error(`Docker Compose does not take the file:\n${stderr}`)
    composed.services = JSON.parse(stdout).services
  }, 1_200_000)
  afterAll(async () => {
    if (composed.folder) await rm(composed.folder, { recursive: true, force: true })
  })
  return composed
}

/** Of the simple kind that ours is: a name, "=", a value without quotes. */
export const parseEnv = (text: string): Record<string, string> =>
  Object.fromEntries([...text.matchAll(/^(\w+)=(.*)$/gm)].map(([, name, value]) => [name!, value!]))

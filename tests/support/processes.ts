/**
 * Commands of `streamforge` as child processes, and folders for them: for tests and for the chaos run.
 *
 * Invariant: after {@link cleanUp} nothing is left, also after a failure or a `kill -9`: no process, no orphaned PostgreSQL or Temporal, no folder; and no log had a secret in it, or a
 * line of another form than log lines have.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { clearFolder as clearServer } from '../../cli/servers/process.ts'
import type { RuntimeCommand } from '../../cli/servers/runtimes.ts'
import { clearFolder } from '../../db/postgres/embedded/postmaster.ts'
import { JWT_SECRET } from './access.ts'
import { complaints, secretsOf } from './log-hygiene.ts'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))
export const BIN = join(ROOT, 'cli/streamforge.mjs')

const folders = new Set<string>()
const children = new Set<ChildProcess>()
/** Of all processes so far: what each was given, and has written to standard error. */
let said: {
  args: readonly string[]
  env: Record<string, string | undefined>
  child: ChildProcess
  err(): string
}[] = []

// Only where whoever started them is itself being ended.
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL')
})

/** A folder that {@link cleanUp} removes, with whatever still runs on it. */
export async function newDataDir(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'streamforge-test-'))
  folders.add(folder)
  return folder
}

export interface CliProcess {
  readonly child: ChildProcess
  readonly out: string
  readonly err: string
  /** @returns the exit code; null when a signal ended it. @throws Error when it lives on */
  ended(timeoutMs?: number): Promise<number | null>
}

export interface SpawnOptions {
  env?: Readonly<Record<string, string>>
  cwd?: string
  /** On another runtime than this one. */
  runtime?: RuntimeCommand | undefined
}

/** Any command of `streamforge`, started. */
export function spawnCli(
  args: readonly string[],
  { env = {}, cwd = ROOT, runtime = { program: process.execPath, args: [] } }: SpawnOptions = {},
): CliProcess {
  const environment = { ...outerEnvironment(), ...env }
  const child = spawn(runtime.program, [...runtime.args, BIN, ...args], {
    cwd,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.add(child)
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  said.push({ args, env: environment, child, err: () => err })
  // 'close' comes when its output is complete too.
  const closed = once(child, 'close').then(() => void children.delete(child))
  return {
    child,
    get out() {
      return out
    },
    get err() {
      return err
    },
    async ended(timeoutMs = 180_000) {
      const late = new Promise<'late'>((resolve) => setTimeout(resolve, timeoutMs, 'late').unref())
      if ((await Promise.race([closed, late])) === 'late') {
        child.kill('SIGKILL')
        throw new Error(`"streamforge ${args.join(' ')}" did not end within ${timeoutMs} ms:\n${out}${err}`)
      }
      return child.exitCode
    },
  }
}

export interface CliResult {
  code: number | null
  out: string
  err: string
}

/** A command of `streamforge`, run to its end. */
export async function runCli(args: readonly string[], options?: SpawnOptions): Promise<CliResult> {
  const process = spawnCli(args, options)
  const code = await process.ended()
  return { code, out: process.out, err: process.err }
}

/** Ours without the platform's settings: a test says which of these it wants. Workflows are off unless it does: a Temporal and a worker take a second of both cores. What signs tokens is known. */
function outerEnvironment(): Record<string, string | undefined> {
  const ours = ([name]: [string, unknown]) => /^(STREAMFORGE|TEMPORAL)_|^DATABASE_URL$/.test(name)
  const outer = Object.fromEntries(Object.entries(process.env).filter((entry) => !ours(entry)))
  return { ...outer, STREAMFORGE_WORKFLOWS: 'off', STREAMFORGE_JWT_SECRET: JWT_SECRET }
}

const SHOWN_CHARS = 4_000

/** Of each process that was started so far: how it is, and the end of what it has said. For a test that failed, which mostly sees only that something did not come. */
export const toldByProcesses = (): string =>
  said
    .map(({ args, child, err }) => {
      const { exitCode, signalCode } = child
      return `— streamforge ${args.join(' ')} (${exitCode ?? signalCode ?? 'running'})\n${err().slice(-SHOWN_CHARS)}`
    })
    .join('\n')

/** Ends what still runs, and removes the folders. @throws Error where a log has what no log may have */
export async function cleanUp(): Promise<void> {
  await Promise.all(
    [...children].map(async (child) => {
      const closed = once(child, 'close')
      child.kill('SIGKILL')
      await closed
    }),
  )
  const made = (await Promise.all([...folders].map(secretsIn))).flat()
  for (const folder of folders) {
    await clearServer({ name: 'Temporal', folder: join(folder, 'temporal') })
    await clearFolder(join(folder, 'postgres'), () => undefined)
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
  folders.clear()
  const wrong = said.flatMap(({ args, env, err }) =>
    complaints({ args, err: err(), secrets: [...secretsOf(env), ...made] }),
  )
  said = []
  if (wrong.length > 0) throw new Error(`Logs have what they may not have:\n${wrong.slice(0, 10).join('\n')}`)
}

/** Those that a platform has made for itself. */
async function secretsIn(folder: string): Promise<string[]> {
  const text = await readFile(join(folder, 'secrets.json'), 'utf8').catch(() => '{}')
  return Object.values(JSON.parse(text) as Record<string, string>)
}

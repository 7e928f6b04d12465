/**
 * The real platform as a child process, as a user starts it: `streamforge up` on a data folder of its own and a port that the system picks.
 *
 * Invariant: when the test file is over nothing is left, also after a failure or a `kill9`: no process, no orphaned PostgreSQL, no folder.
 * Importing this file is enough for that: it registers the clean-up.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll } from 'vitest'
import { clearFolder } from '../../db/postgres/embedded/postmaster.ts'
import { eventually } from './eventually.ts'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))
export const BIN = join(ROOT, 'cli/streamforge.mjs')

const START_TIMEOUT_MS = 60_000
const STOP_TIMEOUT_MS = 45_000

export interface TestPlatform {
  /** E.g. `http://127.0.0.1:40005`. */
  readonly url: string
  readonly writeKey: string
  readonly dataDir: string
  readonly child: ChildProcess
  /** What it has printed so far. */
  readonly out: string
  readonly err: string
  /** Ctrl-C, then waits for the end. @returns the exit code; null when a signal ended it */
  stop(): Promise<number | null>
  /** SIGKILL, as a power cut: its PostgreSQL is left behind, as it would be. */
  kill9(): Promise<void>
}

export interface PlatformOptions {
  /** Default: a new one, removed when the file is over. One that is given is removed by whoever made it, see {@link newDataDir}. */
  dataDir?: string
  /** Further arguments of `up`. Default: `--no-simulate`. */
  args?: readonly string[]
  env?: Readonly<Record<string, string>>
}

const folders = new Set<string>()
const children = new Set<ChildProcess>()

afterAll(cleanUp)
// Only where vitest itself is being ended.
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL')
})

/** A folder that is removed when the test file is over, with whatever still runs on it. */
export async function newDataDir(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'streamforge-test-'))
  folders.add(folder)
  return folder
}

/** @throws Error with what the platform printed, where it ends instead of coming up. */
export async function startPlatform(options: PlatformOptions = {}): Promise<TestPlatform> {
  const dataDir = options.dataDir ?? (await newDataDir())
  const { args = ['--no-simulate'], env = {} } = options
  const process = spawnCli(['up', '--port', '0', '--data', dataDir, ...args], { env })
  const { child } = process
  const url = await eventually('the platform is up', START_TIMEOUT_MS, async () => {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(
        `"streamforge up" ended with ${child.exitCode ?? child.signalCode}:\n${process.out}${process.err}`,
      )
    const running = await readJson(join(dataDir, 'running.json'))
    // A crash leaves the file of the process before behind.
    return running?.pid === child.pid ? String(running?.edge_url) : undefined
  })
  const writeKey = env.STREAMFORGE_WRITE_KEY ?? String((await readJson(join(dataDir, 'secrets.json')))?.writeKey)
  return {
    url,
    writeKey,
    dataDir,
    child,
    get out() {
      return process.out
    },
    get err() {
      return process.err
    },
    async stop() {
      child.kill('SIGINT')
      return process.ended(STOP_TIMEOUT_MS)
    },
    async kill9() {
      child.kill('SIGKILL')
      await process.ended(STOP_TIMEOUT_MS)
    },
  }
}

export interface CliProcess {
  readonly child: ChildProcess
  readonly out: string
  readonly err: string
  /** @returns the exit code; null when a signal ended it. @throws Error when it lives on */
  ended(timeoutMs?: number): Promise<number | null>
}

/** Any command of `streamforge`, started. */
export function spawnCli(
  args: readonly string[],
  { env = {}, cwd = ROOT }: { env?: Readonly<Record<string, string>>; cwd?: string } = {},
): CliProcess {
  const child = spawn(process.execPath, [BIN, ...args], {
    cwd,
    env: { ...outerEnvironment(), ...env },
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
    async ended(timeoutMs = 60_000) {
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
export async function runCli(args: readonly string[], options?: Parameters<typeof spawnCli>[1]): Promise<CliResult> {
  const process = spawnCli(args, options)
  const code = await process.ended()
  return { code, out: process.out, err: process.err }
}

/** Ours without the platform's settings: a test says which of these it wants. */
function outerEnvironment(): Record<string, string | undefined> {
  const ours = ([name]: [string, unknown]) => name.startsWith('STREAMFORGE_') || name === 'DATABASE_URL'
  return Object.fromEntries(Object.entries(process.env).filter((entry) => !ours(entry)))
}

async function readJson(path: string): Promise<Record<string, unknown> | null> {
  const text = await readFile(path, 'utf8').catch(() => null)
  return text === null ? null : (JSON.parse(text) as Record<string, unknown>)
}

async function cleanUp(): Promise<void> {
  await Promise.all(
    [...children].map(async (child) => {
      const closed = once(child, 'close')
      child.kill('SIGKILL')
      await closed
    }),
  )
  for (const folder of folders) {
    await clearFolder(join(folder, 'postgres'), () => undefined)
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
  folders.clear()
}

/**
 * The real platform as a child process, as a user starts it: `streamforge up` on a data folder of its own and a port that the system picks.
 *
 * Invariant: when the test file is over nothing is left, also after a failure or a `kill9`: no process, no orphaned PostgreSQL, no folder.
 * Importing this file is enough for that: it registers the clean-up.
 */
import type { ChildProcess } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { eventually } from './eventually.ts'
import { newDataDir, spawnCli } from './processes.ts'

export { BIN, type CliProcess, type CliResult, newDataDir, ROOT, runCli, spawnCli } from './processes.ts'

/** For a platform whose lake nobody looks at: the thread that fills it, with DuckDB, is a quarter of a start, and writes files of everything that is sent. */
export const WITHOUT_LAKE = { STREAMFORGE_LAKE: 'off' } as const

/** Of a start on a machine that runs many at once. */
const START_TIMEOUT_MS = 120_000
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

async function readJson(path: string): Promise<Record<string, unknown> | null> {
  const text = await readFile(path, 'utf8').catch(() => null)
  return text === null ? null : (JSON.parse(text) as Record<string, unknown>)
}

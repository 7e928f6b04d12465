/**
 * One edge or streams process as a child of `streamforge up --cluster`.
 *
 * Invariants: the terminal's Ctrl-C does not reach it, so that parts stop in the order of need; when this process is gone, however it went, the child sees
 * its channel close, drains and ends by itself.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { CommandFailed } from '../command.ts'
import type { Exit } from '../servers/process.ts'
import type { Part } from './supervise.ts'

/** What a role process tells whoever started it, once, when it does its work. */
export const readyMessage = z.object({
  ready: z.literal(true),
  /** Where it answers `/health`; null: nowhere. */
  url: z.string().nullable(),
  firstLogin: z.object({ username: z.string(), password: z.string() }).nullable().default(null),
})
export type Ready = z.output<typeof readyMessage>

export interface RoleChild extends Part, Omit<Ready, 'ready'> {}

export interface RoleOptions {
  args: readonly string[]
  env: Readonly<Record<string, string | undefined>>
  cwd: string
  /** Lines of its standard error. */
  onLine(line: string): void
  /** Ends one that is not ready yet at once: it has done nothing. */
  signal?: AbortSignal
}

const BIN = fileURLToPath(new URL('../streamforge.mjs', import.meta.url))
const READY_TIMEOUT_MS = 120_000
/** Longer than the 10 s that a drain gives stores which do not answer. */
const STOP_TIMEOUT_MS = 30_000
const LINES_KEPT = 20

/** @throws CommandFailed with what it said, where it ends instead of beginning */
export async function startRole({ args, env, cwd, onLine, signal }: RoleOptions): Promise<RoleChild> {
  const child = spawn(process.execPath, [BIN, ...args], {
    cwd,
    env,
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  await new Promise<void>((done, failed) => child.once('spawn', done).once('error', failed))
  const said: string[] = []
  let ready: Ready | null = null
  createInterface({ input: child.stderr! }).on('line', (line) => {
    // Before it is ready, a sentence is why it won't be; the caller tells that.
    const isLog = line.startsWith('{')
    if (ready || isLog) onLine(line)
    else said.push(line)
    if (said.length > LINES_KEPT) said.shift()
  })
  let ended = false
  // 'close' comes when its output is complete too.
  const exited = new Promise<Exit>((done) => {
    child.once('close', (code, signal) => {
      ended = true
      done({ code, signal })
    })
  })
  const stop = () => stopChild(child, exited, () => ended)
  const isReady = new Promise<Ready>((done) => {
    child.on('message', (message) => {
      const parsed = readyMessage.safeParse(message)
      if (parsed.success) done(parsed.data)
    })
  })
  const late = new AbortController()
  const timeout = delay(READY_TIMEOUT_MS, null, { signal: late.signal }).catch(() => null)
  const end = (): void => void child.kill('SIGKILL')
  signal?.addEventListener('abort', end, { once: true })
  if (signal?.aborted) end()
  const first = await Promise.race([isReady, exited.then(() => null), timeout])
  signal?.removeEventListener('abort', end)
  late.abort()
  if (first === null) {
    const why = ended ? said.join('\n') : `It was not ready within ${READY_TIMEOUT_MS / 1000} s.`
    await stop()
    throw new CommandFailed(why || `"streamforge ${args[0]}" ended while it was starting, and said nothing.`)
  }
  ready = first
  const { url, firstLogin } = first
  return { pid: child.pid!, url, firstLogin, exited, stop }
}

async function stopChild(child: ChildProcess, exited: Promise<Exit>, hasEnded: () => boolean): Promise<void> {
  if (hasEnded()) return
  child.kill('SIGTERM')
  const late = new AbortController()
  await Promise.race([exited, delay(STOP_TIMEOUT_MS, null, { signal: late.signal }).catch(() => null)])
  late.abort()
  if (!hasEnded()) child.kill('SIGKILL')
  await exited
}

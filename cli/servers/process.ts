/**
 * A server of ours as a child process: started on a folder, watched, stopped, killed.
 *
 * Invariants: its output goes to a file in its folder, never to a pipe that would break with us; when this process ends, so does the server; one that a
 * `kill -9` of its owner left behind is stopped by the next start on the folder; two living owners never share a folder.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { mkdir, open, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { isAlive } from '../../db/process.ts'

export interface Exit {
  code: number | null
  signal: string | null
}

export interface ServerProcess {
  readonly pid: number
  /** Resolves when it has ended, by whatever. */
  readonly exited: Promise<Exit>
  /** In order: SIGTERM, and SIGKILL for one that does not end. */
  stop(): Promise<void>
  /** SIGKILL, as a crash of the machine would look to its clients. */
  kill(): Promise<void>
}

export interface ServerCommand {
  /** For messages: "Kafka". */
  name: string
  folder: string
  program: string
  args: readonly string[]
  /** Added to a minimal environment: nothing of ours, no secret, reaches the server. */
  env?: Readonly<Record<string, string>>
}

const HOST = '127.0.0.1'
const STOP_TIMEOUT_MS = 30_000
const POLL_MS = 50
const PID_FILE = 'server.pid'
const LOG_FILE = 'server.log'

/**
 * Starts the program and waits until `isReady` says yes.
 * @throws Error with the end of the server's log when it ends before, or takes longer than `timeoutMs`.
 */
export async function startServer(
  command: ServerCommand,
  isReady: () => Promise<boolean>,
  timeoutMs = 60_000,
): Promise<ServerProcess> {
  const { name, folder } = command
  await mkdir(folder, { recursive: true })
  await clearFolder(command)
  const child = await spawnServer(command)
  const server = watch(child, folder)
  await writeFile(join(folder, PID_FILE), JSON.stringify({ pid: child.pid, owner: process.pid }))
  let exit: Exit | null = null
  void server.exited.then((how) => {
    exit = how
  })
  const deadline = performance.now() + timeoutMs
  while (!(await isReady().catch(() => false))) {
    if (exit === null && performance.now() < deadline) {
      await Promise.race([delay(POLL_MS), server.exited])
      continue
    }
    await server.kill()
    const said = await readFile(join(folder, LOG_FILE), 'utf8').catch(() => '')
    throw new Error(
      `${name} ${exit === null ? `was not ready after ${timeoutMs / 1000} s` : 'ended while it was starting'}. Its log, ${join(folder, LOG_FILE)}, ends with:\n${said.trim().split('\n').slice(-15).join('\n') || '(nothing)'}`,
    )
  }
  return server
}

async function spawnServer({ folder, program, args, env }: ServerCommand): Promise<ChildProcess> {
  const log = await open(join(folder, LOG_FILE), 'a', 0o600)
  try {
    // A group of its own: the terminal's Ctrl-C reaches us alone, and we stop servers in the order of need.
    const child = spawn(program, args, {
      cwd: folder,
      env: { PATH: process.env.PATH ?? '', LC_ALL: 'C.UTF-8', TZ: 'UTC', ...env },
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
    })
    await new Promise<void>((done, failed) => child.once('spawn', done).once('error', failed))
    child.unref()
    return child
  } finally {
    await log.close()
  }
}

function watch(child: ChildProcess, folder: string): ServerProcess {
  const pid = child.pid!
  let ended = false
  // The last chance when this process ends without `stop`.
  const leave = () => {
    if (!ended) child.kill('SIGTERM')
  }
  process.once('exit', leave)
  const exited = new Promise<Exit>((done) => {
    const settle = (code: number | null, signal: string | null) => {
      ended = true
      process.off('exit', leave)
      done({ code, signal })
    }
    child.once('exit', settle)
    // One that does not like its settings may be gone by now.
    if (child.exitCode !== null || child.signalCode !== null) settle(child.exitCode, child.signalCode)
  })
  const end = async (signal: NodeJS.Signals, timeoutMs: number): Promise<void> => {
    if (ended) return
    // It is not referenced; waiting for its end has to keep the event loop alive.
    child.ref()
    child.kill(signal)
    const late = new AbortController()
    await Promise.race([exited, delay(timeoutMs, undefined, { signal: late.signal }).catch(() => undefined)])
    late.abort()
    if (!ended) child.kill('SIGKILL')
    await exited
    await rm(join(folder, PID_FILE), { force: true })
  }
  let stopping: Promise<void> | undefined
  return {
    pid,
    exited,
    stop: () => (stopping ??= end('SIGTERM', STOP_TIMEOUT_MS)),
    kill: () => end('SIGKILL', STOP_TIMEOUT_MS),
  }
}

/**
 * Stops what an owner that no longer lives left running on the folder.
 * @throws Error when the owner lives.
 */
export async function clearFolder({ name, folder }: Pick<ServerCommand, 'name' | 'folder'>): Promise<void> {
  const path = join(folder, PID_FILE)
  const found = await readFile(path, 'utf8').then(
    (text) => JSON.parse(text) as { pid: number; owner: number },
    () => null,
  )
  if (!found) return
  if (isAlive(found.pid) && (await servesFolder(found.pid, folder))) {
    if (isAlive(found.owner)) {
      throw new Error(
        `${folder} is in use: process ${found.owner} runs ${name} on it (pid ${found.pid}). Stop that one first, or use another folder.`,
      )
    }
    try {
      process.kill(found.pid, 'SIGKILL')
    } catch (error) {
      // Gone since it was looked at: whoever else sweeps here has ended it.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
    while (isAlive(found.pid)) await delay(POLL_MS)
  }
  await rm(path, { force: true })
}

/** Process ids are given out again: the one in the file must also look like the server. */
async function servesFolder(pid: number, folder: string): Promise<boolean> {
  if (process.platform !== 'linux') return true
  const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
  return commandLine.includes(folder)
}

/** Below the ports that systems give to outgoing connections (Linux: from 32768): those may be taken at any moment, also while a server that had one is started again. */
export const PORTS = { first: 10_000, end: 32_000 } as const
const TRIES_MAX = 1_000

/** Ports that are free at this moment; another program may take one before the server does. */
export async function freePorts(count: number): Promise<number[]> {
  const found = new Set<number>()
  for (let tries = 0; found.size < count; tries++) {
    if (tries === TRIES_MAX) throw new Error(`No free port was found between ${PORTS.first} and ${PORTS.end}.`)
    const port = randomInt(PORTS.first, PORTS.end)
    if (await isFree(port)) found.add(port)
  }
  return [...found]
}

/** Whether the port is free at this moment. */
export const isFree = (port: number): Promise<boolean> =>
  listenOn(port).then(
    (probe) => closed(probe).then(() => true),
    () => false,
  )

async function listenOn(port: number): Promise<Server> {
  const probe = createServer()
  await new Promise<void>((done, failed) => probe.once('error', failed).listen(port, HOST, done))
  return probe
}

const closed = (probe: Server): Promise<unknown> => new Promise((done) => probe.close(done))

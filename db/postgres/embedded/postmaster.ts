/**
 * The process that serves a database folder, as its `postmaster.pid` and the system tell: is it there, is it ours, is it an orphan.
 *
 * Invariant: only a process that is a PostgreSQL of this very folder is ever signalled. A pid in a file proves nothing after a reboot.
 */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { isAlive } from '../../process.ts'

/** Written on the server's command line: which process started it. PostgreSQL takes any setting with a dot in its name. */
export const OWNER_SETTING = 'streamforge.owner_pid'

const POLL_MS = 20

export interface PidFile {
  pid: number
  port: number
  ready: boolean
}

/** @returns null when there is no file, or it is being written. Its lines: pid, folder, start, port, socket, address, memory, status. */
export async function readPidFile(folder: string): Promise<PidFile | null> {
  const text = await readFile(join(folder, 'postmaster.pid'), 'utf8').catch(() => '')
  const lines = text.split('\n')
  const pid = Number(lines[0])
  return Number.isInteger(pid) && pid > 0 ? { pid, port: Number(lines[3]), ready: lines[7]?.trim() === 'ready' } : null
}

/** @returns whether the condition came true before the deadline. */
export async function until(condition: () => boolean | Promise<boolean>, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs
  while (!(await condition())) {
    if (performance.now() > deadline) return false
    await delay(POLL_MS)
  }
  return true
}

interface ProcessInfo {
  command: string
  parent: number
}

function inspectProcess(pid: number): ProcessInfo | null {
  try {
    if (process.platform === 'linux') {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
      // The second field, the name, is in parentheses and may hold anything; the parent comes two fields after.
      return { command, parent: Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) }
    }
    const [parent, ...command] = execFileSync('ps', ['-o', 'ppid=,command=', '-p', String(pid)], { encoding: 'utf8' })
      .trim()
      .split(/\s+/)
    return { command: command.join(' '), parent: Number(parent) }
  } catch {
    return null
  }
}

/**
 * Makes sure that nobody serves the folder: an orphan of ours, left by a `kill -9`, is stopped as `pg_ctl stop -m fast` does it; a pid file whose
 * pid now belongs to something else is removed, as PostgreSQL itself would refuse to start over it.
 *
 * An orphan is stopped and not taken over: so settings, port and log file are always those of this start, and there is a child to watch.
 * @throws Error when the owner of the server lives, or the server was not started by us.
 */
export async function clearFolder(folder: string, log: (message: string) => void): Promise<void> {
  const found = await readPidFile(folder)
  if (!found || !isAlive(found.pid)) return
  const info = inspectProcess(found.pid)
  if (!info?.command.includes(folder) || !/postgres/.test(info.command)) {
    await rm(join(folder, 'postmaster.pid'), { force: true })
    return
  }
  const owner = Number(new RegExp(`${OWNER_SETTING}=(\\d+)`).exec(info.command)?.[1])
  if (!owner) {
    throw new Error(
      `A PostgreSQL that StreamForge did not start (pid ${found.pid}) serves ${folder}. Stop it, then start again.`,
    )
  }
  // An orphan has another parent than the process that started it.
  if (info.parent === owner) {
    throw new Error(
      `${folder} is in use: the process ${owner} runs PostgreSQL on it (pid ${found.pid}). Stop that one first, or use another data folder (--data).`,
    )
  }
  log(`Stopping the PostgreSQL (pid ${found.pid}) that an earlier run left behind.`)
  await stopProcess(found.pid, () => !isAlive(found.pid))
}

/**
 * Ends the sessions that outlived their server: one that is computing looks for its server's death when it is done, which may be in hours, and no other server may have the folder until
 * then. Linux alone tells which they are; elsewhere they are waited for.
 */
export function endLeftSessions(folder: string): void {
  if (process.platform !== 'linux') return
  const served = realpathSync(folder)
  for (const name of readdirSync('/proc')) {
    const pid = Number(name)
    if (!Number.isInteger(pid)) continue
    try {
      if (readlinkSync(`/proc/${pid}/cwd`) !== served) continue
      if (inspectProcess(pid)?.command.startsWith('postgres:')) process.kill(pid, 'SIGTERM')
    } catch {
      // Gone by now, or of somebody else.
    }
  }
}

/**
 * Fast shutdown (SIGINT: sessions are ended, a checkpoint is written); after 30 s an immediate one (SIGQUIT: the next start recovers from the WAL).
 * @throws Error when it lives on.
 */
export async function stopProcess(pid: number, gone: () => boolean): Promise<void> {
  for (const [signal, timeoutMs] of [
    ['SIGINT', 30_000],
    ['SIGQUIT', 10_000],
  ] as const) {
    try {
      process.kill(pid, signal)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
    if (await until(gone, timeoutMs)) return
  }
  throw new Error(`PostgreSQL (pid ${pid}) does not stop. Look at postgres.log in the data folder, and end it by hand.`)
}

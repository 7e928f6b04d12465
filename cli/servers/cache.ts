/**
 * Where servers that were downloaded or built are kept: one folder per server and version, outside the repository.
 *
 * Invariants: a folder that exists is complete (it is filled aside and renamed); of several processes that want the same one, one builds and the others wait
 * for it; a builder that was killed blocks nobody.
 */
import { randomUUID } from 'node:crypto'
import { link, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { isAlive } from '../../db/process.ts'

const POLL_MS = 200

/** A server that can't be had here: the message names what is missing and the remedy. */
export class ServerUnavailable extends Error {
  override readonly name = 'ServerUnavailable'
}

export interface Cached {
  serversDir: string
  /** Also its version: another version is another folder. */
  name: string
  /** Fills the folder, which exists and is empty. */
  build(folder: string): Promise<void>
  /** How long another process may build before this one gives up waiting. */
  timeoutMs?: number
  /** Gives up waiting for another when aborted. */
  signal?: AbortSignal | undefined
}

/** @returns the folder, built now if it was not there. */
export async function cached({ serversDir, name, build, ...waiting }: Cached): Promise<string> {
  const folder = join(serversDir, name)
  await mkdir(serversDir, { recursive: true })
  await madeOnce({
    ...waiting,
    what: `${name} in ${serversDir}`,
    lock: `${folder}.lock`,
    isThere: () => exists(folder),
    make: () => buildAside(folder, build),
  })
  return folder
}

export interface MadeOnce extends Pick<Cached, 'timeoutMs' | 'signal'> {
  /** For messages. */
  what: string
  /** A file in a folder that is there. */
  lock: string
  isThere(): Promise<boolean>
  make(): Promise<void>
}

/** Makes what is not there yet; of several processes that want it, one does, and the others wait for it. */
export async function madeOnce({
  what,
  lock,
  isThere,
  make,
  timeoutMs = 10 * 60_000,
  signal,
}: MadeOnce): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!(await isThere())) {
    signal?.throwIfAborted()
    if (await acquire(lock)) {
      try {
        // Whoever had the lock before may just have finished.
        if (!(await isThere())) await make()
      } finally {
        await rm(lock, { force: true })
      }
    } else if (performance.now() > deadline) {
      throw new ServerUnavailable(
        `Another process has been building ${what} for ${timeoutMs / 60_000} minutes. Look for it, or remove ${lock}.`,
      )
    } else await delay(POLL_MS)
  }
}

async function buildAside(folder: string, build: Cached['build']): Promise<void> {
  const aside = `${folder}.${randomUUID()}.tmp`
  await mkdir(aside)
  try {
    await build(aside)
    await rename(aside, folder)
  } finally {
    await rm(aside, { recursive: true, force: true })
  }
}

/** The lock appears with its owner's process id in it, at once, by linking a file that is complete. */
async function acquire(lock: string): Promise<boolean> {
  const mine = `${lock}.${randomUUID()}`
  await writeFile(mine, String(process.pid))
  try {
    await link(mine, lock)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    const owner = await readFile(lock, 'utf8').catch(() => null)
    if (owner !== null && !isAlive(Number(owner))) await breakLock(lock, owner)
    return false
  } finally {
    await rm(mine, { force: true })
  }
}

/** Only one of several that find a dead owner's lock gets hold of it; what it got hold of must be that one and not a successor's. */
async function breakLock(lock: string, deadOwner: string): Promise<void> {
  const taken = `${lock}.${randomUUID()}`
  try {
    await rename(lock, taken)
  } catch {
    return
  }
  if ((await readFile(taken, 'utf8')) !== deadOwner) await link(taken, lock).catch(() => {})
  await rm(taken, { force: true })
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  )

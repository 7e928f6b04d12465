/**
 * LMDB environments, opened in the one way the embedded stores use: the log (`streams/log/embedded.ts`) and the features
 * (`features/embedded.ts`). Collects what was learnt about lmdb-js.
 *
 * Invariant: a thread has a folder open once. Opening takes LMDB's write lock while the thread waits; a second environment of the same thread
 * that is just writing holds that lock until the thread runs its callback: neither would ever go on. So further openings share the first.
 */
import { mkdirSync, realpathSync } from 'node:fs'
import { open, type RootDatabase } from 'lmdb'

/** Address space, not disk: so large that the map never has to grow under other threads. The disk fills first. */
const MAP_BYTES = 2 ** 40
/** The environment is the process's, so the first thread's number counts for all. */
const MAX_DATABASES = 128

/** What the databases inside hold is for `openDB` to say. */
type Root = RootDatabase<unknown, Uint8Array>

export interface Environment {
  readonly root: Root
  /**
   * Runs `change` in a write transaction on behalf of this thread; resolves when it is flushed to disk. If `change` throws or the commit
   * fails, nothing of it is kept. May also open databases.
   */
  write<T>(change: () => T): Promise<T>
  /** Makes reads see everything committed so far, by whatever thread or process. Reads of one turn then see one state. */
  refresh(): void
  /** Call it once. Waits for what is being written; the last of the thread's users closes the environment. */
  close(): Promise<void>
}

interface Shared {
  readonly root: Root
  users: number
}

const shared = new Map<string, Shared>()
const closing = new Map<string, Promise<void>>()

/** @throws Error when the folder can't be made or opened. */
export async function openLmdb(folder: string): Promise<Environment> {
  let path: string
  try {
    mkdirSync(folder, { recursive: true })
    path = realpathSync(folder)
    while (closing.has(path)) await closing.get(path)
    if (!shared.has(path)) shared.set(path, { root: openRoot(path), users: 0 })
  } catch (error) {
    throw new Error(`${folder} can't be opened: ${messageOf(error)}`, { cause: error })
  }
  const entry = shared.get(path)!
  entry.users++
  return {
    root: entry.root,
    // A child transaction, because lmdb commits a plain one even when the callback has thrown.
    write: (change) => entry.root.childTransaction(change),
    refresh: () => entry.root.resetReadTxn(),
    async close() {
      if (--entry.users > 0) return
      shared.delete(path)
      const closed = entry.root.close().finally(() => closing.delete(path))
      closing.set(path, closed)
      await closed
    },
  }
}

const openRoot = (path: string): Root =>
  open<unknown, Uint8Array>({
    path,
    noSubdir: false, // else a dot in the name makes it a file
    ...(process.platform === 'win32' ? {} : { mapSize: MAP_BYTES }),
    maxDbs: MAX_DATABASES,
    // Plain commits: data flushed, then the meta page. With one group commit at a time overlapping measured no faster.
    overlappingSync: false,
    // Off, because its bookkeeping promise is rejected without a handler when a commit fails.
    eventTurnBatching: false,
  })

/** One state of a folder, copied into another by LMDB itself, whoever writes to it meanwhile. Changes nothing there. */
export async function copyLmdb(from: string, to: string): Promise<void> {
  mkdirSync(to, { recursive: true, mode: 0o700 })
  const root = open<unknown, Uint8Array>({ path: from, noSubdir: false, readOnly: true, maxDbs: MAX_DATABASES })
  try {
    await root.backup(to, false)
  } finally {
    await root.close()
  }
}

/** Why a write failed: lmdb rejects with "see commitError", and that is a promise which rejects with what really happened. */
export async function commitFailure(error: unknown): Promise<string> {
  const details = error instanceof Error && 'commitError' in error ? error.commitError : undefined
  try {
    await details
  } catch (real) {
    return messageOf(real)
  }
  return messageOf(error)
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

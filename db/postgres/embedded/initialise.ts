/**
 * Makes a database folder, once. initdb works in a folder beside it, which is renamed when it is complete: a crash half-way leaves rubbish
 * to be removed, never a folder that looks like a database.
 */
import { chown, mkdir, mkdtemp, open, readdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import {
  assertReachable,
  type Binaries,
  letIn,
  type RunAs,
  serverEnvironment,
  spawnAs,
  USE_YOUR_OWN,
} from './binaries.ts'

export const SUPERUSER = 'streamforge'
const MAJOR = '18'

/** @throws Error when the folder holds something else, or initdb fails. */
export async function initialise(folder: string, password: string, binaries: Binaries, user: RunAs): Promise<void> {
  const parent = dirname(folder)
  await mkdir(parent, { recursive: true })
  await letIn(user, parent)
  assertReachable(user, parent, 'the data folder')
  await removeUnfinished(folder)
  if (await isDatabase(folder)) return

  const aside = await mkdtemp(`${folder}.init-`)
  try {
    const passwordFile = join(aside, 'password')
    await writeFile(passwordFile, `${password}\n`, { mode: 0o600 })
    if (user.uid !== undefined && user.gid !== undefined) {
      await chown(aside, user.uid, user.gid)
      await chown(passwordFile, user.uid, user.gid)
    }
    const cluster = join(aside, 'cluster')
    await run(binaries.initdb, initdbArguments(cluster, passwordFile), user)
    await rename(cluster, folder)
    await syncFolder(parent)
  } finally {
    await removeFolder(aside)
  }
}

const initdbArguments = (cluster: string, passwordFile: string): string[] => [
  `--pgdata=${cluster}`,
  `--username=${SUPERUSER}`,
  `--pwfile=${passwordFile}`,
  '--auth=scram-sha-256',
  '--encoding=UTF8',
  // PostgreSQL's own locale: the same order on every machine, whatever locales the system has.
  '--no-locale',
  '--locale-provider=builtin',
  '--builtin-locale=C.UTF-8',
  '--no-instructions',
]

async function removeUnfinished(folder: string): Promise<void> {
  const prefix = `${basename(folder)}.init-`
  for (const name of await readdir(dirname(folder))) {
    if (name.startsWith(prefix)) await removeFolder(join(dirname(folder), name))
  }
}

/** An initdb whose starter was killed goes on writing until it misses its files: what it adds meanwhile is removed as well. */
const removeFolder = (path: string): Promise<void> =>
  rm(path, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 })

async function isDatabase(folder: string): Promise<boolean> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (names === null) return false
  if (names.length === 0) {
    await rmdir(folder)
    return false
  }
  const version = await readFile(join(folder, 'PG_VERSION'), 'utf8').catch(() => null)
  if (version === null) {
    throw new Error(
      `${folder} should be PostgreSQL's folder, but holds other files (${names.slice(0, 3).join(', ')}). Move them away, or use another data folder (--data).`,
    )
  }
  if (version.trim() !== MAJOR) {
    throw new Error(
      `${folder} was written by PostgreSQL ${version.trim()}; this version of StreamForge brings ${MAJOR}. Use pg_upgrade, or move the folder away: results are computed again from the log.`,
    )
  }
  return true
}

/** Runs to the end; `input` goes to its standard input. @throws Error with what it wrote when it fails. */
export async function run(program: string, args: string[], user: RunAs, input = ''): Promise<void> {
  const { failure, output } = await new Promise<{ failure: string | null; output: string }>((resolve) => {
    let output = ''
    const keep = (chunk: Buffer) => {
      output = (output + chunk.toString('utf8')).slice(-4_000)
    }
    const child = spawnAs(user, program, args, { cwd: '/', env: serverEnvironment(), detached: true, stdio: 'pipe' })
    child.stdout?.on('data', keep)
    child.stderr?.on('data', keep)
    // A program that ended at once does not read: its exit code says why.
    child.stdin?.on('error', () => {})
    child.stdin?.end(input)
    child.on('error', (error) => resolve({ failure: error.message, output }))
    child.on('close', (code, signal) => resolve({ failure: code === 0 ? null : `exit ${signal ?? code}`, output }))
  })
  if (failure === null) return
  throw new Error(
    `${basename(program)} failed (${failure}):\n${output.trim()}\nIf it can't run here at all (a system without glibc, say), there is no embedded PostgreSQL for it. ${USE_YOUR_OWN}`,
  )
}

/** Makes a rename in the folder durable. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

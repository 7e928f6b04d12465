/**
 * `streamforge migrate`: brings the database of DATABASE_URL to this version's tables, those of the lake's catalog too, and ends. Every role does so at its start; as a job of its own it
 * goes before whatever needs the tables and is no role: grants to readers, a Trino over the catalog.
 */
import { openJdbcCatalog } from '../../db/lake/index.ts'
import { CommandFailed, defineCommand, parseArguments, UsageError } from '../command.ts'
import { openDatabase } from '../database.ts'
import { configFrom } from '../settings.ts'

export const migrate = defineCommand({
  name: 'migrate',
  usage: `streamforge migrate

Brings the database of DATABASE_URL to the tables of this version, those of the lake's catalog among them. May be run again at any time, and by several at once. A database of a newer
version is refused; there is no way down: restore a backup for that.`,
  async run(args, io) {
    const { positionals } = parseArguments(args, {})
    if (positionals.length > 0) throw new UsageError(`migrate takes options only, not "${positionals[0]}".`)
    const { databaseUrl } = configFrom(io.env)
    if (databaseUrl === null) {
      throw new CommandFailed(
        'There is no database to migrate: set DATABASE_URL, e.g. DATABASE_URL=postgres://user:password@127.0.0.1:5432/streamforge. The embedded one is migrated at each start.',
      )
    }
    const database = await openDatabase(databaseUrl.reveal(), 'DATABASE_URL', { max: 1, name: 'streamforge-migrate' })
    try {
      await openJdbcCatalog(database.sql)
    } finally {
      await database.close()
    }
    const { migrated } = database
    io.out(migrated === 0 ? 'The database was up to date.\n' : `${migrated} migrations were applied.\n`)
    return 0
  },
})

/** The database of a command: migrated, reachable, and holding the results of this very log; or a sentence. */
import { connect, type Sql } from '../db/postgres/connect.ts'
import { migrate } from '../db/postgres/migrate.ts'
import { claimLog, LogMismatch } from '../db/postgres/platform.ts'
import { CommandFailed } from './command.ts'

export type OpenDatabase = ReturnType<typeof connect> & { url: string }

/** @param source what the user knows the URL by, e.g. `DATABASE_URL` */
export async function openDatabase(
  url: string,
  source: string,
  options: Parameters<typeof connect>[1],
): Promise<OpenDatabase> {
  try {
    await migrate(url)
  } catch (error) {
    const { hostname, port } = new URL(url)
    throw new CommandFailed(
      `The database at ${hostname}:${port || 5432} (${source}) can't be used: ${(error as Error).message}`,
    )
  }
  return { url, ...connect(url, options) }
}

/** @throws CommandFailed when the database holds the results of another log */
export async function claim(sql: Sql, identity: string): Promise<void> {
  try {
    await claimLog(sql, identity)
  } catch (error) {
    if (error instanceof LogMismatch) throw new CommandFailed(error.message)
    throw error
  }
}

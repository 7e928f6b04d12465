/** The database of a command: reachable and migrated; or a sentence. */
import { connect } from '../db/postgres/connect.ts'
import { migrate } from '../db/postgres/migrate.ts'
import { CommandFailed } from './command.ts'

export type OpenDatabase = ReturnType<typeof connect> & {
  url: string
  /** How many migrations were applied now. */
  migrated: number
}

/** @param source what the user knows the URL by, e.g. `DATABASE_URL` */
export async function openDatabase(
  url: string,
  source: string,
  options: Parameters<typeof connect>[1],
): Promise<OpenDatabase> {
  let migrated: number
  try {
    migrated = await migrate(url)
  } catch (error) {
    const { hostname, port } = new URL(url)
    throw new CommandFailed(
      `The database at ${hostname}:${port || 5432} (${source}) can't be used: ${(error as Error).message}`,
    )
  }
  return { url, migrated, ...connect(url, options) }
}

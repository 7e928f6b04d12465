/** Facts about the database as a whole. Here: which log its results come from, as positions of one log mean nothing in another. */
import type { Sql } from './connect.ts'

/** The database holds the results of another log. */
export class LogMismatch extends Error {
  override readonly name = 'LogMismatch'
}

/**
 * The first start ties the database to its log; every later one checks it.
 * @param identity `EventLog.identity()`.
 * @throws LogMismatch saying what to do.
 */
export async function claimLog(sql: Sql, identity: string): Promise<void> {
  await sql`INSERT INTO platform (key, value) VALUES ('log_identity', ${identity}) ON CONFLICT (key) DO NOTHING`
  const [stored] = await sql<{ value: string }[]>`SELECT value FROM platform WHERE key = 'log_identity'`
  if (stored?.value === identity) return
  throw new LogMismatch(
    `This database holds the results of another event log (${stored?.value}; the log here is ${identity}). Positions of one log mean nothing in another, so new results would be ` +
      'refused or wrong. Start with the data folder (or Kafka cluster) that belongs to this database, or use another, empty database: results are computed again from the log.',
  )
}

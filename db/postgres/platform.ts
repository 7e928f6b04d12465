/**
 * Facts about the database as a whole, to which every process holds itself: which log its results come from, as positions of one log mean nothing in
 * another, and what the ids of schemas mean in that log's records.
 */
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

/** A schema id means something else in this process's registry than in that of the others. */
export class SchemaIdMismatch extends Error {
  override readonly name = 'SchemaIdMismatch'
  readonly id: number

  constructor(id: number) {
    super(`Schema id ${id} is given to two different schemas.`)
    this.id = id
  }
}

const SCHEMA_IDS = 'schema_ids'

/**
 * Notes what ids mean, for all processes that write to one log or read from it.
 * @param own fingerprints of the schemas that this process writes with, by id
 * @returns those of all processes so far
 * @throws SchemaIdMismatch where another process means something else by one of these ids
 */
export async function claimSchemaIds(sql: Sql, own: ReadonlyMap<number, string>): Promise<ReadonlyMap<number, string>> {
  return sql.begin(async (tx) => {
    await tx`INSERT INTO platform (key, value) VALUES (${SCHEMA_IDS}, '{}') ON CONFLICT (key) DO NOTHING`
    // Processes that start at once wait here for each other.
    const [stored] = await tx<{ value: string }[]>`SELECT value FROM platform WHERE key = ${SCHEMA_IDS} FOR UPDATE`
    const known = new Map(
      Object.entries(JSON.parse(stored?.value ?? '{}') as Record<string, string>).map(([id, f]) => [Number(id), f]),
    )
    for (const [id, fingerprint] of own) {
      if ((known.get(id) ?? fingerprint) !== fingerprint) throw new SchemaIdMismatch(id)
      known.set(id, fingerprint)
    }
    await tx`UPDATE platform SET value = ${JSON.stringify(Object.fromEntries(known))} WHERE key = ${SCHEMA_IDS}`
    return known
  })
}

/**
 * Who the person is in the data: the id that was asked for, and the anonymous ids that clicks bore together with it.
 *
 * Invariant: an anonymous id that was also seen with another user is not the person's: a shared device, or a client that sends the same for everybody. It stays.
 */
import { randomUUID } from 'node:crypto'
import { type Lake, queryRows, type SqlEngine, tableName } from '../../db/lake/index.ts'
import type { ErasureSubject } from '../../db/postgres/batch-schema.ts'
import type { Sql } from '../../db/postgres/connect.ts'
import { personalRows } from '../../db/privacy/erase-from-postgres.ts'
import { ERASED } from '../../streams/contract/erasure.ts'
import { RAW_TABLES } from '../../streams/contract/lake-tables.ts'
import { CLICKSTREAM } from '../../streams/contract/topics.ts'
import { textLiteral } from '../../streams/shadow/index.ts'

/** More than a person has devices: such an id is everybody's. */
const ANONYMOUS_MAX = 10_000

/** The id stands for too many to be one person's; asking again does not help. */
export class TooManyIds extends Error {
  override readonly name = 'TooManyIds'
}

export interface Collected {
  subject: Omit<ErasureSubject, 'from'>
  /** Anonymous ids that others were seen with, too. */
  shared: number
  /** Rows of the results. */
  sessions: number
}

/** @throws TooManyIds */
export async function collectSubject(
  { sql, lake, engine }: { sql: Sql; lake: Lake; engine: SqlEngine },
  userId: string,
  signal: AbortSignal,
): Promise<Collected> {
  const seen = await anonymousIds({ lake, engine }, userId, signal)
  const own = seen.filter(({ isShared }) => !isShared).map(({ id }) => id)
  if (own.length > ANONYMOUS_MAX)
    throw new TooManyIds(
      `More than ${ANONYMOUS_MAX} anonymous ids were seen with this user id: it is not one person's. Nothing was erased.`,
    )
  const ids = [...new Set([userId, ...own])]
  const { alerts, sessions } = await personalRows(sql, ids)
  const pseudonyms = Object.fromEntries(ids.map((id) => [id, `${ERASED}${randomUUID()}`]))
  return { subject: { user_id: userId, pseudonyms, alerts }, shared: seen.length - own.length, sessions }
}

async function anonymousIds({ lake, engine }: { lake: Lake; engine: SqlEngine }, userId: string, signal: AbortSignal) {
  const { name } = RAW_TABLES[CLICKSTREAM]
  if ((await lake.catalog.metadataLocation(tableName(name))) === null) return []
  const user = textLiteral(userId)
  const statement = `
    SELECT anonymous_id, count(DISTINCT user_id) AS users FROM ${name}
    WHERE user_id IS NOT NULL AND anonymous_id IN (SELECT anonymous_id FROM ${name} WHERE user_id = ${user} AND anonymous_id IS NOT NULL)
    GROUP BY anonymous_id ORDER BY users, anonymous_id LIMIT ${ANONYMOUS_MAX + 1}`
  const { rows } = await queryRows(engine, statement, { name: 'ids of a person', signal })
  return rows.map(([id, users]) => ({ id: String(id), isShared: Number(users) > 1 }))
}

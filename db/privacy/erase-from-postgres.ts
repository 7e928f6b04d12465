/**
 * Forgets a person in PostgreSQL, wherever the streams do not: what people and batch work have written about them, and rows that got by the streams (a promoted replay, a restored backup).
 *
 * Invariants: rows that totals are made of stay, under the person's pseudonym; whatever the person did after the erasure record is left alone; doing it again changes nothing.
 */
import { CLICKSTREAM, type InputTopic, ORDERS } from '../../streams/contract/topics.ts'
import { textArray } from '../postgres/arrays.ts'
import type { ErasureSubject, LogPlace } from '../postgres/batch-schema.ts'
import type { Sql, Transaction } from '../postgres/connect.ts'
import { PERSONS_IN_POSTGRES } from './postgres-tables.ts'

/** Rows changed or removed, by table. */
export type ErasedRows = Record<string, number>

/** The tables that tell of persons, whose pages are to let go of what was there. */
const TOUCHED = Object.entries(PERSONS_IN_POSTGRES).flatMap(([table, tells]) =>
  typeof tells === 'string' ? [] : [table],
)

export interface EraseFromPostgres {
  subject: ErasureSubject
  /** Where the erasure records lie: what comes behind them is not meant. */
  records: readonly LogPlace[]
  /** Schemas whose names begin so hold results that nobody has decided on. */
  shadows: string
}

export async function eraseFromPostgres(
  sql: Sql,
  { subject, records, shadows }: EraseFromPostgres,
): Promise<ErasedRows> {
  const { pseudonyms, alerts } = subject
  const ids = Object.keys(pseudonyms)
  const done: ErasedRows = {}
  const count = async (table: string, change: Promise<{ count: number }>): Promise<void> => {
    done[table] = (done[table] ?? 0) + (await change).count
  }
  await sql.begin(async (tx) => {
    const subjects = subjectsOf(tx, Object.entries(pseudonyms))
    const before = (topic: InputTopic, row: string) => beforeRecord(tx, records, topic, row)
    await count(
      'sessions',
      tx`
        UPDATE sessions t SET user_id = s.pseudonym, session_id = s.pseudonym || substr(t.session_id, length(s.id) + 1),
          merged_into = s.pseudonym || substr(t.merged_into, length(s.id) + 1), entry_page = NULL, exit_page = NULL, final = true
        FROM ${subjects} WHERE t.user_id = s.id AND ${before(CLICKSTREAM, 't')}`,
    )
    await count(
      'fraud_alerts',
      tx`
        UPDATE fraud_alerts t SET user_id = s.pseudonym, evidence = '[]', trace_id = NULL, final = true
        FROM ${subjects} WHERE t.user_id = s.id AND ${before(ORDERS, 't')}`,
    )
    // What people have written of an alert may say whose it is.
    await count(
      'alert_review_notes',
      tx`UPDATE alert_review_notes SET note = NULL WHERE note IS NOT NULL AND alert_id = ANY (${textArray(alerts)}::text::text[])`,
    )
    // Orders of a shop's own database: its copy follows that, so it is to be erased there as well.
    await count(
      'cdc_orders',
      tx`UPDATE cdc_orders t SET user_id = s.pseudonym, extra = '{}' FROM ${subjects} WHERE t.user_id = s.id`,
    )
    await count(
      'reconciliation_differences',
      tx`
        DELETE FROM reconciliation_differences t USING ${subjects}
        WHERE ${names(tx, 'key')} OR ${names(tx, 'live')} OR ${names(tx, 'expected')} OR t.message ~ s.pattern`,
    )
    await count(
      'quality_results',
      tx`UPDATE quality_results t SET sample = '[]' FROM ${subjects} WHERE ${names(tx, 'sample')}`,
    )
    for (const [table, column] of SENTENCES)
      for (const id of ids)
        await count(
          table,
          tx`
            UPDATE ${tx(table)} SET ${tx(column)} = regexp_replace(${tx(column)}, ${patternOf(id)}, '(erased)', 'g')
            WHERE ${tx(column)} ~ ${patternOf(id)}`,
        )
  })
  return { ...done, ...(await eraseFromShadows(sql, shadows, ids)) }
}

/** Records that the streams announce: each was published, or never will be; then nothing but its own id, by which it is known, is kept of it. @returns null while some are still to be published */
export async function eraseFromOutbox(sql: Sql, ids: readonly string[]): Promise<number | null> {
  const keys = textArray(ids)
  const waiting = await sql`
    SELECT 1 FROM outbox WHERE published_at IS NULL AND key = ANY (${keys}::text::text[]) AND created_at > now() - ${LEFT_MS}::float8 * interval '1 millisecond' LIMIT 1`
  if (waiting.length > 0) return null
  const { count } = await sql`
    UPDATE outbox SET key = NULL, headers = NULL, value = '', published_at = coalesce(published_at, now()) WHERE key = ANY (${keys}::text::text[])`
  return count
}

/** Whoever was to publish it has died. */
const LEFT_MS = 60_000

/** Pages keep what was removed until they are vacuumed. */
export async function vacuumErased(sql: Sql): Promise<void> {
  for (const table of TOUCHED) await sql`VACUUM ${sql(table)}`
}

/** What is told of a user's alerts and sessions before anything is erased: for the certificate, and since their reviews are found by them. */
export async function personalRows(sql: Sql, ids: readonly string[]): Promise<{ alerts: string[]; sessions: number }> {
  const users = textArray(ids)
  const alerts = await sql<{ alert_id: string }[]>`
    SELECT alert_id FROM fraud_alerts WHERE user_id = ANY (${users}::text::text[]) ORDER BY alert_id`
  const [sessions] = await sql<{ count: number }[]>`
    SELECT count(*) AS count FROM sessions WHERE user_id = ANY (${users}::text::text[])`
  return { alerts: alerts.map(({ alert_id }) => alert_id), sessions: sessions?.count ?? 0 }
}

/** Columns of sentences, which may name somebody. */
const SENTENCES = [
  ['reconciliations', 'message'],
  ['pipeline_runs', 'failure'],
  ['imports', 'message'],
] as const

const subjectsOf = (tx: Transaction, subjects: readonly (readonly [string, string])[]) =>
  tx`(SELECT * FROM unnest(${textArray(subjects.map(([id]) => id))}::text::text[],
    ${textArray(subjects.map(([, pseudonym]) => pseudonym))}::text::text[],
    ${textArray(subjects.map(([id]) => patternOf(id)))}::text::text[]) AS of (id, pseudonym, pattern)) AS s`

/** Whether a JSON column has the id somewhere as a text of its own, or as the beginning of a session's id. */
const names = (tx: Transaction, column: string) =>
  tx`jsonb_path_exists(t.${tx(column)}, '$.** ? (@ == $id || @ starts with $session)', jsonb_build_object('id', s.id, 'session', s.id || '@'))`

/** By itself, not as a part of a longer word. A regular expression of PostgreSQL's. */
const patternOf = (id: string): string => `(?<![[:alnum:]_])${id.replace(/[^\p{L}\p{N}]/gu, '\\$&')}(?![[:alnum:]_])`

function beforeRecord(tx: Transaction, records: readonly LogPlace[], topic: InputTopic, row: string) {
  const of = records.filter((record) => record.topic === topic)
  return tx`EXISTS (SELECT 1 FROM jsonb_to_recordset(${JSON.stringify(of)}::text::jsonb) AS r (partition int, "offset" bigint) WHERE r.partition = ${tx(`${row}.partition`)} AND ${tx(`${row}.position`)} < r."offset")`
}

/** Replays that nobody has decided on hold results of their own, and the events that they refused. @returns rows removed, by table */
async function eraseFromShadows(sql: Sql, prefix: string, ids: readonly string[]): Promise<ErasedRows> {
  const tables = await sql<{ schema: string; name: string; column: 'user_id' | 'event' }[]>`
    SELECT table_schema AS schema, table_name AS name, column_name AS column FROM information_schema.columns
    WHERE starts_with(table_schema, ${prefix}) AND column_name IN ('user_id', 'event')`
  const done: ErasedRows = {}
  const users = sql`ANY (${textArray(ids)}::text::text[])`
  for (const { schema, name, column } of tables) {
    const { count } = await sql`
      DELETE FROM ${sql(schema)}.${sql(name)}
      WHERE ${column === 'user_id' ? sql`user_id = ${users}` : sql`event->>'user_id' = ${users} OR event->>'anonymous_id' = ${users}`}`
    if (count > 0) done[`replay.${name}`] = (done[`replay.${name}`] ?? 0) + count
  }
  return done
}

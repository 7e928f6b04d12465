/**
 * Results in PostgreSQL: what the streams flush to, and what the edge reads.
 *
 * Invariants: a flush is one transaction; a lower position never overwrites a higher one; a flush that names a task with a higher epoch in the
 * database is refused whole. Locks are taken in one order (tasks, then tables as in RESULT_TABLES, rows by key), so flushes can't deadlock.
 * Errors pass through; `isTransient` (errors.ts) tells which are worth another try. Trying again is always safe.
 */
import { type PersonalTable, RESULT_TABLES, type ResultRows, type ResultTable } from '../../streams/contract/results.ts'
import type { Flush, ForgottenSubject, OutboxRecord, ResultStore, TaskProgress } from '../../streams/runtime/ports.ts'
import { plainArray, textArray } from './arrays.ts'
import type { Sql, Transaction } from './connect.ts'
import { fencedAt } from './manifest-rules.ts'
import { forgottenIn, isPersonal, withoutPerson } from './result-forgetting.ts'
import { cleanRecord, compareKeys, newestByKey } from './result-version.ts'
import { UPSERTS } from './upsert.ts'

export { isTransient } from './errors.ts'

/** Bounds the memory that one statement's parameters take. */
const ROWS_PER_STATEMENT = 10_000

export function createResultStore(sql: Sql): ResultStore {
  return {
    async apply(flush) {
      if (isEmpty(flush)) return []
      const outbox = flush.outbox.map(cleanRecord)
      const due = await sql.begin(async (tx) => {
        await writeProgress(tx, flush.progress)
        for (const table of RESULT_TABLES) {
          await writeRows(tx, table, flush.rows[table] ?? [])
          if (isPersonal(table)) await forgetIn(tx, table, flush.forgotten ?? [])
        }
        return outbox.length === 0 ? new Set<string>() : addToOutbox(tx, outbox)
      })
      // Once per id, in the order given.
      return outbox.filter((record) => due.delete(record.id))
    },

    async markPublished(ids) {
      if (ids.length === 0) return
      // The id stays, to be known again at a replay; the content is in the log now.
      await sql`
        UPDATE outbox SET published_at = now(), key = NULL, value = '', headers = NULL
        WHERE id = ANY (${textArray(ids)}::text::text[]) AND published_at IS NULL`
    },

    async unpublished(ageMs) {
      // As many as the flushes of one process that could not publish: the runtime stops when publishing fails, so they are few.
      const rows = await sql<StoredRecord[]>`
        SELECT id, topic, key, value, headers FROM outbox
        WHERE published_at IS NULL AND created_at <= now() - ${ageMs}::float8 * interval '1 millisecond' ORDER BY seq`
      return rows.map(({ id, topic, key, value, headers }) => ({
        id,
        topic,
        key,
        value,
        ...(headers ? { headers } : {}),
      }))
    },
  }
}

/**
 * Forgets published records older than a time, epoch ms. Safe for times before the log's retention: what is no longer in the log can't be
 * replayed, so its ids can't come again.
 * @returns how many were removed.
 */
export async function pruneOutbox(sql: Sql, beforeMs: number): Promise<number> {
  const removed = await sql`
    DELETE FROM outbox WHERE published_at IS NOT NULL AND created_at < to_timestamp(${beforeMs}::float8 / 1000)`
  return removed.count
}

interface StoredRecord {
  id: string
  topic: string
  key: string | null
  value: Buffer
  headers: Record<string, string> | null
}

const isEmpty = (flush: Flush): boolean =>
  flush.outbox.length === 0 &&
  flush.progress.length === 0 &&
  RESULT_TABLES.every((table) => (flush.rows[table]?.length ?? 0) === 0)

async function writeRows<T extends ResultTable>(
  tx: Transaction,
  table: T,
  rows: readonly ResultRows[T][],
): Promise<void> {
  if (rows.length === 0) return
  const { statement, parameters } = UPSERTS[table]
  const newest = newestByKey(table, rows)
  for (let from = 0; from < newest.length; from += ROWS_PER_STATEMENT) {
    await tx.unsafe(statement, parameters(newest.slice(from, from + ROWS_PER_STATEMENT)), { prepare: true })
  }
}

/** What a person's rows were goes, what sums are made of comes in their place. Their partition's flushes queue up at its row in `tasks`, so nobody else has these rows. */
async function forgetIn(tx: Transaction, table: PersonalTable, forgotten: readonly ForgottenSubject[]): Promise<void> {
  for (const subject of forgottenIn(table, forgotten)) {
    const { subjectId, partition, position } = subject
    // `isOf`, as SQL. The columns have the types of the row's fields (schema.ts).
    const theirs = await tx<ResultRows[PersonalTable][]>`
      DELETE FROM ${tx(table)} WHERE user_id = ${subjectId} AND partition = ${partition} AND position < ${position} RETURNING *`
    await writeRows(
      tx,
      table,
      theirs.map((row) => withoutPerson(table, row, subject)),
    )
  }
}

/**
 * The fence of a flush, so it comes first: its row locks also make a task that takes a partition over wait until this flush is in or refused.
 * @throws Fenced
 */
async function writeProgress(tx: Transaction, given: readonly TaskProgress[]): Promise<void> {
  if (given.length === 0) return
  const progress = [...given].sort((a, b) => compareKeys([a.topic, a.partition], [b.topic, b.partition]))
  const numbers = (of: (p: TaskProgress) => number) => plainArray(progress.map(of))
  const written = await tx<{ topic: string; partition: number }[]>`
    INSERT INTO tasks AS t (topic, partition, epoch, owner, next_offset, end_offset, watermark, events, late, duplicates, dead_letters, live)
    SELECT v.topic, v.partition, v.epoch, '', v.next_offset, v.end_offset, to_timestamp(v.watermark / 1000), v.events, v.late, v.duplicates,
      v.dead_letters, v.live
    FROM unnest(
      ${textArray(progress.map((p) => p.topic))}::text::text[],
      ${numbers((p) => p.partition)}::text::integer[],
      ${numbers((p) => p.epoch)}::text::bigint[],
      ${numbers((p) => p.nextOffset)}::text::bigint[],
      ${numbers((p) => p.endOffset)}::text::bigint[],
      ${numbers((p) => p.watermarkMs ?? Number.NEGATIVE_INFINITY)}::text::float8[],
      ${numbers((p) => p.events)}::text::bigint[],
      ${numbers((p) => p.outcomes.late)}::text::bigint[],
      ${numbers((p) => p.outcomes.duplicate)}::text::bigint[],
      ${numbers((p) => p.outcomes.dead_letter)}::text::bigint[],
      ${plainArray(progress.map((p) => p.live))}::text::boolean[]
    ) AS v (topic, partition, epoch, next_offset, end_offset, watermark, events, late, duplicates, dead_letters, live)
    ON CONFLICT (topic, partition) DO UPDATE SET
      epoch = excluded.epoch, next_offset = excluded.next_offset, end_offset = excluded.end_offset, watermark = excluded.watermark,
      events = excluded.events, late = excluded.late, duplicates = excluded.duplicates, dead_letters = excluded.dead_letters,
      live = excluded.live, updated_at = now()
    WHERE t.epoch <= excluded.epoch
    RETURNING topic, partition`
  if (written.length === progress.length) return
  const refused = progress.find((p) => !written.some((w) => w.topic === p.topic && w.partition === p.partition))!
  const [task] = await tx<{ epoch: number }[]>`
    SELECT epoch FROM tasks WHERE topic = ${refused.topic} AND partition = ${refused.partition}`
  throw fencedAt(refused, refused.epoch, task?.epoch ?? null)
}

/**
 * In the order given, which `unpublished` keeps. Two writers of one id can't wait for each other crosswise: ids come from one partition, and the
 * flushes of a partition queue up at its row in `tasks`.
 * @returns the ids among the records that have not been published.
 */
async function addToOutbox(tx: Transaction, records: readonly OutboxRecord[]): Promise<Set<string>> {
  const ids = textArray(records.map((record) => record.id))
  await tx`
    INSERT INTO outbox (id, topic, key, value, headers)
    SELECT v.id, v.topic, v.key, decode(v.value, 'hex'), v.headers::jsonb
    FROM unnest(
      ${ids}::text::text[],
      ${textArray(records.map((record) => record.topic))}::text::text[],
      ${textArray(records.map((record) => record.key))}::text::text[],
      ${textArray(records.map((record) => Buffer.from(record.value).toString('hex')))}::text::text[],
      ${textArray(records.map((record) => (record.headers ? JSON.stringify(record.headers) : null)))}::text::text[]
    ) AS v (id, topic, key, value, headers)
    ON CONFLICT (id) DO NOTHING`
  const due = await tx<{ id: string }[]>`
    SELECT id FROM outbox WHERE id = ANY (${ids}::text::text[]) AND published_at IS NULL`
  return new Set(due.map(({ id }) => id))
}

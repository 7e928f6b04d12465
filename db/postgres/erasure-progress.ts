/**
 * How far an erasure has come: the memory of the workflow `eraseSubject`, whose own history must not hold whom it is about.
 *
 * Invariants: a step that is noted again replaces its note, so an attempt made again changes nothing; the person's ids are here until the erasure is complete, and not a moment longer.
 */
import type { ErasureState, ErasureStep, ErasureSubject, LogPlace } from './batch-schema.ts'
import type { Sql } from './connect.ts'

export interface OpenErasure {
  id: string
  state: ErasureState
  user_id: string
  /** Null until they are collected. */
  subject: ErasureSubject | null
  /** Epoch milliseconds. */
  requested_at: number
  records: LogPlace[]
  log_ends: LogPlace[] | null
  steps: ErasureStep[]
}

/** One whose workflow has said nothing for so long is started again: it looks at the log every hour. */
const SILENT_MS = 2 * 3_600_000
const STARTED_AT_ONCE = 100

const time = (ms: number): string => new Date(ms).toISOString()

/** What no workflow works on, as far as can be seen from here. */
export async function erasuresToStart(sql: Sql, nowMs: number): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    SELECT id FROM erasures
    WHERE state = 'requested' OR (state IN ('running', 'waiting_for_log') AND updated_at < ${time(nowMs - SILENT_MS)}::timestamptz)
    ORDER BY requested_at LIMIT ${STARTED_AT_ONCE}`
  return rows.map(({ id }) => id)
}

/** @returns null for one that is complete, or that there is not */
export async function openErasure(sql: Sql, id: string): Promise<OpenErasure | null> {
  const [row] = await sql<OpenErasure[]>`
    SELECT id, state, user_id, subject, requested_at, records, log_ends, steps FROM erasures
    WHERE id = ${id} AND user_id IS NOT NULL`
  return row ? { ...row } : null
}

/** Without a `failure` the one that is noted stays: a step beside this one may be held up by it. */
export async function noteErasureState(
  sql: Sql,
  id: string,
  { state, failure, nowMs }: { state: ErasureState; failure?: string | null; nowMs: number },
): Promise<void> {
  await sql`
    UPDATE erasures SET state = ${state}, failure = ${failure === undefined ? sql`failure` : failure}, updated_at = ${time(nowMs)}
    WHERE id = ${id} AND state <> 'complete'`
}

/** What an erasure that is under way can't get past at the moment; null: nothing. */
export async function noteHindrance(
  sql: Sql,
  id: string,
  { why, nowMs }: { why: string | null; nowMs: number },
): Promise<void> {
  await sql`
    UPDATE erasures SET failure = ${why}, updated_at = ${time(nowMs)}
    WHERE id = ${id} AND state IN ('running', 'waiting_for_log') AND (failure IS NOT NULL OR ${why}::text IS NOT NULL)`
}

/** The first that is noted stands: what it names may have been replaced by its pseudonyms already. */
export async function noteSubject(sql: Sql, id: string, subject: ErasureSubject): Promise<void> {
  await sql`UPDATE erasures SET subject = ${JSON.stringify(subject)}::text::jsonb WHERE id = ${id} AND subject IS NULL AND user_id IS NOT NULL`
}

/** The time that is noted first stands: what came after it is not meant. */
export async function noteRecords(sql: Sql, id: string, records: readonly LogPlace[], nowMs: number): Promise<void> {
  await sql`
    UPDATE erasures SET records = ${JSON.stringify(records)}::text::jsonb,
      subject = jsonb_build_object('told_at', ${nowMs}::bigint) || subject
    WHERE id = ${id}`
}

/** The first that is noted stands. */
export async function noteLogEnds(
  sql: Sql,
  id: string,
  { ends, untilMs, nowMs }: { ends: readonly LogPlace[]; untilMs: number; nowMs: number },
): Promise<void> {
  await sql`
    UPDATE erasures SET log_ends = ${JSON.stringify(ends)}::text::jsonb, waits_until = ${time(untilMs)}, updated_at = ${time(nowMs)}
    WHERE id = ${id} AND log_ends IS NULL`
}

export async function noteStep(sql: Sql, id: string, step: ErasureStep): Promise<void> {
  await sql`
    UPDATE erasures SET updated_at = ${step.at},
      steps = jsonb_path_query_array(steps, '$[*] ? (@.step != $step)', jsonb_build_object('step', ${step.step}::text)) || ${JSON.stringify([step])}::text::jsonb
    WHERE id = ${id} AND state <> 'complete'`
}

/** Lets go of the person's ids, for good. */
export async function completeErasure(sql: Sql, id: string, nowMs: number): Promise<void> {
  await sql`
    UPDATE erasures SET state = 'complete', user_id = NULL, subject = NULL, failure = NULL, completed_at = ${time(nowMs)}, updated_at = ${time(nowMs)}
    WHERE id = ${id} AND state <> 'complete'`
}

/** Where erasure records lie in the log, of all erasures there ever were: offsets that are no events. */
export async function erasureRecords(sql: Sql): Promise<LogPlace[]> {
  const rows = await sql<LogPlace[]>`
    SELECT r->>'topic' AS topic, (r->>'partition')::int AS partition, (r->>'offset')::bigint AS offset
    FROM erasures, jsonb_array_elements(records) AS r`
  return rows.map((row) => ({ ...row }))
}

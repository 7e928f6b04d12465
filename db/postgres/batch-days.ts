/**
 * Which days the batch layer has built, on what, and which are to be built (again).
 *
 * Invariant: a day is noted with what its build read, in the same transaction in which the days that it overtakes are marked; so a crash in between leaves both to be done again. Noting twice changes
 * nothing.
 */
import type { Sql } from './connect.ts'

export interface DayNote {
  day: string
  /** Rows by raw table, of the snapshots that the build read. */
  counts: Readonly<Record<string, number>>
  /** Sequence numbers of those snapshots, by raw table. */
  sequences: Readonly<Record<string, number>>
  /** Days that lose a row to this one, by raw table. */
  overtaken: Readonly<Record<string, readonly string[]>>
  runId: string
  nowMs: number
}

/** Days with rows that were not there when this one was last built make those they overtake stale, unless these have seen as much already. */
export async function noteDay(sql: Sql, { day, counts, sequences, overtaken, runId, nowMs }: DayNote): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`SELECT pg_advisory_xact_lock(hashtext('batch_days'))`
    const [before] = await tx<{ same: boolean }[]>`
      SELECT counts = ${JSON.stringify(counts)}::text::jsonb AS same FROM batch_days WHERE day = ${day}`
    const overtakes = before?.same === true ? [] : Object.entries(overtaken)
    for (const [table, days] of overtakes)
      await tx`
        UPDATE batch_days SET stale = ${`${day} has rows of ${table} that count instead of rows of this day.`}
        WHERE day::text IN (SELECT jsonb_array_elements_text(${JSON.stringify(days)}::text::jsonb))
          AND coalesce((sequences->>${table}::text)::bigint, 0) < ${sequences[table] ?? 0}`
    await tx`
      INSERT INTO batch_days (day, counts, sequences, stale, built_at, workflow_run_id)
      VALUES (${day}, ${JSON.stringify(counts)}::text::jsonb, ${JSON.stringify(sequences)}::text::jsonb, NULL, ${new Date(nowMs).toISOString()}, ${runId})
      ON CONFLICT (day) DO UPDATE SET counts = excluded.counts, sequences = excluded.sequences, stale = NULL,
        built_at = excluded.built_at, workflow_run_id = excluded.workflow_run_id`
  })
}

export interface OpenDay {
  day: string
  /** Whether it has been built before. */
  isLate: boolean
  /** In a sentence. */
  why: string
}

/** Of the days that the raw tables have rows of, and of those that were built: which are not what they would be if they were built now. The oldest first. */
export async function openDays(
  sql: Sql,
  raw: ReadonlyMap<string, Readonly<Record<string, number>>>,
): Promise<OpenDay[]> {
  const noted = await sql<{ day: string; counts: Record<string, number>; stale: string | null }[]>`
    SELECT day::text AS day, counts, stale FROM batch_days`
  const built = new Map(noted.map((each) => [each.day, each]))
  const open: OpenDay[] = []
  for (const day of [...new Set([...raw.keys(), ...built.keys()])].sort()) {
    const there = built.get(day)
    const why =
      there === undefined ? 'It has not been built.' : (changeOf(there.counts, raw.get(day) ?? {}) ?? there.stale)
    if (why !== null) open.push({ day, isLate: there !== undefined, why })
  }
  return open
}

function changeOf(then: Readonly<Record<string, number>>, now: Readonly<Record<string, number>>): string | null {
  const tables = [...new Set([...Object.keys(then), ...Object.keys(now)])].sort()
  const changed = tables.filter((table) => (then[table] ?? 0) !== (now[table] ?? 0))
  if (changed.length === 0) return null
  const counts = changed.map((table) => `${table} ${then[table] ?? 0} rows, now ${now[table] ?? 0}`)
  return `Since it was built its rows have changed: ${counts.join('; ')}.`
}

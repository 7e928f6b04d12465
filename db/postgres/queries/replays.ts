/**
 * Replays and how they were decided. Invariant: rows of a replay take the place of the live ones at most once, in the transaction that says so; which rows belong to it is decided by the replay's
 * own range and by the partitions that it has come through.
 */
import type { InferSelectModel } from 'drizzle-orm'
import type { replays } from '../batch-schema.ts'
import type { Sql } from '../connect.ts'

export type Replay = InferSelectModel<typeof replays>
/** By table. */
export type Replaced = Record<string, { removed: number; written: number }>

export interface ReplayedPartition {
  topic: string
  partition: number
}

/** It is there to be looked at. @param partitions whose rows it may replace; kept with the rows */
export async function readyReplay(
  sql: Sql,
  replay: Omit<Replay, 'state' | 'replaced' | 'decided_at'>,
  partitions: readonly ReplayedPartition[],
): Promise<void> {
  const json = JSON.stringify(partitions.map(({ topic, partition }) => ({ topic, partition })))
  await sql.begin(async (tx) => {
    await tx`CREATE TABLE ${tx(replay.schema_name)}.replayed AS
      SELECT topic, partition FROM jsonb_to_recordset(${json}::text::jsonb) AS each (topic text, partition integer)`
    await tx`
      INSERT INTO replays (id, job, from_at, to_at, rule, schema_name, state, compared, workflow_id, created_at)
      VALUES (${replay.id}, ${replay.job}, to_timestamp(${replay.from_at}::float8 / 1000), to_timestamp(${replay.to_at}::float8 / 1000),
        ${replay.rule === null ? null : JSON.stringify(replay.rule)}::text::jsonb, ${replay.schema_name}, 'ready', ${JSON.stringify(replay.compared)}::text::jsonb,
        ${replay.workflow_id}, to_timestamp(${replay.created_at}::float8 / 1000))
      ON CONFLICT (id) DO UPDATE SET schema_name = excluded.schema_name, compared = excluded.compared, created_at = excluded.created_at
      WHERE replays.state = 'ready'`
  })
}

export interface PromotedTable {
  table: string
  /** Whose value lies in the range. */
  column: string
  topics: readonly string[]
}

/**
 * @param tables of a job
 * @returns null when there is nothing to promote: it was discarded, or was never there
 */
export async function promoteShadow(
  sql: Sql,
  { id, nowMs, tables }: { id: string; nowMs: number; tables: (job: string) => readonly PromotedTable[] },
): Promise<Replaced | null> {
  return sql.begin(async (tx) => {
    const [replay] = await tx<Replay[]>`SELECT * FROM replays WHERE id = ${id} FOR UPDATE`
    if (replay?.state === 'promoted') return replay.replaced as Replaced
    const [schema] = await tx`SELECT 1 FROM pg_namespace WHERE nspname = ${replay?.schema_name ?? ''}`
    if (replay?.state !== 'ready' || !schema) return null
    const shadow = replay.schema_name
    const replaced: Replaced = {}
    for (const { table, column, topics } of tables(replay.job)) {
      const isOurs = (side: string): string => `
        ${side}."${column}" >= to_timestamp($1::float8 / 1000) AND ${side}."${column}" < to_timestamp($2::float8 / 1000)
        AND EXISTS (SELECT 1 FROM "${shadow}".replayed r WHERE r.partition = ${side}.partition
          AND ${topics.length > 1 ? `r.topic = ${side}.topic` : `r.topic = '${topics[0]}'`})`
      const range = [replay.from_at, replay.to_at]
      const removed = await tx.unsafe(`DELETE FROM public."${table}" t WHERE ${isOurs('t')}`, range)
      const written = await tx.unsafe(
        `INSERT INTO public."${table}" SELECT s.* FROM "${shadow}"."${table}" s WHERE ${isOurs('s')}`,
        range,
      )
      replaced[table] = { removed: removed.count, written: written.count }
    }
    await tx`DROP SCHEMA ${tx(shadow)} CASCADE`
    await tx`
      UPDATE replays SET state = 'promoted', decided_at = to_timestamp(${nowMs}::float8 / 1000), replaced = ${JSON.stringify(replaced)}::text::jsonb
      WHERE id = ${id}`
    return replaced
  })
}

/** One that was promoted stays so. */
export async function discardedReplay(sql: Sql, { id, nowMs }: { id: string; nowMs: number }): Promise<void> {
  await sql`
    UPDATE replays SET state = 'discarded', decided_at = to_timestamp(${nowMs}::float8 / 1000) WHERE id = ${id} AND state = 'ready'`
}

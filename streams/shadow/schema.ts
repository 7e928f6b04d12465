/**
 * A schema of PostgreSQL for the results of one run, beside the live ones: `shadow_<run>`, with tables of the same columns and keys, and what the run refused.
 *
 * Invariants: nothing of it is seen by readers of the live tables; a schema says how long it may stay, and one that nobody needs any more is removed by whoever runs next.
 */
import { plainArray, textArray } from '../../db/postgres/arrays.ts'
import { connect, type Database, type Sql } from '../../db/postgres/connect.ts'
import { createResultStore } from '../../db/postgres/result-store.ts'
import { cleanText } from '../../db/postgres/result-version.ts'
import { type Outcome, RESULT_TABLES } from '../contract/results.ts'
import type { ResultStore } from '../runtime/ports.ts'

export const SHADOW_PREFIX = 'shadow_'
const NAME = /^shadow_[a-z0-9_]{1,50}$/

export interface Refused {
  topic: string
  partition: number
  offset: number
  /** `*` where no job saw it. */
  job: string
  outcome: Outcome
  eventTimeMs: number
  event: object
}

export interface Shadow {
  readonly name: string
  readonly results: ResultStore
  /** On a connection whose tables without a schema are those of this one. */
  readonly sql: Sql
  /** `refused`: what the jobs did not apply. `repeated`, for whoever fills it: what repeats an earlier record. One that is there stays. */
  writeStrays(table: 'refused' | 'repeated', strays: readonly Refused[]): Promise<void>
  /** Closes the connections; the schema stays. */
  close(): Promise<void>
}

/** A name from any text: of a workflow run, and which attempt it is. */
export const shadowName = (run: string, attempt: number): string =>
  `${SHADOW_PREFIX}${run
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .slice(-40)}_${attempt}`

/** Made anew when it is there. @param keepMs for so long it is nobody else's to remove */
export async function createShadow(
  { sql }: Pick<Database, 'sql'>,
  databaseUrl: string,
  { name, nowMs, keepMs }: { name: string; nowMs: number; keepMs: number },
): Promise<Shadow> {
  requireName(name)
  await sql.begin(async (tx) => {
    await tx`DROP SCHEMA IF EXISTS ${tx(name)} CASCADE`
    await tx`CREATE SCHEMA ${tx(name)}`
    await tx.unsafe(`COMMENT ON SCHEMA ${name} IS '${new Date(nowMs + keepMs).toISOString()}'`)
    for (const table of RESULT_TABLES)
      await tx.unsafe(`CREATE TABLE ${name}.${table} (LIKE public.${table} INCLUDING ALL)`)
    for (const table of ['refused', 'repeated'])
      await tx.unsafe(`
        CREATE TABLE ${name}.${table} (
          topic text NOT NULL, partition integer NOT NULL, "offset" bigint NOT NULL, job text NOT NULL, outcome text NOT NULL,
          event_time timestamptz NOT NULL, event jsonb NOT NULL, PRIMARY KEY (topic, partition, "offset", job)
        )`)
  })
  return openShadow(databaseUrl, name)
}

/** Of a schema that is there. */
export function openShadow(databaseUrl: string, name: string): Shadow {
  requireName(name)
  const database = connect(databaseUrl, { max: 2, name: 'streamforge-shadow', schema: name })
  return {
    name,
    results: createResultStore(database.sql),
    sql: database.sql,
    async writeStrays(table, strays) {
      if (strays.length === 0) return
      await database.sql`
        INSERT INTO ${database.sql(table)} (topic, partition, "offset", job, outcome, event_time, event)
        SELECT v.topic, v.partition, v."offset", v.job, v.outcome, to_timestamp(v.event_time / 1000), v.event::jsonb
        FROM unnest(
          ${textArray(strays.map((each) => each.topic))}::text::text[],
          ${plainArray(strays.map((each) => each.partition))}::text::integer[],
          ${plainArray(strays.map((each) => each.offset))}::text::bigint[],
          ${textArray(strays.map((each) => each.job))}::text::text[],
          ${textArray(strays.map((each) => each.outcome))}::text::text[],
          ${plainArray(strays.map((each) => each.eventTimeMs))}::text::float8[],
          ${textArray(strays.map((each) => cleanJson(each.event)))}::text::text[]
        ) AS v (topic, partition, "offset", job, outcome, event_time, event)
        ON CONFLICT DO NOTHING`
    },
    close: () => database.close(),
  }
}

export async function dropShadow(sql: Sql, name: string): Promise<void> {
  requireName(name)
  await sql`DROP SCHEMA IF EXISTS ${sql(name)} CASCADE`
}

/** Removes what is kept no longer, and other attempts of the same run. @returns the names of those */
export async function sweepShadows(
  sql: Sql,
  { nowMs, attemptsOf }: { nowMs: number; attemptsOf?: string },
): Promise<string[]> {
  const schemas = await sql<{ name: string; keep: string | null }[]>`
    SELECT nspname AS name, obj_description(oid, 'pg_namespace') AS keep FROM pg_namespace WHERE nspname LIKE 'shadow\\_%'`
  const siblings = attemptsOf === undefined ? null : attemptsOf.replace(/_\d+$/, '')
  const left = schemas.filter(
    ({ name, keep }) =>
      NAME.test(name) &&
      name !== attemptsOf &&
      (!(Date.parse(keep ?? '') > nowMs) || (siblings !== null && name.replace(/_\d+$/, '') === siblings)),
  )
  for (const { name } of left) await dropShadow(sql, name)
  return left.map(({ name }) => name)
}

function requireName(name: string): void {
  if (!NAME.test(name)) throw new Error(`"${name}" is no name for a schema of shadow results.`)
}

/** PostgreSQL takes no U+0000 in jsonb. */
const cleanJson = (value: object): string =>
  JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'string' ? cleanText(inner) : inner))

/**
 * The records that make live results differ from the exact truth: those that the streams did not apply (late, duplicates within the horizon, dead letters), and those that they did though an earlier one
 * is the same event. Kept in the schema of the shadow run, so that PostgreSQL does the sums.
 *
 * Invariant: of a record in both sets nothing follows; it is one that neither counts.
 */
import type { SqlEngine, SqlOptions } from '../../db/lake/index.ts'
import { RAW_TABLES } from '../../streams/contract/lake-tables.ts'
import type { InputTopic } from '../../streams/contract/topics.ts'
import { eventReader, numberOf, objectsOf, type PartitionRun, type Shadow } from '../../streams/shadow/index.ts'
import type { Until } from './final-range.ts'
import { inTime, ofLog, repeatedRows, type TimeBounds } from './lake-rows.ts'
import { microsOfText } from './values.ts'

export interface StrayDeps {
  engine: SqlEngine
  shadow: Shadow
  options: SqlOptions
}

/** Fills `refused` with what came after the run's end, when everything of the range was closed, and `repeated`. */
export async function gatherStrays(
  deps: StrayDeps,
  topic: InputTopic,
  bounds: TimeBounds,
  { lakeUntil, partitions }: { lakeUntil: Until; partitions: readonly PartitionRun[] },
): Promise<void> {
  const reader = eventReader(topic)
  const columns = reader.columns
  const behind = partitions
    .filter((run) => run.topic === topic && run.passed)
    .map(({ partition, to }) => `(log_partition = ${partition} AND log_offset >= ${to})`)
  if (behind.length > 0)
    await copyInto(
      deps,
      'refused',
      topic,
      `SELECT ${[...columns, 'log_partition', 'log_offset'].join(', ')} FROM ${RAW_TABLES[topic].name}
       WHERE ${inTime(bounds)} AND ${ofLog(topic, lakeUntil)} AND (${behind.join(' OR ')})`,
    )
  await copyInto(deps, 'repeated', topic, repeatedRows(topic, bounds, lakeUntil, columns))
}

async function copyInto(
  { engine, shadow, options }: StrayDeps,
  table: 'refused' | 'repeated',
  topic: InputTopic,
  sql: string,
): Promise<void> {
  const reader = eventReader(topic)
  const times = RAW_TABLES[topic].columns.filter(({ type }) => type === 'timestamptz').map(({ name }) => name)
  for await (const rows of objectsOf(engine, sql, { ...options, name: `${topic} ${table}` })) {
    const strays = rows.map((row) => {
      for (const name of times) if (row[name] != null) row[name] = microsOfText(row[name])
      const event = reader.read(row as Parameters<typeof reader.read>[0])
      return {
        topic,
        partition: numberOf(row.log_partition),
        offset: numberOf(row.log_offset),
        job: '*',
        outcome: table === 'refused' ? ('late' as const) : ('duplicate' as const),
        eventTimeMs: event.event_time,
        event,
      }
    })
    await shadow.writeStrays(table, strays)
  }
}

/** A query of those records that one side applied and the other did not, with `sign`: 1 where the truth has it and the live result does not. @param job an operator's name */
export const strayRows = (
  topic: InputTopic,
  job: string,
  { fromMs, toMs }: { fromMs: number; toMs: number },
): string => `
  SELECT coalesce(f.partition, r.partition) AS partition, coalesce(f."offset", r."offset") AS "offset",
    coalesce(f.event_time, r.event_time) AS event_time, coalesce(f.event, r.event) AS event,
    coalesce(f.outcome, 'duplicate') AS cause, CASE WHEN f.partition IS NULL THEN -1 ELSE 1 END AS sign
  FROM (SELECT DISTINCT ON (partition, "offset") * FROM refused WHERE topic = '${topic}' AND job IN ('*', '${job}') ORDER BY partition, "offset", job) f
  FULL OUTER JOIN (SELECT * FROM repeated WHERE topic = '${topic}') r USING (partition, "offset")
  WHERE (f.partition IS NULL OR r.partition IS NULL)
    AND coalesce(f.event_time, r.event_time) >= to_timestamp(${fromMs}::float8 / 1000)
    AND coalesce(f.event_time, r.event_time) < to_timestamp(${toMs}::float8 / 1000)`

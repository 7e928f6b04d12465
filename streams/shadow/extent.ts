/**
 * Which records of a partition a range of event time takes: where the partition begins in the lake, where a run must begin, and where it may end. By SQL over the lake, which reads columns and
 * files that matter only.
 */
import type { SqlEngine, SqlOptions, SqlValue } from '../../db/lake/index.ts'
import { RAW_TABLES } from '../contract/lake-tables.ts'
import type { InputTopic } from '../contract/topics.ts'
import { FUTURE_CAP_MS } from '../runtime/task.ts'
import { allObjects, msOfText, numberOf, timeLiteral } from './lake-sql.ts'

/** Of a partition as the lake has it. */
export interface PartitionStart {
  partition: number
  firstOffset: number
  /** Stream time of the first event. */
  originMs: number
}

/** Partitions without a row in the lake are left out, as are rows that never were in the log: those of imported files have negative partitions. */
export async function partitionStarts(
  engine: SqlEngine,
  topic: InputTopic,
  options: SqlOptions,
): Promise<PartitionStart[]> {
  const { name } = RAW_TABLES[topic]
  const firsts = await allObjects(
    engine,
    `SELECT log_partition, min(log_offset) AS first_offset FROM ${name} WHERE log_partition >= 0 GROUP BY log_partition`,
    { ...options, name: `${name} first offsets` },
  )
  if (firsts.length === 0) return []
  const isFirst = firsts.map(
    (row) => `(log_partition = ${numberOf(row.log_partition)} AND log_offset = ${numberOf(row.first_offset)})`,
  )
  const highest = Math.max(...firsts.map((row) => numberOf(row.first_offset)))
  const rows = await allObjects(
    engine,
    `SELECT log_partition, log_offset, event_time, log_appended_at FROM ${name} WHERE log_offset <= ${highest} AND (${isFirst.join(' OR ')})`,
    { ...options, name: `${name} first records` },
  )
  const starts = rows.map((row) => ({
    partition: numberOf(row.log_partition),
    firstOffset: numberOf(row.log_offset),
    originMs: Math.min(msOfText(row.event_time), msOfText(row.log_appended_at) + FUTURE_CAP_MS),
  }))
  return [...new Map(starts.map((start) => [start.partition, start])).values()].sort(
    (a, b) => a.partition - b.partition,
  )
}

/** @returns by partition, the lowest offset of an event from its time on; partitions without one are left out */
export async function firstOffsetsFrom(
  engine: SqlEngine,
  topic: InputTopic,
  fromMs: ReadonlyMap<number, number>,
  toMs: number,
  options: SqlOptions,
): Promise<Map<number, number>> {
  if (fromMs.size === 0) return new Map()
  const each = [...fromMs].map(
    ([partition, ms]) => `(log_partition = ${partition} AND event_time >= ${timeLiteral(ms)})`,
  )
  // What all have in common stands by itself, as it leaves out files.
  const rows = await allObjects(
    engine,
    `SELECT log_partition, min(log_offset) AS first_offset FROM ${RAW_TABLES[topic].name}
     WHERE event_time >= ${timeLiteral(Math.min(...fromMs.values()))} AND event_time < ${timeLiteral(toMs)} AND (${each.join(' OR ')})
     GROUP BY log_partition`,
    { ...options, name: `${RAW_TABLES[topic].name} offsets from` },
  )
  return offsetsOf(rows)
}

const DAY_MS = 86_400_000

/** @returns by partition, behind the record that brings the stream time to this point; those that have not come so far are left out */
export async function offsetsBehind(
  engine: SqlEngine,
  topic: InputTopic,
  partitions: Iterable<number>,
  streamTimeMs: number,
  options: SqlOptions,
): Promise<Map<number, number>> {
  const found = new Map<number, number>()
  // First where it is nearly always found: what comes later lies in other files. There may be an earlier offset, where event time has jumped: ending later than needed does no harm.
  for (const soon of [` AND event_time < ${timeLiteral(streamTimeMs + DAY_MS)}`, '']) {
    const left = [...partitions].filter((partition) => !found.has(partition))
    if (left.length === 0) break
    const rows = await allObjects(
      engine,
      `SELECT log_partition, min(log_offset) AS first_offset FROM ${RAW_TABLES[topic].name}
       WHERE event_time >= ${timeLiteral(streamTimeMs)} AND log_appended_at >= ${timeLiteral(streamTimeMs - FUTURE_CAP_MS)}${soon}
         AND log_partition IN (${left.join(', ')}) GROUP BY log_partition`,
      { ...options, name: `${RAW_TABLES[topic].name} offsets behind` },
    )
    for (const [partition, offset] of offsetsOf(rows)) found.set(partition, offset + 1)
  }
  return found
}

const offsetsOf = (rows: readonly Record<string, SqlValue>[]): Map<number, number> =>
  new Map(rows.map((row) => [numberOf(row.log_partition), numberOf(row.first_offset)]))

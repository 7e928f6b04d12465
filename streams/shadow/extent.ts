/**
 * Which records of a partition a range of event time takes: where the partition begins in the lake, where a run must begin, and where it may end. By SQL over the lake, which reads columns and
 * files that matter only.
 */
import type { SqlEngine, SqlOptions } from '../../db/lake/index.ts'
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
    options,
  )
  if (firsts.length === 0) return []
  const isFirst = firsts.map(
    (row) => `(log_partition = ${numberOf(row.log_partition)} AND log_offset = ${numberOf(row.first_offset)})`,
  )
  const highest = Math.max(...firsts.map((row) => numberOf(row.first_offset)))
  const rows = await allObjects(
    engine,
    `SELECT log_partition, log_offset, event_time, log_appended_at FROM ${name} WHERE log_offset <= ${highest} AND (${isFirst.join(' OR ')})`,
    options,
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

/** @returns the lowest offset of an event within these times; null when there is none */
export async function firstOffsetWithin(
  engine: SqlEngine,
  topic: InputTopic,
  partition: number,
  { fromMs, toMs }: { fromMs: number; toMs: number },
  options: SqlOptions,
): Promise<number | null> {
  const [row] = await allObjects(
    engine,
    `SELECT min(log_offset) AS first_offset FROM ${RAW_TABLES[topic].name}
     WHERE log_partition = ${partition} AND event_time >= ${timeLiteral(fromMs)} AND event_time < ${timeLiteral(toMs)}`,
    options,
  )
  return row?.first_offset === null ? null : numberOf(row?.first_offset)
}

const DAY_MS = 86_400_000

/** @returns behind the record that brings the stream time to this point; null when none does yet */
export async function offsetBehind(
  engine: SqlEngine,
  topic: InputTopic,
  partition: number,
  streamTimeMs: number,
  options: SqlOptions,
): Promise<number | null> {
  const reached = `log_partition = ${partition} AND event_time >= ${timeLiteral(streamTimeMs)} AND log_appended_at >= ${timeLiteral(streamTimeMs - FUTURE_CAP_MS)}`
  // First where it is nearly always found: what comes later lies in other files.
  for (const soon of [` AND event_time < ${timeLiteral(streamTimeMs + DAY_MS)}`, '']) {
    const [row] = await allObjects(
      engine,
      `SELECT min(log_offset) AS first_offset FROM ${RAW_TABLES[topic].name} WHERE ${reached}${soon}`,
      options,
    )
    // A later day may hold an earlier offset, where event time has jumped: ending later than needed does no harm.
    if (row?.first_offset !== null) return numberOf(row?.first_offset) + 1
  }
  return null
}

/** Conditions and statements over the raw tables of the lake that the truth is computed with: the rows of the log up to where it was looked at, and those that repeat an earlier one. */
import { RAW_TABLES } from '../../streams/contract/lake-tables.ts'
import { CLICKSTREAM, type InputTopic, ORDERS, TRIPS } from '../../streams/contract/topics.ts'
import { timeLiteral } from '../../streams/shadow/index.ts'
import type { Until } from './final-range.ts'

/** What makes two rows the same event, as `identityOf` in the events' contract has it. */
const SAME: Readonly<Record<InputTopic, string>> = {
  [CLICKSTREAM]: 'e.event_id = k.event_id',
  [ORDERS]: 'e.order_id = k.order_id AND e.status = k.status',
  [TRIPS]: 'e.trip_id = k.trip_id',
}

export interface TimeBounds {
  /** −Infinity: from the beginning. */
  fromMs: number
  toMs: number
}

export const inTime = ({ fromMs, toMs }: TimeBounds, row = ''): string =>
  `${Number.isFinite(fromMs) ? `${row}event_time >= ${timeLiteral(fromMs)} AND ` : ''}${row}event_time < ${timeLiteral(toMs)}`

/** Rows of the log, up to where it was looked at. Those of imported files never were in it. */
export function ofLog(topic: InputTopic, until: Until, row = ''): string {
  const partitions = [...(until.get(topic) ?? [])].map(
    ([partition, offset]) => `(${row}log_partition = ${partition} AND ${row}log_offset < ${offset})`,
  )
  return partitions.length === 0 ? `${row}log_partition < -2147483647` : `(${partitions.join(' OR ')})`
}

/** Rows of a range that repeat an earlier one, however long ago that was: everything about them, with their place in the log. */
export function repeatedRows(topic: InputTopic, bounds: TimeBounds, until: Until, columns: readonly string[]): string {
  const { name } = RAW_TABLES[topic]
  return `
    SELECT DISTINCT ${[...columns, 'log_partition', 'log_offset'].map((column) => `k.${column}`).join(', ')}
    FROM ${name} k JOIN ${name} e ON ${SAME[topic]}
    WHERE ${inTime(bounds, 'k.')} AND ${ofLog(topic, until, 'k.')} AND ${ofLog(topic, until, 'e.')}
      AND (e.log_appended_at < k.log_appended_at
        OR (e.log_appended_at = k.log_appended_at AND (e.log_partition < k.log_partition
          OR (e.log_partition = k.log_partition AND e.log_offset < k.log_offset))))`
}

/** A dead letter as a row of `raw.dead_letters`. */
import type { DeadLetter } from '../dead-letters/dead-letter.ts'
import type { RowObject } from './columns.ts'

/** @param logTopic where the letter lies */
export const letterRow = (letter: Omit<DeadLetter, 'id'>, logTopic: string): RowObject => ({
  kind: 'letter',
  cause: letter.cause,
  died_at: letter.diedAtMs,
  source_topic: letter.source.topic,
  source_partition: isInt(letter.source.partition) ? letter.source.partition : null,
  source_offset: letter.source.offset,
  source_appended_at: letter.source.appendedAtMs,
  reason: letter.reason,
  message: letter.message,
  key: letter.key,
  value: letter.value,
  cut_from_bytes: letter.cutFromBytes,
  headers: JSON.stringify(letter.headers),
  log_topic: logTopic,
})

/** Headers are whatever somebody has written. */
const isInt = (n: number): boolean => n <= 0x7fffffff

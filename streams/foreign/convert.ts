/**
 * A row of a foreign topic as an event of ours, or why it is none: JSON → mapping → the validation that the edge has.
 *
 * Pure. Invariant: a row without an id of its own gets one from the record's place and time, so the same record is the same event however often it is read, and a topic
 * that was deleted and made anew begins with new ones.
 */
import type { AnyEvent } from '../contract/events.ts'
import type { InputTopic } from '../contract/topics.ts'
import type { DeadLetterReason } from '../dead-letters/dead-letter.ts'
import type { RecordPosition } from '../log/event-log.ts'
import { toEvent } from '../sources/mappings/to-event.ts'
import type { Row } from '../sources/read-rows.ts'
import { type ForeignTopic, mappingFor } from './foreign-topic.ts'

export type Converted = { event: AnyEvent } | { withoutConsent: true } | { reason: DeadLetterReason; message: string }

export interface Converter {
  /** The topic of ours that its events belong to. */
  readonly topic: InputTopic
  /** @param receivedAtMs when the platform takes it */
  convert(value: Buffer, from: RecordPosition & { readonly appendedAtMs: number }, receivedAtMs: number): Converted
}

/** An id for what has none: where it lay, and when it came there. */
export const placeIdOf = ({
  topic,
  partition,
  offset,
  appendedAtMs,
}: RecordPosition & { appendedAtMs: number }): string => `${topic}/${partition}/${offset}/${appendedAtMs}`

const utf8 = new TextDecoder('utf-8', { fatal: true })
/** Half a surrogate pair has no UTF-8: it could not be written. */
const wellFormed = (_key: string, value: unknown): unknown => (typeof value === 'string' ? value.toWellFormed() : value)

/** @param currency of amounts where neither the row nor the mapping says it */
export function createConverter(foreign: ForeignTopic, currency: string): Converter {
  const mapping = mappingFor(foreign)
  const { topic } = mapping
  return {
    topic,
    convert(value, from, receivedAtMs) {
      if (value.length === 0) return { reason: 'unknown_format', message: 'The record has no value' }
      let row: unknown
      try {
        row = JSON.parse(utf8.decode(value), wellFormed)
      } catch (error) {
        return { reason: 'bad_json', message: (error as Error).message }
      }
      if (typeof row !== 'object' || row === null || Array.isArray(row))
        return { reason: 'unknown_format', message: 'The value is not a JSON object' }
      return toEvent(mapping, row as Row, { receivedAt: receivedAtMs, currency, rowId: () => placeIdOf(from) })
    },
  }
}

/**
 * A dead letter: a record that its reader could not apply, kept as it came on `dlq.<topic>`. This file alone knows how it is written and read.
 *
 * The topic of the dead letters is also the ledger of their replays: a note with the cause of the letter and no value. It comes after the letter and so outlives it.
 * Invariant: the cause names the record that died, so a letter that a crash has published twice is one letter, and is replayed once.
 */
import { deadLetterTopic } from '../contract/topics.ts'
import type { LogRecord, NewRecord, RecordPosition, TopicPartition } from '../log/event-log.ts'

/** Why a record died, in one word; the message tells more. */
export type DeadLetterReason =
  | 'unknown_format'
  | 'unknown_schema'
  | 'bad_avro'
  | 'bad_json'
  | 'bad_row'
  | 'invalid_event'

export interface DeadLetter {
  /** Where the letter lies, as `<topic>:<partition>:<offset>`: what people call it by. */
  readonly id: string
  /** Names the record that died, see {@link causeOf}. */
  readonly cause: string
  /** When it was put aside, epoch ms. */
  readonly diedAtMs: number
  /** Where the record came from, and when the log had accepted it there (letters of older versions don't say: then when it died). */
  readonly source: RecordPosition & { readonly appendedAtMs: number }
  readonly reason: string
  readonly message: string
  readonly key: string | null
  readonly value: Buffer
  /** How long the value was, where only its beginning was kept. */
  readonly cutFromBytes: number | null
  /** The record's own. */
  readonly headers: Readonly<Record<string, string>>
}

/** The note that a letter was replayed. */
export interface ReplayNote {
  readonly replayOf: string
  /** Where the record was appended, as `<topic>:<partition>:<offset>`. */
  readonly replayedTo: string
  readonly atMs: number
}

const MESSAGE_MAX = 1_000
/** With its headers a letter is larger than its record, and the largest record that the log takes would be one too many: it could never be put aside. */
const VALUE_MAX = 900_000
const CUT = 'cut_from_bytes'
const NOTE = 'replay_of'
const OURS = new Set([
  'id',
  'topic',
  'partition',
  'offset',
  'appended_at_ms',
  'error_class',
  'error_message',
  'attempts',
  CUT,
])

export const causeOf = ({ topic, partition, offset }: RecordPosition): string => `dead/${topic}/${partition}/${offset}`
export const idOf = ({ topic, partition, offset }: RecordPosition): string => `${topic}:${partition}:${offset}`

/** @returns null unless the text is `<topic>:<partition>:<offset>` */
export function positionOf(id: string): RecordPosition | null {
  const [, topic, partition, offset] = /^([\w.-]+):(\d{1,9}):(\d{1,15})$/.exec(id) ?? []
  return topic === undefined ? null : { topic, partition: Number(partition), offset: Number(offset) }
}

/** Where a page of letters ended: when the last of them died, and its id. */
export interface LetterPlace {
  at: number
  id: string
}
export const placeOf = ({ diedAtMs, id }: DeadLetter): LetterPlace => ({ at: diedAtMs, id })

/** The letter to write for a record. `id` is its cause: the header by which readers know it again. */
export function newDeadLetter(
  at: TopicPartition,
  record: LogRecord,
  { reason, message }: { reason: DeadLetterReason; message: string },
): NewRecord & { id: string; headers: Record<string, string> } {
  return {
    id: causeOf({ topic: at.topic, partition: at.partition, offset: record.offset }),
    topic: deadLetterTopic(at.topic),
    key: record.key,
    value: record.value.subarray(0, VALUE_MAX),
    headers: {
      ...record.headers,
      topic: at.topic,
      partition: String(at.partition),
      offset: String(record.offset),
      appended_at_ms: String(record.appendedAtMs),
      error_class: reason,
      error_message: message.slice(0, MESSAGE_MAX),
      attempts: '1',
      ...(record.value.length > VALUE_MAX && { [CUT]: String(record.value.length) }),
    },
  }
}

/** The letter as a record for the log's `append`, for readers that have no outbox. */
export function deadLetterRecord(...died: Parameters<typeof newDeadLetter>): NewRecord {
  const { id, headers, ...letter } = newDeadLetter(...died)
  return { ...letter, headers: { ...headers, id } }
}

export const newReplayNote = (letter: DeadLetter, to: RecordPosition): NewRecord => ({
  topic: positionOf(letter.id)?.topic ?? deadLetterTopic(letter.source.topic),
  key: letter.key,
  value: Buffer.alloc(0),
  headers: { [NOTE]: letter.cause, replayed_to: idOf(to) },
})

/** What a record of a `dlq.` topic is. One that somebody else put there is a letter without a reason. */
export function readDeadLetter(at: TopicPartition, record: LogRecord): DeadLetter | ReplayNote {
  const { headers = {} } = record
  const replayOf = headers[NOTE]
  if (replayOf !== undefined && headers.error_class === undefined) {
    return { replayOf, replayedTo: headers.replayed_to ?? '', atMs: record.appendedAtMs }
  }
  const own = { topic: at.topic, partition: at.partition, offset: record.offset }
  const number = (name: string, fallback: number): number => {
    const text = headers[name]
    return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : fallback
  }
  return {
    id: idOf(own),
    cause: headers.id ?? causeOf(own),
    diedAtMs: record.appendedAtMs,
    source: {
      topic: headers.topic ?? at.topic.replace(/^dlq\./, ''),
      partition: number('partition', 0),
      offset: number('offset', 0),
      appendedAtMs: number('appended_at_ms', record.appendedAtMs),
    },
    reason: headers.error_class ?? 'unknown',
    message: headers.error_message ?? '',
    key: record.key,
    value: record.value,
    cutFromBytes: headers[CUT] === undefined ? null : number(CUT, record.value.length),
    headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !OURS.has(name))),
  }
}

export const isNote = (found: DeadLetter | ReplayNote): found is ReplayNote => 'replayOf' in found

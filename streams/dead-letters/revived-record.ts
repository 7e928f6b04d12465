/**
 * A revived event as a record of its topic again. Invariant: its schema is registered only when something is really appended, so that a dry run changes nothing.
 */
import { createEncoder, type Encoder, type SchemaRegistry } from '../contract/codec.ts'
import { CONTROL_HEADER } from '../contract/erasure.ts'
import { type AnyEvent, keyOf } from '../contract/events.ts'
import type { InputTopic } from '../contract/topics.ts'
import type { NewRecord } from '../log/event-log.ts'
import { type DeadLetter, idOf } from './dead-letter.ts'

/** The header by which a replayed record tells where it comes from. */
export const REPLAYED_FROM = 'replayed_from'

/** What goes with the record: its own headers, and where it comes from. What is revived is an event, whatever its letter was: it must not pass for a control record. */
export function revivedHeaders({ headers, source }: DeadLetter): Record<string, string> {
  const { [CONTROL_HEADER]: _, ...own } = headers
  return { ...own, [REPLAYED_FROM]: idOf(source) }
}

export type RecordMaker = (letter: DeadLetter, topic: InputTopic, event: AnyEvent) => Promise<NewRecord>

export function createRecordMaker(registry: SchemaRegistry): RecordMaker {
  const encoders = new Map<InputTopic, Promise<Encoder<AnyEvent>>>()
  const encoderOf = (topic: InputTopic): Promise<Encoder<AnyEvent>> => {
    // An encoder of one topic gets events of that topic only.
    const encoder = encoders.get(topic) ?? (createEncoder(topic, registry) as Promise<Encoder<AnyEvent>>)
    encoders.set(topic, encoder)
    return encoder
  }
  return async (letter, topic, event) => ({
    topic,
    // A topic and its event belong together; the indexed access of a union of functions has no common signature.
    key: (keyOf[topic] as (event: AnyEvent) => string)(event),
    headers: revivedHeaders(letter),
    value: (await encoderOf(topic))(event),
  })
}

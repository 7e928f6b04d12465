/**
 * Trying a dead letter again with the present decoder: what would be appended if it were replayed now, or why it still can't be read.
 *
 * Avro goes back as the bytes it was. JSON goes back as the event that it is at the place where it first lay, so that an id and a time which the value lacks are the
 * same in every attempt. Invariant: two replays of one letter append the same event, which the streams know for a duplicate.
 */
import { createDecoder, type Decoder, type SchemaRegistry, Undecodable } from '../contract/codec.ts'
import type { AnyEvent } from '../contract/events.ts'
import { CDC_TOPICS, INPUT_TOPICS, type InputTopic } from '../contract/topics.ts'
import { type Converter, createConverter } from '../foreign/convert.ts'
import type { ForeignTopic } from '../foreign/foreign-topic.ts'
import type { NewRecord } from '../log/event-log.ts'
import { REFUSED_LETTER } from '../sources/mappings/to-event.ts'
import type { Clock } from '../time/clock.ts'
import type { DeadLetter, DeadLetterReason } from './dead-letter.ts'
import { createRecordMaker, revivedHeaders } from './revived-record.ts'

/** The event that the letter is, and the record to append; or why it is none. */
export type Revival =
  | { event: AnyEvent; record: () => Promise<NewRecord> }
  | { reason: DeadLetterReason; message: string }

export interface Reviver {
  /** Fetches what {@link revive} will need for these. @throws where the registry does not answer: then nothing can be told. */
  prepare(letters: readonly DeadLetter[]): Promise<void>
  revive(letter: DeadLetter): Revival
}

export interface ReviverDeps {
  registry: SchemaRegistry
  currency: string
  clock: Clock
  /** Their letters go to our topics, as their rows do: the foreign topic itself belongs to others. */
  foreign?: readonly ForeignTopic[]
}

export const isInputTopic = (name: string): name is InputTopic => (INPUT_TOPICS as readonly string[]).includes(name)

/** What no reader and no fix brings back: of a letter that was cut too little is left, and a change that came again would be behind newer ones of its row. @returns null for all others */
export function beyondReplay({ source, cutFromBytes, value }: DeadLetter): Revival | null {
  if (cutFromBytes !== null)
    return { reason: 'unknown_format', message: `Of ${cutFromBytes} bytes only the first ${value.length} were kept` }
  if (CDC_TOPICS.includes(source.topic))
    return {
      reason: 'unknown_format',
      message:
        'A change of a followed table does not go back, as newer ones of its row may have come: streamforge cdc resnapshot brings the present state',
    }
  return null
}

/** For the topics of the contract, and foreign ones. */
export function createReviver({ registry, currency, clock, foreign = [] }: ReviverDeps): Reviver {
  const converters = new Map(foreign.map((topic) => [topic.name, createConverter(topic, currency)]))
  const decoders = new Map<InputTopic, Decoder<AnyEvent>>()
  const makeRecord = createRecordMaker(registry)
  const decoderOf = (topic: InputTopic): Decoder<AnyEvent> => {
    const decoder = decoders.get(topic) ?? createDecoder(topic, registry, currency)
    decoders.set(topic, decoder)
    return decoder
  }
  function reviveForeign(letter: DeadLetter, { topic, convert }: Converter): Revival {
    const converted = convert(letter.value, letter.source, clock.now())
    if ('withoutConsent' in converted) return REFUSED_LETTER
    if (!('event' in converted)) return converted
    const { event } = converted
    return { event, record: () => makeRecord(letter, topic, event) }
  }

  return {
    async prepare(letters) {
      for (const topic of new Set(letters.map(({ source }) => source.topic))) {
        if (isInputTopic(topic)) await decoderOf(topic).prepare(letters.filter(({ source }) => source.topic === topic))
      }
    },
    revive(letter) {
      const { source, key, value } = letter
      const { topic } = source
      const refusal = beyondReplay(letter)
      if (refusal) return refusal
      const converter = converters.get(topic)
      if (converter) return reviveForeign(letter, converter)
      if (!isInputTopic(topic)) return { reason: 'unknown_format', message: `No reader for ${topic} is configured` }
      const isAvro = value[0] === 0
      let event: AnyEvent
      try {
        // Avro is judged as the streams will judge it: by the time at which it is appended again.
        event = decoderOf(topic).decode(value, isAvro ? { ...source, appendedAtMs: clock.now() } : source)
      } catch (error) {
        if (!(error instanceof Undecodable)) throw error
        return { reason: error.reason, message: error.message }
      }
      return {
        event,
        record: async () =>
          isAvro
            ? { topic, key, headers: revivedHeaders(letter), value }
            : { ...(await makeRecord(letter, topic, event)), key },
      }
    },
  }
}

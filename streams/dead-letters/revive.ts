/**
 * Trying a dead letter again with the present decoder: what would be appended if it were replayed now, or why it still can't be read.
 *
 * Avro goes back as the bytes it was. JSON goes back as the event that it is at the place where it first lay, so that an id and a time which the value lacks are the
 * same in every attempt. Invariant: two replays of one letter append the same event, which the streams know for a duplicate.
 */
import {
  createDecoder,
  createEncoder,
  type Decoder,
  type Encoder,
  type SchemaRegistry,
  Undecodable,
} from '../contract/codec.ts'
import { type AnyEvent, keyOf } from '../contract/events.ts'
import { INPUT_TOPICS, type InputTopic } from '../contract/topics.ts'
import { type Converter, createConverter } from '../foreign/convert.ts'
import type { ForeignTopic } from '../foreign/foreign-topic.ts'
import type { NewRecord } from '../log/event-log.ts'
import type { Clock } from '../time/clock.ts'
import { type DeadLetter, type DeadLetterReason, idOf } from './dead-letter.ts'

export type Revival = { record: () => Promise<NewRecord> } | { reason: DeadLetterReason; message: string }

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

/** The header by which a replayed record tells where it comes from. */
export const REPLAYED_FROM = 'replayed_from'

/** What goes with the record: its own headers, and where it comes from. */
export const revivedHeaders = (letter: DeadLetter): Record<string, string> => ({
  ...letter.headers,
  [REPLAYED_FROM]: idOf(letter.source),
})

const isInputTopic = (name: string): name is InputTopic => (INPUT_TOPICS as readonly string[]).includes(name)

/** For the topics of the contract, and foreign ones. */
export function createReviver({ registry, currency, clock, foreign = [] }: ReviverDeps): Reviver {
  const converters = new Map(foreign.map((topic) => [topic.name, createConverter(topic, currency)]))
  const decoders = new Map<InputTopic, Decoder<AnyEvent>>()
  const encoders = new Map<InputTopic, Promise<Encoder<AnyEvent>>>()
  const decoderOf = (topic: InputTopic): Decoder<AnyEvent> => {
    const decoder = decoders.get(topic) ?? createDecoder(topic, registry, currency)
    decoders.set(topic, decoder)
    return decoder
  }
  /** Only when something is really appended: an encoder registers its schema. */
  const encoderOf = (topic: InputTopic): Promise<Encoder<AnyEvent>> => {
    // An encoder of one topic gets events of that topic's decoder only.
    const encoder = encoders.get(topic) ?? (createEncoder(topic, registry) as Promise<Encoder<AnyEvent>>)
    encoders.set(topic, encoder)
    return encoder
  }

  function reviveForeign(letter: DeadLetter, { topic, convert }: Converter): Revival {
    const converted = convert(letter.value, letter.source, clock.now())
    if (!('event' in converted)) return converted
    const { event } = converted
    // A topic and its event belong together; the indexed access of a union of functions has no common signature.
    const key = (keyOf[topic] as (event: AnyEvent) => string)(event)
    return {
      record: async () => ({ topic, key, headers: revivedHeaders(letter), value: (await encoderOf(topic))(event) }),
    }
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
      if (letter.cutFromBytes !== null) {
        const message = `Of ${letter.cutFromBytes} bytes only the first ${value.length} were kept`
        return { reason: 'unknown_format', message }
      }
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
      const headers = revivedHeaders(letter)
      return {
        record: async () => ({ topic, key, headers, value: isAvro ? value : (await encoderOf(topic))(event) }),
      }
    },
  }
}

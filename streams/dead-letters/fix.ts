/**
 * A fix for dead letters that the present decoder will never read: the schema that they were really written with, or a mapping from what they say to an event.
 *
 * The bytes stay as they are: what goes back is a new record, in the topic's newest schema. Invariant: a letter always becomes the same event, so that it is applied once
 * however often it is replayed; one without an id gets that of the place where it first lay.
 */
import type { Schema, Type } from 'avsc'
import { avroType } from '../contract/avro.ts'
import { createDecoder, type Decoder, type SchemaRegistry, Undecodable, UnknownSchema } from '../contract/codec.ts'
import type { AnyEvent } from '../contract/events.ts'
import type { InputTopic } from '../contract/topics.ts'
import { isWireFormat, schemaIdOf, WIRE_HEADER_BYTES } from '../contract/wire-format.ts'
import { placeIdOf } from '../foreign/convert.ts'
import { type Mapping, parseMapping } from '../sources/mappings/mapping.ts'
import { PRESETS } from '../sources/mappings/presets.ts'
import { REFUSED_LETTER, toEvent } from '../sources/mappings/to-event.ts'
import type { Row } from '../sources/read-rows.ts'
import { BadFix } from './bad-fix.ts'
import type { DeadLetter } from './dead-letter.ts'
import { beyondReplay, isInputTopic, type Revival, type Reviver } from './revive.ts'
import { createRecordMaker } from './revived-record.ts'

/** As it is asked for. */
export interface FixSpec {
  /** The Avro schema that the values were written with, whatever id they name. */
  schema?: unknown
  /** A preset's name, or a mapping as imports take it. */
  mapping?: unknown
}

export interface Fix {
  schema: Schema | null
  mapping: Mapping | null
}

/** @throws BadFix */
export function parseFix({ schema, mapping }: FixSpec): Fix {
  if (schema === undefined && mapping === undefined)
    throw new BadFix('A fix names a schema, a mapping, or both. Leave the fix out to try with the present decoder.')
  return {
    schema: schema === undefined ? null : schemaOf(schema),
    mapping: mapping === undefined ? null : mappingOf(mapping),
  }
}

function schemaOf(given: unknown): Schema {
  try {
    avroType(given as Schema)
    return given as Schema
  } catch (error) {
    throw new BadFix(`schema: not an Avro schema: ${(error as Error).message}`)
  }
}

function mappingOf(given: unknown): Mapping {
  if (typeof given === 'string') {
    if (Object.hasOwn(PRESETS, given)) return PRESETS[given]!
    throw new BadFix(`mapping: "${given}" is none of ${Object.keys(PRESETS).join(', ')}; or give a mapping itself.`)
  }
  try {
    return parseMapping(given, 'What is given')
  } catch (error) {
    throw new BadFix(`mapping: ${(error as Error).message}`)
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true })
const isAvro = ({ value }: DeadLetter): boolean => isWireFormat(value)

/** Tries letters with the fix in the place of the present decoder. */
export function createFixer(
  { schema, mapping }: Fix,
  { registry, currency }: { registry: SchemaRegistry; currency: string },
): Reviver {
  const makeRecord = createRecordMaker(registry)
  /** By schema id: the type its values are of, or why it is not known. */
  const writers = new Map<number, Type | string>()
  const given = schema === null ? null : avroType(schema)
  /** Reads by the schema that is given, whatever id a value names. */
  const decoders = new Map<InputTopic, Decoder<AnyEvent>>()
  const decoderOf = (topic: InputTopic): Decoder<AnyEvent> => {
    const decoder =
      decoders.get(topic) ??
      createDecoder(topic, { register: registry.register, schema: async () => schema! }, currency)
    decoders.set(topic, decoder)
    return decoder
  }

  async function fetchWriter(id: number): Promise<void> {
    try {
      writers.set(id, avroType(await registry.schema(id)))
    } catch (error) {
      if (!(error instanceof UnknownSchema)) throw error
      writers.set(id, error.message)
    }
  }

  /** What the letter says, in its own names. */
  function rowOf(letter: DeadLetter): Row {
    let row: unknown
    if (isAvro(letter)) {
      const writer = given ?? writers.get(schemaIdOf(letter.value)) ?? 'Its schema was not asked for'
      if (typeof writer === 'string') throw new Undecodable('unknown_schema', writer)
      try {
        row = JSON.parse(JSON.stringify(writer.fromBuffer(letter.value.subarray(WIRE_HEADER_BYTES))))
      } catch (error) {
        throw new Undecodable('bad_avro', (error as Error).message)
      }
    } else {
      try {
        row = JSON.parse(utf8.decode(letter.value))
      } catch (error) {
        throw new Undecodable('bad_json', (error as Error).message)
      }
    }
    if (typeof row !== 'object' || row === null || Array.isArray(row))
      throw new Undecodable('unknown_format', 'The value is not an object of names and values')
    return row as Row
  }

  function decoded(letter: DeadLetter): { topic: InputTopic; event: AnyEvent } | Exclude<Revival, { event: AnyEvent }> {
    const { source } = letter
    if (mapping) {
      const made = toEvent(mapping, rowOf(letter), {
        receivedAt: source.appendedAtMs,
        currency,
        rowId: () => placeIdOf(source),
      })
      if ('withoutConsent' in made) return REFUSED_LETTER
      return 'event' in made ? { topic: mapping.topic, event: made.event } : made
    }
    if (!isInputTopic(source.topic))
      return {
        reason: 'unknown_format',
        message: `${source.topic} is no topic of events: a mapping says what its rows are`,
      }
    if (!isAvro(letter))
      return { reason: 'unknown_format', message: 'The value is not Avro in the wire format: a schema does not help' }
    return { topic: source.topic, event: decoderOf(source.topic).decode(letter.value, source) }
  }

  return {
    async prepare(letters) {
      const avro = letters.filter(isAvro)
      if (mapping === null) {
        for (const topic of new Set(avro.map(({ source }) => source.topic)))
          if (isInputTopic(topic)) await decoderOf(topic).prepare(avro.filter(({ source }) => source.topic === topic))
      } else if (given === null) {
        for (const id of new Set(avro.map(({ value }) => schemaIdOf(value))))
          if (!writers.has(id)) await fetchWriter(id)
      }
    },
    revive(letter) {
      const refusal = beyondReplay(letter)
      if (refusal) return refusal
      try {
        const found = decoded(letter)
        if (!('event' in found)) return found
        const { topic, event } = found
        return { event, record: () => makeRecord(letter, topic, event) }
      } catch (error) {
        if (!(error instanceof Undecodable)) throw error
        return { reason: error.reason, message: error.message }
      }
    },
  }
}

/**
 * Values of the log: Avro in the Confluent wire format, and plain JSON on the way in.
 *
 * Invariant: what a reader returns always has the shape of the newest schema, whichever schema wrote it.
 */
import type { Resolver, Schema, Type } from 'avsc'
import { ALERT_SCHEMA, avroType, subjectOf, VALUE_SCHEMAS } from './avro.ts'
import { compileReader } from './avro-reader.ts'
import type { EventOf } from './events.ts'
import { parseEvent, unusable } from './input.ts'
import { type JsonReader, jsonReader } from './json-reader.ts'
import type { AlertRow } from './results.ts'
import { ALERTS, type InputTopic } from './topics.ts'
import { isWireFormat, schemaIdOf, WIRE_HEADER_BYTES } from './wire-format.ts'

/** Where schemas get their ids and ids their schemas. */
export interface SchemaRegistry {
  /** The id of this schema under the subject; registers it when it is new. */
  register(subject: string, schema: Schema): Promise<number>
  /** @throws when the id is unknown. */
  schema(id: number): Promise<Schema>
}

/** A value nobody can read: it becomes a dead letter with this reason. */
export class Undecodable extends Error {
  override readonly name = 'Undecodable'
  readonly reason: 'unknown_format' | 'unknown_schema' | 'bad_avro' | 'bad_json' | 'invalid_event'
  constructor(reason: Undecodable['reason'], message: string) {
    super(message)
    this.reason = reason
  }
}

export type Encoder<E> = (event: E) => Buffer

/** Registers the topic's schema and returns the function that encodes its events. */
export const createEncoder = <T extends InputTopic>(topic: T, registry: SchemaRegistry): Promise<Encoder<EventOf[T]>> =>
  encoderFor(topic, VALUE_SCHEMAS[topic], registry)

/** The same for the alerts that the streams announce. */
export const createAlertEncoder = (registry: SchemaRegistry): Promise<Encoder<AlertRow>> =>
  encoderFor(ALERTS, ALERT_SCHEMA, registry)

async function encoderFor<E>(topic: string, schema: Schema, registry: SchemaRegistry): Promise<Encoder<E>> {
  const id = await registry.register(subjectOf(topic), schema)
  const type = avroType(schema)
  let scratch = Buffer.alloc(64 * 1024)
  scratch.writeUInt32BE(id, 1)
  return (event) => {
    let end = type.encode(event, scratch, WIRE_HEADER_BYTES)
    if (end < 0) {
      // avsc answers minus the missing bytes when the buffer is too small.
      scratch = Buffer.alloc(scratch.length - end + 1024)
      scratch.writeUInt32BE(id, 1)
      end = type.encode(event, scratch, WIRE_HEADER_BYTES)
    }
    return Buffer.from(scratch.subarray(0, end))
  }
}

/**
 * Reads the values of one topic. Schemas of other writers are fetched when first met: `prepare` a batch, then `decode` its values
 * synchronously. A registry that gives no answer makes `prepare` fail, to be tried again; only an id that it says it does not have makes a value undecodable.
 */
export interface Decoder<E> {
  /** Fetches the schemas that these values need and that aren't known yet; resolves at once when there are none. */
  prepare(records: Iterable<{ readonly value: Buffer }>): Promise<void> | undefined
  /** @param at stands in for what a JSON value may lack: `received_at` and an id. @throws Undecodable */
  decode(value: Buffer, at: RecordOrigin): E
}

export interface RecordOrigin {
  readonly appendedAtMs: number
  readonly partition: number
  readonly offset: number
}

/** For so long an id is taken for unknown after the registry has said so; then the registry is asked again. */
export const UNKNOWN_FOR_MS = 30_000
/** Poison may name ids without end: beyond so many none is remembered as unknown. */
const UNKNOWN_MAX = 1_000
const FETCHES_AT_ONCE = 8

/**
 * @param now epoch ms, for forgetting what was unknown; without it an unknown id stays unknown to this decoder
 * @param fields those that are looked at: others may come out as null. All of them when missing
 */
export function createDecoder<T extends InputTopic>(
  topic: T,
  registry: SchemaRegistry,
  defaultCurrency: string,
  now: () => number = () => 0,
  fields?: ReadonlySet<string>,
): Decoder<EventOf[T]> {
  /** A value of the schema from `start` to the end; throws where there is none. */
  type Read = (value: Buffer, start: number) => EventOf[T]
  const reader: Type = avroType(VALUE_SCHEMAS[topic])
  const readOwn: Read = compileReader<EventOf[T]>(VALUE_SCHEMAS[topic], fields)
  const readJson = jsonReader(topic, defaultCurrency, fields)
  /** By schema id: how to read its values, or why they can't be read. */
  const reads = new Map<number, Read | Undecodable>()
  /** Since when the registry is known not to know these, oldest first. */
  const unknownSinceMs = new Map<number, number>()
  let lastId = -1
  let lastRead: Read | Undecodable = readOwn

  const readResolved =
    (resolver: Resolver): Read =>
    (value, start) => {
      const decoded = reader.decode(value, start, resolver)
      if (decoded.offset !== value.length) {
        throw new RangeError(`${value.length - decoded.offset} bytes too many or too few`)
      }
      return decoded.value as EventOf[T]
    }

  /** Resolves when it is known how to read the schema's values, or that they can't be read. @throws where the registry gives no answer */
  async function fetchSchema(id: number): Promise<void> {
    let schema: Schema
    try {
      schema = await registry.schema(id)
    } catch (error) {
      if (!(error instanceof UnknownSchema)) throw error
      reads.set(id, new Undecodable('unknown_schema', error.message))
      unknownSinceMs.set(id, now())
      return
    }
    try {
      const writer = avroType(schema)
      const isOwn = writer.fingerprint().equals(reader.fingerprint())
      reads.set(id, isOwn ? readOwn : readResolved(reader.createResolver(writer)))
    } catch (error) {
      // For ever: an id means the same schema for ever.
      reads.set(
        id,
        new Undecodable('unknown_schema', `Schema ${id} can't be read as ${topic}: ${(error as Error).message}`),
      )
    }
  }

  /** A few at a time: a batch of poison may name as many ids as it has records. */
  async function fetchAll(ids: Iterable<number>): Promise<void> {
    const left = ids[Symbol.iterator]()
    let failed = false
    const lane = async (): Promise<void> => {
      for (let next = left.next(); !next.done && !failed; next = left.next()) {
        try {
          await fetchSchema(next.value)
        } catch (error) {
          failed = true
          throw error
        }
      }
    }
    await Promise.all(Array.from({ length: FETCHES_AT_ONCE }, lane))
  }

  function forgetUnknown(): void {
    const before = now() - UNKNOWN_FOR_MS
    for (const [id, sinceMs] of unknownSinceMs) {
      if (sinceMs > before && unknownSinceMs.size <= UNKNOWN_MAX) return
      unknownSinceMs.delete(id)
      reads.delete(id)
      if (id === lastId) lastId = -1
    }
  }

  return {
    prepare(records) {
      if (unknownSinceMs.size > 0) forgetUnknown()
      let missing: Set<number> | undefined
      for (const { value } of records) {
        if (!isWireFormat(value)) continue
        const id = schemaIdOf(value)
        if (id === lastId || reads.has(id)) continue
        missing ??= new Set()
        missing.add(id)
      }
      return missing && fetchAll(missing)
    },
    decode(value, at) {
      if (isWireFormat(value)) {
        const id = schemaIdOf(value)
        if (id !== lastId) {
          const read = reads.get(id)
          if (!read) throw new Undecodable('unknown_schema', `Schema ${id} was not fetched before decoding`)
          lastRead = read
          lastId = id
        }
        if (lastRead instanceof Undecodable) throw lastRead
        let event: EventOf[T]
        try {
          event = lastRead(value, WIRE_HEADER_BYTES)
        } catch (error) {
          throw new Undecodable('bad_avro', `Not a value of schema ${id}: ${(error as Error).message}`)
        }
        const problem = unusable(topic, event, at.appendedAtMs)
        if (problem !== null) throw new Undecodable('invalid_event', problem)
        return event
      }
      return decodeJson(topic, value, at, defaultCurrency, readJson)
    },
  }
}

/** Registries throw this for an id they don't have, as opposed to not answering. */
export class UnknownSchema extends Error {
  override readonly name = 'UnknownSchema'
}

/** The registry can't be used now; the caller may try again. */
export class RegistryUnavailable extends Error {
  override readonly name = 'RegistryUnavailable'
}

const OPENING_BRACE = 0x7b
const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Half a surrogate pair, which JSON can escape, has no UTF-8: it would not survive a checkpoint as it is. */
const wellFormed = (_key: string, value: unknown): unknown => (typeof value === 'string' ? value.toWellFormed() : value)

function decodeJson<T extends InputTopic>(
  topic: T,
  value: Buffer,
  at: RecordOrigin,
  currency: string,
  read: JsonReader<EventOf[T]> | undefined,
): EventOf[T] {
  // Not random: a replay must give the same id.
  const newId = () => `${topic}/${at.partition}/${at.offset}`
  const event = read?.(value, at.appendedAtMs, newId)
  if (event !== undefined) return event
  if (value[0] !== OPENING_BRACE) {
    throw new Undecodable('unknown_format', 'Neither the Confluent wire format (first byte 0) nor a JSON object')
  }
  let raw: unknown
  try {
    raw = JSON.parse(utf8.decode(value), wellFormed)
  } catch (error) {
    throw new Undecodable('bad_json', (error as Error).message)
  }
  const parsed = parseEvent(topic, raw, { receivedAt: at.appendedAtMs, currency, newId })
  if (!parsed.ok) throw new Undecodable('invalid_event', parsed.problem.message)
  return parsed.event
}

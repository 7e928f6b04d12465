/**
 * A walk over Avro's bytes that only looks where each value ends, before they are decoded: avsc believes every length that it reads, and a damaged one would have it build an array of
 * billions. Deflate and Avro carry no checksum that would tell before.
 *
 * Invariant: a walk ends, in time bounded by the bytes there are; what it passes can be decoded. Source: https://avro.apache.org/docs/1.12.0/specification/#binary-encoding
 */
import type { AvroSchema } from './schema.ts'

/** @returns where the value ends @throws Error when it ends nowhere */
export type Walk = (data: Uint8Array, at: number) => number

type Json = { readonly [key: string]: unknown }

const MAX_VARINT_BYTES = 10
const refuse = (): never => {
  throw new Error('it is cut short or damaged: a value has no end')
}
const within = (data: Uint8Array, at: number): number => (at <= data.length ? at : refuse())

/** Of a length or count: a number, which is exact as far as any length could be right. */
let read = 0
function long(data: Uint8Array, at: number): number {
  let value = 0
  let factor = 1
  for (let i = 0; i < MAX_VARINT_BYTES; i++) {
    const byte = data[at + i]
    if (byte === undefined) break
    value += (byte & 0x7f) * factor
    factor *= 128
    if (byte >= 0x80) continue
    read = value % 2 === 0 ? value / 2 : -(value + 1) / 2
    return at + i + 1
  }
  return refuse()
}

const sized: Walk = (data, at) => {
  const start = long(data, at)
  return read < 0 ? refuse() : within(data, start + read)
}
const fixed =
  (bytes: number): Walk =>
  (data, at) =>
    within(data, at + bytes)

/** Blocks of items until an empty one; an item takes a byte at least, so a count that is too high ends where the bytes do. */
const blocks =
  (item: Walk): Walk =>
  (data, start) => {
    for (let at = start; ; ) {
      at = long(data, at)
      let count = read
      if (count === 0) return at
      if (count < 0) {
        count = -count
        at = long(data, at)
      }
      if (count > data.length - at) refuse()
      for (; count > 0; count--) at = item(data, at)
    }
  }

const sequence =
  (parts: readonly Walk[]): Walk =>
  (data, start) => {
    let at = start
    for (const part of parts) at = part(data, at)
    return at
  }

function union(branches: readonly Walk[]): Walk {
  return (data, start) => {
    const at = long(data, start)
    return (branches[read] ?? refuse())(data, at)
  }
}

const PRIMITIVES: Readonly<Record<string, Walk>> = {
  null: (_, at) => at,
  boolean: fixed(1),
  int: long,
  long,
  float: fixed(4),
  double: fixed(8),
  bytes: sized,
  string: sized,
}

/** @throws Error for a schema that is not Avro's */
export function walkOf(schema: AvroSchema, named = new Map<string, Walk>()): Walk {
  if (typeof schema === 'string') return PRIMITIVES[schema] ?? named.get(schema) ?? unknown(schema)
  if (Array.isArray(schema)) return union(schema.map((branch) => walkOf(branch, named)))
  const type = schema as Json & { type: unknown }
  const keep = (walk: Walk): Walk => {
    if (typeof type.name === 'string') named.set(type.name, walk)
    return walk
  }
  switch (type.type) {
    case 'record':
      return keep(sequence((type.fields as { type: AvroSchema }[]).map((field) => walkOf(field.type, named))))
    case 'array':
      return blocks(walkOf(type.items as AvroSchema, named))
    case 'map':
      return blocks(sequence([sized, walkOf(type.values as AvroSchema, named)]))
    case 'fixed':
      return keep(fixed(Number(type.size)))
    case 'enum':
      return keep(long)
    default:
      return walkOf(type.type as AvroSchema, named)
  }
}

const unknown = (name: string): never => {
  throw new Error(`its Avro schema names a type "${name}" that it does not have`)
}

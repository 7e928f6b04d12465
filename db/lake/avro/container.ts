/**
 * Avro object container files, whole and in memory: the form of manifests and manifest lists.
 *
 * By hand over avsc's types because the header must carry the schema with its field ids, which avsc would leave out, and because manifests are read and written as a whole.
 * Written with deflate, which every engine reads; read with the codecs that engines write. Source: https://avro.apache.org/docs/1.12.0/specification/#object-container-files
 */
import { randomBytes } from 'node:crypto'
import { createRequire } from 'node:module'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import avro, { type Type } from 'avsc'
import { decompress } from 'fzstd'
import { longType } from './long-type.ts'
import type { AvroSchema } from './schema.ts'
import { type Walk, walkOf } from './walk.ts'

const { uncompress } = createRequire(import.meta.url)('snappyjs') as {
  uncompress(compressed: Uint8Array, maxLength?: number): Uint8Array
}

export type { AvroSchema }

export interface AvroFile {
  schema: AvroSchema
  metadata: ReadonlyMap<string, string>
  records: unknown[]
}

const MAGIC = Buffer.from('Obj\u0001', 'latin1')
const SYNC_BYTES = 16
const RECORDS_PER_BLOCK = 4_000
const MAX_BLOCK_BYTES = 512 * 1024 * 1024
const header = avro.Type.forSchema({ type: 'map', values: 'bytes' })
const walkHeader = walkOf({ type: 'map', values: 'bytes' })
const blockHead = avro.Type.forSchema({
  type: 'record',
  name: 'BlockHead',
  fields: [
    { name: 'count', type: 'long' },
    { name: 'bytes', type: 'long' },
  ],
})

/** Compiling a type takes longer than reading a small manifest with it, and a table's manifests are of one or two schemas. */
const MAX_TYPES = 64
const types = new Map<string, Type>()
const walks = new Map<string, Walk>()

function walkFor(schema: AvroSchema, text: string): Walk {
  const known = walks.get(text)
  if (known) return known
  const walk = walkOf(schema)
  if (walks.size >= MAX_TYPES) walks.clear()
  walks.set(text, walk)
  return walk
}

/** avsc refuses names twice in a schema and keeps no foreign keys; the type is for encoding only, the schema stays as it is. */
export function typeOf(schema: AvroSchema, text = JSON.stringify(schema)): Type {
  const known = types.get(text)
  if (known) return known
  const type = avro.Type.forSchema(structuredClone(schema) as avro.Schema, {
    registry: { long: longType() },
    wrapUnions: false,
  })
  if (types.size >= MAX_TYPES) types.clear()
  types.set(text, type)
  return type
}

export function writeAvro(
  schema: AvroSchema,
  type: Type,
  records: readonly unknown[],
  metadata: Readonly<Record<string, string>>,
): Buffer {
  const sync = randomBytes(SYNC_BYTES)
  const head: Record<string, Buffer> = {
    'avro.schema': Buffer.from(JSON.stringify(schema)),
    'avro.codec': Buffer.from('deflate'),
  }
  for (const [key, value] of Object.entries(metadata)) head[key] = Buffer.from(value)
  const parts = [MAGIC, header.toBuffer(head), sync]
  for (let i = 0; i < records.length; i += RECORDS_PER_BLOCK) {
    const block = records.slice(i, i + RECORDS_PER_BLOCK)
    const data = deflateRawSync(Buffer.concat(block.map((record) => type.toBuffer(record))))
    parts.push(blockHead.toBuffer({ count: block.length, bytes: data.length }), data, sync)
  }
  return Buffer.concat(parts)
}

/** @throws Error in a sentence, without the file's name, which the caller knows */
export function readAvro(file: Buffer): AvroFile {
  if (!file.subarray(0, MAGIC.length).equals(MAGIC)) throw new Error('it is not an Avro file')
  walkHeader(file, MAGIC.length)
  const head = header.decode(file, MAGIC.length)
  const meta = head.value as Record<string, Buffer>
  if (head.offset < 0 || !meta['avro.schema'] || file.length < head.offset + SYNC_BYTES)
    throw new Error('its Avro header is cut short')
  const metadata = new Map(Object.entries(meta).map(([key, value]) => [key, value.toString()]))
  const text = metadata.get('avro.schema')!
  const schema = JSON.parse(text) as AvroSchema
  const type = typeOf(schema, text)
  const walk = walkFor(schema, text)
  const codec = metadata.get('avro.codec') ?? 'null'
  let offset = head.offset + SYNC_BYTES
  const sync = file.subarray(head.offset, offset)
  const records: unknown[] = []
  while (offset < file.length) {
    const block = blockHead.decode(file, offset)
    const { count, bytes } = (block.value ?? {}) as { count: number; bytes: number }
    const end = block.offset + bytes
    if (block.offset < 0 || bytes < 0 || !file.subarray(end, end + SYNC_BYTES).equals(sync))
      throw new Error('it is cut short or damaged: a block does not end where it should')
    const data = unpack(codec, file.subarray(block.offset, end))
    let position = 0
    for (let i = 0; i < count; i++) {
      const next = walk(data, position)
      const record = type.decode(data, position)
      if (record.offset !== next) throw new Error('it is damaged: a record does not end where it should')
      records.push(record.value)
      position = next
    }
    if (position !== data.length) throw new Error('it is damaged: a block holds more than its records')
    offset = end + SYNC_BYTES
  }
  return { schema, metadata, records }
}

function unpack(codec: string, data: Buffer): Buffer {
  switch (codec) {
    case 'null':
      return data
    case 'deflate':
      return inflateRawSync(data, { maxOutputLength: MAX_BLOCK_BYTES })
    case 'snappy': // a CRC-32 of four bytes follows
      return Buffer.from(uncompress(data.subarray(0, -4), MAX_BLOCK_BYTES))
    case 'zstandard':
      return Buffer.from(decompress(data))
    default:
      throw new Error(`its Avro codec "${codec}" is not known here (null, deflate, snappy and zstandard are)`)
  }
}

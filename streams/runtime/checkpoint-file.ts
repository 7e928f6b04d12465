/**
 * The file format of checkpoints: a task's state, or what changed in it, as named sections of key → Avro value.
 *
 *   "SFCP2\n" · header length (u32) · header (JSON: sections with their Avro schemas and counts) · sections · CRC-32 of all before (u32)
 *   section:  deletes, each key length (u32) · key;  upserts, each key length (u32) · key · value length (u32) · value
 *
 * All integers little-endian. Invariant: files can be merged without decoding a value, since a section is only a map; and a file carries the schemas that
 * wrote it, so that a newer version of a job can read older state.
 */
import { crc32 } from 'node:zlib'
import type { Resolver, Schema, Type } from 'avsc'
import { avroType } from '../contract/avro.ts'
import { EncodedValue, type StateSection } from '../operators/operator.ts'

const MAGIC = Buffer.from('SFCP2\n')

interface SectionHeader {
  name: string
  schema: Schema
  deletes: number
  upserts: number
}

/** The bytes can't be a whole checkpoint: cut short, changed, or of another format. */
export class CorruptCheckpoint extends Error {
  override readonly name = 'CorruptCheckpoint'
}

const types = new WeakMap<object, Type>()
/** Sections keep their schema object, so its type is made once. */
function typeOf(schema: Schema): Type {
  if (typeof schema !== 'object') return avroType(schema)
  let type = types.get(schema)
  if (!type) {
    type = avroType(schema)
    types.set(schema, type)
  }
  return type
}

/** A buffer that grows. */
class Writer {
  buffer = Buffer.allocUnsafe(64 * 1024)
  length = 0

  reserve(bytes: number): void {
    if (this.length + bytes <= this.buffer.length) return
    const grown = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.length + bytes))
    this.buffer.copy(grown, 0, 0, this.length)
    this.buffer = grown
  }

  key(key: string | Uint8Array): void {
    if (typeof key !== 'string') {
      this.#sized(key)
      return
    }
    this.reserve(4 + key.length * 3)
    const bytes = this.buffer.write(key, this.length + 4)
    this.buffer.writeUInt32LE(bytes, this.length)
    this.length += 4 + bytes
  }

  #sized(bytes: Uint8Array): void {
    this.reserve(4 + bytes.length)
    this.length = this.buffer.writeUInt32LE(bytes.length, this.length)
    this.bytes(bytes)
  }

  value(type: Type, value: unknown): void {
    if (value instanceof EncodedValue) {
      this.#sized(value.bytes)
      return
    }
    for (;;) {
      this.reserve(64)
      const start = this.length + 4
      const end = type.encode(value, this.buffer, start)
      if (end >= 0) {
        this.buffer.writeUInt32LE(end - start, this.length)
        this.length = end
        return
      }
      this.reserve(this.buffer.length - this.length - end + 4)
    }
  }

  bytes(bytes: Uint8Array): void {
    this.reserve(bytes.length)
    this.buffer.set(bytes, this.length)
    this.length += bytes.length
  }

  done(): Buffer {
    return this.buffer.subarray(0, this.length)
  }
}

/** A whole file but for its body of `bodyBytes`, which is to be written at `bodyAt` before {@link seal}. */
function frame(sections: readonly SectionHeader[], bodyBytes: number): { file: Buffer; bodyAt: number } {
  const header = Buffer.from(JSON.stringify({ sections }))
  const file = Buffer.allocUnsafeSlow(MAGIC.length + 4 + header.length + bodyBytes + 4)
  let at = MAGIC.copy(file)
  at = file.writeUInt32LE(header.length, at)
  at += header.copy(file, at)
  return { file, bodyAt: at }
}

function seal(file: Buffer): Buffer {
  const end = file.length - 4
  file.writeUInt32LE(crc32(file.subarray(0, end)), end)
  return file
}

/** Takes the sections' changes (or all of their state) into one file. */
export function encodeState(sections: readonly StateSection[], all: boolean): Buffer {
  const writer = new Writer()
  const headers = sections.map((section): SectionHeader => {
    const { deletes, upserts } = section.changes(all)
    const type = typeOf(section.schema)
    for (const key of deletes) writer.key(key)
    let count = 0
    for (const [key, value] of upserts) {
      writer.key(key)
      writer.value(type, value)
      count++
    }
    return { name: section.name, schema: section.schema, deletes: deletes.length, upserts: count }
  })
  const body = writer.done()
  const { file, bodyAt } = frame(headers, body.length)
  body.copy(file, bodyAt)
  return seal(file)
}

interface ReadSection extends SectionHeader {
  /** `at`: where the entry stands, from its key's length on; null where the key was deleted. */
  entries: Generator<{ key: string; at: number | null }>
}

/** Yields the sections of a file in order; each section's entries must be read to the end before the next. @throws CorruptCheckpoint */
function* readFile(file: Buffer): Generator<ReadSection> {
  if (file.length < MAGIC.length + 8 || !file.subarray(0, MAGIC.length).equals(MAGIC)) {
    throw new CorruptCheckpoint('not a checkpoint file')
  }
  const end = file.length - 4
  if (crc32(file.subarray(0, end)) !== file.readUInt32LE(end)) throw new CorruptCheckpoint('checksum does not match')
  const headerLength = file.readUInt32LE(MAGIC.length)
  let at = MAGIC.length + 4
  const { sections } = JSON.parse(file.toString('utf8', at, at + headerLength)) as { sections: SectionHeader[] }
  at += headerLength
  for (const section of sections) {
    yield {
      ...section,
      entries: (function* () {
        for (let i = 0; i < section.deletes + section.upserts; i++) {
          const start = at
          const keyEnd = at + 4 + file.readUInt32LE(at)
          const key = file.toString('utf8', at + 4, keyEnd)
          if (i < section.deletes) {
            at = keyEnd
            yield { key, at: null }
            continue
          }
          at = keyEnd + 4 + file.readUInt32LE(keyEnd)
          yield { key, at: start }
        }
      })(),
    }
  }
}

/** What one schema wrote of a section. Usually there is one layer; after an upgrade two, and a key is only ever in one. */
interface Layer {
  schema: Schema
  /** Where each entry lies, as number of its file * FILE_UNIT + position: a number, since a buffer for each of millions would outweigh the values. */
  entries: Map<string, number>
}
type Merged = Map<string, Layer[]>
const FILE_UNIT = 2 ** 32

/** What a layer's entry stands for: key and value with their lengths, as they lie in the file; and the value alone. */
function bytesOf(files: readonly Buffer[], entry: number): { whole: Buffer; value: Buffer } {
  const file = files[Math.floor(entry / FILE_UNIT)] as Buffer
  const start = entry % FILE_UNIT
  const valueAt = start + 4 + file.readUInt32LE(start)
  const end = valueAt + 4 + file.readUInt32LE(valueAt)
  return { whole: file.subarray(start, end), value: file.subarray(valueAt + 4, end) }
}

/** Lays the files over each other, oldest first. Yields now and then, so that the caller can let others run. */
function* lay(files: readonly Buffer[]): Generator<void, Merged> {
  const merged: Merged = new Map()
  for (let i = 0; i < files.length; i++) yield* layOne(merged, files[i] as Buffer, i * FILE_UNIT)
  return merged
}

function* layOne(merged: Merged, file: Buffer, fileStart: number): Generator<void> {
  let steps = 0
  for (const section of readFile(file)) {
    const layers = merged.get(section.name) ?? []
    merged.set(section.name, layers)
    const schemaText = JSON.stringify(section.schema)
    let layer = layers.find((l) => JSON.stringify(l.schema) === schemaText)
    if (!layer) {
      layer = { schema: section.schema, entries: new Map() }
      layers.push(layer)
    }
    for (const { key, at } of section.entries) {
      if (layers.length > 1 || at === null) for (const other of layers) other.entries.delete(key)
      if (at !== null) layer.entries.set(key, fileStart + at)
      if (++steps % 5000 === 0) yield
    }
  }
}

/** Merges a base and its deltas, oldest first, into one base. Yields now and then. @throws CorruptCheckpoint */
export function* mergeFiles(files: readonly Buffer[]): Generator<void, Buffer> {
  const layers = [...(yield* lay(files))].flatMap(([name, some]) => some.map((layer) => ({ name, ...layer })))
  // Its size first: a buffer that grows would hold the state three times over.
  let bodyBytes = 0
  for (const { entries } of layers)
    for (const entry of entries.values()) bodyBytes += bytesOf(files, entry).whole.length
  yield
  const headers = layers.map(({ name, schema, entries }) => ({ name, schema, deletes: 0, upserts: entries.size }))
  const { file, bodyAt } = frame(headers, bodyBytes)
  let at = bodyAt
  let steps = 0
  for (const { entries } of layers) {
    for (const entry of entries.values()) {
      at += bytesOf(files, entry).whole.copy(file, at)
      if (++steps % 5000 === 0) yield
    }
  }
  return seal(file)
}

/**
 * Brings fresh sections to the state that the files hold, oldest first. Sections that no longer exist are passed over: their job is gone.
 * @returns the names of those passed over
 * @throws CorruptCheckpoint
 */
export function restoreState(sections: readonly StateSection[], files: readonly Buffer[]): string[] {
  const laying = lay(files)
  let step = laying.next()
  while (!step.done) step = laying.next()
  const merged = step.value
  for (const section of sections) {
    const reader = typeOf(section.schema)
    for (const { schema, entries } of merged.get(section.name) ?? []) {
      const read = readerOf(reader, schema, section.name)
      for (const [key, entry] of entries) section.restore(key, read(bytesOf(files, entry).value))
    }
    merged.delete(section.name)
  }
  return [...merged.keys()]
}

/** How to read values that `schema` wrote. That two schemas don't agree may show only at a value, e.g. at a symbol that an enum no longer has. */
function readerOf(reader: Type, schema: Schema, name: string): (value: Buffer) => unknown {
  const orIncompatible = <R>(attempt: () => R): R => {
    try {
      return attempt()
    } catch (error) {
      throw new CorruptCheckpoint(
        `state of "${name}" was written by an incompatible version: ${(error as Error).message}`,
      )
    }
  }
  const resolver = orIncompatible((): Resolver | undefined => {
    const writer = avroType(schema)
    return writer.fingerprint().equals(reader.fingerprint()) ? undefined : reader.createResolver(writer)
  })
  return (value) => orIncompatible(() => reader.fromBuffer(value, resolver))
}

/**
 * The stored form of records: one LMDB value holds a batch of them, as Kafka's record batches do, so that a commit of hundreds of records
 * costs a few entries. Written by `commit.ts`, read by `store.ts`.
 *
 * Layout, integers big-endian, lengths as LEB128 varints:
 * `u8 version, u32 count, f64 append time (epoch ms)`, then per record `u8 flags, [key], [headers], value`, where key and value are
 * `length, bytes` and headers are `count, (length, UTF-8, length, UTF-8)…`. The first record's offset is the entry's key, the rest follow.
 */
import { recurringText, type SlicingBuffer } from '../../contract/recurring-text.ts'
import type { LogRecord, NewRecord } from '../event-log.ts'

const VERSION = 1
const HEADER_BYTES = 13
const HAS_KEY = 1
/** The key is ASCII: it can be read byte for char, which is several times faster than UTF-8. */
const ASCII_KEY = 2
const HAS_HEADERS = 4
/** No value at all, which is not the same as an empty one; its length is written as 0. */
const TOMBSTONE = 8
const FIRST_CAPACITY_BYTES = 4096
const OWN = { enumerable: true, writable: true, configurable: true }

/** The UTF-8 bytes of one key, in a buffer that is used again for the next. */
export class KeyBytes {
  bytes = Buffer.allocUnsafeSlow(256)
  length = 0
  ascii = true

  set(key: string): void {
    const chars = key.length
    if (chars * 3 > this.bytes.length) this.bytes = Buffer.allocUnsafeSlow(chars * 4)
    const { bytes } = this
    for (let i = 0; i < chars; i++) {
      const code = key.charCodeAt(i)
      if (code > 0x7f) {
        this.ascii = false
        this.length = bytes.write(key)
        return
      }
      bytes[i] = code
    }
    this.ascii = true
    this.length = chars
  }
}

/** A batch being filled. Can be used again after `reset`. */
export class BatchWriter {
  count = 0
  bytes = HEADER_BYTES
  buffer = Buffer.allocUnsafeSlow(FIRST_CAPACITY_BYTES)

  /** @param key null, or the record's key already encoded. */
  add(key: KeyBytes | null, { value, headers, tombstone }: Pick<NewRecord, 'value' | 'headers' | 'tombstone'>): void {
    const names = headers === undefined ? [] : Object.keys(headers)
    let needed = value.length + 16
    if (key) needed += key.length + 5
    for (const name of names) needed += (name.length + headers![name]!.length) * 3 + 10
    this.#reserve(needed)

    const { buffer } = this
    let flags = 0
    if (key) flags |= key.ascii ? HAS_KEY | ASCII_KEY : HAS_KEY
    if (names.length > 0) flags |= HAS_HEADERS
    if (tombstone) flags |= TOMBSTONE
    buffer[this.bytes++] = flags
    if (key) {
      const { length, bytes } = key
      this.#length(length)
      let at = this.bytes
      for (let i = 0; i < length; i++) buffer[at++] = bytes[i]!
      this.bytes = at
    }
    if (names.length > 0) {
      this.#length(names.length)
      for (const name of names) {
        this.#text(name)
        this.#text(headers![name]!)
      }
    }
    this.#length(value.length)
    buffer.set(value, this.bytes)
    this.bytes += value.length
    this.count++
  }

  /** The batch as it is stored; valid until the next `add` or `reset`. */
  finish(appendedAtMs: number): Buffer {
    this.buffer[0] = VERSION
    this.buffer.writeUInt32BE(this.count, 1)
    this.buffer.writeDoubleBE(appendedAtMs, 5)
    return this.buffer.subarray(0, this.bytes)
  }

  reset(): void {
    this.count = 0
    this.bytes = HEADER_BYTES
  }

  #reserve(more: number): void {
    const needed = this.bytes + more
    if (needed <= this.buffer.length) return
    const bigger = Buffer.allocUnsafeSlow(Math.max(needed, this.buffer.length * 2))
    this.buffer.copy(bigger, 0, 0, this.bytes)
    this.buffer = bigger
  }

  #length(value: number): void {
    let rest = value
    while (rest > 0x7f) {
      this.buffer[this.bytes++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    this.buffer[this.bytes++] = rest
  }

  #text(text: string): void {
    this.#length(Buffer.byteLength(text))
    this.bytes += this.buffer.write(text, this.bytes)
  }
}

export const batchCount = (batch: Buffer): number => batch.readUInt32BE(1)
export const batchTimeMs = (batch: Buffer): number => batch.readDoubleBE(5)

/**
 * Adds the batch's records with offsets ≥ `from` to `into`, up to `max` in `into`. Keys are copied; values are slices of `batch`, which must
 * therefore not be written again.
 * @param base offset of the batch's first record
 * @throws Error when the bytes are not a batch of this version
 */
export function decodeBatch(batch: Buffer, base: number, from: number, max: number, into: LogRecord[]): void {
  if (batch[0] !== VERSION) {
    throw new Error(`The log holds a batch of format ${batch[0]} at offset ${base}; this version reads ${VERSION}.`)
  }
  const slices = batch as SlicingBuffer
  const appendedAtMs = batchTimeMs(batch)
  const end = base + batchCount(batch)
  let at = HEADER_BYTES

  const length = (): number => {
    let byte = batch[at++]!
    if (byte < 0x80) return byte
    let value = byte & 0x7f
    let shift = 7
    do {
      byte = batch[at++]!
      value |= (byte & 0x7f) << shift
      shift += 7
    } while (byte > 0x7f)
    return value
  }
  const text = (): string => {
    const bytes = length()
    at += bytes
    return slices.utf8Slice(at - bytes, at)
  }

  /** Those of the record that had some last, and where they are: those of one request are the same, byte for byte. */
  let headers: Record<string, string> | undefined
  let headersFrom = 0
  let headersTo = 0
  const headersHere = (): Record<string, string> => {
    const start = at
    const like = start + headersTo - headersFrom
    if (headers && like <= batch.length && batch.compare(batch, headersFrom, headersTo, start, like) === 0) {
      at = like
      return headers
    }
    headers = {}
    for (let left = length(); left > 0; left--) {
      const bytes = length()
      at += bytes
      const name = recurringText(slices, at - bytes, at)
      const value = text()
      // Not an assignment there: a header of this name must stay a header.
      if (name === '__proto__') Object.defineProperty(headers, name, { ...OWN, value })
      else headers[name] = value
    }
    headersFrom = start
    headersTo = at
    return headers
  }

  for (let offset = base; offset < end && into.length < max; offset++) {
    const flags = batch[at++]!
    const wanted = offset >= from
    let key: string | null = null
    if (flags & HAS_KEY) {
      const bytes = length()
      if (wanted) key = flags & ASCII_KEY ? slices.latin1Slice(at, at + bytes) : slices.utf8Slice(at, at + bytes)
      at += bytes
    }
    const own = flags & HAS_HEADERS ? headersHere() : undefined
    const bytes = length()
    if (wanted) {
      const value = batch.subarray(at, at + bytes)
      // One shape for all, with headers and without: what reads records by the million is compiled for it.
      into.push({ offset, appendedAtMs, key, value, tombstone: (flags & TOMBSTONE) !== 0, headers: own })
    }
    at += bytes
  }
}

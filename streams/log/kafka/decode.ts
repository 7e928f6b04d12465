/**
 * Record batches of Kafka's message format 2, read in one pass: no object but the record itself, its value a view of the fetched bytes, its key a text only when asked
 * for. kafkajs makes a dozen objects per record, which is most of what reading costs with it (bench/kafka-clients.md).
 *
 * Sits between the fetch (fetch.ts) and the subscription. Invariant: the records are those that kafkajs would give (the test compares them).
 * Source: RecordBatch and Record (kafka.apache.org, "Message Format").
 */
import { createRequire } from 'node:module'
import type { LogRecord } from '../event-log.ts'

/** Node's Buffer has this, although its types leave it out. */
type SlicingBuffer = Buffer & { utf8Slice(start: number, end: number): string }

export const MAGIC = 2
/** Base offset and length: what stands before the bytes that the length counts. */
const PREFIX_BYTES = 12
export const MAGIC_AT = 16
const ATTRIBUTES_AT = 21
const LAST_OFFSET_DELTA_AT = 23
const FIRST_TIMESTAMP_AT = 27
const MAX_TIMESTAMP_AT = 35
const PRODUCER_ID_AT = 43
const COUNT_AT = 57
const HEADER_BYTES = 61
const COMPRESSION_MASK = 0x07
const LOG_APPEND_TIME = 0x08
const TRANSACTIONAL = 0x10
const CONTROL = 0x20
const NOTHING = Buffer.alloc(0)

interface Codec {
  decompress(bytes: Buffer): Promise<Buffer>
}
const { lookupCodecByAttributes } = createRequire(import.meta.url)('kafkajs/src/protocol/message/compression') as {
  lookupCodecByAttributes(attributes: number): Codec | null
}

/** A record as it lies in the fetched bytes. Made for every event: plain fields, and few. */
class FetchedLogRecord implements LogRecord {
  readonly offset: number
  readonly appendedAtMs: number
  readonly value: Buffer
  readonly tombstone: boolean
  private readonly bytes: SlicingBuffer
  /** −1 for a record without a key. */
  private readonly keyAt: number
  private readonly keyEnd: number
  readonly headers: Readonly<Record<string, string>>

  constructor(
    offset: number,
    appendedAtMs: number,
    value: Buffer,
    tombstone: boolean,
    headers: Readonly<Record<string, string>>,
    key: { bytes: SlicingBuffer; at: number; end: number },
  ) {
    this.offset = offset
    this.appendedAtMs = appendedAtMs
    this.value = value
    this.tombstone = tombstone
    this.headers = headers
    this.bytes = key.bytes
    this.keyAt = key.at
    this.keyEnd = key.end
  }

  get key(): string | null {
    return this.keyAt < 0 ? null : this.bytes.utf8Slice(this.keyAt, this.keyEnd)
  }
}

const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({})

/** A whole record batch, not yet read. */
export class RecordBatchView {
  readonly #bytes: SlicingBuffer
  readonly #start: number
  readonly #end: number

  private constructor(bytes: Buffer, start: number, end: number) {
    this.#bytes = bytes as SlicingBuffer
    this.#start = start
    this.#end = end
  }

  /** The batches that lie in the bytes one after the other; the last may be cut off, by the limit of a fetch, and then is none. */
  static *in(bytes: Buffer, start: number, end: number): Generator<RecordBatchView> {
    for (let at = start; at + HEADER_BYTES <= end; ) {
      const next = at + PREFIX_BYTES + bytes.readInt32BE(at + 8)
      if (next > end) return
      yield new RecordBatchView(bytes, at, next)
      at = next
    }
  }

  get #attributes(): number {
    return this.#bytes.readInt16BE(this.#start + ATTRIBUTES_AT)
  }

  get baseOffset(): number {
    return int64(this.#bytes, this.#start)
  }

  /** Also of records that compaction has removed. */
  get lastOffset(): number {
    return this.baseOffset + this.#bytes.readInt32BE(this.#start + LAST_OFFSET_DELTA_AT)
  }

  get producerId(): string {
    return this.#bytes.readBigInt64BE(this.#start + PRODUCER_ID_AT).toString()
  }

  get isTransactional(): boolean {
    return (this.#attributes & TRANSACTIONAL) !== 0
  }

  /** It holds the end of a transaction, and nothing for readers. */
  get isControl(): boolean {
    return (this.#attributes & CONTROL) !== 0
  }

  /** Of a control batch: whether the transaction was aborted. */
  get isAbort(): boolean {
    const [marker] = this.#read(this.#bytes, this.#start + HEADER_BYTES, 0)
    // Its key: version and type as two bytes each; type 0 is an abort.
    return marker?.key?.slice(0, 4) === '\0\0\0\0'
  }

  /** @param from offset of the first one that is wanted */
  async records(from: number): Promise<LogRecord[]> {
    const codec = (this.#attributes & COMPRESSION_MASK) === 0 ? null : lookupCodecByAttributes(this.#attributes)
    if (!codec) return this.#read(this.#bytes, this.#start + HEADER_BYTES, from)
    const packed = this.#bytes.subarray(this.#start + HEADER_BYTES, this.#end)
    return this.#read((await codec.decompress(packed)) as SlicingBuffer, 0, from)
  }

  #read(bytes: SlicingBuffer, start: number, from: number): LogRecord[] {
    const header = this.#bytes
    const { baseOffset } = this
    const ofLog = (this.#attributes & LOG_APPEND_TIME) !== 0
    const timeMs = int64(header, this.#start + (ofLog ? MAX_TIMESTAMP_AT : FIRST_TIMESTAMP_AT))
    const count = header.readInt32BE(this.#start + COUNT_AT)
    const records: LogRecord[] = []
    const cursor = new VarintCursor(bytes, start)
    const { buffer, byteOffset } = bytes
    for (let i = 0; i < count; i++) {
      const length = cursor.varint()
      const end = cursor.at + length
      if (end > bytes.length) throw new RangeError('A record goes beyond the end of its batch.')
      cursor.at++ // attributes, unused
      const timeDelta = cursor.varlong()
      const offset = baseOffset + cursor.varint()
      if (offset < from) {
        cursor.at = end
        continue
      }
      const keyBytes = cursor.varint()
      const keyAt = keyBytes < 0 ? -1 : cursor.at
      if (keyBytes > 0) cursor.at += keyBytes
      const keyEnd = cursor.at
      const valueBytes = cursor.varint()
      const value = valueBytes <= 0 ? NOTHING : Buffer.from(buffer, byteOffset + cursor.at, valueBytes)
      if (valueBytes > 0) cursor.at += valueBytes
      const at = ofLog ? timeMs : timeMs + timeDelta
      const headerCount = cursor.varint()
      const headers = headerCount === 0 ? NO_HEADERS : cursor.headers(headerCount)
      const place = { bytes, at: keyAt, end: keyEnd }
      records.push(new FetchedLogRecord(offset, at, value, valueBytes < 0, headers, place))
      cursor.at = end
    }
    return records
  }
}

class VarintCursor {
  readonly bytes: SlicingBuffer
  at: number

  constructor(bytes: SlicingBuffer, at: number) {
    this.bytes = bytes
    this.at = at
  }

  /** A signed number of 32 bits: zigzag, 7 bits at a time. */
  varint(): number {
    const { bytes } = this
    let byte = bytes[this.at++]!
    let n = byte & 0x7f
    for (let shift = 7; byte > 0x7f; shift += 7) {
      byte = bytes[this.at++]!
      n |= (byte & 0x7f) << shift
    }
    return (n >>> 1) ^ -(n & 1)
  }

  /** One of 64 bits, of which a time needs no more than floating point has. */
  varlong(): number {
    const { bytes } = this
    let byte = bytes[this.at++]!
    let n = byte & 0x7f
    for (let unit = 128; byte > 0x7f; unit *= 128) {
      byte = bytes[this.at++]!
      n += (byte & 0x7f) * unit
    }
    return n % 2 === 0 ? n / 2 : -(n + 1) / 2
  }

  headers(count: number): Record<string, string> {
    const found: Record<string, string> = {}
    for (let i = 0; i < count; i++) {
      const name = this.#text(this.varint())
      const length = this.varint()
      // Kafka allows a header more than once: the last counts. One without a value is none.
      if (length >= 0) found[name] = this.#text(length)
    }
    return found
  }

  #text(length: number): string {
    const start = this.at
    this.at += length
    return this.bytes.utf8Slice(start, this.at)
  }
}

/** Offsets and times stay far below 2^53. */
const int64 = (bytes: Buffer, at: number): number => bytes.readInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4)

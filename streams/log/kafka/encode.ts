/**
 * Produce requests, written in one pass into one buffer. kafkajs writes each record through a chain of small buffers, which is most of what appending costs: 6.2
 * CPU-seconds per million records, of which this leaves 0.5 (bench/kafka-clients.md).
 *
 * kafkajs 2.2.4 has no place to put an encoder, so its own request, `protocol/requests/produce/v3/request`, is replaced before it is first used; all later versions
 * build on it. Invariant: the bytes are those that kafkajs would send (the test compares them).
 * Source: RecordBatch and Record of Kafka's message format, version 2 (kafka.apache.org, "Message Format").
 */
import { createRequire } from 'node:module'
import kafkajs, { type IHeaders, type Message } from 'kafkajs'
import { type Clock, systemClock } from '../../time/clock.ts'

export interface ProduceRequest {
  acks: number
  timeout: number
  transactionalId?: string | null
  producerId?: string | number | { toString(): string }
  producerEpoch?: number
  compression?: number
  topicData: readonly {
    topic: string
    partitions: readonly { partition: number | string; firstSequence?: number; messages: readonly Message[] }[]
  }[]
}

interface Encoder {
  readonly buffer: Buffer
  writeBuffer(bytes: Buffer): Encoder
}
interface Encoded {
  apiKey: number
  apiVersion: number
  apiName: string
  expectResponse(): boolean
  encode(): Promise<Encoder>
}
type RequestOf = (request: ProduceRequest) => Encoded

/** Node's Buffer has these, although its types leave them out. */
type WritingBuffer = Buffer & {
  utf8Write(text: string, at: number): number
  latin1Write(text: string, at: number): number
}

const PATH = 'kafkajs/src/protocol/requests/produce/v3/request'
const MAGIC = 2
const BATCH_HEADER_BYTES = 61
/** Up to here nothing is in the checksum: base offset, length, leader epoch, magic, the checksum itself. */
const CHECKED_FROM = 21
const RECORD_BYTES_MAX = 40
const HEADER_BYTES_MAX = 10
const TRANSACTIONAL = 16

const require = createRequire(import.meta.url)
const crc32c = (): ((bytes: Buffer) => number) =>
  require('kafkajs/src/protocol/recordBatch/crc32C') as (bytes: Buffer) => number

/** Puts the encoder in its place; may be called again. */
export function replaceEncoder(clock: Clock = systemClock): void {
  const path = require.resolve(PATH)
  const original = require(PATH) as RequestOf & { ours?: boolean }
  if (original.ours) return
  require.cache[path]!.exports = Object.assign(withFastEncoding(original, clock), { ours: true })
}

/** @param original what kafkajs has: it still writes what is beyond us */
export function withFastEncoding(original: RequestOf, clock: Clock): RequestOf {
  const KafkaEncoder = require('kafkajs/src/protocol/encoder') as new () => Encoder
  const checksum = crc32c()
  return (request) => {
    const theirs = original(request)
    if (!isPlain(request)) return theirs
    return {
      ...theirs,
      encode: async () => new KafkaEncoder().writeBuffer(await encodeRequest(request, clock.now(), checksum)),
    }
  }
}

/** Times of their own and headers with several values are left to kafkajs. */
function isPlain({ topicData }: ProduceRequest): boolean {
  for (const { partitions } of topicData) {
    for (const { messages } of partitions) {
      for (const { timestamp, headers, value } of messages) {
        if (timestamp !== undefined || typeof value === 'string') return false
        for (const name in headers) if (typeof headers[name] !== 'string') return false
      }
    }
  }
  return true
}

async function encodeRequest(
  request: ProduceRequest,
  nowMs: number,
  checksum: (bytes: Buffer) => number,
): Promise<Buffer> {
  const { acks, timeout, transactionalId = null, compression = 0, topicData } = request
  const out = new Writer(sizeOf(request))
  out.text(transactionalId)
  out.int16(acks)
  out.int32(timeout)
  out.int32(topicData.length)
  for (const { topic, partitions } of topicData) {
    out.text(topic)
    out.int32(partitions.length)
    for (const { partition, firstSequence = 0, messages } of partitions) {
      out.int32(Number(partition))
      const sizeAt = out.at
      out.at += 4
      const start = out.at
      out.at += BATCH_HEADER_BYTES
      out.records(messages)
      if (compression !== 0) await out.compress(start + BATCH_HEADER_BYTES, compression)
      writeHeader(out, start, request, { firstSequence, count: messages.length, nowMs, compression })
      out.bytes.writeUInt32BE(
        checksum(out.bytes.subarray(start + CHECKED_FROM, out.at)) >>> 0,
        start + CHECKED_FROM - 4,
      )
      out.bytes.writeInt32BE(out.at - start, sizeAt)
    }
  }
  return out.bytes.subarray(0, out.at)
}

interface BatchFacts {
  firstSequence: number
  count: number
  nowMs: number
  compression: number
}

function writeHeader(out: Writer, start: number, request: ProduceRequest, facts: BatchFacts): void {
  const { bytes, at: end } = out
  const { firstSequence, count, nowMs, compression } = facts
  bytes.writeBigInt64BE(0n, start) // base offset: the broker's to give
  bytes.writeInt32BE(end - start - 12, start + 8)
  bytes.writeInt32BE(0, start + 12) // partition leader epoch
  bytes.writeInt8(MAGIC, start + 16)
  bytes.writeInt16BE(compression | (request.transactionalId ? TRANSACTIONAL : 0), start + 21)
  bytes.writeInt32BE(count - 1, start + 23)
  bytes.writeBigInt64BE(BigInt(nowMs), start + 27)
  bytes.writeBigInt64BE(BigInt(nowMs), start + 35)
  bytes.writeBigInt64BE(BigInt(String(request.producerId ?? -1)), start + 43)
  bytes.writeInt16BE(request.producerEpoch ?? 0, start + 51)
  bytes.writeInt32BE(firstSequence, start + 53)
  bytes.writeInt32BE(count, start + 57)
}

/** More than enough. */
function sizeOf({ topicData, transactionalId }: ProduceRequest): number {
  let size = 64 + (transactionalId?.length ?? 0) * 3
  for (const { topic, partitions } of topicData) {
    size += topic.length * 3 + 8
    for (const { messages } of partitions) {
      size += BATCH_HEADER_BYTES + 8
      for (const { key, value, headers } of messages) {
        size +=
          RECORD_BYTES_MAX + (value?.length ?? 0) + (typeof key === 'string' ? key.length * 3 : (key?.length ?? 0))
        for (const name in headers) size += HEADER_BYTES_MAX + (name.length + String(headers[name]).length) * 3
      }
    }
  }
  return size
}

class Writer {
  bytes: WritingBuffer
  at = 0
  readonly #scratch = Buffer.allocUnsafeSlow(64) as WritingBuffer

  constructor(size: number) {
    this.bytes = Buffer.allocUnsafeSlow(size) as WritingBuffer
  }

  int16(value: number): void {
    this.at = this.bytes.writeInt16BE(value, this.at)
  }

  int32(value: number): void {
    this.at = this.bytes.writeInt32BE(value, this.at)
  }

  text(text: string | null): void {
    if (text === null) {
      this.int16(-1)
      return
    }
    const size = this.bytes.utf8Write(text, this.at + 2)
    this.int16(size)
    this.at += size
  }

  /** A signed number as Kafka's varint: zigzag, 7 bits at a time. */
  varint(value: number): void {
    let rest = ((value << 1) ^ (value >> 31)) >>> 0
    while (rest > 0x7f) {
      this.bytes[this.at++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    this.bytes[this.at++] = rest
  }

  records(messages: readonly Message[]): void {
    for (let i = 0; i < messages.length; i++) this.#record(messages[i]!, i)
  }

  /** The length comes first and isn't known: the record is written behind room for the longest, and moved down. */
  #record({ key, value, headers }: Message, offsetDelta: number): void {
    const start = this.at
    const body = start + 5
    this.at = body
    this.bytes[this.at++] = 0 // attributes
    this.bytes[this.at++] = 0 // time, less the batch's
    this.varint(offsetDelta)
    this.#bytesOrText(key ?? null)
    this.#bytesOrText(value)
    this.#headers(headers)
    const size = this.at - body
    this.at = start
    this.varint(size)
    this.bytes.copyWithin(this.at, body, body + size)
    this.at += size
  }

  #bytesOrText(value: Buffer | string | null): void {
    if (value === null) this.varint(-1)
    else if (typeof value === 'string') this.#string(value)
    else {
      this.varint(value.length)
      this.bytes.set(value, this.at)
      this.at += value.length
    }
  }

  #string(text: string): void {
    // Short ones, as keys are, are encoded once and copied; at most three bytes a character.
    if (text.length <= 21) {
      const size = this.#scratch.utf8Write(text, 0)
      this.varint(size)
      this.bytes.set(this.#scratch.subarray(0, size), this.at)
      this.at += size
    } else {
      this.varint(Buffer.byteLength(text))
      this.at += this.bytes.utf8Write(text, this.at)
    }
  }

  #headers(headers: IHeaders | undefined): void {
    const names = headers === undefined ? [] : Object.keys(headers)
    this.varint(names.length)
    for (const name of names) {
      this.#string(name)
      this.#string(headers![name] as string) // see isPlain
    }
  }

  /** Replaces what was written from `from` on by the same, compressed. */
  async compress(from: number, compression: number): Promise<void> {
    const codecs = kafkajs.CompressionCodecs as Record<
      number,
      () => { compress(encoder: { buffer: Buffer }): Promise<Buffer> }
    >
    const codec = codecs[compression]!()
    const compressed = await codec.compress({ buffer: this.bytes.subarray(from, this.at) })
    if (from + compressed.length > this.bytes.length)
      throw new RangeError('Compression has made a batch larger than it can be.')
    this.bytes.set(compressed, from)
    this.at = from + compressed.length
  }
}

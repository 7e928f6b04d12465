/**
 * Fetch responses for a consumer of kafkajs, with record batches left as they are: kafkajs sees a batch as one message, at the batch's last offset, and the
 * subscription opens it (decode.ts).
 *
 * kafkajs has no place to put a decoder, but it hands its cluster to the assigner (membership.ts): the brokers of that one cluster get this decoder, and nobody
 * else's. Invariants: what kafkajs does by the offsets of messages stays right; records of aborted transactions are never given. Versions of the request other than
 * 11, which every broker since 2.3 speaks, are left to kafkajs.
 * Source: Fetch Response, version 11 (kafka.apache.org, "Protocol").
 */
import { createRequire } from 'node:module'
import type { Cluster } from 'kafkajs'
import { MAGIC, MAGIC_AT, RecordBatchView } from './decode.ts'

/** A record batch that passes for a message. */
export interface BatchMessage {
  /** Of the batch's last record. */
  readonly offset: string
  readonly batch: RecordBatchView
  /** kafkajs gives no such message to anybody, and goes on behind it. */
  readonly isControlRecord: boolean
}

interface Protocol {
  request: { apiKey: number; apiVersion: number }
  response: { decode(bytes: Buffer): Promise<unknown>; parse(data: unknown): Promise<unknown> }
}
interface Broker {
  lookupRequest(apiKey: number, definition: unknown): (request: object) => Protocol
}

const FETCH = 1
const VERSION = 11

const require = createRequire(import.meta.url)

/** For records in an older format than batches. */
const decodeMessages = (bytes: Buffer): Promise<readonly unknown[]> => {
  const Decoder = require('kafkajs/src/protocol/decoder') as new (bytes: Buffer) => object
  const decode = require('kafkajs/src/protocol/requests/fetch/v4/decodeMessages') as (
    decoder: object,
  ) => Promise<readonly unknown[]>
  return decode(new Decoder(bytes))
}

/** Puts the decoder in its place, for the brokers of this cluster. */
export function leaveBatchesWhole(cluster: Cluster): void {
  const wrapped = new WeakMap<object, object>()
  const original = cluster.findBroker.bind(cluster)
  cluster.findBroker = async (asked) => {
    const broker = await original(asked)
    let own = wrapped.get(broker)
    if (!own) {
      own = withOwnFetch(broker as unknown as Broker) // see Broker: the type names its public methods only
      wrapped.set(broker, own)
    }
    return own as typeof broker
  }
}

function withOwnFetch(broker: Broker): Broker {
  return Object.assign(Object.create(broker) as Broker, {
    lookupRequest(apiKey: number, definition: unknown) {
      const make = broker.lookupRequest(apiKey, definition)
      if (apiKey !== FETCH) return make
      return (request: object): Protocol => {
        const protocol = make(request)
        if (protocol.request.apiVersion !== VERSION) return protocol
        return { ...protocol, response: { ...protocol.response, decode: decodeFetch } }
      }
    },
  })
}

/** The body of a response, as kafkajs' own decoder gives it but for the messages. */
export async function decodeFetch(bytes: Buffer) {
  const reader = new Reader(bytes)
  const clientSideThrottleTime = reader.int32()
  const errorCode = reader.int16()
  const sessionId = reader.int32()
  const responses = []
  for (let topics = reader.int32(); topics > 0; topics--) {
    const topicName = reader.text()
    const partitions = []
    for (let count = reader.int32(); count > 0; count--) partitions.push(await readPartition(reader))
    responses.push({ topicName, partitions })
  }
  return { throttleTime: 0, clientSideThrottleTime, errorCode, sessionId, responses }
}

interface AbortedTransaction {
  producerId: string
  firstOffset: number
}

async function readPartition(reader: Reader) {
  const partition = reader.int32()
  const errorCode = reader.int16()
  const highWatermark = reader.int64()
  const lastStableOffset = reader.int64()
  const lastStartOffset = reader.int64()
  const aborted: AbortedTransaction[] = []
  for (let count = reader.int32(); count > 0; count--) {
    aborted.push({ producerId: reader.int64(), firstOffset: Number(reader.int64()) })
  }
  const preferredReadReplica = reader.int32()
  return {
    partition,
    errorCode,
    highWatermark,
    lastStableOffset,
    lastStartOffset,
    // Dealt with here.
    abortedTransactions: [],
    preferredReadReplica,
    messages: await readMessages(reader, aborted),
  }
}

async function readMessages(reader: Reader, aborted: readonly AbortedTransaction[]): Promise<readonly unknown[]> {
  const sizeAt = reader.at
  const size = Math.max(0, reader.int32())
  const start = reader.at
  reader.at += size
  const { bytes } = reader
  if (size <= MAGIC_AT || reader.at > bytes.length) return []
  if (bytes[start + MAGIC_AT] !== MAGIC) return decodeMessages(bytes.subarray(sizeAt, reader.at))
  const messages: BatchMessage[] = []
  const isReadable = transactionFilter(aborted)
  for (const batch of RecordBatchView.in(bytes, start, reader.at)) {
    messages.push({ offset: String(batch.lastOffset), batch, isControlRecord: !isReadable(batch) })
  }
  return messages
}

/** As Kafka's own consumer does it: a producer's batches are left out from where its transaction began until the mark that ends it. */
function transactionFilter(aborted: readonly AbortedTransaction[]): (batch: RecordBatchView) => boolean {
  if (aborted.length === 0) return (batch) => !batch.isControl
  const coming = [...aborted].sort((a, b) => a.firstOffset - b.firstOffset)
  const open = new Set<string>()
  return (batch) => {
    while (coming[0] && coming[0].firstOffset <= batch.lastOffset) open.add(coming.shift()!.producerId)
    if (batch.isControl) {
      if (batch.isAbort) open.delete(batch.producerId)
      return false
    }
    return !(batch.isTransactional && open.has(batch.producerId))
  }
}

class Reader {
  readonly bytes: Buffer
  at = 0

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  int16(): number {
    this.at += 2
    return this.bytes.readInt16BE(this.at - 2)
  }

  int32(): number {
    this.at += 4
    return this.bytes.readInt32BE(this.at - 4)
  }

  int64(): string {
    this.at += 8
    return this.bytes.readBigInt64BE(this.at - 8).toString()
  }

  text(): string {
    const length = this.int16()
    if (length <= 0) return ''
    this.at += length
    return this.bytes.toString('utf8', this.at - length, this.at)
  }
}

/**
 * Appending: records that arrive while a request is under way share the next one, so that the price of a round trip is paid once.
 *
 * Invariants: an append resolves only when all in-sync replicas have every record of it; within a partition records keep the order of their appends; what
 * waits is bounded, in bytes and in time. A producer that has failed is never used again: its sequence numbers might pass for those of a record the
 * broker has, and the broker would answer a new record with an old one's offset (kafkajs, its issue 353).
 */
import { CompressionTypes, type Kafka, type Message, type Producer } from 'kafkajs'
import type { Logger } from '../../../observability/log.ts'
import { partitionOf } from '../../contract/partition.ts'
import type { Clock } from '../../time/clock.ts'
import { LogUnavailable, type NewRecord, type RecordPosition } from '../event-log.ts'
import { KafkaJSNonRetriableError } from './client.ts'
import { rootOf, unavailable } from './cluster.ts'

export interface ProducerLimits {
  /** Bytes of records that may wait for Kafka, the request under way included. One append alone may pass it. */
  readonly maxWaitingBytes: number
  /** Key, value and headers together. The broker's `message.max.bytes` is the other limit. */
  readonly maxRecordBytes: number
  /** After this long without an answer, appends are refused. */
  readonly appendTimeoutMs: number
}

export interface KafkaProducer {
  append(records: readonly NewRecord[]): Promise<RecordPosition[]>
  /** @throws LogUnavailable when Kafka does not answer; a later append may still succeed. */
  connect(): Promise<void>
  /** Refuses new appends and settles those made. */
  close(): Promise<void>
}

export interface ProducerDeps {
  client: Kafka
  brokers: readonly string[]
  clock: Clock
  limits: ProducerLimits
  gzip: boolean
  partitionCount(topic: string): Promise<number>
  logger?: Logger | undefined
}

/** A batch of one partition in a request ends before it passes these: the broker's limit is 1 MB, and a partition has one batch per request. */
const BATCH_BYTES = 1_000_000
const BATCH_RECORDS = 2_000
const REQUEST_BYTES = 8 * 1024 * 1024
/** Attributes, lengths, offsets and times of a record, at most. */
const RECORD_OVERHEAD_BYTES = 32
const RECONNECT_FIRST_MS = 200
const RECONNECT_MAX_MS = 2_000

/** One `append`, until all of its records have their places. */
interface Call {
  readonly positions: { topic: string; partition: number; offset: number }[]
  missing: number
  bytes: number
  settled: boolean
  resolve(positions: RecordPosition[]): void
  reject(error: Error): void
}

interface Waiting {
  readonly call: Call
  readonly index: number
  readonly message: Message
  readonly bytes: number
}

/** A partition's records that wait, in order. */
interface Lane {
  readonly topic: string
  readonly partition: number
  waiting: Waiting[]
}

/** A kafkajs producer, and whether it may still send. */
interface Session {
  readonly producer: Producer
  abandoned: boolean
}

export function createProducer({
  client,
  brokers,
  clock,
  limits,
  gzip,
  partitionCount,
  logger,
}: ProducerDeps): KafkaProducer {
  const lanes = new Map<string, Lane>()
  const counts = new Map<string, number>()
  const asking = new Map<string, Promise<void>>()
  const turns = new Map<string, number>()
  const closing = new AbortController()
  let waitingBytes = 0
  let working: Promise<void> | null = null
  let session: Session | null = null
  /** Why Kafka is away, while it is. */
  let away: LogUnavailable | null = null
  let reconnecting: Promise<void> | null = null

  async function open(): Promise<Session> {
    const opened: Session = { abandoned: false, producer: undefined as unknown as Producer } // set below: the partitioner wants it
    const producer = client.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      retry: { retries: 8 },
      // Asked at every attempt to send, and so the place to end the attempts of a producer that was given up.
      createPartitioner:
        () =>
        ({ message }) => {
          if (opened.abandoned) throw new KafkaJSNonRetriableError('this producer was given up')
          return message.partition!
        },
    })
    Object.assign(opened, { producer })
    try {
      await producer.connect()
    } catch (error) {
      abandon(opened)
      throw error
    }
    return opened
  }

  function abandon(given: Session): void {
    given.abandoned = true
    given.producer.disconnect().catch(() => {})
  }

  async function connect(): Promise<void> {
    try {
      session = await within(open(), limits.appendTimeoutMs, abandon)
      if (away) logger?.info('Kafka is back')
      away = null
    } catch (error) {
      throw unavailable(brokers, error as Error)
    }
  }

  /** Rejects after `ms`; a result that comes later goes to `unwanted`. */
  async function within<R>(work: Promise<R>, ms: number, unwanted: (result: R) => void): Promise<R> {
    const done = new AbortController()
    const late = clock.sleep(ms, done.signal).then(() => 'late' as const)
    try {
      const first = await Promise.race([work.then((result) => ({ result })), late])
      if (first !== 'late') return first.result
      work.then(unwanted, () => {})
      throw new Error(`no answer for ${ms / 1000} s`)
    } finally {
      done.abort()
    }
  }

  function lose(error: Error): void {
    if (session) abandon(session)
    session = null
    if (!away) logger?.warn({ err: rootOf(error) }, 'Kafka is away: appends are refused until it is back')
    away = unavailable(brokers, error)
    counts.clear()
    for (const { waiting } of lanes.values()) for (const { call } of waiting) fail(call, away)
    lanes.clear()
    reconnecting ??= reconnect()
  }

  async function reconnect(): Promise<void> {
    let pauseMs = RECONNECT_FIRST_MS
    // Looked at after every attempt: a session that is lost at once must not be the last.
    while (session === null && !closing.signal.aborted) {
      await clock.sleep(pauseMs, closing.signal)
      if (closing.signal.aborted) break
      pauseMs = Math.min(pauseMs * 2, RECONNECT_MAX_MS)
      await connect().catch((error: LogUnavailable) => {
        away = error
      })
    }
    reconnecting = null
  }

  /** The next request: of each lane what fits. Records of appends that have failed meanwhile are left out. */
  function take(): { lane: Lane; taken: Waiting[] }[] {
    const request: { lane: Lane; taken: Waiting[] }[] = []
    let total = 0
    for (const [key, lane] of lanes) {
      const open = lane.waiting.filter(({ call }) => !call.settled)
      let bytes = 0
      let count = 0
      for (; count < open.length && count < BATCH_RECORDS; count++) {
        const next = open[count]!.bytes
        if (count > 0 && bytes + next > BATCH_BYTES) break
        bytes += next
      }
      if (count === open.length) lanes.delete(key)
      else lane.waiting = open.slice(count)
      if (count > 0) request.push({ lane, taken: open.slice(0, count) })
      total += bytes
      if (total > REQUEST_BYTES) break
    }
    return request
  }

  async function send(request: { lane: Lane; taken: Waiting[] }[]): Promise<void> {
    const sender = session!
    const topics = new Map<string, Message[]>()
    for (const { lane, taken } of request) {
      const messages = topics.get(lane.topic) ?? []
      for (const { message } of taken) messages.push(message)
      topics.set(lane.topic, messages)
    }
    const sent = sender.producer.sendBatch({
      acks: -1,
      timeout: limits.appendTimeoutMs,
      compression: gzip ? CompressionTypes.GZIP : CompressionTypes.None,
      topicMessages: [...topics].map(([topic, messages]) => ({ topic, messages })),
    })
    const answers = await within(sent, limits.appendTimeoutMs, () => {})
    const bases = new Map(answers.map((a) => [`${a.topicName}-${a.partition}`, Number(a.baseOffset)]))
    for (const { lane, taken } of request) {
      const base = bases.get(`${lane.topic}-${lane.partition}`)
      if (base === undefined || base < 0) throw new Error(`Kafka told no offset for ${lane.topic}[${lane.partition}]`)
      for (let i = 0; i < taken.length; i++) {
        const { call, index } = taken[i]!
        call.positions[index]!.offset = base + i
        if (--call.missing === 0) settle(call)
      }
    }
  }

  function settle(call: Call): void {
    if (call.settled) return
    call.settled = true
    waitingBytes -= call.bytes
    call.resolve(call.positions)
  }

  function fail(call: Call, error: Error): void {
    if (call.settled) return
    call.settled = true
    waitingBytes -= call.bytes
    call.reject(error)
  }

  async function work(): Promise<void> {
    // Appends of the same turn go together.
    await new Promise((resolve) => setImmediate(resolve))
    for (let request = take(); request.length > 0; request = take()) {
      try {
        await send(request)
      } catch (error) {
        lose(error as Error)
        for (const { taken } of request) for (const { call } of taken) fail(call, away!)
      }
    }
    working = null
  }

  /** Asked once, whoever waits for it: appends keep the order in which they were made. */
  function countOf(topic: string): Promise<void> {
    let asked = asking.get(topic)
    if (!asked) {
      asked = partitionCount(topic)
        .then((count) => void counts.set(topic, count))
        .finally(() => asking.delete(topic))
      asking.set(topic, asked)
    }
    return asked
  }

  function partition(topic: string, key: string | null, count: number): number {
    if (key !== null) return partitionOf(key, count)
    const turn = (turns.get(topic) ?? 0) % count
    turns.set(topic, turn + 1)
    return turn
  }

  return {
    connect,
    async append(records) {
      if (closing.signal.aborted) throw new LogUnavailable('The log is closed.')
      if (records.length === 0) return []
      const sizes = records.map(sizeOf)
      const tooLarge = sizes.find((bytes) => bytes > limits.maxRecordBytes)
      if (tooLarge !== undefined) {
        throw new RangeError(`A record of ${tooLarge} bytes is over the log's limit of ${limits.maxRecordBytes}.`)
      }
      if (away) throw away
      for (const { topic } of records) if (!counts.has(topic)) await countOf(topic)
      for (const { topic, partition } of records) {
        if (partition !== undefined && partition >= counts.get(topic)!)
          throw new Error(`The log has no partition ${topic}[${partition}].`)
      }
      if (!session) throw new LogUnavailable('The log is not connected to Kafka yet.')
      const bytes = sizes.reduce((sum, size) => sum + size, 0)
      if (waitingBytes > 0 && waitingBytes + bytes > limits.maxWaitingBytes) {
        throw new LogUnavailable(
          `Records arrive faster than Kafka takes them: ${Math.round(waitingBytes / 1024)} KB wait to be written. Try again a little later.`,
        )
      }
      waitingBytes += bytes
      return new Promise((resolve, reject) => {
        const call: Call = { positions: [], missing: records.length, bytes, settled: false, resolve, reject }
        for (const [index, { topic, key, value, headers, tombstone, partition: given }] of records.entries()) {
          const to = given ?? partition(topic, key, counts.get(topic)!)
          const laneKey = `${topic}-${to}`
          let lane = lanes.get(laneKey)
          if (!lane) {
            lane = { topic, partition: to, waiting: [] }
            lanes.set(laneKey, lane)
          }
          const message: Message = { key, value: tombstone ? null : asBuffer(value), partition: to }
          if (headers) message.headers = headers
          lane.waiting.push({ call, index, message, bytes: sizes[index]! })
          call.positions.push({ topic, partition: to, offset: -1 })
        }
        working ??= work()
      })
    },
    async close() {
      closing.abort()
      while (working !== null) await working
      await reconnecting
      await session?.producer.disconnect().catch(() => {})
    },
  }
}

const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

function sizeOf({ key, value, headers }: NewRecord): number {
  let bytes = value.length + RECORD_OVERHEAD_BYTES
  if (key !== null) bytes += Buffer.byteLength(key)
  if (headers) for (const name in headers) bytes += Buffer.byteLength(name) + Buffer.byteLength(headers[name]!) + 4
  return bytes
}

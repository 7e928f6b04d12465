/** Our fetch responses against those of kafkajs: the same records, whatever wrote them; and what a transaction left behind. */
import { createRequire } from 'node:module'
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import type { FetchedRecord } from './client.ts'
import { registerCodecs } from './compression.ts'
import type { RecordBatchView } from './decode.ts'
import { type BatchMessage, decodeFetch } from './fetch.ts'
import { toLogRecord } from './records.ts'

interface Encoder {
  readonly buffer: Buffer
  writeInt16(n: number): Encoder
  writeInt32(n: number): Encoder
  writeInt64(n: number | string): Encoder
  writeString(text: string): Encoder
  writeBuffer(bytes: Buffer): Encoder
}
interface Partition {
  partition: number
  highWatermark: string
  messages: readonly unknown[]
}
interface Decoded {
  responses: { topicName: string; partitions: Partition[] }[]
}
const require = createRequire(import.meta.url)
const of = <T>(path: string): T => require(`kafkajs/src/protocol/${path}`) as T
const KafkaEncoder = of<new () => Encoder>('encoder')
const { RecordBatch: recordBatch } = of<{ RecordBatch(batch: object): Promise<Encoder> }>('recordBatch/v0')
const record = of<(record: object) => Encoder>('recordBatch/record/v0')
const theirs = of<{ decode(bytes: Buffer): Promise<Decoded> }>('requests/fetch/v11/response')
const GZIP = 1

beforeAll(() => registerCodecs())

interface Batch {
  firstOffset: number
  firstTimestamp: number
  compression: number
  transactional?: boolean
  producerId?: number
  /** Bits of the attributes beyond those that kafkajs writes: append time 8, control 32. */
  more?: number
  records: {
    offsetDelta: number
    timestampDelta: number
    key: Buffer | null
    value: Buffer | null
    headers: Record<string, string>
  }[]
}

async function encoded(batch: Batch): Promise<Buffer> {
  const { buffer } = await recordBatch({
    ...batch,
    maxTimestamp: batch.firstTimestamp + 5,
    lastOffsetDelta: Math.max(0, ...batch.records.map((r) => r.offsetDelta)),
    records: batch.records.map((r) => record(r)),
  })
  buffer[22]! |= batch.more ?? 0 // the checksum is read by nobody here
  return buffer
}

/** A response with one topic and one partition. */
const response = (records: Buffer, aborted: readonly [producerId: number, firstOffset: number][] = []): Buffer => {
  const head = new KafkaEncoder()
    .writeInt32(3)
    .writeInt16(0)
    .writeInt32(9)
    .writeInt32(1)
    .writeString('a-topic')
    .writeInt32(1)
    .writeInt32(2)
    .writeInt16(0)
    .writeInt64(900)
    .writeInt64(800)
    .writeInt64(10)
    .writeInt32(aborted.length)
  for (const [producerId, firstOffset] of aborted) head.writeInt64(producerId).writeInt64(firstOffset)
  return head.writeInt32(-1).writeInt32(records.length).writeBuffer(records).buffer
}

async function ours(bytes: Buffer) {
  const decoded = (await decodeFetch(bytes)) as Decoded
  const { messages } = decoded.responses[0]!.partitions[0]!
  return { decoded, messages: messages as readonly BatchMessage[] }
}

async function opened(messages: readonly BatchMessage[], from = 0) {
  const all = await Promise.all(
    messages.filter((m) => !m.isControlRecord).map(({ batch }: { batch: RecordBatchView }) => batch.records(from)),
  )
  return all.flat().map(({ offset, appendedAtMs, key, value, tombstone, headers }) => ({
    offset,
    appendedAtMs,
    key,
    value: value.toString('hex'),
    tombstone,
    headers: { ...headers },
  }))
}

async function expectedOf(bytes: Buffer) {
  const { messages } = (await theirs.decode(bytes)).responses[0]!.partitions[0]!
  return (messages as FetchedRecord[]).map((message) => {
    const { offset, appendedAtMs, key, value, tombstone, headers } = toLogRecord(message)
    return { offset, appendedAtMs, key, value: value.toString('hex'), tombstone, headers: { ...headers } }
  })
}

const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((b) => Buffer.from(b))
const text = fc.string({ unit: 'grapheme', maxLength: 30 })
const aRecord = fc.record({
  step: fc.integer({ min: 1, max: 300 }),
  timestampDelta: fc.integer({ min: -100_000, max: 5_000_000_000 }),
  key: fc.option(text.map((t) => Buffer.from(t))),
  value: fc.option(bytes(300)),
  headers: fc.dictionary(
    text.filter((name) => name !== '__proto__'),
    text,
    { maxKeys: 3 },
  ),
})
const aBatch = fc.record({
  firstOffset: fc.integer({ min: 0, max: 2 ** 45 }),
  firstTimestamp: fc.integer({ min: 0, max: 4e12 }),
  compression: fc.constantFrom(0, 0, GZIP),
  more: fc.constantFrom(0, 8),
  records: fc.array(aRecord, { minLength: 1, maxLength: 40 }).map((records) => {
    let offsetDelta = -1
    return records.map(({ step, ...rest }) => {
      offsetDelta += step
      return { ...rest, offsetDelta }
    })
  }),
})

test('the records are those of kafkajs, compressed or not, with gaps, headers and either kind of time', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(aBatch, { maxLength: 4 }), async (batches) => {
      const whole = response(Buffer.concat(await Promise.all(batches.map(encoded))))
      const { decoded, messages } = await ours(whole)
      expect(await opened(messages)).toEqual(await expectedOf(whole))
      const expected = await theirs.decode(whole)
      const [part, otherPart] = [decoded, expected].map((d) => ({ ...d.responses[0]!.partitions[0]!, messages: null }))
      expect(part).toEqual(otherPart)
    }),
    { numRuns: 60 },
  )
})

const simple = (firstOffset: number, count: number, more: Partial<Batch> = {}): Batch => ({
  firstOffset,
  firstTimestamp: 1000,
  compression: 0,
  records: Array.from({ length: count }, (_, i) => ({
    offsetDelta: i,
    timestampDelta: i,
    key: Buffer.from(`k${i}`),
    value: Buffer.from('v'),
    headers: {},
  })),
  ...more,
})

test('a batch stands at its last offset, and is read from any of its offsets', async () => {
  const { messages } = await ours(response(await encoded(simple(40, 10))))
  expect(messages.map((m) => m.offset)).toEqual(['49'])
  expect((await opened(messages, 47)).map((r) => r.offset)).toEqual([47, 48, 49])
})

test('a batch that the limit of the fetch has cut off is left for the next fetch, wherever it was cut', async () => {
  const first = await encoded(simple(0, 2))
  const second = await encoded(simple(2, 2))
  for (let length = 0; length < second.length; length++) {
    const { messages } = await ours(response(Buffer.concat([first, second.subarray(0, length)])))
    expect(messages.map((m) => m.offset)).toEqual(['1'])
  }
})

test('of aborted transactions nothing is given, of others everything, and offsets go on behind both', async () => {
  const marker = (offset: number, producerId: number, type: 0 | 1) =>
    encoded(
      simple(offset, 1, {
        more: 32,
        transactional: true,
        producerId,
        records: [
          {
            offsetDelta: 0,
            timestampDelta: 0,
            key: Buffer.from([0, 0, 0, type]),
            value: Buffer.alloc(6),
            headers: {},
          },
        ],
      }),
    )
  const inTransaction = (offset: number, producerId: number) =>
    encoded(simple(offset, 2, { transactional: true, producerId }))
  const log = Buffer.concat([
    await inTransaction(10, 7), // of one that began before and was aborted
    await inTransaction(12, 8), // so was this one's
    await encoded(simple(14, 2)), // no transaction
    await marker(16, 7, 0),
    await inTransaction(17, 7), // its next one, committed
    await marker(19, 7, 1),
    await marker(20, 8, 0),
  ])
  const { decoded, messages } = await ours(
    response(log, [
      [8, 9],
      [7, 4],
    ]),
  )
  expect((await opened(messages)).map((r) => r.offset)).toEqual([14, 15, 17, 18])
  expect(messages.map((m) => m.offset)).toEqual(['11', '13', '15', '16', '18', '19', '20'])
  expect(decoded.responses[0]!.partitions[0]).toMatchObject({ abortedTransactions: [] })
})

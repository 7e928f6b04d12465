/** Our produce requests against those of kafkajs: the same bytes. */
import { createRequire } from 'node:module'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { registerCodecs } from './compression.ts'
import { type ProduceRequest, withFastEncoding } from './encode.ts'

const theirs = createRequire(import.meta.url)('kafkajs/src/protocol/requests/produce/v3/request')
const NOW = 1_767_225_600_123
const ours = withFastEncoding(theirs, { now: () => NOW, sleep: async () => {} })
beforeEach(() => void vi.useFakeTimers({ now: NOW, toFake: ['Date'] })) // kafkajs asks for the time itself
afterEach(() => void vi.useRealTimers())

const both = async (request: ProduceRequest): Promise<[Buffer, Buffer]> => [
  (await theirs(request).encode()).buffer,
  (await ours(request).encode()).buffer,
]
const text = fc.oneof(fc.string({ maxLength: 60 }), fc.string({ unit: 'grapheme', maxLength: 120 }))
const message = fc.record(
  {
    key: fc.option(text),
    value: fc.option(fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes))),
    headers: fc.dictionary(
      fc.string({ minLength: 1 }).filter((name) => name !== '__proto__'),
      text,
      { maxKeys: 4 },
    ),
  },
  { requiredKeys: ['key', 'value'] },
)
const request = fc.record({
  acks: fc.constant(-1),
  timeout: fc.nat(60_000),
  producerId: fc.bigInt({ min: 0n, max: 2n ** 62n }).map(String),
  producerEpoch: fc.nat(32_000),
  compression: fc.constant(0),
  topicData: fc.array(
    fc.record({
      topic: fc.stringMatching(/^[a-z.]{1,30}$/),
      partitions: fc.array(
        fc.record({
          partition: fc.nat(100),
          firstSequence: fc.nat(2 ** 31 - 1),
          messages: fc.array(message, { minLength: 1, maxLength: 70 }),
        }),
        { minLength: 1, maxLength: 3 },
      ),
    }),
    { maxLength: 3 },
  ),
})

test('the bytes are those of kafkajs, whatever the records', async () => {
  await fc.assert(
    fc.asyncProperty(request, async (asked) => {
      const [expected, found] = await both(asked)
      expect(found.equals(expected)).toBe(true)
    }),
  )
})

test('a megabyte, many records and gzip as well', async () => {
  registerCodecs()
  const large = { key: 'k', value: Buffer.alloc(1_000_000, 'x') }
  const many = Array.from({ length: 20_000 }, (_, i) => ({ key: `user-${i}`, value: Buffer.from(`value ${i}`) }))
  for (const messages of [[large], many]) {
    for (const compression of [0, 1]) {
      const topicData = [{ topic: 't', partitions: [{ partition: 0, firstSequence: 7, messages }] }]
      const [expected, found] = await both({
        acks: -1,
        timeout: 1,
        producerId: 5,
        producerEpoch: 1,
        compression,
        topicData,
      })
      expect(found.equals(expected)).toBe(true)
    }
  }
})

test('what is beyond it is left to kafkajs', async () => {
  const messages = [{ key: 'k', value: Buffer.from('v'), timestamp: '5', headers: { a: ['b', 'c'] } }]
  const topicData = [{ topic: 't', partitions: [{ partition: 0, messages }] }]
  const [expected, found] = await both({ acks: -1, timeout: 1, producerId: 5, producerEpoch: 1, topicData })
  expect(found.equals(expected)).toBe(true)
})

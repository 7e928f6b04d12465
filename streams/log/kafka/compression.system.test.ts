/** What Kafka's own Java producer writes in each codec is read, and what we write in gzip as well. */
import { describe, expect, test } from 'vitest'
import { kafkaTool } from '../../../cli/servers/index.ts'
import { withKafka } from '../../../cli/servers/testing/with-kafka.ts'
import { readAll } from '../../testing/event-log-suite.ts'
import { openKafkaLog } from '../kafka.ts'
import { decompressLz4Frame } from './lz4.ts'
import { makeTopics } from './testing/admin.ts'

const kafka = withKafka()
/** Repetitive, so that codecs have something to do; long, so that a batch has several blocks; with pieces that don't compress. */
const lines = Array.from({ length: 3_000 }, (_, i) => {
  const noise = Array.from({ length: i % 40 }, (_, k) => ((i * 7_919 + k * 104_729) % 1_000_003).toString(36)).join('')
  return JSON.stringify({
    event_id: `event-${i}`,
    type: 'page_view',
    page: `/product/${i % 50}`,
    text: 'çok güzel '.repeat(i % 30),
    noise,
  })
})

test.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'])('a Java producer with compression.type=%s', async (codec) => {
  const topic = `java-${codec}`
  await makeTopics(kafka.brokers, { [topic]: 1 })
  const { code, stderr } = await kafkaTool(
    'org.apache.kafka.tools.ConsoleProducer',
    [
      ...['--bootstrap-server', kafka.brokers[0]!, '--topic', topic, '--compression-codec', codec],
      // By itself it gives a request up after 1.5 s, and after four of them the records, with code 0.
      ...['--batch-size', '500000', '--request-timeout-ms', '30000'],
    ],
    kafka.config,
    `${lines.join('\n')}\n`,
  )
  expect(code, stderr).toBe(0)
  const log = await openKafkaLog({ brokers: kafka.brokers, clientId: 'test' })
  const records = await readAll(log, { topic, partition: 0 })
  expect(records.map(({ value }) => value.toString())).toEqual(lines)
  await log.close()
})

test('our own appends in gzip are read', async () => {
  await makeTopics(kafka.brokers, { ours: 1 })
  const log = await openKafkaLog({ brokers: kafka.brokers, clientId: 'test', gzip: true })
  await log.append(lines.map((line) => ({ topic: 'ours', key: 'k', value: Buffer.from(line), headers: { a: 'b' } })))
  const records = await readAll(log, { topic: 'ours', partition: 0 })
  expect(records.map(({ value }) => value.toString())).toEqual(lines)
  expect(records.every(({ key, headers }) => key === 'k' && headers?.a === 'b')).toBe(true)
  await log.close()
})

describe('an LZ4 frame that is none', () => {
  const frame = (...blocks: Buffer[]): Buffer =>
    Buffer.concat([Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82]), ...blocks, Buffer.alloc(4)])
  const block = (bytes: number[]): Buffer => Buffer.from([bytes.length, 0, 0, 0, ...bytes])

  test('literals, an overlapping match and a stored block come out', () => {
    // 3 literals "abc", a match of 9 at distance 3; then a block of one literal; then a stored one.
    const compressed = block([0x35, 0x61, 0x62, 0x63, 3, 0, 0x10, 0x78])
    const stored = Buffer.from([2, 0, 0, 0x80, 0x79, 0x7a])
    expect(decompressLz4Frame(frame(compressed, stored), 1_000).toString()).toBe('abcabcabcabcxyz')
  })

  test.each([
    ['another magic number', Buffer.alloc(20), /magic number/],
    [
      'cut in the middle',
      frame(block([0x35, 0x61, 0x62, 0x63, 3, 0, 0x10, 0x78])).subarray(0, 14),
      /ends in the middle/,
    ],
    ['a match before the data', frame(block([0x15, 0x61, 9, 0, 0x10, 0x78])), /begins before the data/],
    [
      'more than is allowed',
      frame(block([0x1f, 0x61, 1, 0, 255, 255, 255, 255, 255, 0, 0x10, 0x78])),
      /more than 1000 bytes/,
    ],
  ])('%s is an error', (_, bytes, message) => {
    expect(() => decompressLz4Frame(bytes, 1_000)).toThrow(message)
  })
})

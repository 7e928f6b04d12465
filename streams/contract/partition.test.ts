/** The partitioner against Kafka's own published values (UtilsTest.testMurmur2 of org.apache.kafka.common.utils). */
import { expect, test } from 'vitest'
import { murmur2, partitionOf, partitionOfBytes } from './partition.ts'

const KAFKA: [string, number][] = [
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
]

test.each(KAFKA)('murmur2 of %j is what Kafka computes', (text, hash) => {
  expect(murmur2(Buffer.from(text))).toBe(hash)
})

test.each(KAFKA)('the partition of %j is the hash without its sign, modulo the count', (text, hash) => {
  for (const partitions of [1, 2, 4, 7]) expect(partitionOf(text, partitions)).toBe((hash & 0x7fffffff) % partitions)
})

// Every length of the rest behind the last four bytes, also none at all.
const LIBRDKAFKA: [string, number][] = [
  ['kafka', 0xd067cf64],
  ['giberish123456789', 0x8f552b0c],
  ['1234', 0x9fc97b14],
  ['234', 0xe7c009ca],
  ['34', 0x873930da],
  ['4', 0x5a4b5ca1],
  ['PreAmbleWillBeRemoved,ThePrePartThatIs', 0x78424f1c],
  ['reAmbleWillBeRemoved,ThePrePartThatIs', 0x4a62b377],
  ['', 0x106e08d9],
]

test.each(LIBRDKAFKA)('murmur2 of %j is what librdkafka computes (rdmurmur2.c)', (text, hash) => {
  expect(murmur2(Buffer.from(text)) >>> 0).toBe(hash)
})

test('a key is hashed by its UTF-8 bytes', () => {
  const bytes = Buffer.from('kullanıcı-ş-🛒')
  expect(partitionOf('kullanıcı-ş-🛒', 1000)).toBe((murmur2(bytes) & 0x7fffffff) % 1000)
})

test('bytes in a larger buffer count as far as the given length', () => {
  const roomy = Buffer.from('foobar and what an earlier key left behind')
  expect(partitionOfBytes(roomy, 6, 1000)).toBe(partitionOf('foobar', 1000))
})

test('keys spread evenly', () => {
  const counts = [0, 0, 0, 0]
  for (let i = 0; i < 10_000; i++) counts[partitionOf(`user-${i}`, 4)]!++
  for (const count of counts) expect(Math.abs(count - 2_500)).toBeLessThan(250)
})

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

/**
 * Which partition a key goes to: Kafka's default partitioner (murmur2 of the key's UTF-8 bytes), so that the embedded log,
 * kafkajs and any Java producer place a key alike.
 * Source: org.apache.kafka.common.utils.Utils.murmur2 and BuiltInPartitioner.partitionForKey.
 */

const encoder = new TextEncoder()
const M = 0x5bd1e995

/** murmur2 of the first `length` bytes, as Kafka computes it; a signed 32-bit integer. */
export function murmur2(data: Uint8Array, length = data.length): number {
  let h = 0x9747b28c ^ length
  let i = 0
  for (; i + 4 <= length; i += 4) {
    let k = data[i]! | (data[i + 1]! << 8) | (data[i + 2]! << 16) | (data[i + 3]! << 24)
    k = Math.imul(k, M)
    k ^= k >>> 24
    h = Math.imul(h, M) ^ Math.imul(k, M)
  }
  const rest = length - i
  if (rest === 3) h ^= data[i + 2]! << 16
  if (rest >= 2) h ^= data[i + 1]! << 8
  if (rest >= 1) h = Math.imul(h ^ data[i]!, M)
  h = Math.imul(h ^ (h >>> 13), M)
  return h ^ (h >>> 15)
}

/** @returns 0 … partitions − 1 */
export function partitionOf(key: string, partitions: number): number {
  return partitionOfBytes(encoder.encode(key), undefined, partitions)
}

/** {@link partitionOf} for a key whose UTF-8 bytes are already there: the first `length` of `bytes`. */
export function partitionOfBytes(bytes: Uint8Array, length: number | undefined, partitions: number): number {
  return (murmur2(bytes, length) & 0x7fffffff) % partitions
}

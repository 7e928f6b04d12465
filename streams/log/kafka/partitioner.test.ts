/** Keys go where any other Kafka client sends them: our partitioner against the default one of kafkajs. */
import fc from 'fast-check'
import { Partitioners } from 'kafkajs'
import { expect, test } from 'vitest'
import { partitionOf } from '../../contract/partition.ts'

test('a key goes to the partition that the default partitioner of kafkajs chooses', () => {
  const theirs = Partitioners.DefaultPartitioner()
  const key = fc.oneof(fc.string({ minLength: 1 }), fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 }))
  fc.assert(
    fc.property(key, fc.integer({ min: 1, max: 64 }), (key, partitions) => {
      const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => ({
        partitionId,
        partitionErrorCode: 0,
        leader: 1,
        replicas: [1],
        isr: [1],
      }))
      const message = { key, value: Buffer.alloc(0) }
      expect(partitionOf(key, partitions)).toBe(theirs({ topic: 't', partitionMetadata, message }))
    }),
  )
})

/**
 * A topic's history in Kafka, offset by offset and append time by append time as it lies in the simulation's log: so real consumers can be held to what the
 * simulation computes from it. Invariant: the same record has the same partition, offset and time in both.
 */

import { Kafka, logLevel } from 'kafkajs'
import { INPUT_TOPICS, TOPICS } from '../../streams/contract/topics.ts'
import { createAndAwait } from '../../streams/log/kafka/create-topics.ts'
import { withAdmin } from '../../streams/log/kafka/testing/admin.ts'
import type { MemoryLog } from '../../streams/testing/memory-log.ts'

/** Makes the topics, all of them, and fills the input topics. @returns how many records they have */
export async function preload(brokers: readonly string[], log: MemoryLog): Promise<number> {
  const topics = TOPICS.map(({ name, partitions }) => ({
    topic: name,
    numPartitions: partitions,
    // The history is older than any retention.
    configEntries: Object.entries({ 'message.timestamp.type': 'CreateTime', 'retention.ms': '-1' }).map(
      ([configName, value]) => ({ name: configName, value }),
    ),
  }))
  await withAdmin(brokers, (admin) => createAndAwait(admin, topics))
  const producer = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING }).producer({
    idempotent: true,
    maxInFlightRequests: 1,
  })
  await producer.connect()
  let records = 0
  try {
    for (const topic of INPUT_TOPICS) {
      const { partitions } = TOPICS.find(({ name }) => name === topic)!
      for (let partition = 0; partition < partitions; partition++) {
        const messages = log.records({ topic, partition }).map(({ key, value, headers, appendedAtMs }) => ({
          key,
          value,
          partition,
          timestamp: String(appendedAtMs),
          ...(headers ? { headers: { ...headers } } : {}),
        }))
        if (messages.length > 0) await producer.send({ topic, messages })
        records += messages.length
      }
    }
  } finally {
    await producer.disconnect()
  }
  return records
}

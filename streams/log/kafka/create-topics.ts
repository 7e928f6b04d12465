/**
 * Makes topics on a Kafka cluster. Invariant: when it returns, the broker that was asked leads all their partitions or knows who does.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Admin, ITopicConfig } from 'kafkajs'

/** What a broker says of a topic that the controller has made and it has not heard of yet, or that has no leader yet. */
const NOT_YET = new Set(['UNKNOWN_TOPIC_OR_PARTITION', 'LEADER_NOT_AVAILABLE'])
const PATIENCE_MS = 30_000

/**
 * kafkajs waits by itself as well (`waitForLeaders`), but takes a broker that has not heard of the topic yet for a failure.
 * @throws KafkaJSError when Kafka refuses, or does not know of them after half a minute
 */
export async function createAndAwait(admin: Admin, topics: readonly ITopicConfig[]): Promise<void> {
  await admin.createTopics({ topics: [...topics], waitForLeaders: false })
  const deadline = performance.now() + PATIENCE_MS
  for (;;) {
    try {
      await admin.fetchTopicMetadata({ topics: topics.map(({ topic }) => topic) })
      return
    } catch (error) {
      if (!NOT_YET.has(String((error as { type?: unknown }).type)) || performance.now() > deadline) throw error
      await delay(100)
    }
  }
}

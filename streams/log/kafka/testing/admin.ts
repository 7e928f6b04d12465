/** What tests ask of a cluster besides the log: topics of their own. */
import { setTimeout as delay } from 'node:timers/promises'
import { type Admin, Kafka, logLevel } from 'kafkajs'
import { createAndAwait } from '../create-topics.ts'

/** What a broker answers about groups until it has taken over, or loaded, their coordination: ask again. */
const COORDINATOR_AWAY = new Set([
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'GROUP_LOAD_IN_PROGRESS',
  'NOT_COORDINATOR_FOR_GROUP',
])
const PATIENCE_MS = 30_000

export async function withAdmin<R>(brokers: readonly string[], ask: (admin: Admin) => Promise<R>): Promise<R> {
  const deadline = performance.now() + PATIENCE_MS
  for (;;) {
    try {
      return await askOnce(brokers, ask)
    } catch (error) {
      if (!COORDINATOR_AWAY.has(String((error as { type?: unknown }).type)) || performance.now() > deadline) throw error
      await delay(100)
    }
  }
}

async function askOnce<R>(brokers: readonly string[], ask: (admin: Admin) => Promise<R>): Promise<R> {
  const admin = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  try {
    return await ask(admin)
  } finally {
    await admin.disconnect()
  }
}

/** Makes topics with that many partitions each. */
export async function makeTopics(
  brokers: readonly string[],
  partitions: Readonly<Record<string, number>>,
): Promise<void> {
  const topics = Object.entries(partitions).map(([topic, numPartitions]) => ({
    topic,
    numPartitions,
    configEntries: [{ name: 'message.timestamp.type', value: 'LogAppendTime' }],
  }))
  await withAdmin(brokers, (admin) => createAndAwait(admin, topics))
}

/** Removes topics, and waits until the broker knows that they are gone. */
export async function removeTopics(brokers: readonly string[], topics: readonly string[]): Promise<void> {
  await withAdmin(brokers, async (admin) => {
    await admin.deleteTopics({ topics: [...topics] })
    const deadline = performance.now() + PATIENCE_MS
    for (let there = topics; there.length > 0; ) {
      if (performance.now() > deadline) throw new Error(`Kafka still has ${there}.`)
      await delay(20)
      const all = new Set(await admin.listTopics())
      there = topics.filter((topic) => all.has(topic))
    }
  })
}

/** Makes retention remove everything up to now from partition 0. */
export async function expire(brokers: readonly string[], topic: string): Promise<void> {
  await withAdmin(brokers, async (admin) => {
    await admin.fetchTopicOffsets(topic) // without its metadata kafkajs can't delete
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '-1' }] })
  })
}

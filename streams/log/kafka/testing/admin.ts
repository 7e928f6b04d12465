/** What tests ask of a cluster besides the log: topics of their own. */
import { type Admin, Kafka, logLevel } from 'kafkajs'

export async function withAdmin<R>(brokers: readonly string[], ask: (admin: Admin) => Promise<R>): Promise<R> {
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
  await withAdmin(brokers, (admin) => admin.createTopics({ topics, waitForLeaders: true }))
}

/** Makes retention remove everything up to now from partition 0. */
export async function expire(brokers: readonly string[], topic: string): Promise<void> {
  await withAdmin(brokers, async (admin) => {
    await admin.fetchTopicOffsets(topic) // without its metadata kafkajs can't delete
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '-1' }] })
  })
}

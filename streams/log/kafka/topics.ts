/**
 * The topics of the contract on a Kafka cluster: what is missing is made, what is there is held against the contract and never changed.
 * Invariant: a topic that can't be used is a sentence at the start that names the remedy, and not a reader that waits for ever.
 */
import type { Admin } from 'kafkajs'
import { TOPICS, type Topic } from '../../contract/topics.ts'
import { LogUnavailable } from '../event-log.ts'
import { createClient, type KafkaConnection } from './client.ts'
import { isRefusal, rootOf } from './cluster.ts'
import { createAndAwait } from './create-topics.ts'

export interface TopicReport {
  /** Topics that are not there. */
  missing: readonly Topic[]
  /** A sentence for each topic that can't be used as it is. */
  unusable: readonly string[]
  /** A sentence for each topic that can be used, but is set otherwise than the contract says. */
  different: readonly string[]
}

export interface CreateOptions {
  /** Copies of each partition; the brokers' own default when missing. */
  replication?: number
}

/** The topics at the start can't be used. */
export class TopicsUnusable extends Error {
  override readonly name = 'TopicsUnusable'
}

const TOPIC = 2 // the resource type of Kafka's configuration requests

/** Settings of a topic, by Kafka's names. */
const settingsOf = (topic: Topic): Record<string, string> => ({
  'retention.ms': String(topic.retentionMs),
  'cleanup.policy': 'delete',
  // The watermark caps event times at the time of the append: that must be the broker's clock and not a producer's.
  'message.timestamp.type': 'LogAppendTime',
})

/** @throws LogUnavailable within seconds when Kafka does not answer */
export async function withKafkaAdmin<R>(connection: KafkaConnection, work: (admin: Admin) => Promise<R>): Promise<R> {
  const admin = createClient(connection).admin()
  try {
    await admin.connect()
    return await work(admin)
  } catch (error) {
    if (error instanceof TopicsUnusable) throw error
    if (isRefusal(error)) {
      throw new LogUnavailable(
        `Kafka at ${connection.brokers.join(', ')} refuses this client: ${rootOf(error).message}. Look at KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD, and at the ACLs.`,
        { cause: error },
      )
    }
    throw new LogUnavailable(
      `Kafka at ${connection.brokers.join(', ')} does not answer: ${rootOf(error).message.replace(/\.$/, '')}. Is it running, and are these its addresses (KAFKA_BROKERS)?`,
      { cause: error },
    )
  } finally {
    await admin.disconnect().catch(() => {})
  }
}

/** Holds the cluster against the contract. */
export async function reportTopics(admin: Admin, topics: readonly Topic[] = TOPICS): Promise<TopicReport> {
  const existing = new Set(await admin.listTopics())
  const missing = topics.filter(({ name }) => !existing.has(name))
  const present = topics.filter(({ name }) => existing.has(name))
  const unusable: string[] = []
  const different: string[] = []
  if (present.length > 0) {
    const metadata = await admin.fetchTopicMetadata({ topics: present.map(({ name }) => name) })
    const counts = new Map(metadata.topics.map(({ name, partitions }) => [name, partitions.length]))
    const configs = await admin
      .describeConfigs({ includeSynonyms: false, resources: present.map(({ name }) => ({ type: TOPIC, name })) })
      .catch((error: unknown) => {
        // Whoever may read and write a topic needs no right to see its settings.
        if (isRefusal(error)) return { resources: [] }
        throw error
      })
    for (const topic of present) {
      const count = counts.get(topic.name) ?? 0
      if (count < topic.partitions) unusable.push(tooFew(topic, count))
      else if (count > topic.partitions)
        different.push(`${topic.name} has ${count} partitions; the contract says ${topic.partitions}.`)
      const entries = configs.resources.find(({ resourceName }) => resourceName === topic.name)?.configEntries
      if (!entries) continue
      for (const [name, wanted] of Object.entries(settingsOf(topic))) {
        const found = entries.find(({ configName }) => configName === name)?.configValue
        if (found !== wanted) different.push(`${topic.name} has ${name}=${found}; the contract says ${wanted}.`)
      }
    }
  }
  return { missing, unusable, different }
}

const tooFew = ({ name, partitions }: Topic, count: number): string =>
  `${name} has ${count} of the ${partitions} partitions it needs. A key must stay in its partition, so they are not added to a topic in use: if it is empty, delete it ` +
  'and run "streamforge topics"; if not, copy its records into a new cluster.'

/** Makes the topics given. One that another process makes at the same moment is fine. */
export async function createTopics(
  admin: Admin,
  topics: readonly Topic[],
  { replication }: CreateOptions = {},
): Promise<void> {
  if (topics.length === 0) return
  await createAndAwait(
    admin,
    topics.map((topic) => ({
      topic: topic.name,
      numPartitions: topic.partitions,
      replicationFactor: replication ?? -1,
      configEntries: Object.entries({
        ...settingsOf(topic),
        // acks=all means as many copies as must be in sync: with one of them an acknowledged record could still be lost.
        ...(replication !== undefined && replication >= 3 ? { 'min.insync.replicas': '2' } : {}),
      }).map(([name, value]) => ({ name, value })),
    })),
  )
}

/**
 * For the start of a process that needs the topics.
 * @returns sentences about what can be used, but is set otherwise than the contract says
 * @throws TopicsUnusable in sentences that name the command
 */
export async function checkTopics(admin: Admin, topics: readonly Topic[] = TOPICS): Promise<readonly string[]> {
  const { missing, unusable, different } = await reportTopics(admin, topics)
  const sentences = [...unusable]
  if (missing.length > 0) {
    const names = missing.map(({ name }) => name).join(', ')
    sentences.push(
      `Kafka has no ${missing.length === 1 ? 'topic' : 'topics'} ${names}. "streamforge topics" makes what is missing.`,
    )
  }
  if (sentences.length > 0) throw new TopicsUnusable(sentences.join('\n'))
  return different
}

/**
 * The topics before a process begins to work: where the log is Kafka, those it needs are there and have their partitions, or it ends with a sentence.
 * Sits at the start of `edge` and `streams`. Invariant: nobody waits for a topic or a broker that will not come.
 */
import { type Config, kafkaConnectionOf } from '../db/config.ts'
import type { Logger } from '../observability/log.ts'
import type { Topic } from '../streams/contract/topics.ts'
import { LogUnavailable } from '../streams/log/event-log.ts'
import { CommandFailed } from './command.ts'

/** Does nothing for the embedded log, which makes its own. @throws CommandFailed naming the topic or the brokers, and the remedy */
export async function requireTopics(config: Config, topics: readonly Topic[], logger: Logger): Promise<void> {
  if (config.kafkaBrokers.length === 0) return
  // Loaded where there is a Kafka: most platforms have none.
  const { checkTopics, TopicsUnusable, withKafkaAdmin } = await import('../streams/log/kafka/topics.ts')
  try {
    const different = await withKafkaAdmin(kafkaConnectionOf(config), (admin) => checkTopics(admin, topics))
    for (const sentence of different) logger.warn({}, sentence)
  } catch (error) {
    if (error instanceof TopicsUnusable || error instanceof LogUnavailable) throw new CommandFailed(error.message)
    throw error
  }
}

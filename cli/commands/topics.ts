/** `streamforge topics`: makes the topics that a Kafka cluster lacks, or only tells what it lacks. It never changes a topic that is there. */
import { type Config, type ConfigOverrides, kafkaConnectionOf } from '../../db/config.ts'
import { TOPICS } from '../../streams/contract/topics.ts'
import { foreignDeadLetters } from '../../streams/foreign/foreign-topic.ts'
import { LogUnavailable } from '../../streams/log/event-log.ts'
import { createTopics, reportTopics, withKafkaAdmin } from '../../streams/log/kafka/topics.ts'
import { furtherCdcTopics } from '../../streams/sources/cdc/settings.ts'
import { CommandFailed, type CommandIo, defineCommand, parseArguments, UsageError, wholeNumber } from '../command.ts'
import { foreignTopicsOf } from '../foreign-topics.ts'
import { configFrom } from '../settings.ts'

export const topics = defineCommand({
  name: 'topics',
  usage: `streamforge topics [options]

Makes what is missing; a topic that is there is only held against what the platform needs. May be run again at any time.
STREAMFORGE_CDC_TABLES names tables whose changes need topics, too.

  --brokers LIST    host:port, several with commas between them (default: KAFKA_BROKERS)
  --replication N   copies of each partition (default: the brokers' default.replication.factor); 3 or more asks for 2 in sync
  --check           make nothing: exit code 1 when a topic is missing or can't be used
  --foreign-topics FILE  also the topics for what can't be read of these (default: STREAMFORGE_FOREIGN_TOPICS)`,
  async run(args, io) {
    const { values, positionals } = parseArguments(args, {
      brokers: { type: 'string' },
      replication: { type: 'string' },
      check: { type: 'boolean', default: false },
      'foreign-topics': { type: 'string' },
    })
    if (positionals.length > 0) throw new UsageError(`topics takes options only, not "${positionals[0]}".`)
    const replication =
      values.replication === undefined
        ? {}
        : { replication: wholeNumber('--replication', values.replication, 1, 32_767) }
    const config = configOf(io.env, { kafkaBrokers: values.brokers, foreignTopics: values['foreign-topics'] })
    const foreign = foreignDeadLetters(await foreignTopicsOf(config))
    const wanted = [...TOPICS, ...furtherCdcTopics(config.cdcTables), ...foreign]
    const connection = kafkaConnectionOf(config)
    try {
      return await withKafkaAdmin(connection, async (admin) => {
        const { missing, unusable, different } = await reportTopics(admin, wanted)
        if (!values.check) await createTopics(admin, missing, replication)
        for (const { name, partitions, retentionMs } of missing) {
          const days = retentionMs / 86_400_000
          io.out(
            `${values.check ? 'missing' : 'made   '} ${name}: ${partitions} partition${partitions === 1 ? '' : 's'}, kept for ${days} days\n`,
          )
        }
        for (const sentence of different) io.err(`Note: ${sentence}\n`)
        for (const sentence of unusable) io.err(`${sentence}\n`)
        const good = wanted.length - missing.length - unusable.length
        io.out(`${good} of ${wanted.length} topics were there\n`)
        if (values.check && missing.length > 0) io.err('"streamforge topics" makes what is missing.\n')
        return unusable.length > 0 || (values.check && missing.length > 0) ? 1 : 0
      })
    } catch (error) {
      if (error instanceof LogUnavailable) throw new CommandFailed(error.message)
      throw error
    }
  },
})

function configOf(env: CommandIo['env'], options: ConfigOverrides): Config {
  const config = configFrom(env, options)
  if (config.kafkaBrokers.length === 0) {
    throw new UsageError(
      'Topics are made on Kafka: name its brokers with --brokers or KAFKA_BROKERS. The embedded log needs none.',
    )
  }
  return config
}

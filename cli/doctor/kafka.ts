/** Kafka: brokers, topics as the contract has them, copies in sync, and how far the streams are behind. Reads only. */
import type { Admin } from 'kafkajs'
import { type Config, kafkaConnectionOf } from '../../db/config.ts'
import { INPUT_TOPICS, TOPICS } from '../../streams/contract/topics.ts'
import { reportTopics, withKafkaAdmin } from '../../streams/log/kafka/topics.ts'
import { DEFAULT_SETTINGS } from '../../streams/runtime/runtime.ts'
import { counted, humanCount } from '../human.ts'
import { Broken, type Check, type Family, type Finding, ok, unseen, warning } from './check.ts'
import { LAG_WARN } from './streams.ts'

export function kafkaFamily(config: Config): Family {
  const ask = (question: (admin: Admin) => Promise<Finding>) => () =>
    withKafkaAdmin(kafkaConnectionOf(config), question)
  return {
    part: 'kafka',
    checks: [
      {
        name: `answers at ${config.kafkaBrokers.join(', ')}`,
        matters: 'Nothing is accepted: the edge answers 503, and clients keep what they have.',
        remedy: 'Are the brokers running, and is KAFKA_BROKERS their address as seen from here (advertised.listeners)?',
        gate: true,
        run: ask(async (admin) => {
          const { brokers } = await admin.describeCluster()
          return ok(counted(brokers.length, 'broker'))
        }),
      },
      {
        name: 'the topics are as the contract has them',
        matters: 'Too few partitions, a short retention or the wrong kind of time lose events or give other results.',
        remedy: '"streamforge topics" makes what is missing; what is there is changed by hand.',
        run: ask(async (admin) => {
          const { missing, unusable, different } = await reportTopics(admin)
          if (missing.length > 0) throw new Broken(`There is no ${missing.map(({ name }) => name).join(', ')}.`)
          if (unusable.length > 0) throw new Broken(unusable.join(' '))
          return different.length > 0 ? warning(different.join(' ')) : ok(counted(TOPICS.length, 'topic'))
        }),
      },
      {
        name: 'every partition has a leader, its copies are in sync',
        matters:
          'A partition without a leader takes nothing; one with too few copies in sync is one failure from that, or from a loss.',
        remedy: 'Look at the brokers that are missing: kafka-topics.sh --describe --under-replicated-partitions.',
        run: ask(async (admin) => {
          const { topics } = await admin.fetchTopicMetadata({ topics: [...TOPICS.map(({ name }) => name)] })
          const all = topics.flatMap(({ name, partitions }) =>
            partitions.map((p) => ({ ...p, at: `${name}[${p.partitionId}]` })),
          )
          const headless = all.filter(({ leader }) => leader < 0)
          if (headless.length > 0) throw new Broken(`Without a leader: ${headless.map(({ at }) => at).join(', ')}.`)
          const lacking = all.filter(({ isr, replicas }) => isr.length < replicas.length)
          return lacking.length > 0
            ? warning(`${counted(lacking.length, 'partition')} with copies out of sync, ${lacking[0]?.at} among them.`)
            : ok(counted(all.length, 'partition'))
        }),
      },
      lag(ask),
    ],
  }
}

function lag(ask: (question: (admin: Admin) => Promise<Finding>) => () => Promise<Finding>): Check {
  return {
    name: 'the streams keep up',
    matters: 'Beyond the retention, what was not read is gone.',
    remedy: 'Are streams processes running? Start more, up to one for each partition.',
    run: ask(async (admin) => {
      const committed = await admin.fetchOffsets({ groupId: DEFAULT_SETTINGS.group, topics: [...INPUT_TOPICS] })
      let behind = 0
      for (const { topic, partitions } of committed) {
        const ends = new Map(
          (await admin.fetchTopicOffsets(topic)).map(({ partition, high }) => [partition, Number(high)]),
        )
        // -1: the group has committed nothing there yet.
        for (const { partition, offset } of partitions)
          if (Number(offset) >= 0) behind += Math.max(0, (ends.get(partition) ?? 0) - Number(offset))
      }
      if (committed.every(({ partitions }) => partitions.every(({ offset }) => Number(offset) < 0)))
        return unseen('the streams have committed nothing yet')
      return behind > LAG_WARN
        ? warning(`${humanCount(behind)} records wait.`)
        : ok(`lag ${humanCount(behind)} records`)
    }),
  }
}

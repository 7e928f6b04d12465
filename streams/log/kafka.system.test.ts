/** The Kafka log against a real broker: passes the log's suite, and what is its own. */
import { Kafka, logLevel } from 'kafkajs'
import { withKafka } from '../../cli/servers/testing/with-kafka.ts'
import { describeEventLog } from '../testing/event-log-suite.ts'
import { openKafkaLog } from './kafka.ts'

const kafka = withKafka()
let topics = 0

const admin = async <R>(ask: (admin: ReturnType<Kafka['admin']>) => Promise<R>): Promise<R> => {
  const client = new Kafka({ brokers: [...kafka.brokers], logLevel: logLevel.NOTHING }).admin()
  await client.connect()
  try {
    return await ask(client)
  } finally {
    await client.disconnect()
  }
}
const configEntries = [{ name: 'message.timestamp.type', value: 'LogAppendTime' }]
const open = () => openKafkaLog({ brokers: kafka.brokers, clientId: 'test', fetchWaitMs: 100, heartbeatMs: 200 })

describeEventLog('Kafka log', async () => {
  const n = ++topics
  const [topic, single] = [`four-${n}`, `one-${n}`]
  await admin((a) =>
    a.createTopics({
      waitForLeaders: true,
      topics: [
        { topic, numPartitions: 4, configEntries },
        { topic: single, numPartitions: 1, configEntries },
      ],
    }),
  )
  const log = await open()
  return {
    log,
    topic,
    single,
    reopen: open,
    expire: () =>
      admin(async (a) => {
        await a.fetchTopicOffsets(single) // without its metadata kafkajs can't delete
        await a.deleteTopicRecords({ topic: single, partitions: [{ partition: 0, offset: '-1' }] })
      }),
    dispose: () => log.close(),
  }
})

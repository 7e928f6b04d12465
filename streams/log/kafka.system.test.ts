/** The Kafka log passes the log's suite, against a real broker. */
import { withKafka } from '../../cli/servers/testing/with-kafka.ts'
import { describeEventLog } from '../testing/event-log-suite.ts'
import { expire, makeTopics } from './kafka/testing/admin.ts'
import { openKafkaLog } from './kafka.ts'

const kafka = withKafka()
/** More than a busy broker takes: what it does where Kafka is away is told elsewhere. */
const PATIENCE_MS = 30_000
const open = () =>
  openKafkaLog({
    brokers: kafka.brokers,
    clientId: 'test',
    fetchWaitMs: 100,
    heartbeatMs: 200,
    appendTimeoutMs: PATIENCE_MS,
  })
let made = 0

describeEventLog(
  'Kafka log',
  async () => {
    const [topic, single] = [`four-${++made}`, `one-${made}`]
    await makeTopics(kafka.brokers, { [topic]: 4, [single]: 1 })
    const log = await open()
    return { log, topic, single, reopen: open, expire: () => expire(kafka.brokers, single), dispose: () => log.close() }
  },
  { wakeUpMs: PATIENCE_MS },
)

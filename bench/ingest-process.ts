/** The measured process of the ingest benchmark: the edge and its log, and nothing else. Every line it is told asks for its figures. */
import { join } from 'node:path'
import { openEmbeddedFeatures } from '../db/features/embedded.ts'
import { connect } from '../db/postgres/connect.ts'
import { Secret } from '../db/secret.ts'
import { startEdge } from '../edge/main.ts'
import { createLogger } from '../observability/log.ts'
import { INPUT_TOPICS, topicNamed } from '../streams/contract/topics.ts'
import { openKafkaLog } from '../streams/log/kafka.ts'
import { partSettings, tell, told } from './child.ts'
import { ownCpuSeconds, residentMiB } from './measure.ts'
import { openLog } from './stores.ts'

export interface IngestSettings {
  folder: string
  postgresUrl: string
  writeKey: string
  /** Of a Kafka that is the log; missing: the embedded one. */
  brokers?: readonly string[]
  /** Missing: nobody gets a token. */
  jwtSecret?: string
  /** Connections to PostgreSQL. */
  poolMax?: number
}

export type IngestAnswer = { url: string; cpuSeconds: number; records: number; peakMiB: number }

const { folder, postgresUrl, writeKey, brokers, jwtSecret, poolMax = 2 } = partSettings<IngestSettings>()
const { log: embedded, registry } = await openLog(folder)
const log = brokers ? await openKafkaLog({ brokers, clientId: 'bench' }) : embedded
const features = await openEmbeddedFeatures(join(folder, 'features'))
const database = connect(postgresUrl, { max: poolMax, name: 'streamforge bench' })
const edge = await startEdge({
  config: { host: '127.0.0.1', port: 0, currency: 'TRY', corsOrigins: [], adminPassword: null },
  secrets: {
    writeKey: new Secret(writeKey),
    jwtSecret: new Secret(jwtSecret ?? 'no token is ever made in this benchmark'),
  },
  version: 'bench',
  logger: createLogger({ level: 'warn', component: 'edge' }),
  log,
  registry,
  features,
  sql: database.sql,
})

/** Durable records, as the log counts them. */
async function records(): Promise<number> {
  let sum = 0
  for (const topic of INPUT_TOPICS) {
    for (let partition = 0; partition < topicNamed(topic).partitions; partition++) {
      sum += (await log.bounds({ topic, partition })).next
    }
  }
  return sum
}

for (;;) {
  const answer: IngestAnswer = {
    url: edge.url,
    cpuSeconds: ownCpuSeconds(),
    records: await records(),
    peakMiB: residentMiB().peak,
  }
  tell(answer)
  if ((await told()) === 'end') break
}
await edge.close()
if (log !== embedded) await log.close()
await embedded.close()
await registry.close()
await features.close()
await database.close()

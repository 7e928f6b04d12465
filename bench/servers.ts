/** Kafka and Redis for a benchmark, as `cli/servers` has them, in a folder that goes away with it. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { type KafkaServer, type RedisServer, ServerUnavailable, startKafka, startRedis } from '../cli/servers/index.ts'
import { loadConfig } from '../db/config.ts'
import { TOPICS } from '../streams/contract/topics.ts'
import { createTopics, withKafkaAdmin } from '../streams/log/kafka/topics.ts'
import { BenchmarkUnavailable } from './report.ts'

/** The topics of the contract are there. @throws BenchmarkUnavailable naming what is missing */
export async function startBroker(folder: string): Promise<KafkaServer> {
  const { serversDir } = loadConfig(process.env)
  const server = await orUnavailable(
    startKafka({ folder: join(folder, 'kafka'), serversDir, heapMb: 1_024, log: console.error }),
  )
  await withKafkaAdmin({ brokers: server.brokers, clientId: 'bench' }, (admin) =>
    createTopics(admin, TOPICS, { replication: 1 }),
  )
  return server
}

/** @throws BenchmarkUnavailable naming what is missing */
export const startCache = (folder: string): Promise<RedisServer> =>
  orUnavailable(
    startRedis({ folder: join(folder, 'redis'), password: randomBytes(12).toString('hex'), log: console.error }),
  )

async function orUnavailable<S>(server: Promise<S>): Promise<S> {
  try {
    return await server
  } catch (error) {
    throw error instanceof ServerUnavailable ? new BenchmarkUnavailable(error.message) : error
  }
}

/**
 * The cluster form for tests: real Kafka, Redis and PostgreSQL of the test file, and the platform's processes on them. Nothing is left behind.
 */
import { afterAll } from 'vitest'
import { type TestKafka, withKafka } from '../../cli/servers/testing/with-kafka.ts'
import { type RedisServers, type TestRedis, withRedis } from '../../cli/servers/testing/with-redis.ts'
import { type TestPostgres, withPostgres } from '../../db/testing/postgres.ts'
import { BROKER_PROPERTIES, platformEnvironment } from './cluster-processes.ts'
import { cleanUp } from './processes.ts'

export interface TestCluster {
  readonly kafka: TestKafka
  readonly redisServers: RedisServers
  readonly postgres: TestPostgres
  /** Topics, an empty database, a Redis and a data folder: what one platform needs. One per test file, since topics have one name. */
  platform(): Promise<{ env: Record<string, string>; redis: TestRedis }>
}

/** Call at the top of a describe: it registers the hooks. */
export function withCluster(): TestCluster {
  const kafka = withKafka(BROKER_PROPERTIES)
  const redisServers = withRedis()
  const postgres = withPostgres()
  // Registered last and so run first: the platform's processes end before their servers.
  afterAll(cleanUp)

  return {
    kafka,
    redisServers,
    postgres,
    async platform() {
      const redis = await redisServers.start()
      const databaseUrl = await postgres.emptyDatabase()
      return { env: await platformEnvironment({ brokers: kafka.brokers, redis, databaseUrl }), redis }
    },
  }
}

/**
 * The cluster form for tests: real Kafka, Redis and PostgreSQL of the test file, and the platform's processes on them. Nothing is left behind.
 */
import { type TestKafka, withKafka } from '../../cli/servers/testing/with-kafka.ts'
import { type RedisServers, type TestRedis, withRedis } from '../../cli/servers/testing/with-redis.ts'
import { type TestPostgres, withPostgres } from '../../db/testing/postgres.ts'
import { TOPICS } from '../../streams/contract/topics.ts'
import { makeTopics } from '../../streams/log/kafka/testing/admin.ts'
import { eventually } from './eventually.ts'
import { type Ledger, runClient, type Target } from './ledger.ts'
import { type CliProcess, newDataDir, spawnCli } from './platform.ts'

export const WRITE_KEY = 'wk_of_the_cluster_tests'

export interface TestCluster {
  readonly kafka: TestKafka
  readonly redisServers: RedisServers
  readonly postgres: TestPostgres
  /** Topics, an empty database, a Redis and a data folder: what one platform needs. One per test file, since topics have one name. */
  platform(): Promise<{ env: Record<string, string>; redis: TestRedis }>
  start(args: readonly string[], env: Record<string, string>): CliProcess
  startEdge(env: Record<string, string>): Promise<Target>
  /** Clients that send until the signal aborts. */
  load(target: Target, ledger: Ledger, signal: AbortSignal, clients?: number): Promise<unknown>
}

/** Call at the top of a describe: it registers the hooks. */
export function withCluster(): TestCluster {
  // The dead are noticed in seconds, so that a test can kill many.
  const kafka = withKafka({ 'group.min.session.timeout.ms': 1000 })
  const redisServers = withRedis()
  const postgres = withPostgres()
  const start = (args: readonly string[], env: Record<string, string>): CliProcess => spawnCli(args, { env })

  return {
    kafka,
    redisServers,
    postgres,
    start,
    async platform() {
      await makeTopics(kafka.brokers, Object.fromEntries(TOPICS.map(({ name, partitions }) => [name, partitions])))
      const redis = await redisServers.start()
      const env = {
        KAFKA_BROKERS: kafka.brokers.join(','),
        KAFKA_SESSION_TIMEOUT_MS: '2000',
        REDIS_URL: redis.url,
        DATABASE_URL: await postgres.emptyDatabase(),
        STREAMFORGE_WRITE_KEY: WRITE_KEY,
        STREAMFORGE_DATA_DIR: await newDataDir(),
      }
      return { env, redis }
    },
    async startEdge(env) {
      const process = start(['edge', '--port', '0'], env)
      const url = await eventually('the edge listens', 60_000, () => {
        if (process.child.exitCode !== null) throw new Error(`The edge ended:\n${process.out}${process.err}`)
        return /listens on (\S+)\./.exec(process.out)?.[1]
      })
      return { url, writeKey: WRITE_KEY }
    },
    load: (target, ledger, signal, clients = 3) =>
      Promise.all(Array.from({ length: clients }, (_, i) => runClient(i, () => target, ledger, signal))),
  }
}

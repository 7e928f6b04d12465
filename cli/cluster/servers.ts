/**
 * The servers that the cluster form stands on: those that the environment names, and for the others real ones of this machine, on loopback, with their data in the
 * data folder. Invariant: the servers that are missing are told all at once, each with the remedy.
 */
import { join } from 'node:path'
import { type Config, kafkaConnectionOf } from '../../db/config.ts'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../db/postgres/server.ts'
import type { Secrets } from '../../db/secrets.ts'
import { TOPICS, type Topic } from '../../streams/contract/topics.ts'
import { foreignDeadLetters, foreignLogTopics } from '../../streams/foreign/foreign-topic.ts'
import { LogUnavailable } from '../../streams/log/event-log.ts'
import { createTopics, reportTopics, withKafkaAdmin } from '../../streams/log/kafka/topics.ts'
import type { Clock } from '../../streams/time/clock.ts'
import { CommandFailed } from '../command.ts'
import { foreignTopicsOf } from '../foreign-topics.ts'
import { type KafkaServer, startKafka } from '../servers/kafka.ts'
import type { Exit } from '../servers/process.ts'
import { type RedisServer, startRedis } from '../servers/redis.ts'
import type { Started } from '../started.ts'
import { type Part, type Supervised, supervise } from './supervise.ts'

/** A platform on the embedded stores may have lived in the same data folder: the two share secrets and schemas, and nothing else. */
export const CLUSTER_FOLDER = 'cluster'

export interface Server {
  name: string
  /** For the screen. */
  address: string
  /** null: it is not ours. */
  pid: number | null
}

export interface ServersOptions {
  config: Config
  secrets: Secrets
  started: Started
  say(sentence: string): void
  clock: Clock
}

export interface Servers {
  /** For role processes. */
  env: Record<string, string>
  /** With the password, where the server is ours. */
  databaseUrl: string
  list(): Server[]
}

/** @throws CommandFailed in a sentence for each server that can't be had */
export async function startServers(options: ServersOptions): Promise<Servers> {
  const { config, secrets, started, say, clock } = options
  const { serversDir, dataDir } = config
  const folder = (name: string): string => join(dataDir, CLUSTER_FOLDER, name)
  /** Nothing where the environment names one. */
  const own = async <P extends Part & { port: number }>(
    given: boolean,
    name: string,
    start: (port: number) => Promise<P>,
  ): Promise<Supervised<P> | null> => {
    if (given) return null
    // Its successor keeps the port: that is where the others look for it.
    const part = await supervise<P>({ name, start: (previous) => start(previous?.port ?? 0), say, clock })
    return started.add(part, (p) => p.stop())
  }
  const results = await Promise.allSettled([
    own<EmbeddedPostgres & { exited: Promise<Exit> }>(config.databaseUrl !== null, 'PostgreSQL', (port) =>
      startEmbeddedPostgres({
        folder: folder('postgres'),
        password: secrets.databasePassword.reveal(),
        port,
        log: say,
      }),
    ),
    own<RedisServer>(config.redisUrl !== null, 'Redis', (port) =>
      startRedis({ folder: folder('redis'), password: secrets.redisPassword.reveal(), port, log: say }),
    ),
    own<KafkaServer>(config.kafkaBrokers.length > 0, 'Kafka', (port) =>
      startKafka({ folder: folder('kafka'), serversDir, port, log: say }),
    ),
  ])
  const failures = results.flatMap((r) => (r.status === 'rejected' ? [(r.reason as Error).message] : []))
  if (failures.length > 0) throw new CommandFailed(failures.join('\n'))
  const [postgres, redis, kafka] = results.map((r) => (r.status === 'fulfilled' ? r.value : null)) as [
    Supervised<EmbeddedPostgres> | null,
    Supervised<RedisServer> | null,
    Supervised<KafkaServer> | null,
  ]
  const brokers = kafka?.current.brokers ?? config.kafkaBrokers
  const databaseUrl = postgres?.current.url ?? config.databaseUrl?.reveal() ?? ''
  const foreign = await foreignTopicsOf(config)
  // A broker of ours begins empty: nobody but us can make the topics that foreign producers are to write to.
  await makeTopics(
    { ...kafkaConnectionOf(config), brokers },
    kafka ? foreignLogTopics(foreign) : foreignDeadLetters(foreign),
  )
  return {
    databaseUrl,
    env: {
      KAFKA_BROKERS: brokers.join(','),
      REDIS_URL: redis?.current.url ?? config.redisUrl?.reveal() ?? '',
      DATABASE_URL: databaseUrl,
    },
    list: () => [
      { name: 'Kafka', address: brokers.join(', '), pid: kafka?.current.pid ?? null },
      {
        name: 'Redis',
        address: redis ? `127.0.0.1:${redis.current.port}` : 'as given in REDIS_URL',
        pid: redis?.current.pid ?? null,
      },
      {
        name: 'PostgreSQL',
        address: postgres ? `127.0.0.1:${postgres.current.port}` : 'as given in DATABASE_URL',
        pid: postgres?.current.pid ?? null,
      },
    ],
  }
}

async function makeTopics(connection: Parameters<typeof withKafkaAdmin>[0], further: Topic[]): Promise<void> {
  try {
    await withKafkaAdmin(connection, async (admin) => {
      const { missing, unusable } = await reportTopics(admin, [...TOPICS, ...further])
      if (unusable.length > 0) throw new CommandFailed(unusable.join('\n'))
      await createTopics(admin, missing)
    })
  } catch (error) {
    if (error instanceof LogUnavailable) throw new CommandFailed(error.message)
    throw error
  }
}

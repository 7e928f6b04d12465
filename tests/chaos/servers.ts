/**
 * Real Kafka, Redis and PostgreSQL for a chaos run, that can be killed, restarted and emptied. Nothing is left behind: `close` stops them and removes their
 * folders, and what a killed run leaves is swept by the next test that needs such a server (the folders have the names those sweep).
 */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Redis } from 'ioredis'
import { startKafka } from '../../cli/servers/kafka.ts'
import { startRedis } from '../../cli/servers/redis.ts'
import { loadConfig } from '../../db/config.ts'
import { connect } from '../../db/postgres/connect.ts'
import { startEmbeddedPostgres } from '../../db/postgres/server.ts'
import { BROKER_PROPERTIES } from '../support/cluster-processes.ts'

export type How = 'kill' | 'stop'

export interface ChaosServers {
  readonly brokers: readonly string[]
  readonly redis: { readonly url: string; readonly admin: Redis }
  /** The URL of a new database without tables. */
  emptyDatabase(): Promise<string>
  restartKafka(how: How): Promise<void>
  restartRedis(): Promise<void>
  restartPostgres(how: How): Promise<void>
  close(): Promise<void>
}

const folderFor = async (name: string): Promise<string> =>
  join(await mkdtemp(join(tmpdir(), `streamforge-test-${name}-${process.pid}-`)), name)

/** @throws ServerUnavailable with a sentence: what is missing, and how to have it */
export async function startServers(log: (message: string) => void): Promise<ChaosServers> {
  const { serversDir } = loadConfig(process.env)
  const secret = randomBytes(12).toString('hex')
  const undo: (() => Promise<unknown>)[] = []
  const close = async (): Promise<void> => {
    for (let step = undo.pop(); step; step = undo.pop()) await step()
  }
  const folder = async (name: string): Promise<string> => {
    const made = await folderFor(name)
    undo.push(() => rm(dirname(made), { recursive: true, force: true, maxRetries: 5 }))
    return made
  }
  try {
    const folders = { kafka: await folder('kafka'), redis: await folder('redis'), postgres: await folder('postgres') }
    const launchKafka = (port: number) =>
      startKafka({ folder: folders.kafka, port, serversDir, log, properties: BROKER_PROPERTIES })
    const launchRedis = (port: number) =>
      startRedis({ folder: folders.redis, port, password: secret, maxMemoryMb: 8_192, log })
    const launchPostgres = (port: number) => startEmbeddedPostgres({ folder: folders.postgres, password: secret, port })

    let kafka = await launchKafka(0)
    undo.push(() => kafka.kill())
    let redis = await launchRedis(0)
    undo.push(() => redis.kill())
    let postgres = await launchPostgres(0)
    undo.push(() => postgres.stop())
    const admin = new Redis({ port: redis.port, password: secret, retryStrategy: () => 50 })
    admin.on('error', () => undefined) // the commands tell
    undo.push(async () => admin.disconnect())
    let databases = 0

    return {
      brokers: kafka.brokers,
      redis: { url: redis.url, admin },
      async emptyDatabase() {
        const name = `chaos_${++databases}`
        const { sql, close: disconnect } = connect(postgres.url, { max: 1 })
        await sql`CREATE DATABASE ${sql(name)} TEMPLATE template0`
        await disconnect()
        return Object.assign(new URL(postgres.url), { pathname: `/${name}` }).href
      },
      async restartKafka(how) {
        const { port } = kafka
        await kafka[how]()
        kafka = await launchKafka(port)
      },
      async restartRedis() {
        const { port } = redis
        await redis.kill()
        redis = await launchRedis(port)
      },
      async restartPostgres(how) {
        const { port, pid, exited } = postgres
        if (how === 'kill') {
          process.kill(pid, 'SIGKILL')
          await exited
        } else await postgres.stop()
        postgres = await launchPostgres(port)
      },
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

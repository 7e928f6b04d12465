/** The servers themselves: Kafka and Redis as real processes that are started, stopped, killed and started again. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { Kafka, logLevel } from 'kafkajs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { loadConfig } from '../../db/config.ts'
import { isAlive } from '../../db/process.ts'
import { createAndAwait } from '../../streams/log/kafka/create-topics.ts'
import { kafkaTool, type RedisServer, ServerUnavailable, startKafka, startRedis } from './index.ts'
import { withKafka } from './testing/with-kafka.ts'

describe('Kafka', () => {
  const kafka = withKafka()
  const config = loadConfig(process.env)
  const client = () => new Kafka({ brokers: [...kafka.brokers], logLevel: logLevel.NOTHING, retry: { retries: 8 } })

  test('is ready when it is started, and keeps its data over a kill and a start on the same port', async () => {
    const admin = client().admin()
    await admin.connect()
    await createAndAwait(admin, [{ topic: 'kept', numPartitions: 3 }])
    const { clusterId } = await admin.describeCluster()
    const producer = client().producer()
    await producer.connect()
    await producer.send({ topic: 'kept', messages: [{ key: 'k', value: 'v', partition: 1 }] })
    await producer.disconnect()
    await admin.disconnect()

    const { pid, port } = kafka.server
    await kafka.restart('kill', async () => expect(isAlive(pid)).toBe(false))
    expect(kafka.server.port).toBe(port)
    const after = client().admin()
    await after.connect()
    expect((await after.describeCluster()).clusterId).toBe(clusterId)
    const offsets = await after.fetchTopicOffsets('kept')
    expect(offsets.map(({ partition, high }) => [partition, high]).sort()).toEqual([
      [0, '0'],
      [1, '1'],
      [2, '0'],
    ])
    await after.disconnect()
  })

  test("comes with Kafka's own tools", async () => {
    const { code, stdout, stderr } = await kafkaTool(
      'org.apache.kafka.tools.TopicCommand',
      ['--bootstrap-server', kafka.brokers[0]!, '--describe', '--topic', 'kept'],
      config,
    )
    expect(code, stderr).toBe(0)
    expect(stdout).toMatch(/PartitionCount: 3/)
  })

  test('a folder that is in use is refused, and its server goes on', async () => {
    const { folder, pid } = kafka.server
    await expect(startKafka({ folder, serversDir: config.serversDir })).rejects.toThrow(
      /is in use: process \d+ runs Kafka/,
    )
    expect(isAlive(pid)).toBe(true)
  })
})

describe('Redis', () => {
  let folder: string
  let server: RedisServer | undefined
  const password = 'a "quoted" \\ secret'
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'streamforge-redis-'))
  })
  afterEach(async () => {
    await server?.kill()
    await rm(folder, { recursive: true, force: true })
  })

  test('asks for its password, is empty after a kill, and can be started again on its port', async (context) => {
    try {
      server = await startRedis({ folder, password })
    } catch (error) {
      if (!(error instanceof ServerUnavailable) || loadConfig(process.env).ci) throw error
      return context.skip(error.message)
    }
    const client = new Redis(server.url)
    await client.set('k', 'v')
    client.disconnect()
    const stranger = new Redis({ port: server.port, retryStrategy: null })
    stranger.on('error', () => {})
    await expect(stranger.get('k')).rejects.toThrow(/NOAUTH/)
    stranger.disconnect()

    const { port } = server
    await server.kill()
    server = await startRedis({ folder, password, port })
    const again = new Redis(server.url)
    expect(await again.get('k')).toBe(null)
    again.disconnect()
    await server.stop()
    expect(isAlive(server.pid)).toBe(false)
  })
})

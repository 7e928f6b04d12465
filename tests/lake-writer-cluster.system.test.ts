/**
 * Lake-writers as processes on real Kafka, PostgreSQL and S3: partitions that move between them, one that is killed, an S3 that goes away and comes back. Every record that the
 * log holds is in its table, once.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, expect, it } from 'vitest'
import { withKafka } from '../cli/servers/testing/with-kafka.ts'
import { withS3 } from '../cli/servers/testing/with-s3.ts'
import { withPostgres } from '../db/testing/postgres.ts'
import { createEncoder } from '../streams/contract/codec.ts'
import { ORDERS, TOPICS } from '../streams/contract/topics.ts'
import { orderOf } from '../streams/lake-writer/testing/lake-world.ts'
import { openEmbeddedRegistry } from '../streams/log/embedded-registry.ts'
import { createTopics, withKafkaAdmin } from '../streams/log/kafka/topics.ts'
import { openKafkaLog } from '../streams/log/kafka.ts'
import { BROKER_PROPERTIES, SESSION_TIMEOUT_MS } from './support/cluster-processes.ts'
import { eventually } from './support/eventually.ts'
import { logPositions, openTestLake } from './support/lake.ts'
import { type CliProcess, cleanUp, newDataDir, spawnCli } from './support/processes.ts'

const FIRST_MS = Date.parse('2026-03-01T06:00:00Z')
const DEADLINE_MS = 90_000

const kafka = withKafka(BROKER_PROPERTIES)
const s3 = withS3()
const postgres = withPostgres()
// Registered last and so run first.
afterAll(cleanUp)

it('share the partitions, also when one is killed and S3 is away: every record is in its table, once', {
  timeout: 300_000,
}, async () => {
  const dataDir = await newDataDir()
  const { url } = await postgres.database()
  const target = s3.target()
  const { brokers } = kafka
  await withKafkaAdmin({ brokers, clientId: 'topics' }, (admin) => createTopics(admin, TOPICS))
  const env = {
    DATABASE_URL: url,
    KAFKA_BROKERS: brokers.join(','),
    KAFKA_SESSION_TIMEOUT_MS: String(SESSION_TIMEOUT_MS),
    STREAMFORGE_DATA_DIR: dataDir,
    STREAMFORGE_OBJECTS_URL: `s3://${target.bucket}/${target.prefix}`,
    S3_ENDPOINT: target.endpoint!,
    AWS_REGION: target.region,
    AWS_ACCESS_KEY_ID: target.accessKeyId,
    AWS_SECRET_ACCESS_KEY: target.secretAccessKey,
    STREAMFORGE_LAKE_COMMIT_SECONDS: '1',
    STREAMFORGE_LOG_LEVEL: 'warn',
  }
  const log = await openKafkaLog({ brokers, clientId: 'test' })
  const registry = openEmbeddedRegistry(`${dataDir}/registry`)
  const encode = await createEncoder(ORDERS, registry)
  const lake = await openTestLake(url, {
    kind: 's3',
    ...target,
    prefix: target.prefix ?? '',
    endpoint: target.endpoint ?? null,
  })
  const ending = new AbortController()
  let made = 0
  const load = (async () => {
    while (!ending.signal.aborted) {
      const orders = Array.from({ length: 40 }, () => {
        const n = ++made
        return orderOf(n, { event_time: FIRST_MS + (n % 2_880) * 60_000, user_id: `user-${n % 97}` })
      })
      await log.append(orders.map((order) => ({ topic: ORDERS, key: order.user_id, value: encode(order) })))
      await delay(20, undefined, { signal: ending.signal }).catch(() => undefined)
    }
  })()
  const begin = (): CliProcess => spawnCli(['lake-writer'], { env })
  const partitionsOf = async ({ out }: CliProcess): Promise<number> => {
    const monitor = /health at (\S+)\./.exec(out)?.[1]
    if (monitor === undefined) return 0
    const { data } = (await (await fetch(`${monitor}/health`)).json()) as Health
    return data.tables.find(({ table }) => table === 'raw.orders')?.partitions ?? 0
  }
  const grows = async (what: string): Promise<void> => {
    const before = await lake.totalRecords('raw.orders')
    await eventually(what, DEADLINE_MS, async () => (await lake.totalRecords('raw.orders')) > before + 500, 100)
  }

  try {
    const first = begin()
    await grows('one writes')
    const second = begin()
    await eventually(
      'two share the partitions',
      DEADLINE_MS,
      async () => {
        return (await partitionsOf(first)) === 2 && (await partitionsOf(second)) === 2
      },
      100,
    )
    await grows('two write')
    first.child.kill('SIGKILL')
    await first.ended()
    await eventually('the other has them all', DEADLINE_MS, async () => (await partitionsOf(second)) === 4, 100)
    const third = begin()
    await eventually('two share them again', DEADLINE_MS, async () => (await partitionsOf(third)) === 2, 100)
    await s3.kill()
    await eventually('they have noticed', DEADLINE_MS, () => /tries again/.test(second.err + third.err), 100)
    await s3.start()
    await grows('they go on')
    second.child.kill('SIGTERM')
    expect(await second.ended(), second.err).toBe(0)
    ending.abort()
    await load
    const expected = await logPositions(log, ORDERS)
    await eventually(
      'everything is in the table',
      DEADLINE_MS,
      async () => {
        return (await lake.totalRecords('raw.orders')) >= expected.length
      },
      100,
    )
    third.child.kill('SIGTERM')
    expect(await third.ended(), third.err).toBe(0)
    expect(await lake.positions('raw.orders')).toEqual(expected)
  } finally {
    ending.abort()
    await load
    await lake.close()
    await registry.close()
    await log.close()
  }
})

interface Health {
  data: { tables: { table: string; partitions: number }[] }
}

/**
 * A person is erased from the grown form in one run: Kafka, Redis, PostgreSQL and S3, an edge, streams, a lake-writer and a worker as processes. Afterwards nothing of them is found in any of them, by
 * a search that found them everywhere before. (Totals, a star schema and a warehouse: `erasure.system.test.ts`.)
 */
import type { Redis } from 'ioredis'
import { afterAll, expect, it, onTestFinished } from 'vitest'
import { withKafka } from '../cli/servers/testing/with-kafka.ts'
import { withRedis } from '../cli/servers/testing/with-redis.ts'
import { withS3 } from '../cli/servers/testing/with-s3.ts'
import { openS3Objects } from '../db/objects/s3.ts'
import { connect } from '../db/postgres/connect.ts'
import { withPostgres } from '../db/testing/postgres.ts'
import { ORDERS, TOPICS } from '../streams/contract/topics.ts'
import { withAdmin } from '../streams/log/kafka/testing/admin.ts'
import { openKafkaLog } from '../streams/log/kafka.ts'
import { withTemporal } from '../workflows/testing/with-temporal.ts'
import { caughtUp, get, post } from './support/api.ts'
import { BROKER_PROPERTIES, platformEnvironment, startEdge, startStreams } from './support/cluster-processes.ts'
import { askForErasure, erasureComplete, erasureOf, stepDone } from './support/erasures.ts'
import { eventually } from './support/eventually.ts'
import { type Found, findIn } from './support/find-text.ts'
import { openTestLake } from './support/lake.ts'
import { cleanUp, spawnCli } from './support/processes.ts'

const LONG_MS = 180_000
/** No words that could stand anywhere by chance. */
const USER = 'erin-5be81d07'
const DEVICE = 'device-93aa60f2'
const EMAIL = 'erin.k52@mail.example'
const OTHER = 'omar-44c0d1be'

const kafka = withKafka(BROKER_PROPERTIES)
const redisServers = withRedis()
const s3 = withS3()
const postgres = withPostgres()
const temporal = withTemporal()
// Registered last and so run first.
afterAll(cleanUp)

it('nothing of an erased person is left in Kafka, Redis, PostgreSQL or S3', { timeout: 600_000 }, async () => {
  const { brokers } = kafka
  const redis = await redisServers.start()
  const databaseUrl = await postgres.emptyDatabase()
  const target = s3.target()
  const env = {
    ...(await platformEnvironment({ brokers, redis, databaseUrl })),
    STREAMFORGE_OBJECTS_URL: `s3://${target.bucket}/${target.prefix}`,
    S3_ENDPOINT: target.endpoint!,
    AWS_REGION: target.region,
    AWS_ACCESS_KEY_ID: target.accessKeyId,
    AWS_SECRET_ACCESS_KEY: target.secretAccessKey,
    STREAMFORGE_LAKE_COMMIT_SECONDS: '1',
    TEMPORAL_ADDRESS: temporal.server.address,
  }
  const edge = await startEdge(env)
  startStreams(env)
  spawnCli(['lake-writer'], { env })
  spawnCli(['worker'], { env })

  const { sql, close } = connect(databaseUrl, { max: 1, name: 'streamforge-test-erasure' })
  onTestFinished(close)
  const log = await openKafkaLog({ brokers, clientId: 'test' })
  onTestFinished(() => log.close())
  const objects = openS3Objects(target)
  const { prefix = '', endpoint = null } = target
  const lake = await openTestLake(databaseUrl, { kind: 's3', ...target, prefix, endpoint })
  onTestFinished(lake.close)
  const search = (texts: readonly string[]): Promise<Found[]> =>
    findIn({ sql, features: () => inRedis(redis.admin), log, objects }, texts)
  const places = (found: readonly Found[]): string[] =>
    [...new Set(found.map(({ kind, place }) => (kind === 'postgres' ? place : kind)))].sort()

  for (const person of [
    { user_id: USER, anonymous_id: DEVICE, properties: { email: EMAIL } },
    { user_id: OTHER, anonymous_id: `device-of-${OTHER}` },
  ]) {
    const clicks = [1, 2].map(() => ({ ...person, event_type: 'page_view', page_url: 'https://shop.example/kettle' }))
    const orders = [1, 2, 3].map((n) => ({
      order_id: `o-${person.user_id === USER ? 0 : 1}-${n}`,
      user_id: person.user_id,
      amount: 6_000,
      currency: 'TRY',
    }))
    expect((await post(edge, '/events', clicks)).body).toMatchObject({ accepted: 2 })
    expect((await post(edge, '/orders', orders)).body).toMatchObject({ accepted: 3 })
  }
  // A record that nobody can read, as another producer may have written it.
  await log.append([{ topic: ORDERS, key: USER, value: Buffer.from(`{"user":"${USER}","mail":"${EMAIL}"}`) }])
  await caughtUp(edge.url, LONG_MS)
  const everywhere = ['checkpoint', 'features', 'fraud_alerts', 'log', 'manifest', 'parquet', 'sessions']
  await expect
    .poll(async () => places(await search([USER])), { timeout: LONG_MS, interval: 1_000 })
    .toEqual(expect.arrayContaining(everywhere))
  // What comes into the lake behind the erasure's first look at it stays until the second, when the log is without the person.
  await eventually(
    'what nobody can read is in the lake',
    LONG_MS,
    async () => (await lake.totalRecords('raw.dead_letters')) === 1,
    200,
  )

  const id = await askForErasure(edge.url, USER)
  // Both at once: whichever is done first.
  await stepDone(edge.url, id, 'warehouse', LONG_MS)
  await expect
    .poll(() => erasureOf(edge.url, id), { timeout: LONG_MS })
    .toMatchObject({ state: 'waiting_for_log', failure: null })
  const needles = [USER, DEVICE, EMAIL]
  expect(places(await search(needles))).toEqual(['erasures', 'log'])

  await letRetentionPass(brokers)
  const client = await temporal.client()
  await client.workflow.getHandle(`eraseSubject:${id}`).signal('look')
  const complete = await erasureComplete(edge.url, id, LONG_MS)
  expect(await search(needles)).toEqual([])
  expect(JSON.stringify(complete)).not.toMatch(new RegExp(needles.join('|')))
  expect(complete.steps.find(({ step }: { step: string }) => step === 'warehouse')).toMatchObject({ warehouse: 'none' })
  // Nobody else has lost anything.
  const { data: features } = await get(edge.url, `/features/${OTHER}`)
  expect(features).toMatchObject({ events: { total: 2 }, orders: { total: 3 } })
  const sums = await sql`
    SELECT (SELECT sum(orders)::int FROM revenue_by_minute) AS orders, (SELECT sum(events)::int FROM traffic_by_minute) AS events,
      (SELECT count(*)::int FROM sessions WHERE user_id = ${OTHER}) AS sessions, (SELECT count(*)::int FROM fraud_alerts) AS alerts`
  expect({ ...sums[0] }).toEqual({ orders: 6, events: 4, sessions: 1, alerts: 2 })
})

/** As Redis gives it: keys, fields and values. */
async function* inRedis(redis: Redis): AsyncGenerator<Buffer> {
  let cursor = '0'
  do {
    const [next, keys] = await redis.scan(cursor)
    for (const key of keys) {
      const isHash = (await redis.type(key)) === 'hash'
      yield Buffer.from(JSON.stringify([key, isHash ? await redis.hgetall(key) : await redis.get(key)]))
    }
    cursor = next
  } while (cursor !== '0')
}

/** What Kafka's own retention does: everything up to now leaves the log. */
async function letRetentionPass(brokers: readonly string[]): Promise<void> {
  await withAdmin(brokers, async (admin) => {
    for (const { name: topic } of TOPICS) {
      const offsets = await admin.fetchTopicOffsets(topic)
      const partitions = offsets
        .filter(({ high, low }) => high !== low)
        .map(({ partition }) => ({ partition, offset: '-1' }))
      if (partitions.length > 0) await admin.deleteTopicRecords({ topic, partitions })
    }
  })
}

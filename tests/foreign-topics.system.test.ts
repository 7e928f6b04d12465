/**
 * A foreign topic on real Kafka: plain JSON from a plain kafkajs producer, without keys, with poison in it, while the streams are killed again and again in the middle of a
 * backlog. At the end the tables equal a naive reading of the rows, and what is no event is in the dead letters.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Kafka, logLevel } from 'kafkajs'
import { describe, expect, it, onTestFinished } from 'vitest'
import { foreignTopicsOf } from '../cli/foreign-topics.ts'
import { loadConfig } from '../db/config.ts'
import { connect, type Sql } from '../db/postgres/connect.ts'
import { FOREIGN_GROUP } from '../streams/foreign/bridge.ts'
import { makeTopics, withAdmin } from '../streams/log/kafka/testing/admin.ts'
import { openLog, storeSettings } from '../streams/stores.ts'
import { createRandom } from '../streams/testing/random.ts'
import { systemClock } from '../streams/time/clock.ts'
import { get } from './support/api.ts'
import { withCluster } from './support/cluster.ts'
import { eventually } from './support/eventually.ts'
import { startPlatform, WITHOUT_LAKE } from './support/platform.ts'
import { runCli, spawnCli } from './support/processes.ts'

const TOPIC = 'user-activity-stream'
const PARTITIONS = 3
const ROWS = 24_000
const KILLS = 4
/** The producer is ahead of the streams by so many rows at most, so that there is a backlog at every kill. */
const AHEAD = 6_000
const SPACING_MS = 20

const MAPPING = {
  topic: 'events',
  currency: 'TRY',
  columns: {
    event_type: { column: 'action', values: { view: 'product_view', cart: 'add_to_cart', buy: 'purchase' } },
    user_id: 'user.id',
    product_id: 'product',
    revenue: { column: 'kurus', unit: 'minor' },
    event_time: 'ts',
  },
}
const TYPES = { view: 'product_view', cart: 'add_to_cart', buy: 'purchase' } as const

interface ActivityRow {
  action: keyof typeof TYPES
  user: { id: string }
  product: string
  kurus?: number
  ts: string
}
const isPoison = (i: number): boolean => i % 100 === 37

/** Values in the order of time: rows, and some that are none. */
function createValues(firstMs: number, count = ROWS): { values: string[]; rows: ActivityRow[] } {
  const random = createRandom(11)
  const rows: ActivityRow[] = []
  const values = Array.from({ length: count }, (_, i) => {
    if (isPoison(i)) return random.pick(['not json', '{"half":', `{"action":"view","ts":"${i}"}`, '[]'])
    const action = random.pick(['view', 'view', 'view', 'cart', 'buy'] as const)
    const row: ActivityRow = {
      action,
      user: { id: `user-${random.int(300)}` },
      product: `p-${random.int(20)}`,
      ...(action === 'buy' ? { kurus: random.int(100_000) } : {}),
      ts: new Date(firstMs + i * SPACING_MS).toISOString(),
    }
    rows.push(row)
    return JSON.stringify(row)
  })
  return { values, rows }
}

type Totals = Record<string, number>

function naiveReading(rows: readonly ActivityRow[]): { traffic: Totals; users: Totals; products: Totals } {
  const traffic: Totals = {}
  const products: Totals = {}
  const users = new Map<string, Set<string>>()
  const add = (to: Totals, name: string, n: number) => {
    to[name] = (to[name] ?? 0) + n
  }
  for (const { action, user, product, kurus = 0, ts } of rows) {
    const window = `${ts.slice(0, 16)} ${TYPES[action]}`
    add(traffic, window, 1)
    users.set(window, (users.get(window) ?? new Set()).add(user.id))
    add(products, `${product} ${TYPES[action]}`, 1)
    if (action === 'buy') add(products, `${product} minor`, kurus)
  }
  return { traffic, products, users: Object.fromEntries([...users].map(([window, ids]) => [window, ids.size])) }
}

async function tables(sql: Sql): Promise<ReturnType<typeof naiveReading>> {
  const traffic = await sql<{ at: number; event_type: string; events: number; users: number }[]>`
    SELECT window_start AS at, event_type, sum(events)::int8 AS events, sum(users)::int8 AS users FROM traffic_by_minute GROUP BY 1, 2`
  const products = await sql<{ product_id: string; views: number; carts: number; buys: number; minor: number }[]>`
    SELECT product_id, sum(views)::int8 AS views, sum(carts)::int8 AS carts, sum(purchases)::int8 AS buys, sum(revenue_minor)::int8 AS minor
    FROM products_by_hour GROUP BY 1`
  const window = ({ at, event_type }: { at: number; event_type: string }) =>
    `${new Date(at).toISOString().slice(0, 16)} ${event_type}`
  return {
    traffic: Object.fromEntries(traffic.map((row) => [window(row), row.events])),
    users: Object.fromEntries(traffic.map((row) => [window(row), row.users])),
    products: Object.fromEntries(
      products.flatMap(({ product_id, views, carts, buys, minor }) => [
        [`${product_id} product_view`, views],
        [`${product_id} add_to_cart`, carts],
        [`${product_id} purchase`, buys],
        [`${product_id} minor`, minor],
      ]),
    ),
  }
}

describe('a foreign topic', () => {
  const cluster = withCluster()

  it(`is read as a naive reading has it, over ${KILLS} kills in the middle of a backlog`, {
    timeout: 240_000,
  }, async () => {
    const { env: cluster_ } = await cluster.platform()
    const folder = await mkdtemp(join(tmpdir(), 'streamforge-test-'))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    await writeFile(join(folder, 'activity.json'), JSON.stringify(MAPPING))
    const file = join(folder, 'foreign-topics.json')
    await writeFile(file, JSON.stringify({ topics: [{ topic: TOPIC, mapping: 'activity.json' }] }))
    const env = { ...cluster_, STREAMFORGE_FOREIGN_TOPICS: file }

    const unmade = await runCli(['streams'], { env })
    expect([unmade.code, unmade.err]).toEqual([
      1,
      expect.stringMatching(/^Kafka has no topic user-activity-stream, which .*foreign-topics\.json names\. .*\n$/),
    ])
    await makeTopics(cluster.kafka.brokers, { [TOPIC]: PARTITIONS })
    const half = await runCli(['streams'], { env })
    expect([half.code, half.err]).toEqual([
      1,
      'Kafka has no topic dlq.user-activity-stream. "streamforge topics" makes what is missing.\n',
    ])
    const made = await runCli(['topics'], { env })
    expect([made.code, made.out]).toEqual([0, expect.stringMatching(/^made {4}dlq\.user-activity-stream: 1 partition/)])

    const { values, rows } = createValues(Date.now() - ROWS * SPACING_MS - 60_000)
    const committed = () =>
      withAdmin(cluster.kafka.brokers, async (admin) => {
        const [found] = await admin.fetchOffsets({ groupId: FOREIGN_GROUP, topics: [TOPIC] })
        return found!.partitions.reduce((sum, { offset }) => sum + Math.max(0, Number(offset)), 0)
      })
    let read = 0
    const produced = produce(cluster.kafka.brokers, values, () => read)
    let streams = spawnCli(['streams'], { env })
    const readOn = (by: number) => {
      const from = read
      return eventually(`the streams have read on from ${from}`, 60_000, async () => {
        if (streams.child.exitCode !== null) throw new Error(`The streams ended:\n${streams.err}`)
        read = await committed()
        return read >= Math.min(ROWS, from + by)
      })
    }
    for (let kill = 0; kill < KILLS; kill++) {
      await readOn(3_000)
      streams.child.kill('SIGKILL')
      await streams.ended()
      streams = spawnCli(['streams'], { env })
    }
    while (read < ROWS) await readOn(1)
    await produced

    const database = connect(cluster_.DATABASE_URL!, { max: 1 })
    onTestFinished(() => database.close())
    const truth = naiveReading(rows)
    await eventually('everything read is in the tables', 60_000, async () => {
      const [{ events } = { events: 0 }] = await database.sql<{ events: number }[]>`
        SELECT coalesce(sum(events), 0)::int8 AS events FROM traffic_by_minute`
      return events >= rows.length
    }).catch(() => undefined) // the comparison tells more
    expect(await tables(database.sql)).toEqual(truth)

    const listed = JSON.parse((await runCli(['dlq', 'list', '--json', '--topic', TOPIC], { env })).out)
    expect(listed.letters).toBe(values.filter((_, i) => isPoison(i)).length)
    const reasons = new Set((listed.causes as { reason: string }[]).map(({ reason }) => reason))
    expect(reasons).toEqual(new Set(['bad_json', 'bad_row', 'unknown_format']))
    const tried = await runCli(['dlq', 'replay', '--topic', TOPIC, '--reason', 'bad_row', '--dry-run'], { env })
    expect([tried.code, tried.out.split('\n').at(-2)]).toEqual([
      1,
      expect.stringMatching(/^0 would go back, \d+ still fail\.$/),
    ])

    streams.child.kill('SIGTERM')
    expect(await streams.ended(), streams.err).toBe(0)
  })
})

describe('a foreign topic in the embedded log', () => {
  it('is filled by another process and read by the platform; a file that is none is a sentence', {
    timeout: 120_000,
  }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'streamforge-test-'))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    const file = join(folder, 'foreign-topics.json')
    const nonsense = await runCli(['up', '--data', folder, '--foreign-topics', file])
    expect([nonsense.code, nonsense.err]).toEqual([
      1,
      expect.stringMatching(/^\S+foreign-topics\.json can't be read: .*\.\n$/),
    ])

    const topics = [{ topic: TOPIC, mapping: MAPPING, partitions: PARTITIONS }]
    await writeFile(file, JSON.stringify({ topics }))
    const platform = await startPlatform({ args: ['--no-simulate', '--foreign-topics', file], env: WITHOUT_LAKE })
    const config = loadConfig({ STREAMFORGE_DATA_DIR: platform.dataDir, STREAMFORGE_FOREIGN_TOPICS: file })
    const settings = { ...storeSettings(config), foreign: await foreignTopicsOf(config) }
    const { log } = await openLog(settings, { clock: systemClock })
    const { values, rows } = createValues(Date.now() - 60_000, 2_000)
    await log.append(values.map((value) => ({ topic: TOPIC, key: null, value: Buffer.from(value) })))
    await log.close()
    const buys = rows.filter(({ action }) => action === 'buy')
    await eventually('the rows are in the results', 60_000, async () => {
      const { data } = await get(platform.url, '/metrics/overview')
      return data.events === rows.length
    })
    const { data } = await get(platform.url, '/metrics/top_products', { by: 'revenue', limit: 50 })
    const minor = (data as { revenue: { revenue: number }[] }[])
      .flatMap(({ revenue }) => revenue)
      .reduce((sum, { revenue }) => sum + Math.round(revenue * 100), 0)
    expect(minor).toBe(buys.reduce((sum, { kurus = 0 }) => sum + kurus, 0))
    expect(await (await fetch(`${platform.url}/metrics`)).text()).toContain(
      `streamforge_foreign_records_total{topic="${TOPIC}",outcome="dead_letter",component="streams"}`,
    )
    expect(await platform.stop()).toBe(0)
  })
})

/** As a producer would that knows nothing of us: values only, round the partitions, never more than a backlog ahead of who reads. */
async function produce(brokers: readonly string[], values: readonly string[], read: () => number): Promise<void> {
  const producer = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING }).producer()
  await producer.connect()
  try {
    for (let from = 0; from < values.length; from += 600) {
      await eventually('the readers have read on', 120_000, () => from - read() < AHEAD)
      const messages = values.slice(from, from + 600).map((value, i) => ({ value, partition: i % PARTITIONS }))
      await producer.send({ topic: TOPIC, messages })
    }
  } finally {
    await producer.disconnect()
  }
}

/**
 * One output, however many consumers share the partitions and whenever they come and go: the same history in Kafka, disordered, with duplicates, late events and
 * poison, is read by 1, 2 and 4 consumers on real servers. Every table, feature and announcement equals what the simulation computes from the same
 * records, which equals the naive oracle's truth.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { withKafka } from '../cli/servers/testing/with-kafka.ts'
import { withRedis } from '../cli/servers/testing/with-redis.ts'
import { createRedisFeatures } from '../db/features/redis.ts'
import { openFolderObjects } from '../db/objects/folder.ts'
import type { Sql } from '../db/postgres/connect.ts'
import { compareKeys, keyOf } from '../db/postgres/result-version.ts'
import { withPostgres } from '../db/testing/postgres.ts'
import { RESULT_TABLES, type ResultRows, type ResultTable } from '../streams/contract/results.ts'
import { ALERTS } from '../streams/contract/topics.ts'
import { openKafkaLog } from '../streams/log/kafka.ts'
import type { RuntimeSettings } from '../streams/runtime/runtime.ts'
import { createRandom } from '../streams/testing/random.ts'
import {
  createWorld,
  finish,
  report,
  type SimReport,
  startProcess,
  type World,
  workOff,
} from '../streams/testing/sim.ts'
import { expectOracle } from '../streams/testing/verdict.ts'
import { type Consumer, type Ground, startConsumer, Valve } from './support/consumers.ts'
import { eventually } from './support/eventually.ts'
import { newDataDir } from './support/platform.ts'
import { preload } from './support/preloaded.ts'

const SEED = 4711
const SIZE = 3_000
const DEADLINE_MS = 60_000

/** Two kinds of consumers: what they flush and checkpoint when must not matter. */
const SETTINGS: readonly Partial<RuntimeSettings>[] = [
  { flushLiveMs: 40, checkpointMs: 500 },
  { flushLiveMs: 150, flushBacklogEvents: 70, flushBacklogMs: 100, liveLagRecords: 50, checkpointMs: 200 },
]

describe('the same history on Kafka, Redis and PostgreSQL', { timeout: 120_000 }, () => {
  const kafka = withKafka()
  const redisServers = withRedis()
  const postgres = withPostgres()
  let world: World
  let expected: SimReport
  let redisUrl: string
  let records = 0

  beforeAll(async () => {
    world = await createWorld(SEED, SIZE)
    await fillInTime(world)
    const alone = startProcess(world, 'alone', () => 'none')
    await workOff(world, alone)
    await finish(world, alone)
    expected = await report(world, 0, 0)
  })

  it('is the oracle’s truth in the simulation', async () => {
    expectOracle(expected)
    const { oracle } = expected
    expect(Math.min(oracle.duplicates, oracle.dead, oracle.alerts.length)).toBeGreaterThan(SIZE / 100)
    expect(Object.values(oracle.late).reduce((a, b) => a + b, 0)).toBeGreaterThan(SIZE / 100)
    records = await preload(kafka.brokers, world.log)
    redisUrl = (await redisServers.start()).url
  })

  it.each([1, 2, 4])('gives the same with %i consumers that come and go in the middle', async (count) => {
    const database = await postgres.database()
    const objects = join(await newDataDir(), 'objects')
    await mkdir(objects)
    const ground: Ground = {
      brokers: kafka.brokers,
      databaseUrl: database.url,
      // One server, a database of its own for each.
      redisUrl: `${redisUrl}/${count}`,
      objects: await openFolderObjects(objects),
      registry: world.registry,
    }
    const reader = await openKafkaLog({ brokers: kafka.brokers, clientId: 'reader' })
    try {
      const { next: firstAlert } = await reader.bounds({ topic: ALERTS, partition: 0 })
      const valve = new Valve()
      await comeAndGo(ground, valve, count)
      expect(valve.passed, 'every record was read once').toBe(records)
      expect(await tablesOf(database.sql)).toEqual(expected.memory.tables())
      expect(await featuresOf(ground, expected)).toEqual(JSON.parse(expected.features))
      const { next } = await reader.bounds({ topic: ALERTS, partition: 0 })
      const announced = await reader.read({ topic: ALERTS, partition: 0 }, firstAlert, next - firstAlert)
      expect(announced.map((record) => record.headers?.id).sort()).toEqual(expected.alerts)
    } finally {
      await reader.close()
    }
  })

  /** All come one after the other and leave again, each while the history is being read, but for the last: it leaves at the end. A lone one is followed by another. */
  async function comeAndGo(ground: Ground, valve: Valve, count: number): Promise<void> {
    const members: Consumer[] = []
    const steps = 2 * Math.max(count, 2)
    let step = 0
    /** A further piece of the history is read. */
    const readOn = async (): Promise<void> => {
      valve.limit = Math.round((records * ++step) / steps)
      await eventually(`${valve.limit} records are read`, DEADLINE_MS, () => valve.passed >= valve.limit)
      expect(valve.passed, 'the history must not be at its end yet').toBeLessThan(records)
    }
    const join_ = async (): Promise<void> => {
      const settings = { ...SETTINGS[members.length % 2], group: `golden-${count}`, owner: `member-${members.length}` }
      const member = await startConsumer(ground, valve, settings)
      members.push(member)
      await eventually('it has partitions', DEADLINE_MS, () => member.runtime.tasks.length > 0)
    }
    const leave = async (): Promise<void> => members.shift()?.leave()

    for (let i = 0; i < count; i++) {
      await join_()
      await readOn()
    }
    if (count === 1) {
      await leave()
      await join_()
      await readOn()
    }
    while (members.length > 1) {
      await leave()
      await readOn()
    }
    valve.limit = records
    await eventually('everything is read', DEADLINE_MS, () => valve.passed >= records)
    await leave()
  }
})

/** Appends the history about when it happened, so that what comes out of order comes late: the log's own times are no limit to stream time then. */
async function fillInTime({ workload, log, clock }: World): Promise<void> {
  const random = createRandom(SEED)
  for (let i = 0; i < workload.length; ) {
    const n = 1 + random.int(20)
    await log.append(workload.slice(i, i + n))
    i += n
    await clock.advance(random.int(2 * n * 80_000))
  }
}

/** As the simulation's report has them: a pair for each user, unknown ones too. */
async function featuresOf({ redisUrl }: Ground, { features }: SimReport): Promise<unknown[]> {
  const store = createRedisFeatures({ url: redisUrl })
  try {
    const users = (JSON.parse(features) as [user: string, unknown][]).map(([user]) => user)
    return await Promise.all(users.map(async (user) => [user, await store.read(user)]))
  } finally {
    await store.close()
  }
}

async function tablesOf(sql: Sql): Promise<{ [T in ResultTable]?: ResultRows[T][] }> {
  const all: Record<string, unknown[]> = {}
  for (const table of RESULT_TABLES) {
    const rows = await sql<ResultRows[typeof table][]>`SELECT * FROM ${sql(table as string)}`
    const sorted = rows.map((row) => ({ ...row })).sort((a, b) => compareKeys(keyOf(table, a), keyOf(table, b)))
    if (sorted.length > 0) all[table] = sorted
  }
  return all as { [T in ResultTable]?: ResultRows[T][] }
}

/**
 * A few hours of events with everything that goes wrong in the field, worked off by the real runtime into a real PostgreSQL and by the real lake-writer into a lake in a folder: what shadow runs and
 * reconciliation are tested on. Made once per test file, it is never changed: who breaks something takes a copy.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { type Lake, openJdbcCatalog, openLake, openLakeFiles } from '../../../db/lake/index.ts'
import { openFolderObjects } from '../../../db/objects/folder.ts'
import { createManifestStore } from '../../../db/postgres/manifest-store.ts'
import { claimLog } from '../../../db/postgres/platform.ts'
import { createResultStore } from '../../../db/postgres/result-store.ts'
import { createMemoryFeatures } from '../../../db/testing/memory-features.ts'
import { createMemoryObjects } from '../../../db/testing/memory-objects.ts'
import type { TestDatabase } from '../../../db/testing/postgres.ts'
import { eventually } from '../../../tests/support/eventually.ts'
import { createEncoder } from '../../contract/codec.ts'
import { type ClickstreamEvent, type EventOf, keyOf, type Order, type Trip } from '../../contract/events.ts'
import { DEAD_LETTERS_TABLE, RAW_TABLES } from '../../contract/lake-tables.ts'
import {
  CLICKSTREAM,
  deadLetterTopic,
  INPUT_TOPICS,
  type InputTopic,
  ORDERS,
  TRIPS,
  topicNamed,
} from '../../contract/topics.ts'
import { createLakeWriter } from '../../lake-writer/lake-writer.ts'
import { lakeJobs } from '../../lake-writer/tables.ts'
import { isComplete } from '../../lake-writer/testing/lake-world.ts'
import { StreamRuntime } from '../../runtime/runtime.ts'
import { createMemoryLog, type MemoryLog } from '../../testing/memory-log.ts'
import { createMemoryRegistry } from '../../testing/memory-registry.ts'
import { createRandom, type Random } from '../../testing/random.ts'
import { VirtualClock } from '../../testing/virtual-clock.ts'
import { systemClock } from '../../time/clock.ts'
import { TOPOLOGY } from '../../topology.ts'

export const START_MS = Date.UTC(2026, 2, 1, 0)
const MINUTE_MS = 60_000

export interface ShadowWorld {
  log: MemoryLog
  lake: Lake
  folder: string
}

/** One event and when it comes. `at` is the append time. */
export interface Arrival<T extends InputTopic = InputTopic> {
  at: number
  topic: T
  event: EventOf[T] | Buffer
}

/** Call at the top of a test file. @returns a function that works off the arrivals, in their order of `at` */
export function shadowWorlds(): (database: TestDatabase, arrivals: readonly Arrival[]) => Promise<ShadowWorld> {
  const folders: string[] = []
  afterAll(async () => {
    for (const folder of folders) await rm(folder, { recursive: true, force: true })
  })
  return async (database, arrivals) => {
    const folder = await mkdtemp(join(tmpdir(), 'streamforge-shadow-'))
    folders.push(folder)
    const lake = openLake(await openJdbcCatalog(database.sql), openLakeFiles(await openFolderObjects(folder)))
    return { folder, lake, log: await workOff(database, lake, folder, arrivals) }
  }
}

/** Into a database and a lake that may be somebody else's. */
export async function workOff(
  { sql }: TestDatabase,
  lake: Lake,
  folder: string,
  arrivals: readonly Arrival[],
): Promise<MemoryLog> {
  const clock = new VirtualClock(START_MS)
  const registry = createMemoryRegistry()
  const log = createMemoryLog({ clock, maxBatchRecords: 2_000 })
  await claimLog(sql, await log.identity())
  const encoders = new Map<InputTopic, (event: never) => Buffer>()
  for (const topic of INPUT_TOPICS)
    encoders.set(topic, (await createEncoder(topic, registry)) as (event: never) => Buffer)
  for (const { at, topic, event } of [...arrivals].sort((a, b) => a.at - b.at)) {
    if (at > clock.now()) await clock.advance(at - clock.now())
    const isPoison = Buffer.isBuffer(event)
    const key = isPoison ? 'poison' : (keyOf[topic] as (event: unknown) => string)(event)
    await log.append([{ topic, key, value: isPoison ? event : encoders.get(topic)!(event as never) }])
  }

  const runtime = new StreamRuntime(
    {
      log,
      registry,
      results: createResultStore(sql),
      manifests: createManifestStore(sql),
      features: createMemoryFeatures(),
      objects: createMemoryObjects(),
      topology: TOPOLOGY,
      clock: systemClock,
    },
    { owner: 'test', group: 'test' },
  )
  const running = runtime.run()
  const ends = new Map<string, number>()
  for (const topic of INPUT_TOPICS)
    for (let partition = 0; partition < topicNamed(topic).partitions; partition++)
      ends.set(`${topic}-${partition}`, (await log.bounds({ topic, partition })).next)
  await eventually(
    'the streams have read everything',
    60_000,
    async () => {
      const tasks = await sql<{ topic: string; partition: number; next_offset: number }[]>`SELECT * FROM tasks`
      return [...ends].every(
        ([key, end]) => end === 0 || tasks.find((t) => `${t.topic}-${t.partition}` === key)?.next_offset === end,
      )
    },
    20,
  )
  await runtime.stop()
  await running

  const settings = { commitMs: 20, commitBytes: 1_000_000, writer: { memoryMb: 128, threads: 1, parent: folder } }
  const writer = createLakeWriter(
    { log, registry, clock: systemClock, currency: 'TRY', settings, observer: {}, lake },
    lakeJobs(),
  )
  const writing = writer.run()
  for (const topic of INPUT_TOPICS) {
    const world = { lake, log } as Parameters<typeof isComplete>[0]
    await eventually(`${topic} is in the lake`, 60_000, () => isComplete(world, RAW_TABLES[topic].name, topic), 20)
    const dead = deadLetterTopic(topic)
    if ((await log.bounds({ topic: dead, partition: 0 })).next > 0)
      await eventually(`${dead} is in the lake`, 60_000, () => isComplete(world, DEAD_LETTERS_TABLE.name, dead), 20)
  }
  await writer.stop()
  await writing
  return log
}

/**
 * A day in small: arrivals with disorder, late events by minutes and hours, duplicates within and beyond the horizon, one that comes again every eight minutes for hours, clocks from the future, poison,
 * sessions of hours, and bursts of high-value orders that hang together for an hour.
 */
export function troubledHours(seed: number, hours: number, perMinute = 4): Arrival[] {
  const random = createRandom(seed)
  const arrivals: Arrival[] = []
  const endMs = START_MS + hours * 60 * MINUTE_MS
  let n = 0
  let now = START_MS
  while (now < endMs) {
    now += random.int((2 * MINUTE_MS) / perMinute)
    const arrival = someEvent(random, now, n++)
    arrivals.push(arrival)
    if (random.chance(0.03)) arrivals.push({ ...arrival, at: now + random.int(5 * MINUTE_MS) })
    if (random.chance(0.02)) arrivals.push({ ...arrival, at: now + 20 * MINUTE_MS + random.int(120 * MINUTE_MS) })
    if (random.chance(0.01))
      arrivals.push({ at: now, topic: random.pick(INPUT_TOPICS), event: Buffer.from(`poison ${n}`) })
  }
  // The same click and order, again and again: what deduplication makes of each depends on all before.
  for (let at = START_MS + 7 * MINUTE_MS; at < endMs - 3 * 60 * MINUTE_MS; at += 8 * MINUTE_MS) {
    arrivals.push({ at, topic: ORDERS, event: order(random, at, 'again', 'ada', 700_000) })
    arrivals.push({ at, topic: CLICKSTREAM, event: click(random, at, 'again', 'walker') })
  }
  // One who never rests for more than twenty minutes, for three hours and a half.
  for (let at = START_MS + 60 * MINUTE_MS; at < START_MS + 270 * MINUTE_MS; at += random.int(20 * MINUTE_MS))
    arrivals.push({ at, topic: CLICKSTREAM, event: click(random, at, `walk-${at}`, 'walker') })
  // Orders every two minutes: which three form a match depends on the first of them.
  for (let at = START_MS + 100 * MINUTE_MS, i = 0; at < endMs - 60 * MINUTE_MS && i < 40; at += 2 * MINUTE_MS, i++)
    arrivals.push({ at, topic: ORDERS, event: order(random, at, `rapid-${i}`, 'cem', 900_000) })
  return arrivals
}

const USERS = ['ada', 'ben', 'cem', 'dua', 'eda', 'fay', 'gül', '李']
const times = (at: number, eventTime: number) => ({
  event_time: eventTime,
  original_time: null,
  sent_at: null,
  received_at: at,
})

function someEvent(random: Random, at: number, n: number): Arrival {
  let eventTime = at - random.int(8_000)
  if (random.chance(0.06)) eventTime -= random.int(90 * MINUTE_MS)
  if (at < START_MS + 300 * MINUTE_MS && random.chance(0.01)) eventTime = at + random.int(200 * MINUTE_MS)
  const kind = random.next()
  // Each is there for an hour and away for two, so that sessions end.
  const hour = Math.floor((at - START_MS) / (60 * MINUTE_MS))
  const user = random.pick(USERS.filter((_, i) => (hour + i) % 3 === 0))
  if (kind < 0.5)
    return {
      at,
      topic: CLICKSTREAM,
      event: { ...click(random, at, `c-${n}`, user), event_time: eventTime },
    }
  if (kind < 0.85)
    return {
      at,
      topic: ORDERS,
      event: { ...order(random, at, `o-${n}`, user, random.int(1_200_000)), event_time: eventTime },
    }
  const trip: Trip = {
    trip_id: `t-${n}`,
    region_id: String(random.int(5)),
    fare_minor: random.int(10_000),
    currency: 'TRY',
    duration_s: random.int(3_600),
    distance_m: random.int(50_000),
    properties: null,
    ...times(at, eventTime),
  }
  return { at, topic: TRIPS, event: trip }
}

function click(random: Random, at: number, id: string, user: string): ClickstreamEvent {
  const type = random.pick(['page_view', 'product_view', 'add_to_cart', 'checkout', 'purchase'] as const)
  return {
    event_id: id,
    event_type: type,
    user_id: user,
    anonymous_id: null,
    session_id: null,
    page_url: `/${random.int(5)}`,
    referrer: null,
    product_id: `p-${random.int(3)}`,
    category: null,
    order_id: null,
    revenue_minor: type === 'purchase' ? random.int(100_000) : null,
    currency: type === 'purchase' ? random.pick(['TRY', 'EUR']) : null,
    region: null,
    device: null,
    properties: null,
    bot: null,
    ...times(at, at),
  }
}

function order(random: Random, at: number, id: string, user: string, amount: number): Order {
  return {
    order_id: id,
    user_id: user,
    product_id: `p-${random.int(3)}`,
    category: random.chance(0.9) ? random.pick(['home', 'books']) : null,
    quantity: null,
    amount_minor: amount,
    currency: random.chance(0.9) ? 'TRY' : 'EUR',
    region: null,
    status: random.pick(['success', 'success', 'success', 'failed', 'refunded']),
    properties: null,
    ...times(at, at),
  }
}

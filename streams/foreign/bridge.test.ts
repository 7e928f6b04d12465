/** The bridge over the memory log, with the real streams behind it: what was read is counted once, in the order of time, whatever happens between append and commit. */
import { describe, expect, it } from 'vitest'
import { ORDERS, TOPICS } from '../contract/topics.ts'
import { replayLetters } from '../dead-letters/replay.ts'
import { createReviver } from '../dead-letters/revive.ts'
import { deadLetters } from '../dead-letters/scan.ts'
import type { EventLog } from '../log/event-log.ts'
import { createMemoryLog } from '../testing/memory-log.ts'
import { createRandom } from '../testing/random.ts'
import { createWorld, finish, SIM_START_MS, startProcess, type World, workOff } from '../testing/sim.ts'
import { type Bridge, createBridge, FOREIGN_GROUP } from './bridge.ts'
import { type ForeignTopic, foreignLogTopics } from './foreign-topic.ts'

const ORDERS_MAPPING = {
  topic: 'orders' as const,
  columns: { user_id: 'customer', amount: 'price', event_time: 'at', order_id: 'id' },
}
const foreign: ForeignTopic = { name: 'shop.orders', partitions: 3, mapping: ORDERS_MAPPING }
const DLQ = 'dlq.shop.orders'
const at = (partition: number) => ({ topic: foreign.name, partition })

async function foreignWorld(): Promise<World> {
  const world = await createWorld(1, 0)
  const log = createMemoryLog({
    clock: world.clock,
    topics: [...TOPICS, ...foreignLogTopics([foreign])],
    maxBatchRecords: 50,
  })
  return { ...world, log, stores: { ...world.stores, log } }
}

/** Rows without a key: they go round the partitions, so that no partition is without gaps in time. */
const put = (world: World, rows: readonly (object | string)[]) =>
  world.log.append(
    rows.map((row) => ({
      topic: foreign.name,
      key: null,
      value: Buffer.from(typeof row === 'string' ? row : JSON.stringify(row)),
    })),
  )
const someRows = (count: number, fromMs: number) => {
  const random = createRandom(5)
  return Array.from({ length: count }, (_, i) => ({
    customer: `user-${random.int(9)}`,
    price: random.int(90_000) / 100,
    at: fromMs + i * 500,
    ...(i % 2 ? { id: `o-${i}` } : {}),
  }))
}

function startBridge(
  world: World,
  options: { log?: EventLog } & Partial<Parameters<typeof createBridge>[0]> = {},
): Bridge {
  const { log, registry, clock } = world
  const bridge = createBridge({ log, registry, clock, currency: 'TRY', topics: [foreign], ...options })
  void bridge.run()
  return bridge
}
async function stopBridge(world: World, bridge: Bridge): Promise<void> {
  const stopped = bridge.stop()
  await world.clock.advance(5_000)
  await stopped
}
/** Runs the streams over what is there. */
async function results(world: World) {
  const streams = startProcess(world, 'streams', () => 'none')
  await workOff(world, streams)
  await world.clock.advance(2_000)
  expect(await finish(world, streams)).toBe('stopped')
  const sum = { orders: 0, minor: 0, late: 0, duplicate: 0 }
  for (const row of world.memory.rows('revenue_by_minute')) {
    sum.orders += row.orders
    sum.minor += row.revenue_minor
  }
  for (const { outcomes } of world.memory.progress()) {
    sum.late += outcomes.late
    sum.duplicate += outcomes.duplicate
  }
  return sum
}
const truth = (rows: readonly { price: number }[]) => ({
  orders: rows.length,
  minor: rows.reduce((sum, { price }) => sum + Math.round(price * 100), 0),
})
const committed = (world: World) => Promise.all([0, 1, 2].map((p) => world.log.committed(FOREIGN_GROUP, at(p))))

describe('rows of a foreign topic', () => {
  it('are events like any other, in the order of time although the partitions were full before', async () => {
    const world = await foreignWorld()
    // Five minutes in each partition: read one after the other, two thirds would be late.
    const rows = someRows(600, SIM_START_MS - 300_000)
    await put(world, rows)
    const bridge = startBridge(world)
    await world.clock.advance(5_000)
    await stopBridge(world, bridge)
    expect(await committed(world)).toEqual([200, 200, 200])
    expect(await results(world)).toEqual({ ...truth(rows), late: 0, duplicate: 0 })
    const [first] = world.log.records({ topic: ORDERS, partition: 0 })
    expect(first!.headers).toMatchObject({ foreign: expect.stringMatching(/^shop\.orders:\d:\d+$/) })
  })

  it('carry the trace of their producer on, up to the alert that they complete', async () => {
    const world = await foreignWorld()
    const headers = { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' }
    const rows = [0, 1, 2].map((n) => ({ customer: 'ada', price: 9_000, at: SIM_START_MS - 10_000 + n * 1_000 }))
    await world.log.append(
      rows.map((row) => ({ topic: foreign.name, key: 'ada', value: Buffer.from(JSON.stringify(row)), headers })),
    )
    const bridge = startBridge(world)
    await world.clock.advance(5_000)
    await stopBridge(world, bridge)
    await results(world)
    const [alert] = world.memory.rows('fraud_alerts')
    expect(alert).toMatchObject({ trace_id: '4bf92f3577b34da6a3ce929d0e0e4736' })
    const [record] = world.log.records({ topic: ORDERS, partition: alert!.partition })
    expect(record!.headers).toMatchObject(headers)
  })

  it('are read on from where the group has come to', async () => {
    const world = await foreignWorld()
    const rows = someRows(90, SIM_START_MS)
    for (const part of [rows.slice(0, 40), rows.slice(40)]) {
      await put(world, part)
      const bridge = startBridge(world)
      await world.clock.advance(5_000)
      await stopBridge(world, bridge)
    }
    expect(await results(world)).toEqual({ ...truth(rows), late: 0, duplicate: 0 })
  })

  it('are shared by bridges that come and go, each row once', async () => {
    const world = await foreignWorld()
    const rows = someRows(300, SIM_START_MS)
    const first = startBridge(world)
    await put(world, rows.slice(0, 100))
    await world.clock.advance(1_000)
    const second = startBridge(world)
    await put(world, rows.slice(100, 200))
    await world.clock.advance(1_000)
    await stopBridge(world, first)
    await put(world, rows.slice(200))
    await world.clock.advance(15_000)
    await stopBridge(world, second)
    expect(await committed(world)).toEqual([100, 100, 100])
    const { orders, minor, late } = await results(world)
    expect({ orders, minor, late }).toEqual({ ...truth(rows), late: 0 })
  })

  it('that were appended and not committed are appended again, and counted once', async () => {
    const world = await foreignWorld()
    const rows = someRows(90, SIM_START_MS)
    await put(world, rows)
    const forgetful: EventLog = {
      ...world.log,
      subscribe: (group, names) => ({
        ...world.log.subscribe(group, names),
        commit: () => Promise.reject(new Error('killed')),
      }),
    }
    const first = startBridge(world, { log: forgetful })
    await world.clock.advance(5_000)
    await stopBridge(world, first)
    expect(await committed(world)).toEqual([null, null, null])
    const second = startBridge(world)
    await world.clock.advance(5_000)
    await stopBridge(world, second)
    expect(await results(world)).toEqual({ ...truth(rows), late: 0, duplicate: 90 })
  })

  it('that say that whom they are about does not agree are let go, whatever else they are, and counted', async () => {
    const world = await foreignWorld()
    const rows = someRows(9, SIM_START_MS)
    const no = [{ ...rows[0], price: 'ten', agreed: false }, ...rows.map((row) => ({ ...row, agreed: 'false' }))]
    await put(world, [...rows.map((row) => ({ ...row, agreed: true })), ...no])
    const asking = {
      ...foreign,
      mapping: { ...ORDERS_MAPPING, columns: { ...ORDERS_MAPPING.columns, consent: 'agreed' } },
    }
    const counts = { events: 0, deadLetters: 0, withoutConsent: 0 }
    const observer = {
      forwarded: (_: unknown, told: typeof counts) => {
        for (const name of ['events', 'deadLetters', 'withoutConsent'] as const) counts[name] += told[name]
      },
    }
    const bridge = startBridge(world, { topics: [asking], observer })
    await world.clock.advance(5_000)
    await stopBridge(world, bridge)
    expect(counts).toEqual({ events: 9, deadLetters: 0, withoutConsent: 10 })
    expect((await committed(world)).map(Number).reduce((sum, next) => sum + next, 0)).toBe(19)
    expect(world.log.records({ topic: DLQ, partition: 0 })).toEqual([])
    expect(await results(world)).toMatchObject(truth(rows))
  })

  it('that become no event are dead letters, and come back when the mapping can read them', async () => {
    const world = await foreignWorld()
    const rows = someRows(10, SIM_START_MS)
    const bad = { customer: 'ada', price: 'ten', at: SIM_START_MS }
    await put(world, [...rows.slice(0, 5), '{"half":', bad, ...rows.slice(5)])
    const bridge = startBridge(world)
    await world.clock.advance(5_000)
    await stopBridge(world, bridge)
    expect(await results(world)).toMatchObject(truth(rows))
    const letters = world.log.records({ topic: DLQ, partition: 0 })
    expect(letters.map(({ headers }) => headers?.error_class).sort()).toEqual(['bad_json', 'bad_row'])
    expect(letters[0]!.headers).toMatchObject({
      topic: foreign.name,
      id: expect.stringMatching(/^dead\/shop\.orders\//),
    })

    const mended: ForeignTopic = {
      ...foreign,
      mapping: { topic: 'orders', columns: { user_id: 'customer', amount: { const: 10 }, event_time: 'at' } },
    }
    const reviver = createReviver({ registry: world.registry, currency: 'TRY', clock: world.clock, foreign: [mended] })
    const outcomes: string[] = []
    for await (const { outcome } of replayLetters(deadLetters(world.log, DLQ), {
      log: world.log,
      reviver,
      dryRun: false,
    }))
      outcomes.push(outcome)
    expect(outcomes.sort()).toEqual(['refused', 'replayed'])
    const all = [0, 1, 2, 3].flatMap((partition) => world.log.records({ topic: ORDERS, partition }))
    expect(all.filter(({ headers }) => headers?.replayed_from?.startsWith('shop.orders:'))).toHaveLength(1)
  })

  it('that retention removed before they were read are told, and the rest is read', async () => {
    const world = await foreignWorld()
    await put(world, someRows(30, SIM_START_MS))
    await world.clock.advance(8 * 24 * 3_600_000)
    const rows = someRows(30, world.clock.now())
    await put(world, rows)
    // As a group that had read a little when the topic was young.
    const early = world.log.subscribe(FOREIGN_GROUP, [foreign.name])
    for (const p of [0, 1, 2]) await early.commit(at(p), 4)
    await early.stop()
    await world.log.trim()
    const lost: number[] = []
    const bridge = startBridge(world, { observer: { lost: (_, records) => lost.push(records) } })
    await world.clock.advance(5_000)
    await stopBridge(world, bridge)
    expect(lost).toEqual([6, 6, 6])
    expect(await results(world)).toMatchObject(truth(rows))
  })

  it('wait in their topic while ours can not be written, and nothing of them is lost', async () => {
    const world = await foreignWorld()
    const rows = someRows(30, SIM_START_MS)
    await put(world, rows)
    let isAway = true
    const retried: string[] = []
    const log: EventLog = {
      ...world.log,
      append: (records) => (isAway ? Promise.reject(new Error('the log is away')) : world.log.append(records)),
    }
    const bridge = startBridge(world, { log, observer: { retrying: (what) => retried.push(what) } })
    await world.clock.advance(60_000)
    expect(await committed(world)).toEqual([null, null, null])
    expect(retried.length).toBeGreaterThan(5)
    isAway = false
    await world.clock.advance(10_000)
    await stopBridge(world, bridge)
    expect(await results(world)).toEqual({ ...truth(rows), late: 0, duplicate: 0 })
  })
})

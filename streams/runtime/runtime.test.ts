/** The runtime where the simulation does not look: a feature store that loses its data, while processes die; a stop before it has begun. */
import { describe, expect, it } from 'vitest'
import type { MemoryFeatures } from '../../db/testing/memory-features.ts'
import { VALUE_SCHEMAS } from '../contract/avro.ts'
import { createEncoder, type SchemaRegistry, UNKNOWN_FOR_MS } from '../contract/codec.ts'
import { parseEvent } from '../contract/input.ts'
import { ORDERS } from '../contract/topics.ts'
import { createMemoryRegistry } from '../testing/memory-registry.ts'
import { createWorld, fillLog, finish, startProcess, type World, workOff } from '../testing/sim.ts'

/** A world that has been worked off, with its features, and then a feature store emptied under the running process. */
async function afterTheLoss(plan: (call: string) => 'none' | 'crash-after') {
  const world = await createWorld(7, 200)
  await fillLog(world, 7)
  let isLost = false
  const first = startProcess(world, 'first', (call) => (isLost ? plan(call) : 'none'))
  await workOff(world, first)
  await world.clock.advance(12_000)
  const features = world.stores.features as MemoryFeatures
  const before = features.snapshot()
  expect(before.length).toBeGreaterThan(5)
  isLost = true
  features.flushAll()
  await world.clock.advance(12_000)
  return { world, first, features, before }
}

it('writes all features again to a store that has lost them', async () => {
  const { world, first, features, before } = await afterTheLoss(() => 'none')
  expect(features.snapshot()).toEqual(before)
  expect(await finish(world, first)).toBe('stopped')
})

it.each(['features.setGeneration', 'features.write'])(
  'writes them again also when it dies after %s, with half of the work done',
  async (lastCall) => {
    let calls = 0
    const { world, first, features, before } = await afterTheLoss((call) =>
      call === lastCall && ++calls === 1 ? 'crash-after' : 'none',
    )
    expect(first.dead).toBe(true)
    const second = startProcess(world, 'second', () => 'none', { rowsPerFlush: 2 })
    await workOff(world, second)
    await world.clock.advance(12_000)
    expect(features.snapshot()).toEqual(before)
    expect(await finish(world, second)).toBe('stopped')
  },
)

it('ends when it is stopped before it has begun', async () => {
  const world = await createWorld(7, 20)
  await fillLog(world, 7)
  const process = startProcess(world, 'first', () => 'none')
  expect(await finish(world, process)).toBe('stopped')
})

describe('a record whose schema is not there', () => {
  /** A world with one order of a schema that nobody has registered; the registry can be made to give no answer. */
  async function worldWithOneOrder() {
    const known = createMemoryRegistry()
    const state = { answers: true, asked: 0 }
    const registry: SchemaRegistry = {
      register: known.register,
      async schema(id) {
        state.asked++
        if (!state.answers) throw new Error('the registry is down')
        return known.schema(id)
      },
    }
    const world: World = { ...(await createWorld(1, 0)), registry }
    const order = await orderOfSchema(2, world.clock.now()) // the streams register their alerts' schema first
    const append = () => world.log.append([{ topic: ORDERS, key: 'ada', value: order }])
    const process = startProcess(world, 'first', () => 'none')
    await world.clock.advance(1_000)
    const results = () => ({
      orders: world.memory.rows('revenue_by_minute').reduce((sum, row) => sum + row.orders, 0),
      dead: world.log.records({ topic: `dlq.${ORDERS}`, partition: 0 }).length,
    })
    return { world, process, state, append, results, register: () => known.register('s', VALUE_SCHEMAS[ORDERS]) }
  }

  it('waits where the registry does not answer, however long, and is no dead letter', async () => {
    const { world, process, state, append, results, register } = await worldWithOneOrder()
    state.answers = false
    await append()
    await world.clock.advance(10 * 60_000)
    expect(results()).toEqual({ orders: 0, dead: 0 })
    // It asks again and again, but not all the time.
    expect(state.asked).toBeGreaterThan(60)
    expect(state.asked).toBeLessThan(200)
    await register()
    state.answers = true
    await world.clock.advance(10_000)
    expect(results()).toEqual({ orders: 1, dead: 0 })
    expect(await finish(world, process)).toBe('stopped')
  })

  it('is a dead letter where the registry says so, and the next one is read once the schema is there', async () => {
    const { world, process, append, results, register } = await worldWithOneOrder()
    await append()
    await world.clock.advance(5_000)
    expect(results()).toEqual({ orders: 0, dead: 1 })
    await register()
    await world.clock.advance(UNKNOWN_FOR_MS)
    await append()
    await world.clock.advance(5_000)
    expect(results()).toEqual({ orders: 1, dead: 1 })
    expect(await finish(world, process)).toBe('stopped')
  })
})

async function orderOfSchema(id: number, nowMs: number): Promise<Buffer> {
  const raw = { order_id: 'o-1', user_id: 'ada', amount: 10, event_time: nowMs }
  const parsed = parseEvent(ORDERS, raw, { receivedAt: nowMs, currency: 'TRY', newId: () => '' })
  if (!parsed.ok) throw new Error(parsed.problem.message)
  const value = (await createEncoder(ORDERS, createMemoryRegistry()))(parsed.event)
  value.writeUInt32BE(id, 1)
  return value
}

/** The runtime where the simulation does not look: a feature store that loses its data, while processes die; a stop before it has begun. */
import { expect, it } from 'vitest'
import type { MemoryFeatures } from '../../db/testing/memory-features.ts'
import { createWorld, fillLog, finish, startProcess, workOff } from '../testing/sim.ts'

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

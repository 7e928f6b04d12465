/** The writer of one table, killed or hindered at every single call of catalog and object store: what the log holds is in the table, once. */
import { expect, it } from 'vitest'
import { eventually } from '../../tests/support/eventually.ts'
import { ORDERS } from '../contract/topics.ts'
import {
  type Fault,
  isComplete,
  type Life,
  lakeWorlds,
  positionsOf,
  recordsOf,
  type World,
} from './testing/lake-world.ts'

const worlds = lakeWorlds()
const TABLE = 'raw.orders'
const DEADLINE_MS = 60_000
/** Worlds are apart from each other and mostly wait. */
const AT_ONCE = 6

/** Two commits, each of two days: what is there at the start, and what comes after it. */
async function fill(world: World, life: Life): Promise<void> {
  for (let round = 0; round < 2; round++) {
    await world.append([{}, {}, { event_time: Date.parse('2026-01-01') }])
    const isThere = async () => life.struck || isComplete(world, TABLE, ORDERS)
    await eventually('the table has it, or the fault has struck', DEADLINE_MS, isThere, 5)
  }
}

async function survives(fault: Fault): Promise<{ struck: boolean }> {
  const world = await worlds()
  let life = world.begin({ fault })
  await fill(world, life)
  const { struck } = life
  if (fault.how === 'dies') {
    await life.writer.stop(0)
    life = world.begin()
  }
  await eventually('everything is in the table', DEADLINE_MS, () => isComplete(world, TABLE, ORDERS), 5)
  await life.writer.stop()
  expect(positionsOf(await world.rows(TABLE)), JSON.stringify(fault)).toEqual(await recordsOf(world.log, ORDERS))
  return { struck }
}

it.each([
  ['killed', 'dies', 'before'],
  ['killed', 'dies', 'after'],
  ['hindered', 'stumbles', 'before'],
  ['hindered', 'stumbles', 'after'],
] as const)('a writer %s (%s) %s each call of a store loses and doubles nothing', async (_, how, when) => {
  let step = 0
  for (let reached = true; reached; step += AT_ONCE) {
    const faults = Array.from({ length: AT_ONCE }, (_, i): Fault => ({ how, when, step: step + i + 1 }))
    const ends = await Promise.all(faults.map(survives))
    reached = ends.every(({ struck }) => struck)
  }
  expect(step, 'calls that were made to fail').toBeGreaterThan(20)
})

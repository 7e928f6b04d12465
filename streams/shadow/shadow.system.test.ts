/** Shadow runs on a real PostgreSQL and a lake in a folder: their rows are the live ones, however late they begin. */
import { beforeAll, expect, it } from 'vitest'
import { createDuckdbEngine } from '../../db/lake/index.ts'
import { type TestDatabase, withPostgres } from '../../db/testing/postgres.ts'
import { hours, minutes } from '../jobs/job.ts'
import { jobsFor } from './choice.ts'
import { differences } from './compare.ts'
import { REPLAYED_TABLES } from './ranges.ts'
import { type PartitionRun, runShadow } from './run.ts'
import { createShadow, shadowName, sweepShadows } from './schema.ts'
import { type ShadowWorld, START_MS, shadowWorlds, troubledHours } from './testing/shadow-world.ts'

const postgres = withPostgres()
const worlds = shadowWorlds()
let database: TestDatabase
let world: ShadowWorld
let runs = 0

beforeAll(async () => {
  database = await postgres.database()
  world = await worlds(database, troubledHours(17, 12))
})

async function shadowOf(fromMs: number, toMs: number, choice = jobsFor()) {
  const shadow = await createShadow(database, database.url, {
    name: shadowName(`test-${runs++}`, 1),
    nowMs: Date.now(),
    keepMs: 60_000,
  })
  const sort = { memoryMb: 256, threads: 1, parent: world.folder }
  const deps = { lake: world.lake, engine: createDuckdbEngine(world.lake, sort), shadow, sort }
  try {
    return { shadow: shadow.name, partitions: await runShadow(deps, { ...choice, fromMs, toMs }) }
  } finally {
    await shadow.close()
  }
}

const at = (ms: number): number => START_MS + ms

it.each([
  ['the whole', at(-hours(1)), at(hours(13))],
  ['the middle', at(hours(5)), at(hours(6))],
  ['while one is on a walk of hours', at(hours(3)), at(hours(4) + minutes(7))],
  ['a minute', at(hours(7) + minutes(13)), at(hours(7) + minutes(15))],
  ['the first hours', at(0), at(hours(2))],
])('the rows of %s are the live ones', async (_, fromMs, toMs) => {
  const { shadow, partitions } = await shadowOf(fromMs, toMs)
  expect(partitions).toHaveLength(11)
  await expectLive(shadow, { fromMs, toMs, partitions })
})

async function expectLive(shadow: string, range: { fromMs: number; toMs: number; partitions: PartitionRun[] }) {
  for (const partition of range.partitions) expect(partition).toMatchObject({ missing: 0, doubledCount: 0 })
  let compared = 0
  for (const table of REPLAYED_TABLES) {
    const found = await differences(database.sql, shadow, table, range)
    expect(found, table).toMatchObject({ missing: 0, extra: 0, changed: 0, samples: [] })
    compared += found.rows
  }
  expect(compared).toBeGreaterThan(3)
}

it('begins further back where it was too late, and else not at the beginning', async () => {
  const [fromMs, toMs] = [at(hours(9)), at(hours(11))]
  const { shadow, partitions } = await shadowOf(fromMs, toMs)
  expect(partitions.filter(({ from }) => from > 0).length).toBeGreaterThan(6)
  await expectLive(shadow, { fromMs, toMs, partitions })
  const early = await shadowOf(at(hours(4)), at(hours(4) + minutes(30)))
  expect(early.partitions.some(({ attempts }) => attempts > 1)).toBe(true)
})

it('a changed rule gives other alerts, and every other row stays', async () => {
  const [fromMs, toMs] = [at(hours(1)), at(hours(6))]
  const choice = jobsFor('fraud-detector', { id: 'rapid-high-value-orders', orders: 2 })
  const { shadow, partitions } = await shadowOf(fromMs, toMs, choice)
  const found = await differences(database.sql, shadow, 'fraud_alerts', { fromMs, toMs, partitions })
  expect(found.changed).toBe(0)
  expect(found.missing).toBeGreaterThan(found.extra)
  expect(found.samples[0]).toMatchObject({ kind: expect.stringMatching(/missing|extra/) })
  expect(found.samples.find(({ kind }) => kind === 'missing')?.shadow).toMatchObject({ rule_version: 2 })
})

it('what a killed run left goes with the next one, and what is still kept stays', async () => {
  const make = async (name: string, keepMs: number) =>
    (await createShadow(database, database.url, { name, nowMs: 1_000_000, keepMs })).close()
  await make('shadow_old_1', 1_000)
  await make('shadow_kept_1', 1_000_000)
  await make('shadow_mine_1', 1_000_000)
  await make('shadow_mine_2', 1_000_000)
  await database.sql`CREATE SCHEMA shadow_of_somebody`
  const swept = await sweepShadows(database.sql, { nowMs: 1_500_000, attemptsOf: 'shadow_mine_2' })
  expect(swept).toEqual(expect.arrayContaining(['shadow_old_1', 'shadow_mine_1']))
  expect(swept).not.toContain('shadow_kept_1')
  expect(swept).not.toContain('shadow_mine_2')
})

it('says what can be replayed', () => {
  expect(() => jobsFor('user-features')).toThrow(/There are: sessions, traffic/)
  expect(() => jobsFor('fraud-detector', { id: 'nope' })).toThrow(/There are: rapid-high-value-orders/)
  expect(() => jobsFor('revenue', { id: 'rapid-high-value-orders' })).toThrow(/goes with the job fraud-detector/)
})

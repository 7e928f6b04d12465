/** The simulation's verdict over many seeds. `SIM_SEED=n` runs one, `SIM_SEEDS=n` that many from 1 on. */
import { describe, expect, it } from 'vitest'
import type { SessionRow } from '../contract/results.ts'
import { bareAlert, type OracleResults } from './oracle.ts'
import { runDisturbed, runUndisturbed, type SimReport } from './sim.ts'

const SIZE = 150
const only = process.env.SIM_SEED ? Number(process.env.SIM_SEED) : null
const count = process.env.SIM_SEEDS ? Number(process.env.SIM_SEEDS) : 200
const seeds = only === null ? Array.from({ length: count }, (_, i) => i + 1) : [only]

/** Keys in one order, at every depth, so that equal rows are equal texts. */
const canonical = (value: unknown): unknown =>
  value !== null && typeof value === 'object' && !Array.isArray(value)
    ? Object.fromEntries(
        Object.entries(value)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([k, v]) => [k, canonical(v)]),
      )
    : value
const sorted = (rows: readonly object[]): string[] => rows.map((r) => JSON.stringify(canonical(r))).sort()
const bare = (rows: readonly object[], drop: readonly string[]): object[] =>
  rows.map((r) => Object.fromEntries(Object.entries(r).filter(([k]) => !drop.includes(k))))

function expectOracle(run: SimReport): void {
  const { memory, oracle } = run
  const versions = ['position', 'final']
  const tables = ['revenue_by_minute', 'traffic_by_minute', 'products_by_hour', 'trips_by_region'] as const
  for (const table of tables) expect(sorted(bare(memory.rows(table), versions)), table).toEqual(sorted(oracle[table]))
  const sessions = memory.rows('sessions').filter((s: SessionRow) => s.merged_into === null)
  expect(sorted(bare(sessions, [...versions, 'merged_into', 'session_id'])), 'sessions').toEqual(
    sorted(oracle.sessions),
  )
  const active = memory.rows('fraud_alerts').filter((a) => a.state === 'active')
  expect(sorted(active.map(bareAlert)), 'alerts').toEqual(sorted(oracle.alerts))
  expect(counted(run), 'outcomes').toEqual(expectedCounts(oracle))
}

function counted({ memory }: SimReport): Record<string, number> {
  const sums: Record<string, number> = {}
  for (const row of memory.rows('outcomes_by_minute')) {
    const key = row.outcome === 'late' ? row.job : row.outcome
    sums[key] = (sums[key] ?? 0) + row.events
  }
  return sums
}

function expectedCounts({ late, duplicates, dead }: OracleResults): Record<string, number> {
  return { ...late, ...(duplicates ? { duplicate: duplicates } : {}), ...(dead ? { dead_letter: dead } : {}) }
}

describe(`the runtime under a virtual clock, seeds ${seeds[0]} to ${seeds.at(-1)}`, () => {
  const totals = { crashes: 0, zombies: 0, alerts: 0, superseded: 0, merged: 0, late: 0, duplicates: 0, dead: 0 }

  it.each(seeds)('seed %i ends with the same tables whatever dies, and they are the truth', async (seed) => {
    const undisturbed = await runUndisturbed(seed, SIZE)
    expectOracle(undisturbed)
    const disturbed = await runDisturbed(seed, SIZE)
    expect(disturbed.tables, 'tables').toBe(undisturbed.tables)
    expect(disturbed.features, 'features').toBe(undisturbed.features)
    expect(disturbed.alerts, 'announcements').toEqual(undisturbed.alerts)
    totals.crashes += disturbed.crashes
    totals.zombies += disturbed.zombies
    totals.alerts += undisturbed.oracle.alerts.length
    totals.superseded += undisturbed.memory.rows('fraud_alerts').filter((a) => a.state === 'superseded').length
    totals.merged += undisturbed.memory.rows('sessions').filter((s) => s.merged_into !== null).length
    totals.late += Object.values(undisturbed.oracle.late).reduce((a, b) => a + b, 0)
    totals.duplicates += undisturbed.oracle.duplicates
    totals.dead += undisturbed.oracle.dead
  })

  it.skipIf(only !== null)('has met everything it is meant to meet', () => {
    for (const [what, times] of Object.entries(totals)) expect(times, what).toBeGreaterThan(seeds.length / 10)
  })
})

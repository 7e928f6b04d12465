/** Holds the results of a run to the oracle's truth: every table, the active alerts, and how many events were late, seen before or unreadable. */
import { expect } from 'vitest'
import type { MemoryResults } from '../../db/testing/memory-results.ts'
import type { SessionRow } from '../contract/results.ts'
import { bareAlert, FORGOTTEN, type OracleResults } from './oracle.ts'

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

export function expectOracle({ memory, oracle }: { memory: MemoryResults; oracle: OracleResults }): void {
  const versions = ['position', 'final']
  const tables = ['revenue_by_minute', 'traffic_by_minute', 'products_by_hour', 'trips_by_region'] as const
  for (const table of tables) expect(sorted(bare(memory.rows(table), versions)), table).toEqual(sorted(oracle[table]))
  const sessions = memory
    .rows('sessions')
    .filter((s: SessionRow) => s.merged_into === null)
    .map((s) => (s.user_id.startsWith('erased-') ? { ...s, user_id: FORGOTTEN } : s))
  expect(sorted(bare(sessions, [...versions, 'merged_into', 'session_id'])), 'sessions').toEqual(
    sorted(oracle.sessions),
  )
  const active = memory.rows('fraud_alerts').filter((a) => a.state === 'active' && a.evidence.length > 0)
  expect(sorted(active.map(bareAlert)), 'alerts').toEqual(sorted(oracle.alerts))
  expect(counted(memory), 'outcomes').toEqual(expectedCounts(oracle))
}

function counted(memory: MemoryResults): Record<string, number> {
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

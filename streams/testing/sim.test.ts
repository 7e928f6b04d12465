/** The simulation's verdict over many seeds. `SIM_SEED=n` runs one, `SIM_SEEDS=n` that many from 1 on. */
import { describe, expect, it } from 'vitest'
import { runDisturbed, runUndisturbed } from './sim.ts'
import { expectOracle } from './verdict.ts'

const SIZE = 150
const only = process.env.SIM_SEED ? Number(process.env.SIM_SEED) : null
const count = process.env.SIM_SEEDS ? Number(process.env.SIM_SEEDS) : 200
const seeds = only === null ? Array.from({ length: count }, (_, i) => i + 1) : [only]

describe(`the runtime under a virtual clock, seeds ${seeds[0]} to ${seeds.at(-1)}`, () => {
  const totals = {
    crashes: 0,
    zombies: 0,
    alerts: 0,
    superseded: 0,
    merged: 0,
    late: 0,
    duplicates: 0,
    dead: 0,
    erasedSessions: 0,
    erasedAlerts: 0,
  }

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
    totals.erasedSessions += undisturbed.memory.rows('sessions').filter((s) => s.user_id.startsWith('erased-')).length
    totals.erasedAlerts += undisturbed.memory.rows('fraud_alerts').filter((a) => a.evidence.length === 0).length
  })

  it.skipIf(only !== null)('has met everything it is meant to meet', () => {
    for (const [what, times] of Object.entries(totals)) expect(times, what).toBeGreaterThan(seeds.length / 10)
  })
})

/**
 * The crash matrix of an erasure: a person asks to be forgotten in the middle of everything, and the process dies at every call that it makes to a store. Always
 * the same tables and features are left, in none of which, nor in any checkpoint, is anything of the person; and what sums are made of is as it was.
 */
import { beforeAll, describe, expect, it } from 'vitest'
import { erasureRecord } from '../contract/erasure.ts'
import { CLICKSTREAM, LATE, ORDERS } from '../contract/topics.ts'
import type { RuntimeSettings } from '../runtime/runtime.ts'
import type { Fault } from './faults.ts'
import { createWorld, fillLog, finish, report, type SimReport, startProcess, type World, workOff } from './sim.ts'
import { expectOracle } from './verdict.ts'

const SEED = 30
const SIZE = 80
const PERSON = ['ada', 'anonymous-ada']

const SETTINGS: Partial<RuntimeSettings> = {
  flushBacklogEvents: 20,
  flushBacklogMs: 1_000,
  checkpointMs: 0,
  hotEntries: 1,
}
const OTHER_SETTINGS: Partial<RuntimeSettings> = { flushBacklogEvents: 7, liveLagRecords: 5, rowsPerFlush: 3 }

/** Two thirds through, the person is forgotten, and does not come back. */
async function world({ erased = true } = {}): Promise<World> {
  const filled = await createWorld(SEED, SIZE, 25)
  const at = Math.floor(SIZE * 0.66)
  const isTheirs = (key: string | null) => PERSON.includes(key ?? '')
  const erasures = PERSON.flatMap((subject_id) =>
    ([CLICKSTREAM, ORDERS] as const).map((topic) =>
      erasureRecord(topic, { erasure_id: 'e-1', subject_id, requested_at: 0 }),
    ),
  )
  const workload = [
    ...filled.workload.slice(0, at),
    // Appended beside the others, as many: what lies in the log at which time is the same.
    ...(erased ? erasures : erasures.map((record) => ({ ...record, topic: LATE }))),
    ...filled.workload.slice(at).filter(({ key }) => !isTheirs(key)),
  ]
  const w = { ...filled, workload }
  await fillLog(w, SEED)
  return w
}

async function run(
  w: World,
  plan: (call: string, index: number) => Fault,
): Promise<{ end: SimReport; calls: readonly string[] }> {
  const first = startProcess(w, 'first', plan, SETTINGS)
  await workOff(w, first)
  if (!first.dead) await finish(w, first)
  if (first.dead) {
    const last = startProcess(w, 'second', () => 'none', OTHER_SETTINGS)
    await workOff(w, last)
    await finish(w, last)
  }
  return { end: await report(w, 0, 0), calls: first.calls }
}

/** Where anything of the person is found: tables, features, and what is in the object store. */
async function traces(w: World): Promise<string[]> {
  const found: string[] = []
  const look = (where: string, what: string | Buffer) => {
    if (what.includes('ada')) found.push(where)
  }
  for (const [table, rows] of Object.entries(w.memory.tables())) look(table, JSON.stringify(rows))
  for (const id of PERSON) if ((await w.stores.features.read(id)) !== null) found.push(`features of ${id}`)
  for (const key of await w.stores.objects.list('')) look(key, (await w.stores.objects.get(key)) as Buffer)
  return found
}

const sessionSums = ({ memory }: SimReport) => {
  const rows = memory.rows('sessions').filter(({ merged_into }) => merged_into === null)
  return { sessions: rows.length, events: rows.reduce((sum, r) => sum + r.events, 0) }
}

describe('an erasure', () => {
  let whole: SimReport
  let calls: readonly string[]

  beforeAll(async () => {
    const w = await world()
    ;({ end: whole, calls } = await run(w, () => 'none'))
    expectOracle(whole)
    expect(await traces(w)).toEqual([])
  })

  it('removes what there was, and leaves every sum', async () => {
    const w = await world({ erased: false })
    const { end } = await run(w, () => 'none')
    // Else nothing of the following would be worth anything.
    expect(await traces(w)).toEqual(
      expect.arrayContaining(['sessions', 'fraud_alerts', 'features of ada', expect.stringContaining('checkpoints/')]),
    )
    const sums = ['traffic_by_minute', 'revenue_by_minute', 'products_by_hour', 'trips_by_region'] as const
    const bare = (rows: readonly object[]) => rows.map((row) => ({ ...row, position: 0 }))
    for (const table of sums) expect(bare(whole.memory.rows(table))).toEqual(bare(end.memory.rows(table)))
    expect(sessionSums(whole)).toEqual(sessionSums(end))
    expect(whole.memory.rows('fraud_alerts').map((a) => [a.alert_id, a.total_minor])).toEqual(
      end.memory.rows('fraud_alerts').map((a) => [a.alert_id, a.total_minor]),
    )
  })

  // Dying before a call is dying after the one before it.
  it.each(['crash-after', 'fail-after'] as const)(
    'whatever call it is that meets %s',
    async (fault) => {
      // Before that there is nothing to lose.
      for (let at = calls.indexOf('results.apply'); at < calls.length; at++) {
        const w = await world()
        const { end } = await run(w, (_call, index) => (index === at ? fault : 'none'))
        const where = `${fault} at call ${at}, ${calls[at]}`
        expect(end.tables, where).toBe(whole.tables)
        expect(end.features, where).toBe(whole.features)
        expect(await traces(w), where).toEqual([])
      }
    },
    120_000,
  )
})

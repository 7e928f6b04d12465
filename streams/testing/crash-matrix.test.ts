/**
 * The crash matrix: one fixture, run whole, then killed at every step between poll, flush and checkpoint, resumed with other batch sizes, and shared by
 * 1, 2 and 4 consumers: always the same golden tables. `UPDATE_GOLDEN=1` writes them anew, after a change that is meant to change them.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import type { RuntimeSettings } from '../runtime/runtime.ts'
import type { Fault } from './faults.ts'
import { createWorld, fillLog, finish, report, type SimProcess, startProcess, type World, workOff } from './sim.ts'

const SEED = 4711
const SIZE = 160
const GOLDEN = new URL('./golden/tables.golden.json', import.meta.url)

/** Small batches and short intervals, so that there are many steps to die at. */
const SETTINGS: Partial<RuntimeSettings> = {
  flushBacklogEvents: 40,
  flushBacklogMs: 100,
  checkpointMs: 200,
  hotEntries: 1,
}
const OTHER_SETTINGS: Partial<RuntimeSettings> = {
  flushBacklogEvents: 7,
  flushLiveMs: 30,
  checkpointMs: 90,
  liveLagRecords: 5,
  rowsPerFlush: 3,
}

async function world(maxBatchRecords?: number): Promise<World> {
  const filled = await createWorld(SEED, SIZE, maxBatchRecords)
  await fillLog(filled, SEED)
  return filled
}

/** Runs with a fault at the nth call, restarting with other settings until a process ends in peace. */
async function runWithFault(
  at: number,
  fault: Fault,
): Promise<{ tables: string; hit: string | undefined; world: World }> {
  const w = await world(25)
  const first = startProcess(w, 'first', (_call, index) => (index === at ? fault : 'none'), SETTINGS)
  await workOff(w, first)
  if (!first.dead) await finish(w, first)
  if (first.dead) {
    const last = startProcess(w, 'second', () => 'none', OTHER_SETTINGS)
    await workOff(w, last)
    await finish(w, last)
  }
  return { tables: (await report(w, 0, 0)).tables, hit: first.calls[at], world: w }
}

describe('one golden output', () => {
  let golden: string
  let calls: readonly string[]

  beforeAll(async () => {
    const w = await world()
    const whole = startProcess(w, 'whole', () => 'none', SETTINGS)
    await workOff(w, whole)
    await finish(w, whole)
    const { tables } = await report(w, 0, 0)
    if (process.env.UPDATE_GOLDEN) writeFileSync(GOLDEN, `${tables}\n`)
    golden = readFileSync(GOLDEN, 'utf8').trimEnd()
    expect(tables).toBe(golden)
    const probe = await world(25)
    const counted = startProcess(probe, 'counted', () => 'none', SETTINGS)
    await workOff(probe, counted)
    await finish(probe, counted)
    calls = [...counted.calls]
  })

  it.each(['crash-before', 'crash-after', 'fail-before', 'fail-after'] as const)(
    'whatever call it is that meets %s',
    async (fault) => {
      const met = new Set<string>()
      for (let at = 0; at < calls.length; at++) {
        const { tables, hit } = await runWithFault(at, fault)
        expect(hit, `no call number ${at}`).toBeDefined()
        met.add(hit as string)
        expect(tables, `${fault} at call ${at}, ${hit}`).toBe(golden)
      }
      for (const step of [
        'results.apply',
        'features.write',
        'log.append',
        'results.markPublished',
        'objects.put',
        'manifests.save',
        'log.commit',
      ]) {
        expect(met).toContain(step)
      }
    },
  )

  it.each([1, 2, 4])('with %i consumers that come and go', async (consumers) => {
    const w = await world(10)
    const group = { ...SETTINGS, group: 'shared' }
    const members = [startProcess(w, 'member0', () => 'none', group)]
    for (let i = 1; i < consumers; i++) {
      await w.clock.advance(60)
      members.push(startProcess(w, `member${i}`, () => 'none', { ...OTHER_SETTINGS, group: 'shared' }))
    }
    await w.clock.advance(150)
    // All but the last leave in the middle of the work.
    for (const member of members.slice(0, -1)) {
      await finish(w, member)
      await w.clock.advance(40)
    }
    const last = members.at(-1) as SimProcess
    await workOff(w, last)
    await finish(w, last)
    expect((await report(w, 0, 0)).tables).toBe(golden)
  })

  it('after every checkpoint file was damaged: from the log alone', async () => {
    const w = await world(25)
    const first = startProcess(w, 'first', () => 'none', SETTINGS)
    await workOff(w, first)
    await w.clock.advance(1_000)
    first.kill()
    const files = await w.stores.objects.list('checkpoints/')
    expect(files.length).toBeGreaterThan(0)
    for (const [i, file] of files.entries()) {
      const body = (await w.stores.objects.get(file)) as Buffer
      if (i % 2) await w.stores.objects.delete(file)
      else
        await w.stores.objects.put(
          file,
          Buffer.concat([body.subarray(0, 10), Buffer.from('damage'), body.subarray(16)]),
        )
    }
    const second = startProcess(w, 'second', () => 'none', OTHER_SETTINGS)
    await workOff(w, second)
    await finish(w, second)
    expect((await report(w, 0, 0)).tables).toBe(golden)
  })
})

/**
 * `kill -9` of the real process under load, ten times: nothing that was accepted is lost, nothing is counted twice, revenue is right to the cent, and the
 * alerts are those of a naive reading of what was sent. Clients behave as real ones: a request without an answer is sent again.
 */
import { expect, it } from 'vitest'
import { createRandom } from '../streams/testing/random.ts'
import { eventually } from './support/eventually.ts'
import { caughtUp, emptyLedger, expectLedger, runClient } from './support/ledger.ts'
import { newDataDir, startPlatform, type TestPlatform } from './support/platform.ts'

const KILLS = 10
const CLIENTS = 4
/** Accepted batches between two kills, at least: a kill always hits a platform at work. */
const BATCHES_PER_LIFE = 25

it(`survives ${KILLS} kills under load with nothing lost and nothing doubled`, { timeout: 480_000 }, async () => {
  const dataDir = await newDataDir()
  let platform: TestPlatform = await startPlatform({ dataDir })
  const ledger = emptyLedger()
  const ending = new AbortController()
  const clients = Array.from({ length: CLIENTS }, (_, i) => runClient(i, () => platform, ledger, ending.signal))

  const random = createRandom(20_261)
  for (let kill = 0; kill < KILLS; kill++) {
    const goal = ledger.batches + BATCHES_PER_LIFE + random.int(20)
    await eventually(`${goal} batches are accepted`, 60_000, () => ledger.batches >= goal)
    await platform.kill9()
    platform = await startPlatform({ dataDir })
  }
  const goal = ledger.batches + BATCHES_PER_LIFE
  await eventually(`${goal} batches are accepted`, 60_000, () => ledger.batches >= goal)
  ending.abort()
  await Promise.all(clients)

  await caughtUp(platform)
  await expectLedger(platform, ledger)
  // And again after a start that had nothing to do but to recover.
  expect(await platform.stop()).toBe(0)
  platform = await startPlatform({ dataDir })
  await caughtUp(platform)
  await expectLedger(platform, ledger)
  expect(ledger.resent, 'some requests must have met a kill').toBeGreaterThan(0)
  expect(await platform.stop()).toBe(0)
})

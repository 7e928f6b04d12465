/** An erasure that fails, for its log is another platform's, and one that waits for the log and comes through: over running streams. */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { vi } from 'vitest'
import type { ErasureState } from '../../../db/postgres/batch-schema.ts'
import { erasure, requestErasure } from '../../../db/postgres/erasures.ts'
import { claimLog } from '../../../db/postgres/platform.ts'
import { createLogger } from '../../../observability/log.ts'
import { createRegistry } from '../../../observability/metrics.ts'
import { openEmbeddedLog } from '../../../streams/log/embedded.ts'
import { startStreams } from '../../../streams/main.ts'
import { EMBEDDED_FOLDERS } from '../../../streams/stores.ts'
import { systemClock } from '../../../streams/time/clock.ts'
import { DAY_MS } from '../../input.ts'
import { workflowId } from '../../policy.ts'
import { ended, type Scenario } from './scenario.ts'

const WAIT = { timeout: 120_000, interval: 200 }

export const erasures: Scenario = async (world) => {
  const { database, dataDir } = world
  const ask = async () => {
    const by = { username: 'the-admin', address: null }
    const wish = { id: randomUUID(), userId: 'ada', salt: randomUUID(), by, at: systemClock.now() }
    return (await requestErasure(database.sql, wish)).id
  }
  /** The worker starts it by itself. */
  const runOf = (id: string, state: ErasureState) =>
    vi.waitFor(async () => {
      if ((await erasure(database.sql, id))?.state !== state) throw new Error(`It is not ${state} yet.`)
      const workflow = workflowId('eraseSubject', id)
      const { runId } = await world.client.workflow.getHandle(workflow).describe()
      return world.client.workflow.getHandle(workflow, runId)
    }, WAIT)
  const id = await ask()
  const failed = await runOf(id, 'failed')
  await ended(failed)

  const folder = join(dataDir, EMBEDDED_FOLDERS.log)
  const clock = { ...systemClock, now: () => systemClock.now() + 31 * DAY_MS }
  const log = await openEmbeddedLog({ folder, clock })
  await claimLog(database.sql, await log.identity())
  const streams = await startStreams({
    stores: { dataDir, kafka: null, redis: null },
    databaseUrl: database.url,
    currency: 'TRY',
    owner: 'test',
    logger: createLogger({ level: 'silent', component: 'test' }),
    metrics: createRegistry(),
    clock: systemClock,
  })
  try {
    await ask()
    const done = await runOf(id, 'waiting_for_log')
    await log.trim()
    await done.signal('look')
    await done.result()
    return { 'eraseSubject-failed': failed, 'eraseSubject-done': done }
  } finally {
    await streams.stop()
    await log.close()
  }
}

/**
 * The lake-writer as a real process, on the embedded log, a real PostgreSQL and a folder: `kill -9` at random times under load, again and again. At the end every record
 * that the log holds is in its table, once.
 */
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, expect, it } from 'vitest'
import { withPostgres } from '../db/testing/postgres.ts'
import { createEncoder } from '../streams/contract/codec.ts'
import { CLICKSTREAM, ORDERS } from '../streams/contract/topics.ts'
import { orderOf } from '../streams/lake-writer/testing/lake-world.ts'
import { openEmbeddedLog } from '../streams/log/embedded.ts'
import { openEmbeddedRegistry } from '../streams/log/embedded-registry.ts'
import { createRandom } from '../streams/testing/random.ts'
import { eventually } from './support/eventually.ts'
import { logPositions, openTestLake } from './support/lake.ts'
import { type CliProcess, cleanUp, newDataDir, spawnCli } from './support/processes.ts'

const KILLS = 12
/** After a life's first commit, at most. */
const LIFE_MS = 700
const BATCH = 60
const PAUSE_MS = 20

/** Two days of event time. */
const FIRST_MS = Date.parse('2026-03-01T06:00:00Z')

const postgres = withPostgres()
// Registered last and so run first.
afterAll(cleanUp)

it(`survives ${KILLS} kills under load: every record is in its table, once`, { timeout: 400_000 }, async () => {
  const dataDir = await newDataDir()
  const { url } = await postgres.database()
  const env = {
    DATABASE_URL: url,
    STREAMFORGE_DATA_DIR: dataDir,
    STREAMFORGE_LAKE_COMMIT_SECONDS: '1',
    STREAMFORGE_LAKE_COMMIT_MB: '1',
    STREAMFORGE_LOG_LEVEL: 'warn',
  }
  const log = await openEmbeddedLog({ folder: join(dataDir, 'log') })
  const registry = openEmbeddedRegistry(join(dataDir, 'registry'))
  const encode = await createEncoder(ORDERS, registry)
  const click = (n: number) => ({ event_id: `c-${n}`, event_type: 'page_view', user_id: `u-${n % 50}` })
  let made = 0
  const ending = new AbortController()
  const load = (async () => {
    while (!ending.signal.aborted) {
      const records = Array.from({ length: BATCH }, () => {
        const n = ++made
        const properties = JSON.stringify({ padding: 'x'.repeat(n % 400) })
        const order = orderOf(n, { properties, event_time: FIRST_MS + (n % 2_880) * 60_000 })
        if (n % 3 > 0) return { topic: ORDERS, key: order.user_id, value: encode(order) }
        // As other producers may write: plain JSON.
        const { user_id, ...event } = click(n)
        const value = Buffer.from(JSON.stringify({ ...event, user_id, event_time: new Date().toISOString() }))
        return { topic: CLICKSTREAM, key: user_id, value }
      })
      await log.append(records)
      await delay(PAUSE_MS, undefined, { signal: ending.signal }).catch(() => undefined)
    }
  })()

  const random = createRandom(5)
  const begin = async (): Promise<CliProcess> => {
    const process = spawnCli(['lake-writer', '--metrics-port', 'off'], { env })
    await eventually('the lake-writer runs', 60_000, () => {
      if (process.child.exitCode !== null) throw new Error(`It ended:\n${process.out}${process.err}`)
      return process.out.includes('The lake-writer runs')
    })
    return process
  }
  const lake = await openTestLake(url, { kind: 'folder', folder: join(dataDir, 'objects') })
  try {
    let written = 0
    for (let kill = 0; kill < KILLS; kill++) {
      const process = await begin()
      // Most lives are hit at work, some before they have done any.
      if (kill % 4 > 0)
        await eventually('it has committed', 60_000, async () => (await lake.totalRecords('raw.orders')) > written)
      await delay(random.int(LIFE_MS))
      process.child.kill('SIGKILL')
      await process.ended()
      written = await lake.totalRecords('raw.orders')
    }
    ending.abort()
    await load
    const last = await begin()
    const expected = { [ORDERS]: await logPositions(log, ORDERS), [CLICKSTREAM]: await logPositions(log, CLICKSTREAM) }
    await eventually('the last orders are in the table', 60_000, async () => {
      return (await lake.totalRecords('raw.orders')) >= expected[ORDERS]!.length
    })
    last.child.kill('SIGTERM')
    expect(await last.ended(), last.err).toBe(0)
    expect(await lake.positions('raw.orders')).toEqual(expected[ORDERS])
    expect(await lake.positions('raw.clickstream_events')).toEqual(expected[CLICKSTREAM])
    // All of these orders succeeded; those above 50.00 are conversions.
    const orders = await lake.rows('raw.orders', ['order_id', 'amount_minor'])
    const above = orders.filter(({ amount_minor }) => (amount_minor as bigint) > 5_000n).map((row) => row.order_id)
    const conversions = await lake.rows('marketing_events.processed_conversions', ['order_id'])
    expect(conversions.map((row) => row.order_id).sort()).toEqual(above.sort())
  } finally {
    ending.abort()
    await load
    await lake.close()
    await registry.close()
    await log.close()
  }
})

/**
 * Backup and restore of the embedded form, as an operator does it: copied while it runs and takes events, restored onto an empty folder, and once more from a copy of the stopped
 * platform. Answers are equal, and what clients send again is not counted twice.
 */
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { connect } from '../db/postgres/connect.ts'
import { openEmbeddedLog } from '../streams/log/embedded.ts'
import { type Answer, caughtUp, get } from './support/api.ts'
import { eventually } from './support/eventually.ts'
import { logPositions, openTestLake } from './support/lake.ts'
import { newDataDir, runCli, startPlatform, type TestPlatform } from './support/platform.ts'

const ENV = { STREAMFORGE_LAKE_COMMIT_SECONDS: '1' }
const SOON_MS = 90_000
const BATCH = 20
const QUIET_BATCHES = 30
const TABLES = ['raw.orders', 'raw.clickstream_events'] as const

/** Batch n, the same whenever it is sent: orders and clicks of ten users; half of them place an order in each that is suspicious. */
function batch(startMs: number, n: number) {
  const user_id = `user-${n % 10}`
  const event_time = new Date(startMs + n * 20).toISOString()
  const isLarge = n % 10 < 5
  const orders = Array.from({ length: BATCH }, (_, i) => ({
    order_id: `o-${n}-${i}`,
    user_id,
    amount: isLarge && i === 0 ? 6_000 : 10 + i,
    category: `c-${i % 3}`,
    event_time,
  }))
  const clicks = Array.from({ length: BATCH }, (_, i) => ({
    event_id: `c-${n}-${i}`,
    event_type: i % 2 === 0 ? 'page_view' : 'product_view',
    user_id,
    product_id: `p-${i % 5}`,
    event_time,
  }))
  return { orders, clicks }
}

async function send({ url, writeKey }: TestPlatform, startMs: number, n: number): Promise<void> {
  const { orders, clicks } = batch(startMs, n)
  for (const [path, events] of [
    ['orders', orders],
    ['events', clicks],
  ] as const) {
    await eventually(`batch ${n} is accepted`, SOON_MS, async () => {
      const response = await fetch(`${url}/api/v1/${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-write-key': writeKey },
        body: JSON.stringify(events),
      })
      return response.status === 202
    })
  }
}

const EVERYTHING = { from: '2020-01-01T00:00:00Z', to: '2100-01-01T00:00:00Z' }

/** What clients ask, without what follows the clock of the wall or the number of tries. */
async function answersOf({ url }: TestPlatform) {
  await caughtUp(url)
  const { events_per_second, active_sessions, ...overview } = (await get(url, '/metrics/overview', EVERYTHING)).data
  const alerts = (await get(url, '/fraud-alerts', { limit: 100 })).data as Answer[]
  const users = Array.from({ length: 10 }, (_, i) => `user-${i}`)
  const features = await Promise.all(
    users.map(async (user) => {
      const { events, orders } = (await get(url, `/features/${user}`)).data
      return [user, events.total, orders.total, orders.total_spend]
    }),
  )
  const sessions = await Promise.all(
    users.map(async (user) => {
      const { data } = await get(url, `/sessions/${user}`)
      return (Array.isArray(data) ? data : data.sessions).map((s: Answer) => [s.session_id, s.events, s.page_views])
    }),
  )
  return {
    overview,
    features,
    sessions,
    alerts: alerts.map(({ alert_id, user_id, state, evidence }) => [
      alert_id,
      user_id,
      state,
      evidence.map((e: Answer) => e.order_id),
    ]),
    products: (await get(url, '/metrics/top_products', { ...EVERYTHING, by: 'views', limit: 100 })).data,
  }
}

const databaseUrlOf = async (dataDir: string): Promise<string> =>
  (JSON.parse(await readFile(join(dataDir, 'running.json'), 'utf8')) as { postgres_url: string }).postgres_url

/** Waits until the lake has every record of the log, once; @returns what is in it by SQL. */
async function lakeOf({ dataDir }: TestPlatform): Promise<unknown> {
  const log = await openEmbeddedLog({ folder: join(dataDir, 'log') })
  const lake = await openTestLake(await databaseUrlOf(dataDir), { kind: 'folder', folder: join(dataDir, 'objects') })
  try {
    for (const [table, topic] of [
      ['raw.orders', 'transactions.orders'],
      ['raw.clickstream_events', 'clickstream.events'],
    ] as const) {
      const expected = await logPositions(log, topic)
      await eventually(`${table} has all`, SOON_MS, async () => (await lake.totalRecords(table)) >= expected.length)
      expect(await lake.positions(table)).toEqual(expected)
    }
  } finally {
    await lake.close()
    await log.close()
  }
  const queries = TABLES.map(
    (table) => `SELECT '${table}' AS t, count(*) AS n, count(DISTINCT user_id) AS u FROM ${table}`,
  )
  const { out, err, code } = await runCli(['sql', queries.join(' UNION ALL '), '--format', 'csv', '--data', dataDir])
  expect(code, err).toBe(0)
  return out.split('\n').sort()
}

/** Ids of the live stream are numbers of transactions: those that were told must stay behind those that come. */
async function transactionOf(dataDir: string): Promise<number> {
  const { sql, close } = connect(await databaseUrlOf(dataDir), { max: 1 })
  const [row] = await sql<{ id: string }[]>`SELECT pg_current_xact_id()::text AS id`
  await close()
  return Number(row?.id)
}

it('answers are equal after a restore, nothing is lost and nothing counted twice', { timeout: 400_000 }, async () => {
  const dataDir = await newDataDir()
  const away = await newDataDir()
  const first = await startPlatform({ dataDir, env: ENV })
  const startMs = Date.now()
  let sent = 0
  for (; sent < QUIET_BATCHES; sent++) await send(first, startMs, sent)
  const before = await answersOf(first)
  expect(before.overview.orders).toBe(QUIET_BATCHES * BATCH)
  expect(before.alerts.length).toBeGreaterThan(0)
  await lakeOf(first)
  const transaction = await transactionOf(dataDir)

  // Copied while clients go on sending.
  const ending = new AbortController()
  const load = (async () => {
    while (!ending.signal.aborted) await send(first, startMs, sent++)
  })()
  const running = join(away, 'running')
  const made = await runCli(['backup', '--to', running, '--data', dataDir])
  const again = await runCli(['backup', '--to', running, '--data', dataDir])
  ending.abort()
  await load
  expect([made.code, made.out]).toEqual([
    0,
    expect.stringMatching(/^\S+running: \d[\d,]* files, .*B, in [\d.]+ s\.\n$/),
  ])
  expect([again.code, again.err]).toEqual([1, expect.stringMatching(/There is something in .*running already\./)])
  const after = await answersOf(first)
  expect(after.overview.orders).toBe(sent * BATCH)
  expect(await first.stop(), first.err).toBe(0)
  const refused = await runCli(['restore', '--from', running, '--data', dataDir])
  expect([refused.code, refused.err]).toEqual([
    1,
    expect.stringMatching(/There is something in .* already\. Move it away/),
  ])

  // The machine is gone. Another has the same path and nothing in it.
  await rename(dataDir, join(away, 'burnt'))
  const elsewhere = await runCli(['restore', '--from', running, '--data', join(away, 'other')])
  expect([elsewhere.code, elsewhere.err]).toEqual([
    1,
    expect.stringMatching(/Restore to it with --data .*make it a link/),
  ])
  const restored = await runCli(['restore', '--from', running, '--data', dataDir])
  expect([restored.code, restored.err]).toEqual([0, ''])
  const second = await startPlatform({ dataDir, env: ENV })
  expect(second.writeKey).toBe(first.writeKey)
  const kept = await answersOf(second)
  // All that was there when the copy began, and of what came meanwhile as much as the log had.
  expect(kept.overview.orders).toBeGreaterThanOrEqual(QUIET_BATCHES * BATCH)
  expect(kept.overview.orders).toBeLessThanOrEqual(sent * BATCH)
  await lakeOf(second)
  expect(await transactionOf(dataDir)).toBeGreaterThan(transaction)
  // Clients that were not sure send again: what is known is a duplicate, what was lost with the machine comes back.
  for (let n = QUIET_BATCHES - 5; n < sent; n++) await send(second, startMs, n)
  expect(await answersOf(second)).toEqual(after)
  const doctor = await runCli(['doctor', '--data', dataDir, '--timeout', '60'])
  expect([doctor.code, doctor.out], doctor.out).toEqual([0, expect.not.stringMatching(/^✗/m)])
  const final = await answersOf(second)
  const lake = await lakeOf(second)
  expect(await second.stop(), second.err).toBe(0)
  expect(second.err).not.toMatch(/"level":"(error|fatal)"/)

  // The same of a platform that stands still.
  const stopped = join(away, 'stopped')
  expect(await runCli(['backup', '--to', stopped, '--data', dataDir])).toMatchObject({ code: 0 })
  await rm(dataDir, { recursive: true })
  expect(await runCli(['restore', '--from', stopped, '--data', dataDir])).toMatchObject({ code: 0 })
  const third = await startPlatform({ dataDir, env: ENV })
  expect(await answersOf(third)).toEqual(final)
  expect(await lakeOf(third)).toEqual(lake)
  expect(await third.stop(), third.err).toBe(0)

  const nothing = await runCli(['backup', '--to', join(away, 'none'), '--data', join(away, 'nobody')])
  expect([nothing.code, nothing.err]).toEqual([1, expect.stringMatching(/There is no embedded platform in .*nobody\./)])
  // A copy from which something went missing is told before anything is made of it.
  await writeFile(join(stopped, 'data', 'secrets.json'), '{}')
  const damaged = await runCli(['restore', '--from', stopped, '--data', join(away, 'new')])
  expect([damaged.code, damaged.err]).toEqual([1, expect.stringMatching(/stopped is damaged: it has \d+ files/)])
})

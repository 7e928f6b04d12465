/**
 * `kill -9` around erasures: persons ask to be forgotten, and the platform dies before it has read so, while it forgets, and right after. Nothing of them is left in results, features or
 * checkpoints, nobody else loses anything, and sums are those of everybody.
 */
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { findPlatform } from '../cli/platform.ts'
import { connect, type Database } from '../db/postgres/connect.ts'
import { erasureRecord } from '../streams/contract/erasure.ts'
import { CLICKSTREAM, ORDERS } from '../streams/contract/topics.ts'
import { openEmbeddedLog } from '../streams/log/embedded.ts'
import type { RecordPosition } from '../streams/log/event-log.ts'
import { notForgotten } from '../workflows/erasure/in-streams.ts'
import { type Answer, caughtUp, get, post } from './support/api.ts'
import { eventually } from './support/eventually.ts'
import { findText } from './support/find-text.ts'
import { newDataDir, startPlatform, type TestPlatform, WITHOUT_LAKE } from './support/platform.ts'

const LONG_MS = 120_000
/** No words that could stand anywhere by chance. */
const PERSONS = ['early-7f3a91c4', 'amid-c02b55e8', 'after-0d9e21aa']
const BYSTANDER = 'bystander-5b1c9e77'

it('forgets whom it was told to, whenever it is killed, and nobody else', { timeout: 900_000 }, async () => {
  const dataDir = await newDataDir()
  const options = { dataDir, env: WITHOUT_LAKE }
  let platform = await startPlatform(options)
  let database = await resultsOf(dataDir)
  const kindsOf = async (persons: readonly string[]): Promise<string[]> => {
    const found = await findText({ dataDir, sql: database.sql, texts: persons })
    return [...new Set(found.map(({ kind }) => kind))].sort()
  }
  await visit(platform, BYSTANDER)
  const isSaved = async (): Promise<boolean> => (await database.sql`SELECT 1 FROM checkpoints LIMIT 1`).length > 0
  await eventually('the first checkpoint is there', LONG_MS, isSaved)
  const erasures: RecordPosition[] = []

  for (const [n, person] of PERSONS.entries()) {
    await visit(platform, person)
    await eventually('the person is known everywhere', LONG_MS, async () => (await kindsOf([person])).length === 4, 500)
    expect(await kindsOf([person])).toEqual(['checkpoint', 'features', 'log', 'postgres'])
    const records = await askToBeForgotten(dataDir, person)
    erasures.push(...records)
    // The first dies at once, the second when the rows have gone, the third when everything has.
    if (n === 1) await eventually('the rows have gone', LONG_MS, () => hasRead(database, records), 1)
    if (n === 2) await eventually('it is forgotten', LONG_MS, () => isForgotten(database, records), 1)
    await database.close()
    await platform.kill9()
    platform = await startPlatform(options)
    database = await resultsOf(dataDir)
    await eventually('all are forgotten', LONG_MS, () => isForgotten(database, erasures))
    await caughtUp(platform.url)
    expect(await kindsOf(PERSONS.slice(0, n + 1))).toEqual(['log'])
  }

  const { data: features }: Answer = await get(platform.url, `/features/${BYSTANDER}`)
  expect(features).toMatchObject({ events: { total: 2 }, orders: { total: 3 } })
  const sums = await database.sql`
    SELECT (SELECT sum(orders) FROM revenue_by_minute) AS orders, (SELECT sum(events) FROM traffic_by_minute) AS events,
      (SELECT sum(events) FROM sessions WHERE merged_into IS NULL) AS of_sessions, (SELECT sum(sessions) FROM sessions_by_hour) AS sessions,
      (SELECT count(*) FROM fraud_alerts) AS alerts, (SELECT count(*) FROM fraud_alerts WHERE user_id = ${BYSTANDER}) AS theirs`
  const all = PERSONS.length + 1
  expect(sums.map((row) => Object.values(row).map(Number))).toEqual([[3 * all, 2 * all, 2 * all, all, all, 1]])
  await database.close()
  expect(await platform.stop()).toBe(0)
})

/** A session, and what is suspected to be fraud. */
async function visit(platform: TestPlatform, user_id: string): Promise<void> {
  const clicks = [1, 2].map((n) => ({
    event_id: `${user_id}-${n}`,
    event_type: 'page_view',
    user_id,
    page_url: `https://shop.example/of/${user_id}`,
  }))
  const orders = [1, 2, 3].map((n) => ({ order_id: `${user_id}-${n}`, user_id, amount: 6_000, currency: 'TRY' }))
  expect((await post(platform, '/events', clicks)).body).toMatchObject({ accepted: 2 })
  expect((await post(platform, '/orders', orders)).body).toMatchObject({ accepted: 3 })
}

/** As the workflow does, beside the running platform. */
async function askToBeForgotten(dataDir: string, subject_id: string): Promise<RecordPosition[]> {
  const log = await openEmbeddedLog({ folder: join(dataDir, 'log') })
  try {
    const erasure = { erasure_id: 'of-the-test', subject_id, requested_at: 0 }
    return await log.append([erasureRecord(CLICKSTREAM, erasure), erasureRecord(ORDERS, erasure)])
  } finally {
    await log.close()
  }
}

async function resultsOf(dataDir: string): Promise<Database> {
  const { postgres_url } = (await findPlatform(dataDir))!
  return connect(String(postgres_url), { max: 2, name: 'streamforge-test-erasure-kills' })
}

const isForgotten = async ({ sql }: Database, records: readonly RecordPosition[]): Promise<boolean> =>
  (await notForgotten(sql, records)).length === 0

/** The results are written; features and checkpoints may be still to come. */
async function hasRead({ sql }: Database, records: readonly RecordPosition[]): Promise<boolean> {
  const tasks = await sql<RecordPosition[]>`SELECT topic, partition, next_offset AS offset FROM tasks`
  return records.every((r) =>
    tasks.some((t) => t.topic === r.topic && t.partition === r.partition && t.offset > r.offset),
  )
}

/**
 * A person is erased from the running platform, asked for by HTTP: afterwards nothing of them is found in any store, by a search that found them everywhere before, and every total is what it was.
 * The log's retention is brought about for real, the worker is killed in the middle, and the warehouse is away when the person is to be erased from it.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { findPlatform } from '../cli/platform.ts'
import { findProcesses } from '../cli/processes.ts'
import { ServerUnavailable } from '../cli/servers/cache.ts'
import { temporalProgram } from '../cli/servers/temporal.ts'
import { loadConfig } from '../db/config.ts'
import { connect, type Sql } from '../db/postgres/connect.ts'
import { withPostgres } from '../db/testing/postgres.ts'
import { CLICKSTREAM, ORDERS, TOPICS } from '../streams/contract/topics.ts'
import { openEmbeddedLog } from '../streams/log/embedded.ts'
import { systemClock } from '../streams/time/clock.ts'
import { connectTemporal, type TemporalClient } from '../workflows/client.ts'
import { as } from './support/access.ts'
import { type Answer, caughtUp, get, post } from './support/api.ts'
import { askForErasure, erasureComplete, erasureOf, stepDone } from './support/erasures.ts'
import { eventually } from './support/eventually.ts'
import { findText } from './support/find-text.ts'
import { openTestLake, type TestLake } from './support/lake.ts'
import { startPlatform, type TestPlatform } from './support/platform.ts'

const LONG_MS = 180_000
const DAY_MS = 86_400_000
/** No words that could stand anywhere by chance. */
const USER = 'erin-7f3a91c4'
const DEVICE = 'device-c02b55e8'
const EMAIL = 'erin.k41@mail.example'
const NEEDLES = [USER, DEVICE, EMAIL]
const OTHERS = ['omar', 'lena', 'kofi']
/** A tablet that two people use. */
const SHARED = 'tablet-0d9e21aa'

/** The warehouse's. */
const postgres = withPostgres()

it('nothing of an erased person is left anywhere, and no total has changed', { timeout: 900_000 }, async (context) => {
  const config = loadConfig(process.env)
  await temporalProgram(config).catch((error) => {
    if (error instanceof ServerUnavailable && !config.ci) context.skip(error.message)
    throw error
  })
  const warehouseUrl = await postgres.emptyDatabase()
  const env = {
    STREAMFORGE_WORKFLOWS: 'on',
    STREAMFORGE_LAKE: 'on',
    STREAMFORGE_LAKE_COMMIT_SECONDS: '1',
    WAREHOUSE_URL: warehouseUrl,
  }
  const platform = await startPlatform({ env })
  const { dataDir } = platform
  const running = await eventually('workflows run', LONG_MS, async () => {
    const found = await findPlatform(dataDir)
    return found?.workflows?.state === 'running' ? found : undefined
  })
  const { sql, close } = connect(String(running.postgres_url), { max: 2, name: 'streamforge-test-erasure' })
  onTestFinished(close)
  const warehouse = connect(warehouseUrl, { max: 1, name: 'streamforge-test-erasure' })
  onTestFinished(warehouse.close)
  const objects = join(dataDir, 'objects')
  const lake = await openTestLake(String(running.postgres_url), { kind: 'folder', folder: objects })
  onTestFinished(lake.close)
  const client = await connectTemporal({ address: String(running.temporal_address), namespace: 'default' })
  onTestFinished(() => client.close())
  const workflow = startedOn(client, String(running.temporal_task_queue))

  const day = new Date(systemClock.now() - DAY_MS).toISOString().slice(0, 10)
  await live(platform, day)
  await haveDied(dataDir)
  await caughtUp(platform.url)
  await inLake(lake, sql)
  await workflow('dailyAggregation', { date: day })
  await eventually('the day is in the warehouse', LONG_MS, () => isPublished(warehouse.sql))
  await noteOnAlert(platform)

  const before = await totals(platform, sql, lake, day)
  expect(before).toMatchObject({ overview: { orders: 9, alerts: 1 }, daily: [{ orders: 9 }] })
  const search = () => findText({ dataDir, sql, warehouse: warehouse.sql, texts: NEEDLES })
  // The search finds what is there, in every kind of place; in a checkpoint some seconds after they were read.
  const kinds = ['checkpoint', 'features', 'log', 'manifest', 'parquet', 'postgres', 'warehouse']
  const found = await eventually(
    'the person is found in every kind of place',
    LONG_MS,
    async () => {
      const found = await search()
      return kinds.every((each) => found.some(({ kind }) => kind === each)) && found
    },
    1_000,
  )
  expect([...new Set(found.map(({ kind }) => kind))].sort()).toEqual(kinds)
  for (const table of ['sessions', 'fraud_alerts', 'alert_review_notes'])
    expect(found.map(({ place }) => place)).toContain(table)

  let id = ''
  const erasure = (): Promise<Answer> => erasureOf(platform.url, id)
  await postgres.restart(async () => {
    id = await askForErasure(platform.url, USER)
    // In the middle: the streams are told, and the lake is not done.
    await stepDone(platform.url, id, 'streams', LONG_MS)
    const [worker] = (await findProcesses(dataDir)).filter(({ role }) => role === 'worker')
    process.kill(worker!.pid, 'SIGKILL')
    // Both are awaited at once, and each says so for itself, in whichever order.
    await eventually('it waits for the log and says what else it waits for', LONG_MS, async () => {
      const { state, failure } = await erasure()
      return state === 'waiting_for_log' && /^The warehouse is awaited, and it goes on trying: ./.test(failure ?? '')
    })
  })

  const waiting = await stepDone(platform.url, id, 'warehouse', LONG_MS)
  expect(waiting).toMatchObject({ state: 'waiting_for_log', failure: null })
  expect(Date.parse(waiting.waits_until) - systemClock.now()).toBeGreaterThan(6 * DAY_MS)
  // Of what is left, the log alone knows the person, and the erasure itself.
  expect(new Set((await search()).map(({ kind, place }) => (kind === 'postgres' ? place : kind)))).toEqual(
    new Set(['erasures', 'log']),
  )

  await letRetentionPass(dataDir)
  await client.workflow.getHandle(`eraseSubject:${id}`).signal('look')
  const complete = await erasureComplete(platform.url, id, LONG_MS)
  expect(await totals(platform, sql, lake, day)).toEqual(before)
  expect(await workflow('reconcile', { from: `${day}T08:00:00Z`, to: `${day}T14:00:00Z` })).toMatchObject({
    outcome: 'passed',
  })

  const { steps } = complete as { steps: Answer[] }
  expect(steps.map(({ step }) => step)).toEqual([
    'collect',
    'streams',
    'lake',
    'database',
    'warehouse',
    'log',
    'lake again',
    'warehouse again',
    'database again',
  ])
  for (const { at } of steps) expect(Date.parse(at)).toBeGreaterThan(Date.parse(complete.requested_at))
  const by = (name: string): Answer => steps.find(({ step }) => step === name)
  expect(by('collect')).toMatchObject({ ids: 2, shared_ids_kept: 1, alerts: 1 })
  expect(by('lake').tables['raw.orders'].rows).toBe(3)
  expect(by('lake again').tables['raw.orders'].rows).toBe(0)
  expect(by('warehouse').rows).toEqual({ dim_users: 2, fact_events: 5, fact_transactions: 3 })
  expect(JSON.stringify(complete)).not.toMatch(new RegExp(NEEDLES.join('|')))
  expect(platform.out + platform.err).not.toMatch(new RegExp(NEEDLES.join('|')))

  expect(await search()).toEqual([])
  expect(await platform.stop()).toBe(0)
  // What Temporal has kept of the workflow, in its own form: it was written to disk by now.
  const temporal = join(dataDir, 'temporal')
  for (const file of await readdir(temporal, { recursive: true, withFileTypes: true }))
    if (file.isFile()) {
      const bytes = await readFile(join(file.parentPath, file.name))
      for (const needle of NEEDLES) expect([file.name, bytes.includes(needle)]).toEqual([file.name, false])
    }
})

/** Of the day before, and then of now: so the day's results are final. The person is one of four. */
async function live(platform: TestPlatform, day: string): Promise<void> {
  let made = 0
  const at = (clock: string): string => `${day}T${clock}.000Z`
  const click = (user: object, clock: string, more: object = {}) => ({
    event_id: `e-${++made}`,
    event_type: 'page_view',
    ...user,
    page_url: 'https://shop.example/kettle',
    event_time: at(clock),
    ...more,
  })
  const erin = { user_id: USER, anonymous_id: DEVICE }
  const send = async (path: string, events: object[]) => {
    const { status, body } = await post(platform, path, events)
    expect([status, body.rejected]).toEqual([202, []])
  }
  await send('/events', [
    click({ anonymous_id: DEVICE }, '10:00:00'),
    click(erin, '10:01:00', {
      properties: { email: EMAIL, plan: 'gold' },
      referrer: `https://mail.example/?to=${EMAIL}`,
    }),
    click(erin, '10:02:00', { event_type: 'add_to_cart', product_id: 'kettle' }),
    click({ user_id: USER, anonymous_id: SHARED }, '10:03:00'),
    ...OTHERS.flatMap((user_id, i) => [
      click({ user_id, anonymous_id: i === 0 ? SHARED : `device-of-${user_id}` }, '10:04:00'),
      click({ user_id }, '10:05:00', { event_type: 'product_view', product_id: 'kettle' }),
    ]),
  ])
  const order = (user_id: string, amount: number, clock: string, more: object = {}) => ({
    order_id: `o-${++made}`,
    user_id,
    product_id: 'kettle',
    category: 'home',
    amount,
    currency: 'TRY',
    event_time: at(clock),
    ...more,
  })
  await send('/orders', [
    ...[1, 2, 3].map((n) => order(USER, 6_000 + n, `10:1${n}:00`, { properties: { email: EMAIL } })),
    ...OTHERS.flatMap((user, i) => [1, 2].map((n) => order(user, 40 + i, `10:2${n}:00`))),
  ])
  // Every partition goes on, so that what was before is final.
  const event_time = new Date(systemClock.now()).toISOString()
  const passersBy = Array.from({ length: 24 }, (_, i) => `passer-by-${i}`)
  await send(
    '/events',
    [DEVICE, ...passersBy].map((anonymous_id) => click({ anonymous_id }, '', { event_time })),
  )
  await send('/events', [click(erin, '', { event_time })])
  await send(
    '/orders',
    passersBy.map((user) => order(user, 10, '', { event_time })),
  )
  // Too late for its windows.
  await send('/events', [click(erin, '10:06:00')])
}

/** A record that nobody can read, as another producer may have written it. */
async function haveDied(dataDir: string): Promise<void> {
  const log = await openEmbeddedLog({ folder: join(dataDir, 'log') })
  try {
    await log.append([{ topic: ORDERS, key: USER, value: Buffer.from(`{"user":"${USER}","mail":"${EMAIL}"}`) }])
  } finally {
    await log.close()
  }
}

/** The lake has come as far as the streams, but for records that become no row. */
const inLake = (lake: TestLake, sql: Sql) =>
  eventually(
    'the lake has all events',
    LONG_MS,
    async () => {
      const [read] = await sql<{ clicks: number; orders: number }[]>`
      SELECT coalesce(sum(next_offset) FILTER (WHERE topic = ${CLICKSTREAM}), 0)::int AS clicks,
        coalesce(sum(next_offset - dead_letters) FILTER (WHERE topic = ${ORDERS}), 0)::int AS orders FROM tasks`
      const [clicks, orders, letters] = await Promise.all(
        ['raw.clickstream_events', 'raw.orders', 'raw.dead_letters'].map((table) => lake.totalRecords(table)),
      )
      return clicks === read?.clicks && orders === read?.orders && letters === 1
    },
    200,
  )

const isPublished = async (warehouse: Sql): Promise<boolean> => {
  const [table] = await warehouse`SELECT to_regclass('streamforge.fact_transactions') IS NOT NULL AS "isThere"`
  return table?.isThere
}

/** What somebody thinks of the alert, in words that name the person. */
async function noteOnAlert(platform: TestPlatform): Promise<void> {
  const { data } = await get(platform.url, '/fraud-alerts')
  const response = await fetch(`${platform.url}/api/v1/fraud-alerts/${data[0].alert_id}/review`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(await as('operator')) },
    body: JSON.stringify({ state: 'confirmed', note: `I have called ${EMAIL}.` }),
  })
  expect(response.ok, await response.text()).toBe(true)
}

/** Runs it to its end. */
const startedOn =
  (client: TemporalClient, taskQueue: string) =>
  async (workflow: string, input: object): Promise<unknown> => {
    const run = await client.workflow.start(workflow, {
      taskQueue,
      workflowId: `${workflow}-of-the-test`,
      args: [input],
    })
    return run.result()
  }

/** Figures over everybody, of every part that has some. */
async function totals(platform: TestPlatform, sql: Sql, lake: TestLake, day: string): Promise<Answer> {
  const range = { from: `${day}T00:00:00Z`, to: `${day}T23:00:00Z` }
  const data = async (path: string, query = {}): Promise<Answer> => (await get(platform.url, path, query)).data
  const rows = await lake.rows('raw.orders', ['amount_minor', 'user_id'])
  const clicks = await lake.rows('raw.clickstream_events', ['user_id', 'anonymous_id', 'event_type'])
  const facts = await lake.rows('analytics.fact_events')
  return {
    overview: await data('/metrics/overview', range),
    funnel: await data('/metrics/funnel', range),
    products: await data('/metrics/top_products', range),
    events: await data('/metrics/events_timeseries', { ...range, bucket: '1h' }),
    revenue: await data('/metrics/revenue_timeseries', { ...range, bucket: '1h' }),
    daily: await data('/metrics/daily', { from: day, to: day }),
    hours: await sql`SELECT sum(sessions) AS sessions, sum(converted) AS converted FROM sessions_by_hour`.then(
      ([row]) => ({ ...row }),
    ),
    lake: {
      orders: rows.length,
      minor: rows.reduce((sum, row) => sum + Number(row.amount_minor), 0),
      buyers: new Set(rows.map(({ user_id }) => user_id)).size,
      clicks: clicks.length,
      visitors: new Set(clicks.map(({ user_id, anonymous_id }) => user_id ?? anonymous_id)).size,
      facts: facts.length,
    },
  }
}

/** As the streams do every hour; only that it is a month later. */
async function letRetentionPass(dataDir: string): Promise<void> {
  const clock = { ...systemClock, now: () => systemClock.now() + 31 * DAY_MS }
  const log = await openEmbeddedLog({ folder: join(dataDir, 'log'), topics: TOPICS, clock })
  try {
    expect(await log.trim()).toBeGreaterThan(50)
  } finally {
    await log.close()
  }
}

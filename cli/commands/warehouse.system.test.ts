/** The star schema in a warehouse: a real PostgreSQL, in a database of its own, filled by `streamforge warehouse`; killed, widened, rewritten. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { alterSchema, type Lake, openJdbcCatalog, openLake, openLakeFiles, tableName } from '../../db/lake/index.ts'
import { dayNumber } from '../../db/models/render.ts'
import { noon, putRows } from '../../db/models/testing/put-rows.ts'
import { openFolderObjects } from '../../db/objects/folder.ts'
import { connect, type Database } from '../../db/postgres/connect.ts'
import { eraseFromLake } from '../../db/privacy/erase-from-lake.ts'
import { eraseFromWarehouse } from '../../db/privacy/erase-from-warehouse.ts'
import { withPostgres } from '../../db/testing/postgres.ts'
import { runCommand } from '../testing/run-command.ts'
import { warehouse as command } from './warehouse.ts'

const PROGRAM = fileURLToPath(new URL('../streamforge.mjs', import.meta.url))
const SOON = { timeout: 60_000, interval: 50 }
const options = { timeout: 180_000 }
const DAYS = ['2026-11-10', '2026-11-11', '2026-11-12'] as const
/** Everything that the form in which values travel has a sign for. */
const ODD = 'a "quoted" \\ back\\N slash, {braces}\ttab\nline NULL'

const postgres = withPostgres()
let folder: string
let lake: Lake
let platform: Database
let warehouse: Database
let env: Record<string, string>
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'streamforge-test-warehouse-'))
  const objects = join(folder, 'objects')
  await mkdir(objects)
  const database = await postgres.database()
  platform = database
  lake = openLake(await openJdbcCatalog(database.sql), openLakeFiles(await openFolderObjects(objects)))
  const url = await postgres.emptyDatabase()
  warehouse = connect(url, { max: 3, name: 'looks' })
  env = {
    DATABASE_URL: database.url,
    STREAMFORGE_OBJECTS_URL: `file://${objects}`,
    STREAMFORGE_DATA_DIR: folder,
    WAREHOUSE_URL: url,
    WAREHOUSE_SCHEMA: 'shop',
  }
  for (const day of DAYS) await putRows(lake, 'fact_events', day, eventsOf(day, 3_000))
  await putRows(lake, 'dim_users', DAYS[0], [
    { user_id: 'ada', valid_from: dayNumber(DAYS[0]), region: ODD, device: '', is_current: true },
    { user_id: 'nul\0', valid_from: dayNumber(DAYS[1]), valid_to: dayNumber(DAYS[2]), is_identified: false },
  ])
  await putRows(lake, 'metrics_conversion_funnel', DAYS[0], [
    { position: 1, stage: 'visit', sessions: 2n ** 53n + 1n, rate_of_visits: 0.1 },
  ])
})
afterAll(async () => {
  await warehouse?.close()
  if (folder) await rm(folder, { recursive: true, force: true })
})

const eventsOf = (day: string, count: number, user = 'bob') =>
  Array.from({ length: count }, (_, i) => ({
    event_id: `${day}-${i}`,
    event_type: 'page_view',
    user_id: i === 0 ? 'ada' : `${user}-${i % 7}`,
    revenue_minor: BigInt(i),
    event_time: noon(day) + BigInt(i),
  }))

async function publish(): Promise<Record<string, { rows: number | null; waiting: string[] }>> {
  const { code, out, err } = await runCommand(command, ['publish', '--json'], { env })
  expect([code, err]).toEqual([0, ''])
  const tables = JSON.parse(out) as { table: string; rows: number | null; waiting: string[] }[]
  return Object.fromEntries(tables.map(({ table, rows, waiting }) => [table, { rows, waiting }]))
}

const days = async () => [
  ...(await warehouse.sql`
    SELECT day::text AS day, count(*)::int AS rows, count(DISTINCT event_id)::int AS events, sum(revenue_minor)::int AS sum, min(event_time) AS first
    FROM shop.fact_events GROUP BY day ORDER BY day`),
]
const asPut = (day: string, count: number) => ({
  day,
  rows: count,
  events: count,
  sum: (count * (count - 1)) / 2,
  first: Date.parse(`${day}T12:00:00Z`),
})

it('copies the star schema to the last sign, and what is there already is left alone', options, async () => {
  expect((await runCommand(command, ['status'], { env })).code).toBe(1)
  expect(await publish()).toEqual({
    'analytics.dim_users': { rows: 2, waiting: [] },
    'analytics.fact_events': { rows: 9_000, waiting: [] },
    'analytics.metrics_conversion_funnel': { rows: 1, waiting: [] },
  })
  expect(await days()).toEqual(DAYS.map((day) => asPut(day, 3_000)))
  expect([
    ...(await warehouse.sql`SELECT *, valid_from::text AS valid_from, valid_to::text AS valid_to FROM shop.dim_users ORDER BY user_id`),
  ]).toEqual([
    {
      user_id: 'ada',
      is_identified: null,
      region: ODD,
      device: '',
      valid_from: DAYS[0],
      valid_to: null,
      is_current: true,
    },
    {
      user_id: 'nul\uFFFD',
      is_identified: false,
      region: null,
      device: null,
      valid_from: DAYS[1],
      valid_to: DAYS[2],
      is_current: null,
    },
  ])
  expect([
    ...(await warehouse.sql`SELECT sessions::text AS sessions, rate_of_visits FROM shop.metrics_conversion_funnel`),
  ]).toEqual([{ sessions: String(2n ** 53n + 1n), rate_of_visits: 0.1 }])

  const written = () => warehouse.sql`SELECT xmin::text AS by, ctid::text AS at FROM shop.fact_events ORDER BY event_id`
  const before = [...(await written())]
  expect(Object.values(await publish())).toEqual(Array(3).fill({ rows: null, waiting: [] }))
  expect([...(await written())]).toEqual(before)
  expect((await runCommand(command, ['status'], { env })).code).toBe(0)
})

it('killed in the middle of a table leaves it as it was, and goes on when it is run again', options, async () => {
  await putRows(lake, 'fact_events', DAYS[1], eventsOf(DAYS[1], 4_000))
  // Whoever inserts waits for a lock that is held here: rows are gone by then, and none has come.
  await warehouse.sql.unsafe(`
    CREATE FUNCTION shop.waits() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_advisory_xact_lock(7); RETURN NULL; END';
    CREATE TRIGGER waits AFTER INSERT ON shop.fact_events FOR EACH STATEMENT EXECUTE FUNCTION shop.waits()`)
  const holder = await warehouse.sql.reserve()
  await holder`SELECT pg_advisory_lock(7)`
  const child = spawn(process.execPath, [PROGRAM, 'warehouse', 'publish'], {
    env: { ...process.env, ...env },
    stdio: 'ignore',
  })
  try {
    const sessions = (waiting: boolean) => warehouse.sql`
      SELECT pid FROM pg_stat_activity WHERE application_name = 'streamforge-warehouse' AND (NOT ${waiting} OR wait_event = 'advisory')`
    await vi.waitFor(async () => expect(await sessions(true)).toHaveLength(1), SOON)
    child.kill('SIGKILL')
    await once(child, 'exit')
    await holder`SELECT pg_advisory_unlock(7)`
    await vi.waitFor(async () => expect(await sessions(false)).toHaveLength(0), SOON)
  } finally {
    child.kill('SIGKILL')
    holder.release()
  }
  expect(await days()).toEqual(DAYS.map((day) => asPut(day, 3_000)))
  expect((await runCommand(command, ['status'], { env })).out).toMatch(/analytics\.fact_events +behind/)
  // Only the day that has changed is copied.
  expect(await publish()).toMatchObject({ 'analytics.fact_events': { rows: 4_000 } })
  expect(await days()).toEqual(DAYS.map((day) => asPut(day, day === DAYS[1] ? 4_000 : 3_000)))
})

it('widens a table with the lake, keeps what others added, and says what it can not change', options, async () => {
  await warehouse.sql`ALTER TABLE shop.fact_events ADD COLUMN theirs text`
  await warehouse.sql`CREATE VIEW shop.theirs AS SELECT hour, theirs FROM shop.fact_events`
  await warehouse.sql`ALTER TABLE shop.metrics_conversion_funnel ALTER position TYPE text`
  await alterSchema(lake, tableName('analytics.fact_events'), [
    { change: 'add', column: { name: 'channel', type: 'string' } },
  ])
  await putRows(lake, 'fact_events', DAYS[2], [{ event_id: 'new', channel: 'mail', event_time: noon(DAYS[2]) }])
  await putRows(lake, 'metrics_conversion_funnel', DAYS[0], [{ position: 1, stage: 'visit', sessions: 5n }])
  const { code, err } = await runCommand(command, ['publish'], { env })
  expect(code).toBe(1)
  expect(err).toMatch(
    /^1 of 3 tables did not go to the warehouse\. metrics_conversion_funnel: .*"position" as text, and in the lake it is what PostgreSQL calls integer\. Rename or drop the table/,
  )
  expect([
    ...(await warehouse.sql`SELECT channel, theirs, count(*)::int AS rows FROM shop.fact_events GROUP BY 1, 2 ORDER BY rows`),
  ]).toEqual([
    { channel: 'mail', theirs: null, rows: 1 },
    { channel: null, theirs: null, rows: 7_000 },
  ])
  await warehouse.sql`DROP TABLE shop.metrics_conversion_funnel`
  expect(await publish()).toMatchObject({
    'analytics.fact_events': { rows: null },
    'analytics.metrics_conversion_funnel': { rows: 1 },
  })
})

it(
  'leaves days that are to be built first as they are; whom the lake forgets, the warehouse forgets',
  options,
  async () => {
    await platform.sql`
    INSERT INTO batch_days (day, counts, sequences, stale, built_at, workflow_run_id)
    VALUES (${DAYS[1]}, '{}', '{}', 'It is to be built.', now(), 'run')`
    const pseudonyms = new Map([['ada', 'erased-1']])
    await eraseFromLake(
      lake,
      { pseudonyms, told: null },
      { signal: AbortSignal.timeout(120_000), onProgress: () => {}, memoryMb: 256 },
    )
    expect(await publish()).toMatchObject({
      'analytics.fact_events': { rows: 3_000, waiting: [DAYS[1]] },
      'analytics.dim_users': { rows: 2 },
    })
    const named = async (user: string) => [
      ...(await warehouse.sql`SELECT day::text AS day FROM shop.fact_events WHERE user_id = ${user} ORDER BY day`),
    ]
    expect(await named('ada')).toEqual([{ day: DAYS[1] }])
    expect(await named('erased-1')).toEqual([{ day: DAYS[0] }])
    // An erasure does not wait for the day to be built.
    const settings = { url: env.WAREHOUSE_URL!, schema: 'shop' }
    await warehouse.sql`UPDATE shop.fact_events SET device = 'the phone' WHERE user_id = 'ada'`
    expect(await eraseFromWarehouse(settings, { pseudonyms, told: null })).toEqual({
      dim_users: 0,
      fact_events: 1,
    })
    expect(await named('ada')).toEqual([])
    expect([
      ...(await warehouse.sql`SELECT day::text AS day, device FROM shop.fact_events WHERE user_id = 'erased-1' ORDER BY day`),
    ]).toEqual([
      { day: DAYS[0], device: null },
      { day: DAYS[1], device: null },
    ])
    expect(await days()).toMatchObject([{ rows: 3_000 }, { rows: 4_000 }, { rows: 1 }])

    await platform.sql`UPDATE batch_days SET stale = NULL`
    expect(await publish()).toMatchObject({ 'analytics.fact_events': { rows: 4_000, waiting: [] } })
    expect(await named('ada')).toEqual([])
    expect(await named('erased-1')).toEqual([{ day: DAYS[0] }, { day: DAYS[1] }])
    expect([...(await warehouse.sql`SELECT user_id FROM shop.dim_users ORDER BY user_id`)]).toEqual([
      { user_id: 'erased-1' },
      { user_id: 'nul\uFFFD' },
    ])
  },
)

it('says in a sentence where no warehouse is named, and where it does not answer', options, async () => {
  const { WAREHOUSE_URL, ...without } = env
  expect((await runCommand(command, ['status'], { env: without })).err).toMatch(
    /^No warehouse is named\. Set WAREHOUSE_URL/,
  )
  const wrong = Object.assign(new URL(WAREHOUSE_URL!), { password: 'not-the-one' }).href
  const { code, err } = await runCommand(command, ['publish'], { env: { ...env, WAREHOUSE_URL: wrong } })
  expect(code).toBe(1)
  expect(err).toMatch(
    /^The warehouse at 127\.0\.0\.1:\d+ \(WAREHOUSE_URL\) can't be used: .*password authentication failed/,
  )
  expect(err).not.toContain('not-the-one')
})

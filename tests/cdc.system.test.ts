/**
 * Change data capture on a real PostgreSQL, while everything breaks: the source is killed with kill -9 again and again under 2,000 writes a second, the server is killed, a table
 * is altered, the slot is dropped. At the end the log's state equals the tables row by row, and the topics hold each change once, in order per key, by a ledger that a trigger keeps; and so do the
 * lake and the star schema what was told of products.
 *
 * CDC_SECONDS says for how long (default: 15). CDC_SEED begins it otherwise.
 */
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { buildDay } from '../db/models/day.ts'
import { createDuckdbModels } from '../db/models/duckdb.ts'
import { modelNamed } from '../db/models/models.ts'
import { dayText } from '../db/models/render.ts'
import { builtRows, sorted } from '../db/models/testing/built-rows.ts'
import { connect, type Database } from '../db/postgres/connect.ts'
import { withPostgres } from '../db/testing/postgres.ts'
import { recordsOf } from '../streams/cdc/testing/shop.ts'
import { changeTopic, readChange } from '../streams/contract/cdc.ts'
import { CLICKSTREAM } from '../streams/contract/topics.ts'
import { type EmbeddedLog, openEmbeddedLog } from '../streams/log/embedded.ts'
import { createRandom } from '../streams/testing/random.ts'
import { expectEqual, hasCaughtUp, makeShop, startWriting, type Writers } from './support/cdc-world.ts'
import { eventually } from './support/eventually.ts'
import { openTestLake } from './support/lake.ts'
import { type CliProcess, cleanUp, newDataDir, runCli, spawnCli } from './support/processes.ts'

const SECONDS = Number(process.env.CDC_SECONDS ?? 15)
const SEED = Number(process.env.CDC_SEED ?? 17)
const WRITES_PER_SECOND = 2_000
const DEADLINE_MS = 120_000
const DAY_MS = 86_400_000

const postgres = withPostgres()
let url: string
let dataDir: string
let log: EmbeddedLog
let database: Database
let source: CliProcess

const env = () => ({ CDC_SOURCE_URL: url })
const start = (): CliProcess => spawnCli(['cdc', 'start', '--data', dataDir, '--metrics-port', 'off'], { env: env() })
const follows = (process = source) =>
  eventually('the source follows the changes', DEADLINE_MS, () => {
    if (process.child.exitCode !== null) throw new Error(`The source has ended:\n${process.err}`)
    return process.err.includes('The changes of the database are followed')
  })
const caughtUp = () => eventually('the log has come to the present state', DEADLINE_MS, () => hasCaughtUp(url), 200)

/** As the writers lock them, in the order of their ids: crosswise with one of them, PostgreSQL would end either. Weaker than theirs, which nobody's reference to a product holds up. */
const lockedProducts = (upTo = Number.MAX_SAFE_INTEGER) =>
  database.sql`SELECT id FROM products WHERE id <= ${upTo} ORDER BY id FOR NO KEY UPDATE`

const writing = (changesPerSecond: number, nth: number): Writers => {
  const writers = startWriting(url, changesPerSecond, SEED + nth)
  onTestFinished(() => writers.stop())
  return writers
}

describe('what breaks, and what is in the log afterwards', () => {
  beforeAll(async () => {
    url = await postgres.emptyDatabase()
    await makeShop(url)
    dataDir = await newDataDir()
    log = await openEmbeddedLog({ folder: join(dataDir, 'log') })
    database = connect(url, { max: 2 })
  }, 120_000)
  afterEach(async () => {
    source?.child.kill('SIGKILL')
    await source?.ended()
  })
  afterAll(async () => {
    await database?.close()
    await log?.close()
    await cleanUp()
  })

  test(
    'the source killed at random, and once the server, under 2,000 writes a second: each change is in the log once',
    async ({ annotate }) => {
      const random = createRandom(SEED)
      const writers = writing(WRITES_PER_SECOND, 0)
      const startMs = performance.now()
      const endMs = startMs + SECONDS * 1_000
      let kills = 0
      let serverKilled = false
      while (performance.now() < endMs) {
        source = start()
        const { child } = source
        // From before it has begun, through its snapshot, to some seconds into the stream.
        await Promise.race([
          source.ended(DEADLINE_MS),
          new Promise((resolve) => setTimeout(resolve, random.int(4_000))),
        ])
        if (!serverKilled && performance.now() > endMs - SECONDS * 500) {
          serverKilled = true
          process.kill(postgres.server.pid, 'SIGKILL')
          await postgres.server.exited
          await postgres.restart()
        }
        child.kill('SIGKILL')
        await source.ended()
        kills++
      }
      source = start()
      await follows()
      await writers.stop()
      const seconds = (performance.now() - startMs) / 1_000
      await caughtUp()
      const changes = await expectEqual(url, log)
      const [written] = await database.sql<{ count: number }[]>`SELECT count(*)::int4 AS count FROM ledger`
      await annotate(
        `${kills} kills; ${written!.count} changes were committed, ${Math.round(written!.count / seconds)} a second`,
      )
      expect(serverKilled).toBe(true)
      expect(kills).toBeGreaterThan(SECONDS / 10)
      expect(changes).toBeGreaterThan(1_000)
    },
    (SECONDS + 240) * 1_000,
  )

  test('a table that is altered while it is written to: new columns are there, old ones gone, no change is missing', async () => {
    source = start()
    await follows()
    // It has to have seen the table, to know what is new.
    await database.sql`UPDATE products SET version = version + 1`
    await caughtUp()
    const writers = writing(500, 1)
    await database.sql`ALTER TABLE products ADD COLUMN colour text`
    await database.sql`UPDATE products SET colour = 'blue', version = version + 1 WHERE id IN (${lockedProducts(10)})`
    await database.sql`ALTER TABLE products DROP COLUMN category`
    // A row that is not written to again stays in the log as it was.
    await database.sql`UPDATE products SET version = version + 1 WHERE id IN (${lockedProducts()})`
    await eventually('the source tells of both', DEADLINE_MS, () =>
      ['column colour is new', 'column category is gone'].every((change) => source.err.includes(change)),
    )
    await writers.stop()
    await caughtUp()
    await expectEqual(url, log)
  }, 240_000)

  test('the server restarted under a source that lives: it waits, and goes on', async () => {
    source = start()
    await follows()
    const writers = writing(500, 2)
    await postgres.restart()
    await eventually('the source has broken off', DEADLINE_MS, () => source.err.includes('broke off'))
    await database.sql`UPDATE products SET stock = 0, version = version + 1 WHERE id IN (${lockedProducts()})`
    await writers.stop()
    await caughtUp()
    await expectEqual(url, log)
  }, 240_000)

  test('tables that are idle hold back no WAL while others are written to', async () => {
    source = start()
    await follows()
    await caughtUp()
    const before = await lsnOf('confirmed_flush_lsn')
    await database.sql`CREATE TABLE busy AS SELECT n, repeat('x', 100) AS filler FROM generate_series(1, 50000) AS n`
    const written = await lsnOf('pg_current_wal_lsn()')
    await eventually(
      'the slot has come past what others wrote',
      DEADLINE_MS,
      async () => (await lsnOf('confirmed_flush_lsn')) >= written,
      200,
    )
    expect(written - before).toBeGreaterThan(1_000_000)
  }, 240_000)

  test('a slot that was dropped is an error that names the remedy, and a new snapshot brings back the present state', async () => {
    source = start()
    await follows()
    await caughtUp()
    const { sql } = database
    await sql`SELECT pg_terminate_backend(active_pid, 5000) FROM pg_replication_slots WHERE active_pid IS NOT NULL`
    await eventually('the slot is dropped', DEADLINE_MS, async () =>
      sql`SELECT pg_drop_replication_slot('streamforge')`.then(
        () => true,
        () =>
          sql`SELECT pg_terminate_backend(active_pid, 5000) FROM pg_replication_slots WHERE active_pid IS NOT NULL`.then(
            () => false,
          ),
      ),
    )
    // What is written now is seen by nobody: rows that go, come and change.
    await sql`DELETE FROM orders WHERE id <= 20`
    await sql`INSERT INTO orders (user_id, status, total, currency) VALUES ('unseen', 'placed', 1, 'TRY')`
    await sql`UPDATE products SET name = name || '!', version = version + 1`
    await eventually('the source tells the remedy', DEADLINE_MS, () =>
      /is gone.*streamforge cdc resnapshot/.test(source.err),
    )
    expect((await sql`SELECT 1 FROM pg_replication_slots`).length).toBe(0)
    const status = await runCli(['cdc', 'status', '--data', dataDir], { env: env() })
    expect([status.code, status.out, status.err]).toEqual([
      1,
      expect.stringContaining('lost'),
      expect.stringContaining('cdc resnapshot'),
    ])

    const remedy = await runCli(['cdc', 'resnapshot', '--data', dataDir], { env: env() })
    expect(remedy).toMatchObject({ code: 0, out: expect.stringContaining('rows are in the log') })
    // The source that waited goes on behind the snapshot.
    await sql`UPDATE products SET name = name || '?', version = version + 1 WHERE id <= 10`
    await caughtUp()
    await expectEqual(url, log)
    const after = await runCli(['cdc', 'status', '--data', dataDir, '--json'], { env: env() })
    expect(JSON.parse(after.out)).toMatchObject({ state: 'streaming', wal_status: 'reserved' })
  }, 240_000)

  // Behind all others: it puts a change into the log that the shop has never made.
  test('what the log tells of products is in the lake once, though its writer is killed, and each day has them as they were at its end', async () => {
    source = start()
    await follows()
    await database.sql`UPDATE products SET price = price + 1, version = version + 1`
    await caughtUp()
    const { url: databaseUrl } = await postgres.database()
    const lake = await openTestLake(databaseUrl, { kind: 'folder', folder: join(dataDir, 'objects') })
    onTestFinished(() => lake.close())
    const told = () => lake.totalRecords('raw.cdc_products')
    const clicks = () => lake.totalRecords('raw.clickstream_events')
    const env = { DATABASE_URL: databaseUrl, STREAMFORGE_LAKE_COMMIT_SECONDS: '1', STREAMFORGE_LAKE_COMMIT_MB: '1' }
    const write = () => spawnCli(['lake-writer', '--data', dataDir, '--metrics-port', 'off'], { env })
    const first = write()
    await eventually('some changes are in the lake', DEADLINE_MS, async () => (await told()) > 0)
    first.child.kill('SIGKILL')
    await first.ended()

    const [product] = await database.sql<{ id: string; sku: string }[]>`SELECT id::text, sku FROM products ORDER BY id`
    const lastMs = await lastCommitMs(log)
    const next = Math.floor(lastMs / DAY_MS) + 1
    const click = { event_id: 'c-1', event_type: 'product_view', user_id: 'ada', product_id: product!.sku }
    const value = Buffer.from(JSON.stringify({ ...click, event_time: new Date(lastMs).toISOString() }))
    await log.append([{ topic: CLICKSTREAM, key: 'ada', value }])
    const row = { sku: product!.sku, name: 'Another name' }
    await log.append(recordsOf({ table: 'products', id: Number(product!.id), atMs: (next + 0.5) * DAY_MS, row }))
    const changes = await changesIn(log)
    const last = write()
    await eventually('all changes are in the lake', DEADLINE_MS, async () => (await told()) >= changes.length, 200)
    await eventually('the click is in the lake', DEADLINE_MS, async () => (await clicks()) === 1, 200)
    last.child.kill('SIGTERM')
    expect(await last.ended(DEADLINE_MS), last.err).toBe(0)
    expect(await lake.positions('raw.cdc_products')).toEqual(changes)

    const engine = createDuckdbModels(lake.lake)
    const build = (day: number) => buildDay(lake.lake, engine, dayText(day), { models: OF_PRODUCTS })
    // The tests may have begun before midnight.
    for (const day of [next - 2, next - 1]) await build(day)
    const products = async () =>
      (await builtRows(lake.lake, modelNamed('dim_products'))).map(
        ({ category, brand, first_seen, last_seen, ...each }) => ({ ...each, is_seen: first_seen !== null }),
      )
    const shop = await database.sql`
      SELECT id::text AS shop_product_id, sku, name, (price * 100)::int8 AS price_minor, currency FROM products`
    const expected = shop.map((each) => ({
      ...each,
      ...{ product_id: each.sku, is_listed: true, is_seen: each.shop_product_id === product!.id },
    }))
    expect(sorted(await products())).toEqual(sorted(expected))

    const before = await builtRows(lake.lake, modelNamed('int_shop_products'), next - 1)
    await build(next)
    expect(await products()).toContainEqual(expect.objectContaining({ ...row, shop_product_id: product!.id }))
    await build(next - 1)
    expect(before.length).toBeGreaterThan(0)
    expect(await builtRows(lake.lake, modelNamed('int_shop_products'), next - 1)).toEqual(before)
  }, 300_000)
})

async function lsnOf(expression: 'confirmed_flush_lsn' | 'pg_current_wal_lsn()'): Promise<number> {
  const [row] = await database.sql.unsafe<{ lsn: number }[]>(
    `SELECT pg_wal_lsn_diff(${expression}, '0/0')::int8 AS lsn FROM pg_replication_slots WHERE slot_name = 'streamforge'`,
  )
  return row!.lsn
}

/** The models that products come by. */
const OF_PRODUCTS = [
  'stg_clickstream_repeats',
  'stg_orders_repeats',
  'stg_clickstream_events',
  'stg_orders',
  'int_product_days',
  'int_shop_products',
  'dim_products',
].map(modelNamed)

async function* productRecords(of: EmbeddedLog) {
  const topic = changeTopic('public.products')
  for (let partition = 0; partition < (await of.partitionCount(topic)); partition++)
    for (let offset = (await of.bounds({ topic, partition })).earliest; ; ) {
      const records = await of.read({ topic, partition }, offset, 2_000)
      if (records.length === 0) break
      for (const record of records) if (!record.tombstone) yield { record, place: `${partition}:${record.offset}` }
      offset = records.at(-1)!.offset + 1
    }
}

/** Their places, in the form of a lake's. */
async function changesIn(of: EmbeddedLog): Promise<string[]> {
  const places: string[] = []
  for await (const { place } of productRecords(of)) places.push(place)
  return places.sort()
}

async function lastCommitMs(of: EmbeddedLog): Promise<number> {
  let last = 0
  for await (const { record } of productRecords(of)) {
    const read = readChange(record)
    if (read.kind !== 'tombstone') last = Math.max(last, read.change.source.ts_ms)
  }
  return last
}

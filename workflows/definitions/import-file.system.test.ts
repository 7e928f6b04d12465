/** Files imported by real workflows: run, asked, refused, cancelled and gone on with, and workers killed before and after a commit. */
import { createWriteStream } from 'node:fs'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { WorkflowFailedError } from '@temporalio/client'
import { expect, test, vi } from 'vitest'
import { loadTable, tableName } from '../../db/lake/index.ts'
import { allRows } from '../../db/lake/testing/temporary-lake.ts'
import { withPostgres } from '../../db/testing/postgres.ts'
import { DEAD_LETTERS_TABLE, RAW_TABLES } from '../../streams/contract/lake-tables.ts'
import { ORDERS } from '../../streams/contract/topics.ts'
import { ensureTable } from '../../streams/lake-tables/ensure-table.ts'
import { isBad, ORDERS_SPEC, ordersFile } from '../imports/testing/import-job.ts'
import { type BatchWorld, IMPATIENT, openBatchWorld } from '../testing/batch-world.ts'
import { failureOf } from '../testing/failure-of.ts'
import { withTemporal } from '../testing/with-temporal.ts'
import type { ImportProgress } from './import-file.ts'

const temporal = withTemporal()
const postgres = withPostgres()

const DUCK = { memoryMb: 128, threads: 1 }
const ROWS = 60

async function newWorld(): Promise<BatchWorld> {
  const world = await openBatchWorld(temporal, postgres)
  await mkdir(join(world.dataDir, 'imports'))
  for (const table of [RAW_TABLES[ORDERS], DEAD_LETTERS_TABLE]) await ensureTable(world.lake, table)
  return world
}
const put = (world: BatchWorld, name: string, content: string) =>
  writeFile(join(world.dataDir, 'imports', name), content)
const small = (rows = ROWS) => [...ordersFile(rows)].join('')

/** By import: which rows of the file are there as orders, and which as dead letters. */
async function placesIn({ lake }: BatchWorld) {
  const of = async (table: string) =>
    (await allRows(lake, tableName(table), { ...DUCK, columns: ['log_partition', 'log_offset'] }))
      .map((row) => [-Number(row.log_partition), Number(row.log_offset)] as const)
      .sort(([a, b], [c, d]) => a - c || b - d)
  return { orders: await of('raw.orders'), letters: await of('raw.dead_letters') }
}
const allOf = (id: number, rows = ROWS) => {
  const places = Array.from({ length: rows }, (_, n) => [id, n] as const)
  return { orders: places.filter(([, n]) => !isBad(n)), letters: places.filter(([, n]) => isBad(n)) }
}
const importsIn = async ({ database }: BatchWorld) =>
  (
    await database.sql`SELECT id, state, rows_read, rows_imported, rows_rejected, table_name FROM imports ORDER BY id`
  ).map((row) => ({ ...row }))

test('a file is imported once, whoever asks; anew only where that is said', async () => {
  const world = await newWorld()
  await world.worker()
  await put(world, 'orders.csv', small())
  const input = { file: 'orders.csv', mapping: ORDERS_SPEC }
  const run = await world.start('importFile', input)
  const done: Partial<ImportProgress> = {
    file: 'orders.csv',
    state: 'done',
    import: 1,
    table: 'raw.orders',
    rows_read: ROWS,
    rows_imported: 51,
    rows_rejected: 9,
    bytes: small().length,
    bytes_total: small().length,
    message: null,
  }
  expect(await run.result()).toEqual(done)
  expect(await run.query('progress')).toEqual(done)
  expect((await run.describe()).memo).toEqual({ file: 'orders.csv', import: 1, table: 'raw.orders' })
  expect(await placesIn(world)).toEqual(allOf(1))
  const row = { state: 'done', rows_read: 60, rows_imported: 51, rows_rejected: 9, table_name: 'raw.orders' }
  expect(await importsIn(world)).toEqual([{ id: 1, ...row }])

  // The same content under another name.
  await put(world, 'copy.csv', small())
  const copy = { ...input, file: 'copy.csv' }
  const refused = await failureOf((await world.start('importFile', copy)).result())
  expect(refused).toMatchObject({ type: 'AlreadyImported', nonRetryable: true })
  expect(refused.message).toMatch(
    /^"copy\.csv" has been imported before: the same content with the same mapping was import 1 \("orders\.csv", 51 rows into raw\.orders, .*\)\. Nothing was imported now\. To import it once more, say so: "again": true\.$/,
  )
  expect(await (await world.start('importFile', { ...copy, again: true })).result()).toMatchObject({
    import: 2,
    rows_imported: 51,
  })
  const twice = await placesIn(world)
  expect(twice.orders).toHaveLength(2 * 51)
  // Rows have their ids from the file: the batch layer knows them again.
  const ids = await allRows(world.lake, tableName('raw.orders'), { ...DUCK, columns: ['order_id'] })
  expect(new Set(ids.map((order) => order.order_id)).size).toBe(51)
}, 60_000)

test('what can not be imported fails at once, with a sentence', async () => {
  const world = await newWorld()
  await world.worker()
  await put(world, 'orders.csv', small())
  await put(world, 'packed.csv.gz', 'x')
  await put(world, 'empty.csv', '')
  await writeFile(join(world.dataDir, 'secret.csv'), small())
  await symlink(join(world.dataDir, 'secret.csv'), join(world.dataDir, 'imports', 'link.csv'))
  await mkdir(join(world.dataDir, 'imports', 'folder.csv'))
  const says = async (input: object): Promise<string> => {
    const failure = await failureOf((await world.start('importFile', input)).result())
    expect(failure.nonRetryable).toBe(true)
    return failure.message
  }
  const mapping = ORDERS_SPEC
  const orders = 'orders.csv'
  expect(await says({ mapping })).toMatch(/^The input can't be used: file: .* An example: /)
  expect(await says({ file: orders, mapping: 7 })).toMatch(
    /mapping: must be the name of a preset, or what a mapping file says/,
  )
  expect(await says({ file: orders, mapping: 'nonesuch' })).toMatch(
    /^"nonesuch" is no mapping: give one of rees46, online-retail, nyc-tlc, or/,
  )
  expect(await says({ file: orders, mapping: { topic: 'orders', columns: {} } })).toMatch(
    /^The mapping is not a mapping:\n/,
  )
  expect(await says({ file: '../secret.csv', mapping })).toMatch(
    /"\.\." are not allowed\. Give a path below the import folder/,
  )
  expect(await says({ file: '/etc/orders.csv', mapping })).toMatch(/Give a path below the import folder/)
  expect(await says({ file: 'link.csv', mapping })).toMatch(
    /^"link\.csv" is a link that leads out of the import folder/,
  )
  expect(await says({ file: 'folder.csv', mapping })).toMatch(/is not a file\.$/)
  expect(await says({ file: 'none.csv', mapping })).toMatch(
    /^There is no file "none\.csv" in the import folder .* Copy it there first; "streamforge import" does so\.$/,
  )
  expect(await says({ file: 'imports/none.csv', mapping })).toMatch(
    /^The object store has no object "imports\/none\.csv"\./,
  )
  expect(await says({ file: 'packed.csv.gz', mapping })).toMatch(/Packed files are to be unpacked first\.$/)
  expect(await says({ file: 'empty.csv', mapping })).toMatch(
    /^empty\.csv is empty: a CSV file begins with a line of column names\. 0 rows/,
  )
  expect((await placesIn(world)).orders).toEqual([])
}, 60_000)

test('cancelled, what was committed stays and is told; the same file goes on behind it', async () => {
  const world = await newWorld()
  await world.worker()
  // Two stretches and a bit: one has 64 MB.
  const [rows, note] = [9_000, 'x'.repeat(16_000)]
  const lines = function* () {
    for (let n = 0; n < rows; n++)
      yield `{"id":"o-${n}","customer":"u","total":"${isBad(n) ? '-' : n}","at":"2026-03-01","note":"${note}"}\n`
  }
  await pipeline(lines, createWriteStream(join(world.dataDir, 'imports', 'large.ndjson')))
  const input = { file: 'large.ndjson', mapping: { ...ORDERS_SPEC, properties: ['note'] } }
  const run = await world.start('importFile', input)
  const progress = () => run.query<ImportProgress, []>('progress')
  await vi.waitFor(async () => expect((await progress()).rows_read).toBeGreaterThan(0), {
    timeout: 60_000,
    interval: 100,
  })
  await run.cancel()
  await expect(run.result()).rejects.toBeInstanceOf(WorkflowFailedError)
  expect((await run.describe()).status.name).toBe('CANCELLED')
  const left = await progress()
  expect(left).toMatchObject({ state: 'cancelled' })
  expect(left.message).toBe(
    `Cancelled. ${left.rows_imported} rows of the first ${left.rows_read} of the file are in raw.orders, and stay; importing the same file with the same mapping goes on behind them.`,
  )
  expect(left.rows_read).toBeLessThan(rows)
  const before = await placesIn(world)
  expect([before.orders.length, before.letters.length]).toEqual([left.rows_imported, left.rows_rejected])
  expect(await importsIn(world)).toMatchObject([{ id: 1, state: 'cancelled', rows_read: left.rows_read }])

  const again = await world.start('importFile', input)
  expect(await again.result()).toMatchObject({ state: 'done', import: 1, rows_read: rows })
  expect(await placesIn(world)).toEqual(allOf(1, rows))
  expect(await importsIn(world)).toMatchObject([{ id: 1, state: 'done', rows_read: rows }])
}, 120_000)

// At once: both wait for Temporal to miss the heartbeats of a worker.
test('a worker killed right before or after a commit: another goes on, each row is there once', async () => {
  await Promise.all([survives('before'), survives('after')])
}, 180_000)

async function survives(when: 'before' | 'after'): Promise<void> {
  const world = await newWorld()
  const { sql } = world.database
  await put(world, 'orders.csv', small())
  const doomed = await world.process(IMPATIENT)
  const waitsFor = (table: string) =>
    vi.waitFor(
      async () => {
        // Of this database: the tables of the other one, which is made of the same template, have the same numbers.
        const waiting = await sql`
          SELECT 1 FROM pg_locks WHERE relation = ${table}::regclass AND NOT granted
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`
        expect(waiting).toHaveLength(1)
      },
      { timeout: 60_000, interval: 50 },
    )
  const locked = (table: string, work: () => Promise<void>) =>
    sql.begin(async (tx) => {
      await tx`LOCK TABLE ${tx(table)} IN EXCLUSIVE MODE`
      await work()
    })
  const kill = async () => {
    doomed.signal('SIGKILL')
    await doomed.ended
  }
  const run = await world.start('importFile', { file: 'orders.csv', mapping: ORDERS_SPEC })
  let held: Promise<unknown> = Promise.resolve()
  await locked('iceberg_tables', async () => {
    await waitsFor('iceberg_tables')
    if (when === 'before') return kill()
    // What was committed is to be written down next.
    let isLocked = () => {}
    const locking = new Promise<void>((resolve) => {
      isLocked = resolve
    })
    held = locked('imports', async () => {
      isLocked()
      await waitsFor('imports')
      await kill()
    })
    await locking
  })
  await held
  const { metadata } = await loadTable(world.lake, tableName('raw.orders'))
  expect(metadata.snapshots).toHaveLength(when === 'before' ? 0 : 1)
  await world.worker(IMPATIENT)
  expect(await run.result()).toMatchObject({ state: 'done', import: 1, rows_imported: 51, rows_rejected: 9 })
  expect(await placesIn(world)).toEqual(allOf(1))
}

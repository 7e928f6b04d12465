/**
 * Files into the lake: the real ones against a naive reading, broken ones, importers that are killed at their calls of catalog and store, two at once. Each row of a file is in the lake
 * once, as an event or as a dead letter.
 */
import { randomUUID } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { copyFile, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  appendFiles,
  compact,
  type Lake,
  loadTable,
  NoSuchTable,
  openJdbcCatalog,
  openLake,
  openLakeFiles,
  type Row,
  tableName,
} from '../../db/lake/index.ts'
import { lakeProcesses } from '../../db/lake/testing/lake-processes.ts'
import { allRows } from '../../db/lake/testing/temporary-lake.ts'
import { openFolderObjects } from '../../db/objects/folder.ts'
import type { BulkObjectStore } from '../../db/objects/object-store.ts'
import { withPostgres } from '../../db/testing/postgres.ts'
import { RAW_TABLES, SORTED_BY } from '../../streams/contract/lake-tables.ts'
import { ORDERS } from '../../streams/contract/topics.ts'
import { ensureTable } from '../../streams/lake-tables/ensure-table.ts'
import { nextOffsets } from '../../streams/lake-writer/offsets.ts'
import { systemClock } from '../../streams/time/clock.ts'
import { csvRows } from '../../tests/naive/csv.ts'
import { clickIn, clickOf, isOrder, isTrip, orderIn, orderOf, tripIn, tripOf } from '../../tests/naive/lake-rows.ts'
import { describeWithFiles } from '../../tests/support/real-data.ts'
import { openImportFile } from './import-file.ts'
import { type ImportJob, importRows, type Limits } from './import-rows.ts'
import type { Mark } from './mark.ts'
import { isBad, mappingOf, ORDERS_SPEC, ordersFile, type Spec } from './testing/import-job.ts'
import type { ImportTask } from './testing/import-process.ts'

const postgres = withPostgres()
const processes = lakeProcesses<ImportTask>(fileURLToPath(new URL('./testing/import-process.ts', import.meta.url)))
const CREATED_MS = Date.parse('2026-04-01T00:00:00Z')
const ALL: Limits = { rows: 1e9, bytes: 1e12, ms: 1e9 }
const WRITER = { memoryMb: 256, threads: 1 }

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'streamforge-imports-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

interface World {
  lake: Lake
  objects: BulkObjectStore
  url: string
  store: string
}
async function newWorld(store = join(folder, randomUUID())): Promise<World> {
  const database = await postgres.database()
  const objects = await openFolderObjects(store)
  return {
    lake: openLake(await openJdbcCatalog(database.sql), openLakeFiles(objects)),
    objects,
    url: database.url,
    store,
  }
}

const rowsIn = (lake: Lake, table: string): Promise<Row[]> =>
  allRows(lake, tableName(table), WRITER).catch((error) => {
    if (error instanceof NoSuchTable) return []
    throw error
  })
const ordersIn = (lake: Lake) => rowsIn(lake, 'raw.orders')
const lettersIn = (lake: Lake) => rowsIn(lake, 'raw.dead_letters')

async function jobOf(world: World, id: number, path: string, mapping: Spec, format: ImportJob['format'] = 'csv') {
  const file = await openImportFile({ folder, objects: world.objects }, path)
  const state = await file.state()
  return { id, name: path, mapping: mappingOf(mapping), format, currency: 'TRY', createdAtMs: CREATED_MS, file, state }
}

function stretch({ lake }: World, job: ImportJob, limits = ALL, signal = new AbortController().signal): Promise<Mark> {
  return importRows({ lake, clock: systemClock, writer: WRITER, limits, signal, onProgress: () => {} }, job)
}

/** @returns the marks of its commits */
async function toTheEnd(world: World, job: ImportJob, limits = ALL): Promise<Mark[]> {
  const marks: Mark[] = []
  while (!marks.at(-1)?.done) marks.push(await stretch(world, job, limits))
  return marks
}

const FILES = ['rees46-2019-10-01.csv', 'online-retail-2010-12.csv', 'nyc-tlc-yellow-2019-q1.csv'] as const

describeWithFiles('the real files', FILES, (paths) => {
  it.each([
    [0, 'rees46', 'raw.clickstream_events', clickOf, clickIn, () => true],
    [1, 'online-retail', 'raw.orders', orderOf, orderIn, isOrder],
    [2, 'nyc-tlc', 'raw.trips', tripOf, tripIn, isTrip],
  ] as const)(
    'are in the lake row by row, what is no event among the dead letters (%i, %s)',
    async (i, preset, table, expected, got, isEvent) => {
      const world = await newWorld()
      const name = `${i}-${basename(paths[i]!)}`
      await copyFile(paths[i]!, join(folder, name))
      const job = await jobOf(world, 10 + i, name, preset)
      const marks = await toTheEnd(world, job, { ...ALL, rows: 12_000 })
      const naive = csvRows(paths[i]!)
      expect(marks).toHaveLength(Math.floor(naive.length / 12_000) + 1)

      const rows = await rowsIn(world.lake, table)
      const index = (row: Row): number => Number(row.log_offset)
      rows.sort((a, b) => index(a) - index(b))
      const events = naive.map((row, at) => ({ row, at })).filter(({ row }) => isEvent(row))
      expect(rows.map(got)).toEqual(events.map(({ row }) => expected(row)))
      expect(rows.map(index)).toEqual(events.map(({ at }) => at))
      expect(new Set(rows.map((row) => row.log_partition))).toEqual(new Set([-10 - i]))
      expect(rows.every((row) => Number(row.log_appended_at) === CREATED_MS * 1000)).toBe(true)

      const letters = await lettersIn(world.lake)
      const bad = naive.map((row, at) => ({ row, at })).filter(({ row }) => !isEvent(row))
      expect(letters.map((row) => Number(row.source_offset)).sort((a, b) => a - b)).toEqual(bad.map(({ at }) => at))
      expect(marks.at(-1)).toMatchObject({
        next: naive.length,
        imported: events.length,
        rejected: bad.length,
        done: true,
      })
      if (i === 2) expect(bad.length).toBeGreaterThan(0)
    },
    60_000,
  )
})

describe('what is no event', () => {
  it('is a dead letter with its row, line and reason, and its neighbours go on', async () => {
    const world = await newWorld()
    const lines = [
      '{"id":"a","customer":"u","total":1,"at":"2026-03-01"}',
      '{"id":"b","customer":"u","total":',
      '',
      '[1]',
      '{"id":"c","customer":"u","total":"much","at":"2026-03-01"}',
      '{"id":"d","customer":"u","total":2,"at":"1980-03-01"}',
      '{"id":"e","customer":"\\ud800x","total":3,"at":"2026-03-01"}',
    ]
    await writeFile(join(folder, 'bad.ndjson'), lines.join('\n'))
    const job = await jobOf(world, 3, 'bad.ndjson', ORDERS_SPEC, 'ndjson')
    expect(await toTheEnd(world, job)).toMatchObject([{ next: 6, imported: 2, rejected: 4, done: true }])
    const rows = await ordersIn(world.lake)
    expect(rows.map((row) => [row.order_id, row.user_id, Number(row.log_offset)])).toEqual([
      ['a', 'u', 0],
      ['e', '\ufffdx', 5],
    ])
    const letters = (await lettersIn(world.lake)).sort((a, b) => Number(a.source_offset) - Number(b.source_offset))
    const told = letters.map((row) => [
      Number(row.source_offset),
      JSON.parse(String(row.headers)).line,
      row.reason,
      String(row.message).slice(0, 25),
      Buffer.from(row.value as Uint8Array).toString(),
    ])
    expect(told).toEqual([
      [1, '2', 'bad_json', 'not valid JSON: Unexpecte', lines[1]],
      [2, '4', 'bad_json', 'not a JSON object', lines[3]],
      [3, '5', 'bad_row', 'amount: expected a number', lines[4]],
      [4, '6', 'invalid_event', 'event_time: before 1990; ', lines[5]],
    ])
    expect(letters[0]).toMatchObject({
      kind: 'letter',
      cause: 'dead/import:bad.ndjson/-3/1',
      source_topic: 'import:bad.ndjson',
      log_topic: 'import:bad.ndjson',
      log_partition: -3,
      source_partition: -3,
    })
  })

  it('is let go where it says that whom it is about does not agree, and counted, over stretches', async () => {
    const world = await newWorld()
    const row = (id: string, agreed: unknown, total: unknown = 1) =>
      JSON.stringify({ id, customer: 'u', total, at: '2026-03-01', agreed })
    const lines = [row('a', true), row('b', false), row('c', 'no'), row('d', null), row('e', 0, 'much'), row('f', '1')]
    await writeFile(join(folder, 'agreed.ndjson'), lines.join('\n'))
    const asking = { ...ORDERS_SPEC, columns: { ...ORDERS_SPEC.columns, consent: 'agreed' } }
    const job = await jobOf(world, 9, 'agreed.ndjson', asking, 'ndjson')
    const marks = await toTheEnd(world, job, { ...ALL, rows: 2 })
    expect(marks.at(-1)).toMatchObject({ next: 6, imported: 3, rejected: 1, withoutConsent: 2, done: true })
    expect((await ordersIn(world.lake)).map((each) => each.order_id).sort()).toEqual(['a', 'd', 'f'])
    expect((await lettersIn(world.lake)).map((each) => String(each.message))).toEqual([
      'consent: expected true or false (or 1 or 0), found "no"',
    ])
  })

  it('of a CSV row keeps the names of its columns, or its values', async () => {
    const world = await newWorld()
    const text = 'id,customer,total,at\no-1,u,x,2026-03-01\no-2,u\no-3,"u"x,1,2026-03-01\no-4,u,1,2026-03-01\n'
    await writeFile(join(folder, 'bad.csv'), text)
    await toTheEnd(world, await jobOf(world, 4, 'bad.csv', ORDERS_SPEC))
    const letters = (await lettersIn(world.lake)).sort((a, b) => Number(a.source_offset) - Number(b.source_offset))
    expect(letters.map((row) => Buffer.from(row.value as Uint8Array).toString())).toEqual([
      '{"id":"o-1","customer":"u","total":"x","at":"2026-03-01"}',
      '["o-2","u"]',
      'o-3,"u"x,1,2026-03-01',
    ])
    expect((await ordersIn(world.lake)).map((row) => row.order_id)).toEqual(['o-4'])
  })
})

const ROWS = 60
const write = (name: string, rows = ROWS) => writeFile(join(folder, name), [...ordersFile(rows)].join(''))
/** Every row of the file is there once: as an order, or as a dead letter. */
async function isWhole({ lake }: World, id: number, rows = ROWS): Promise<void> {
  const numbers = Array.from({ length: rows }, (_, n) => n)
  const mine = (all: Row[]) => all.filter((row) => row.log_partition === -id).map((row) => Number(row.log_offset))
  const sorted = (offsets: number[]) => offsets.sort((a, b) => a - b)
  expect(sorted(mine(await ordersIn(lake)))).toEqual(numbers.filter((n) => !isBad(n)))
  expect(sorted(mine(await lettersIn(lake)))).toEqual(numbers.filter(isBad))
}

it('an importer killed at many calls of catalog and store: the next goes on, each row is there once', {
  timeout: 240_000,
}, async () => {
  await write('kill.csv')
  const limits = { ...ALL, rows: 35 }
  const AT_ONCE = 2
  const dies = async (dieAt: number): Promise<boolean> => {
    const world = await newWorld(processes.objects)
    const { signal, code, err, out } = await processes.run({
      url: world.url,
      folder,
      file: 'kill.csv',
      mapping: ORDERS_SPEC,
      format: 'csv',
      id: 5,
      createdAtMs: CREATED_MS,
      limits,
      memoryMb: 64,
      dieAt,
    } as Omit<ImportTask, 'objects' | 'scratch'>)
    if (signal !== 'SIGKILL') expect([code, err]).toEqual([0, ''])
    const job = await jobOf(world, 5, 'kill.csv', ORDERS_SPEC)
    const marks = await toTheEnd(world, job, limits)
    // What it had been acknowledged, nobody did again.
    const acknowledged = Number(/at (\d+)\n(?!.*at)/s.exec(out)?.[1] ?? 0)
    expect(marks[0]!.next).toBeGreaterThanOrEqual(acknowledged)
    await isWhole(world, 5)
    return signal === 'SIGKILL'
  }
  // Every third call: what lies between two of them differs by which of a table's files is there.
  let step = 1
  for (let dead = true; dead; step += 3 * AT_ONCE) {
    const ends = await Promise.all(Array.from({ length: AT_ONCE }, (_, i) => dies(step + 3 * i)))
    dead = ends.every(Boolean)
  }
  expect(step).toBeGreaterThan(24)
})

it('two importers of one file at once: each row is there once, and the slower one is told', async () => {
  const world = await newWorld()
  await write('race.csv')
  const job = await jobOf(world, 6, 'race.csv', ORDERS_SPEC)
  // Both know where they begin before either reads a row: else the slower one might only begin behind the other.
  let haveBegun = 0
  let goOn = () => {}
  const bothHaveBegun = new Promise<void>((resolve) => {
    goOn = resolve
  })
  const read = job.file.open
  const open = async function* (from: number) {
    if (++haveBegun === 2) goOn()
    await bothHaveBegun
    yield* read(from)
  }
  job.file = { ...job.file, open: (from) => Readable.from(open(from), { objectMode: false }) }
  const limits = [
    { ...ALL, rows: 25 },
    { ...ALL, rows: 20 },
  ]
  const ends = await Promise.allSettled(limits.map((each) => stretch(world, job, each)))
  expect(ends.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  expect(ends.find(({ status }) => status === 'rejected')).toMatchObject({
    reason: { name: 'CommitRefused', message: expect.stringContaining('another worker has written meanwhile') },
  })
  await toTheEnd(world, job)
  await isWhole(world, 6)
})

it('broken off by its signal it commits nothing, and leaves no file', async () => {
  const world = await newWorld()
  await write('stop.csv', 5_000)
  const job = await jobOf(world, 7, 'stop.csv', ORDERS_SPEC)
  const first = await stretch(world, job, { ...ALL, rows: 1_000 })
  const stop = new AbortController()
  const read = job.file.open
  job.file = {
    ...job.file,
    open(from) {
      stop.abort(new Error('enough'))
      return read(from)
    },
  }
  const files = async () => {
    const found: string[] = []
    for await (const page of world.objects.pages('')) found.push(...page.map(({ key }) => key))
    return found
  }
  const before = await files()
  await expect(stretch(world, job, ALL, stop.signal)).rejects.toThrow('enough')
  expect(await files()).toEqual(before)
  expect((await ordersIn(world.lake)).length + (await lettersIn(world.lake)).length).toBe(first.next)
})

it('a file that was changed while it is imported is told, before any of its rows are committed', async () => {
  const world = await newWorld()
  await write('changed.csv')
  const job = await jobOf(world, 8, 'changed.csv', ORDERS_SPEC)
  await stretch(world, job, { ...ALL, rows: 25 })
  await utimes(join(folder, 'changed.csv'), new Date(), new Date(Date.now() + 60_000))
  await expect(stretch(world, job)).rejects.toThrow(
    '"changed.csv" has changed since its import began. What was imported stays',
  )
  expect((await ordersIn(world.lake)).length + (await lettersIn(world.lake)).length).toBe(25)
})

it('an object of the store is read like a file, and goes on where it was', async () => {
  const world = await newWorld()
  await world.objects.put('imports/shop/orders.csv', Buffer.from([...ordersFile(ROWS)].join('')))
  const job = await jobOf(world, 9, 'imports/shop/orders.csv', ORDERS_SPEC)
  expect(await toTheEnd(world, job, { ...ALL, rows: 25 })).toHaveLength(3)
  await isWhole(world, 9)
})

it('the offsets of the lake-writer stay as they are, compaction too finds its way', async () => {
  const world = await newWorld()
  const { lake } = world
  const { name, metadata } = await ensureTable(lake, RAW_TABLES[ORDERS])
  const offsets = JSON.stringify({ log: 'log-1', next: { 'transactions.orders-0': 42 } })
  const committed = { 'streamforge.offsets': offsets }
  await appendFiles(lake, name, [], { summary: committed, properties: () => committed })
  await write('beside.csv')
  const job = await jobOf(world, 1, 'beside.csv', ORDERS_SPEC)
  const second = await jobOf(world, 2, 'beside.csv', ORDERS_SPEC)
  const limits = { ...ALL, rows: 11 }
  for (let i = 0; i < 3; i++) for (const each of [job, second]) await stretch(world, each, limits)
  await compact(lake, name, { ...WRITER, minFiles: 2, sortBy: SORTED_BY })
  for (const each of [job, second]) await toTheEnd(world, each, limits)
  const after = (await loadTable(lake, name)).metadata
  expect(after['table-uuid']).toBe(metadata['table-uuid'])
  expect(nextOffsets(after, 'raw.orders', 'log-1')).toEqual({ 'transactions.orders-0': 42 })
  await isWhole(world, 1)
  await isWhole(world, 2)
})

it('memory does not grow with the file', { timeout: 120_000 }, async () => {
  const world = await newWorld(processes.objects)
  const [rows, note] = [10_000, 'x'.repeat(16_000)]
  await pipeline(
    function* () {
      for (let n = 0; n < rows; n++)
        yield `{"id":"o-${n}","customer":"u","total":${n},"at":"2026-03-01","note":"${n}${note}"}\n`
    },
    createWriteStream(join(folder, 'large.ndjson')),
  )
  const { out, err } = await processes.run({
    url: world.url,
    folder,
    file: 'large.ndjson',
    mapping: { ...ORDERS_SPEC, properties: ['note'] },
    format: 'ndjson',
    id: 1,
    createdAtMs: CREATED_MS,
    limits: { ...ALL, bytes: 48 * 1024 * 1024 },
    memoryMb: 256,
  } as Omit<ImportTask, 'objects' | 'scratch'>)
  await rm(join(folder, 'large.ndjson'))
  expect(err).toBe('')
  const [, mib] = /, (\d+) MiB/.exec(out) ?? []
  expect(Number(mib)).toBeLessThan(640)
  const { metadata } = await loadTable(world.lake, tableName('raw.orders'))
  expect(metadata.snapshots.at(-1)?.summary['total-records']).toBe(String(rows))
})

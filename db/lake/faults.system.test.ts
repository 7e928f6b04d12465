/**
 * Stores that fail: S3 that refuses, resets, is silent or loses its answers, and PostgreSQL whose connection breaks in the middle of a commit. An append ends right or in a clear
 * error, in bounded time, and its rows are in the table once or not at all.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { withS3 } from '../../cli/servers/testing/with-s3.ts'
import { openFolderObjects } from '../objects/folder.ts'
import { type FaultyProxy, type S3Fault, startFaultyProxy } from '../objects/testing/faulty-proxy.ts'
import { connect, type Database } from '../postgres/connect.ts'
import { withPostgres } from '../testing/postgres.ts'
import {
  appendFiles,
  compact,
  createTable,
  expireSnapshots,
  type Lake,
  loadTable,
  openJdbcCatalog,
  openLake,
  openLakeFiles,
  openWriter,
  removeOrphans,
  schemaOf,
  tableName,
  UnknownOutcome,
} from './index.ts'
import { type CuttingProxy, startCuttingProxy } from './testing/cutting-proxy.ts'
import { lakeProcesses } from './testing/lake-processes.ts'
import { allRows } from './testing/temporary-lake.ts'

const postgres = withPostgres()
const small = { memoryMb: 64, threads: 1 }
const name = tableName('raw.events')
const schema = schemaOf([
  { name: 'id', type: 'long', required: true },
  { name: 'user', type: 'string' },
])
const BOUND_MS = 60_000

async function append(lake: Lake, ids: readonly number[]) {
  const writer = await openWriter(lake, (await loadTable(lake, name)).metadata, small)
  await writer.appendRows(ids.map((id) => ({ id: BigInt(id), user: `u${id}` })))
  return appendFiles(lake, name, await writer.finish())
}
const idsOf = async (lake: Lake) => (await allRows(lake, name, small)).map((row) => Number(row.id))
/** Done, or the error it ended in; never later than the bound. */
async function outcome(work: Promise<unknown>): Promise<Error | 'done'> {
  const start = performance.now()
  const end = await work.then(
    () => 'done' as const,
    (error: Error) => error,
  )
  expect(performance.now() - start).toBeLessThan(BOUND_MS)
  return end
}

describe('S3', () => {
  const s3 = withS3()
  let proxy: FaultyProxy
  /** By the proxy, quick to try again, and otherwise as it is. */
  let lake: Lake
  /** Around the proxy. */
  let direct: Lake
  beforeEach(async () => {
    proxy = await startFaultyProxy(s3.server.endpoint)
    const catalog = await openJdbcCatalog((await postgres.database()).sql)
    const { prefix } = s3.target()
    const limits = { pauseMs: 5, pauseMaxMs: 20, silenceMs: 1_000, attempts: 3 }
    lake = openLake(catalog, openLakeFiles(s3.store({ prefix, endpoint: proxy.endpoint, limits })))
    direct = openLake(catalog, openLakeFiles(s3.store({ prefix })))
    await createTable(direct, name, { schema })
    await append(direct, [1, 2])
  })
  afterEach(() => proxy?.close())

  test('every request fails at first, in one way or another: appended, compacted, expired, every row once', async () => {
    const faults: S3Fault[] = [{ status: 500, code: 'InternalError' }, { status: 503 }, 'reset', 'lose-answer']
    const seen = new Set<string>()
    proxy.plan = (request) => (seen.has(request) ? 'pass' : faults[seen.add(request).size % faults.length]!)
    for (let i = 0; i < 3; i++) await append(lake, [10 + 2 * i, 11 + 2 * i])
    expect((await compact(lake, name, { minFiles: 2, ...small })).refused).toEqual([])
    await expireSnapshots(lake, name, { olderThanMs: Date.now() + 1 })
    expect(await idsOf(lake)).toEqual([1, 2, 10, 11, 12, 13, 14, 15])
    proxy.plan = () => 'pass'
    const later: Lake = { ...direct, clock: { ...direct.clock, now: () => Date.now() + 1e9 } }
    // Answers that were lost left nothing but what the table has.
    expect(await removeOrphans(later, name)).toEqual([])
    expect(proxy.requests.length).toBeGreaterThan(60)
  })

  test('it stays broken from any request of an append on: an error that says so, and the table is as it was', async () => {
    let broken = 0
    for (let from = 0; ; from++) {
      const start = proxy.requests.length
      proxy.plan = (_, index) => (index - start < from ? 'pass' : (['reset', { status: 503 }] as const)[from % 2]!)
      const end = await outcome(append(lake, [100]))
      if (end === 'done') break
      expect(end.message).toMatch(/in the bucket "test-bucket" could not be (stored|read)/)
      expect(await idsOf(direct)).toEqual([1, 2])
      broken++
    }
    expect(broken).toBeGreaterThan(5)
    proxy.plan = () => 'pass'
    expect(await idsOf(direct)).toEqual([1, 2, 100])
    await append(lake, [101])
    expect(await idsOf(lake)).toEqual([1, 2, 100, 101])
  })

  test('a server that is silent is given up in time, and found again', async () => {
    proxy.plan = (request) => (request.startsWith('PUT') ? 'silent' : 'pass')
    const end = await outcome(append(lake, [100]))
    expect(String(end)).toMatch(/could not be stored in 3 attempts: no answer for 1 s/)
    proxy.plan = (request, index) => (request.startsWith('PUT') && index % 2 === 0 ? 'silent' : 'pass')
    await append(lake, [101])
    expect(await idsOf(direct)).toEqual([1, 2, 101])
  })

  test('a data file that was damaged there is named', async () => {
    const { metadata } = await loadTable(direct, name)
    const { readFile, writeFile, readdir } = await import('node:fs/promises')
    const { join } = await import('node:path')
    const key = metadata.location.replace(/^s3:\/\/[^/]+\//, '')
    const [file] = (await readdir(join(s3.bucketFolder, key, 'data'))).filter((each) => each.endsWith('.parquet'))
    const path = join(s3.bucketFolder, key, 'data', file!)
    const body = await readFile(path)
    body[20]! ^= 1
    await writeFile(path, body, { flag: 'r+' })
    await expect(idsOf(direct)).rejects.toThrow(new RegExp(`${file}" in the bucket .* It is damaged`))
  })
})

describe('PostgreSQL, when its connection breaks', () => {
  const processes = lakeProcesses()
  const databases: Database[] = []
  let proxy: CuttingProxy
  let lake: Lake
  let impatient: Lake
  let direct: Lake
  let count = 0
  beforeAll(async () => {
    proxy = await startCuttingProxy(await postgres.emptyDatabase())
  })
  beforeEach(async () => {
    const { url, sql } = await postgres.database()
    await proxy?.close()
    proxy = await startCuttingProxy(url)
    const cut = connect(proxy.url, { max: 2 })
    databases.push(cut)
    const files = openLakeFiles(await openFolderObjects(processes.objects), `warehouse-${++count}`)
    direct = openLake(await openJdbcCatalog(sql), files)
    await createTable(direct, name, { schema })
    await append(direct, [1, 2])
    lake = openLake(await openJdbcCatalog(cut.sql), files)
    impatient = openLake(await openJdbcCatalog(cut.sql, 'lake', { answerMs: 3_000 }), files)
  })
  afterAll(async () => {
    for (const database of databases) await database.close()
    await proxy?.close()
  })
  const updated = /UPDATE 1/
  const update = /UPDATE iceberg_tables/

  test('after the commit, its answer being lost: committed once, and known to be', async () => {
    proxy.cut = ({ to, text }) => proxy.cuts === 0 && to === 'client' && updated.test(text)
    expect(await outcome(append(lake, [3]))).toBe('done')
    expect(proxy.cuts).toBe(1)
    expect(await idsOf(direct)).toEqual([1, 2, 3])
    expect((await loadTable(direct, name)).metadata.snapshots).toHaveLength(2)
  })

  test('before the commit gets there: committed at the next attempt', async () => {
    proxy.cut = ({ to, text }) => proxy.cuts === 0 && to === 'server' && update.test(text)
    expect(await outcome(append(lake, [3]))).toBe('done')
    expect(proxy.cuts).toBe(1)
    expect(await idsOf(direct)).toEqual([1, 2, 3])
  })

  test('after the commit, while others commit and the log of metadata is short: still committed once', async () => {
    const { alterProperties } = await import('./index.ts')
    await alterProperties(direct, name, { 'write.metadata.previous-versions-max': '1' })
    const { swap } = lake.catalog
    // Between the lost answer and the question of whether it happened.
    let others = 0
    const catalog = {
      ...lake.catalog,
      swap: async (...args: Parameters<typeof swap>) => {
        if (proxy.cuts === 1 && others++ === 0) for (const id of [50, 51, 52]) await append(direct, [id])
        return swap(...args)
      },
    }
    proxy.cut = ({ to, text }) => proxy.cuts === 0 && to === 'client' && updated.test(text)
    expect(await outcome(append({ ...lake, catalog }, [3]))).toBe('done')
    expect(await idsOf(direct)).toEqual([1, 2, 3, 50, 51, 52])
  })

  test.each([
    ['after', 'client', updated, [1, 2, 3]],
    ['before', 'server', update, [1, 2]],
  ] as const)(
    '%s the commit, and stays away: the outcome is said to be unknown, and no file is removed',
    async (_, side, at, rows) => {
      proxy.cut = ({ to, text }) => {
        if (proxy.isAway || to !== side || !at.test(text)) return false
        proxy.isAway = true
        return true
      }
      const end = await outcome(append(impatient, [3]))
      expect(end).toBeInstanceOf(UnknownOutcome)
      expect(String(end)).toMatch(
        /raw\.events happened is unknown: the catalog can't be reached.*read the table before writing again/,
      )
      proxy.isAway = false
      proxy.cut = () => false
      expect(await idsOf(lake)).toEqual(rows)
      await append(lake, [4])
      expect(await idsOf(direct)).toEqual([...rows, 4])
      const later: Lake = { ...direct, clock: { ...direct.clock, now: () => Date.now() + 1e9 } }
      const orphans = await removeOrphans(later, name)
      if (side === 'server') expect(orphans.length).toBeGreaterThan(2)
      else expect(orphans).toEqual([])
      expect(await idsOf(direct)).toEqual([...rows, 4])
    },
  )

  test('while a table is loaded: an error, and nothing is written', async () => {
    proxy.isAway = true
    expect(await outcome(append(impatient, [3]))).toBeInstanceOf(Error)
    proxy.isAway = false
    expect(await idsOf(lake)).toEqual([1, 2])
  })
})

/**
 * Processes that work on a table and are killed (`kill -9`) at every step of an append, a compaction, an expiry and a removal of orphans: what was there and what was acknowledged is
 * there once, nothing is half visible, the next writer goes on, and what they left behind is found by the removal of orphans, and nothing else. Then eight of them at once.
 */
import { beforeAll, expect, test } from 'vitest'
import { openFolderObjects } from '../objects/folder.ts'
import type { Database } from '../postgres/connect.ts'
import { withPostgres } from '../testing/postgres.ts'
import {
  appendFiles,
  compact,
  createTable,
  currentSnapshot,
  expireSnapshots,
  type Lake,
  loadTable,
  openJdbcCatalog,
  openLake,
  openLakeFiles,
  openWriter,
  partitionBy,
  removeOrphans,
  schemaOf,
  type TableName,
  tableName,
} from './index.ts'
import { reachableFiles } from './maintenance/reachable.ts'
import { type LakeTask, rowOf } from './testing/lake-process.ts'
import { lakeProcesses } from './testing/lake-processes.ts'
import { allRows } from './testing/temporary-lake.ts'

const postgres = withPostgres()
const processes = lakeProcesses()
const schema = schemaOf([
  { name: 'id', type: 'long', required: true },
  { name: 'event_time', type: 'timestamptz', required: true },
  { name: 'user', type: 'string' },
])
const spec = partitionBy(schema, [{ column: 'event_time', transform: 'day' }])
const LATER_MS = 73 * 3_600_000
const AT_ONCE = 3

let database: Database & { url: string }
let lake: Lake
/** Everything is old to it. */
let later: Lake
beforeAll(async () => {
  database = await postgres.database({ max: 6 })
  lake = openLake(await openJdbcCatalog(database.sql), openLakeFiles(await openFolderObjects(processes.objects)))
  later = { ...lake, clock: { ...lake.clock, now: () => Date.now() + LATER_MS } }
})

const idsOf = async (table: TableName, options = {}) =>
  (await allRows(lake, table, { ...options, columns: ['id'], memoryMb: 64, threads: 1 })).map((row) => Number(row.id))
async function append(table: TableName, ids: readonly number[]) {
  const writer = await openWriter(lake, (await loadTable(lake, table)).metadata, { memoryMb: 64, threads: 1 })
  await writer.appendRows(ids.map(rowOf))
  await appendFiles(lake, table, await writer.finish())
}

/** Of one partition. */
const BEFORE = [1, 3, 5, 7, 9, 11]
/** Of two. */
const NEW = [20, 21, 23]
/** Three snapshots of one file each, and metadata files that go when they are no longer among the last two. */
async function prepare(table: TableName): Promise<void> {
  const properties = {
    'write.metadata.delete-after-commit.enabled': 'true',
    'write.metadata.previous-versions-max': '2',
  }
  await createTable(lake, table, { schema, spec, properties })
  for (let i = 0; i < BEFORE.length; i += 2) await append(table, BEFORE.slice(i, i + 2))
}

async function filesOf(table: TableName): Promise<string[]> {
  const { metadata } = await loadTable(lake, table)
  const files: string[] = []
  for await (const page of lake.files.list(`${metadata.location}/`)) files.push(...page.map(({ uri }) => uri))
  return files.sort()
}
async function neededBy(table: TableName): Promise<Set<string>> {
  const { metadata, metadataLocation } = await loadTable(lake, table)
  const log = metadata['metadata-log'].map((each) => each['metadata-file'])
  return new Set([...(await reachableFiles(lake, metadata)), metadataLocation, ...log])
}

/** What must hold of a table whatever happened to those who worked on it. @param ids of its rows */
async function isWhole(table: TableName, ids: readonly number[]): Promise<void> {
  expect(await idsOf(table)).toEqual(ids)
  const { metadata } = await loadTable(lake, table)
  const totals = []
  for (const { 'snapshot-id': snapshotId, summary } of metadata.snapshots) {
    const rows = await idsOf(table, { snapshotId })
    expect(new Set(rows).size).toBe(rows.length)
    totals.push([rows.length, Number(summary['total-records'])])
  }
  expect(totals.every(([rows, total]) => rows === total)).toBe(true)

  const next = 100
  await append(table, [next])
  const needed = await neededBy(table)
  const orphans = (await filesOf(table)).filter((file) => !needed.has(file))
  const removed = await removeOrphans(later, table)
  expect(removed.map(({ uri }) => uri).sort()).toEqual(orphans)
  expect(await filesOf(table)).toEqual([...needed].sort())
  expect(await idsOf(table)).toEqual([...ids, next])
}

/** Where a process has left what nothing names: there must be some, or the deaths were not at the right places. */
async function orphansAfter(table: TableName): Promise<number> {
  const needed = await neededBy(table)
  return (await filesOf(table)).filter((file) => !needed.has(file)).length
}

test.each([
  ['append', 7],
  ['compact', 8],
  ['expire', 5],
  ['orphans', 3],
] as const)('a process killed at every step of: %s', { timeout: 240_000 }, async (work, leastSteps) => {
  const orphan = async (table: TableName, count: number) => {
    const { metadata } = await loadTable(lake, table)
    for (let i = 0; i < count; i++)
      await lake.files.write(`${metadata.location}/data/left-${i}.parquet`, Buffer.from('x'))
  }
  let left = 0
  const dies = async (dieAt: number): Promise<boolean> => {
    const table = tableName(`raw.${work}_${dieAt}`)
    await prepare(table)
    if (work === 'orphans') await orphan(table, 3)
    const task: Omit<LakeTask, 'objects' | 'scratch'> = { url: database.url, table, work, dieAt, ids: [NEW] }
    const { signal, code, out, err } = await processes.run(task)
    if (signal !== 'SIGKILL') expect([code, err]).toEqual([0, ''])
    const rows = await idsOf(table)
    const isIn = work === 'append' && rows.length > BEFORE.length
    // Acknowledged means in; what is not may be in as a whole, or not at all.
    if (out.includes('has ')) expect(isIn).toBe(true)
    if (work !== 'orphans') left += await orphansAfter(table)
    await isWhole(table, isIn ? [...BEFORE, ...NEW] : BEFORE)
    return signal === 'SIGKILL'
  }
  let step = 1
  for (let dead = true; dead; step += AT_ONCE) {
    const ends = await Promise.all(Array.from({ length: AT_ONCE }, (_, i) => dies(step + i)))
    dead = ends.every(Boolean)
    // Once one has lived, those after it have done the same.
    if (!dead) expect(ends.lastIndexOf(true)).toBe(ends.indexOf(false) - 1)
    if (!dead) expect(step + ends.lastIndexOf(true)).toBeGreaterThanOrEqual(leastSteps)
  }
  if (work !== 'orphans') expect(left).toBeGreaterThan(0)
})

test('eight processes write to one table, while it is compacted, expired and swept', { timeout: 240_000 }, async () => {
  const table = tableName('raw.shared')
  await createTable(lake, table, { schema, spec })
  const [WRITERS, COMMITS, ROWS] = [8, 4, 10]
  let writing = WRITERS
  const all: number[] = []
  const write = async (writer: number) => {
    const ids = Array.from({ length: COMMITS }, (_, commit) =>
      Array.from({ length: ROWS }, (_, i) => (writer * COMMITS + commit) * ROWS + i),
    )
    all.push(...ids.flat())
    const { code, out, err } = await processes.run({ url: database.url, table, work: 'append', ids })
    writing--
    expect([code, err]).toEqual([0, ''])
    expect(out.match(/has /g)).toHaveLength(COMMITS)
  }
  const done = { compacted: 0, expired: 0 }
  const maintain = async () => {
    for (let last = false; !last; ) {
      last = writing === 0
      const compacted = await compact(lake, table, { minFiles: 2, memoryMb: 128, threads: 1, sortBy: ['id'] })
      done.compacted += compacted.filesBefore
      done.expired += (await expireSnapshots(lake, table, { olderThanMs: Date.now() + 1 })).snapshots.length
      // Files of writers on their way are younger than the safety age, and stay.
      await removeOrphans(lake, table, { safetyAgeMs: 3_600_000 })
    }
  }
  await Promise.all([...Array.from({ length: WRITERS }, (_, i) => write(i)), maintain()])
  const expected = all.sort((a, b) => a - b)
  expect(await idsOf(table)).toEqual(expected)
  const { metadata } = await loadTable(lake, table)
  expect(currentSnapshot(metadata)?.summary['total-records']).toBe(String(expected.length))
  expect(metadata.snapshots.length).toBeLessThan(WRITERS * COMMITS)
  expect(done.compacted).toBeGreaterThan(0)
  expect(done.expired).toBeGreaterThan(0)
  // The last round of maintenance came after the last writer: nobody left anything.
  expect(await orphansAfter(table)).toBe(0)
})

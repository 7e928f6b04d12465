/** Tables end to end in a folder: write, read, evolve, race, compact, expire, sweep. The catalog is in memory; the real one has `lake.system.test.ts`. */
import { describe, expect, test } from 'vitest'
import {
  alterSchema,
  appendFiles,
  CommitRefused,
  compact,
  createTable,
  currentSnapshot,
  expireSnapshots,
  type Lake,
  loadTable,
  openWriter,
  partitionBy,
  planScan,
  type Row,
  removeOrphans,
  replaceFiles,
  schemaOf,
  tableName,
} from './index.ts'
import { everyRow, everyType } from './testing/every-type.ts'
import { allRows, type TestCatalog, temporaryLakes } from './testing/temporary-lake.ts'

const lakeIn = temporaryLakes()
const name = tableName('raw.events')
const DAY = 86_200_000_000n

const events = schemaOf([
  { name: 'id', type: 'long', required: true },
  { name: 'event_time', type: 'timestamptz' },
  { name: 'user', type: 'string' },
])
const spec = partitionBy(events, [{ column: 'event_time', transform: 'day' }])
const event = (id: number, day: number): Row => ({
  id: BigInt(id),
  event_time: BigInt(day) * DAY + BigInt(id),
  user: `u${id % 3}`,
})

async function append(lake: Lake, rows: Row[], table = name) {
  const { metadata } = await loadTable(lake, table)
  const writer = await openWriter(lake, metadata)
  await writer.appendRows(rows)
  return appendFiles(lake, table, await writer.finish())
}
async function lakeOfEvents() {
  const lake = await lakeIn()
  await createTable(lake, name, { schema: events, spec })
  return lake
}
const bytesAsText = (rows: Row[]) =>
  rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([k, v]) => [k, v instanceof Uint8Array ? Buffer.from(v).toString('hex') : v]),
    ),
  )

describe('rows', () => {
  test('of every type come back as they were: nulls, unicode, extremes, times before 1970', async () => {
    const lake = await lakeIn()
    await createTable(lake, name, {
      schema: everyType,
      spec: partitionBy(everyType, [{ column: 'event_time', transform: 'day' }]),
    })
    await append(lake, everyRow)
    expect(bytesAsText(await allRows(lake, name))).toEqual(bytesAsText(everyRow))
    const { files } = await planScan(lake, (await loadTable(lake, name)).metadata)
    expect(files.map(({ file }) => file.partition[0]).sort()).toEqual([-2, 0, 19_675, null].sort())
  })

  test('an empty table has none, and an empty append adds a snapshot without files', async () => {
    const lake = await lakeOfEvents()
    expect(await allRows(lake, name)).toEqual([])
    const table = await appendFiles(lake, name, [], { summary: { 'streamforge.offset': '7' } })
    expect(currentSnapshot(table.metadata)?.summary).toMatchObject({
      operation: 'append',
      'streamforge.offset': '7',
      'total-records': '0',
    })
    expect(await allRows(lake, name)).toEqual([])
  })

  test('a value that does not fit names its column, and nothing of its batch is kept', async () => {
    const lake = await lakeIn()
    const { metadata } = await createTable(lake, name, { schema: everyType })
    const writer = await openWriter(lake, metadata)
    await expect(writer.appendRows([{ id: 1n }, { id: 2n, small: 2 ** 31 }])).rejects.toThrow(
      /Column "small", row 1 .*2147483648 can't be stored in a column of the type int/,
    )
    await expect(writer.appendRows([{ small: 1 }])).rejects.toThrow(/"id" is required/)
    await expect(writer.appendRows([{ id: 1n, nonsense: 1 }])).rejects.toThrow(/no column "nonsense"/)
    await writer.appendRows([{ id: 3n }])
    await appendFiles(lake, name, await writer.finish())
    expect((await allRows(lake, name)).map((row) => row.id)).toEqual([3n])
  })

  test('many rows roll over into files of about the target size, staged in bounded portions', async () => {
    const lake = await lakeIn()
    const { metadata } = await createTable(lake, name, { schema: events })
    const writer = await openWriter(lake, metadata, { maxStagedRows: 200_000, targetBytes: 100_000 })
    for (let i = 0; i < 5; i++) {
      const rows = Array.from({ length: 50_000 }, (_, j) => event(i * 50_000 + j, j % 5))
      await writer.appendRows(rows)
    }
    const files = await writer.finish()
    expect(files.length).toBeGreaterThan(2)
    expect(files.reduce((sum, file) => sum + file.recordCount, 0)).toBe(250_000)
    const table = await appendFiles(lake, name, files)
    expect(currentSnapshot(table.metadata)?.summary['total-records']).toBe('250000')
    expect(new Set((await allRows(lake, name)).map((row) => row.id)).size).toBe(250_000)
  })
})

describe('scan planning', () => {
  test('leaves out manifests and files that conditions exclude, and loses no row', async () => {
    const lake = await lakeOfEvents()
    for (let day = 0; day < 5; day++) await append(lake, [event(day * 2, day), event(day * 2 + 1, day)])
    const { metadata } = await loadTable(lake, name)
    const where = [{ column: 'event_time', op: '>=' as const, value: 3n * DAY }]
    const plan = await planScan(lake, metadata, { where })
    expect(plan.manifests).toEqual({ total: 5, read: 2 })
    expect((await allRows(lake, name, { where })).map((row) => row.id)).toEqual([6n, 7n, 8n, 9n])
    const byId = await planScan(lake, metadata, { where: [{ column: 'id', op: 'in', values: [1n, 9n] }] })
    expect(byId.files).toHaveLength(2)
    const exact = [{ column: 'id', op: '=' as const, value: 4n }]
    expect(await allRows(lake, name, { where: exact, columns: ['user'] })).toEqual([{ user: 'u1' }])
    expect((await planScan(lake, metadata, { where: [{ column: 'user', op: 'is-null' }] })).files).toEqual([])
  })

  test('a snapshot is found by its id, by a time, and named in errors', async () => {
    let now = 1_000
    const lake = await lakeIn({ clock: { now: () => now, sleep: async () => {} } })
    await createTable(lake, name, { schema: events, spec })
    const first = await append(lake, [event(1, 1)])
    now = 2_000
    await append(lake, [event(2, 2)])
    const snapshotId = currentSnapshot(first.metadata)!['snapshot-id']
    expect((await allRows(lake, name, { snapshotId })).map((row) => row.id)).toEqual([1n])
    expect((await allRows(lake, name, { asOfMs: 1_999 })).map((row) => row.id)).toEqual([1n])
    await expect(allRows(lake, name, { asOfMs: 999 })).rejects.toThrow(
      /no snapshot as of .* Its oldest is of 1970-01-01T00:00:01/,
    )
    await expect(allRows(lake, name, { snapshotId: 5 })).rejects.toThrow(/no longer has the snapshot 5/)
  })
})

test('columns added, renamed, widened and dropped: old and new files read alike', async () => {
  const lake = await lakeIn()
  const schema = schemaOf([
    { name: 'id', type: 'int', required: true },
    { name: 'amount', type: 'decimal(9, 2)' },
    { name: 'x', type: 'float' },
    { name: 'gone', type: 'string' },
  ])
  await createTable(lake, name, { schema })
  const first = await append(lake, [{ id: 1, amount: 150n, x: 0.5, gone: 'a' }])
  await alterSchema(lake, name, [
    { change: 'widen', column: 'id', type: 'long' },
    { change: 'widen', column: 'amount', type: 'decimal(20, 2)' },
    { change: 'widen', column: 'x', type: 'double' },
    { change: 'rename', column: 'amount', to: 'total' },
    { change: 'drop', column: 'gone' },
    { change: 'add', column: { name: 'gone', type: 'long' } },
  ])
  await append(lake, [{ id: 2n ** 40n, total: 10n ** 15n, x: 0.1, gone: 5n }])
  expect(await allRows(lake, name)).toEqual([
    { id: 1n, total: 150n, x: 0.5, gone: null },
    { id: 2n ** 40n, total: 10n ** 15n, x: 0.1, gone: 5n },
  ])
  expect((await allRows(lake, name, { where: [{ column: 'id', op: '=', value: 1n }] })).map((r) => r.id)).toEqual([1n])
  const then = { snapshotId: currentSnapshot(first.metadata)!['snapshot-id'] }
  expect(await allRows(lake, name, then)).toEqual([{ id: 1, amount: 150n, x: 0.5, gone: 'a' }])
  const { rows } = await compact(lake, name, { minFiles: 2 })
  expect(rows).toBe(2)
  expect((await allRows(lake, name)).map((row) => row.total)).toEqual([150n, 10n ** 15n])
})

describe('commits', () => {
  test('a lost race is tried again on what the other writer left, and leaves no files behind', async () => {
    const lake = await lakeOfEvents()
    const catalog = lake.catalog as TestCatalog
    catalog.beforeSwap = async () => {
      await append(lake, [event(1, 1)])
    }
    const { metadata } = await append(lake, [event(2, 1)])
    expect(metadata['last-sequence-number']).toBe(2)
    expect(metadata.snapshots.map((each) => each['sequence-number'])).toEqual([1, 2])
    expect(currentSnapshot(metadata)?.summary['total-records']).toBe('2')
    expect((await allRows(lake, name)).map((row) => row.id)).toEqual([1n, 2n])
    const hour = 3_600_000
    const later: Lake = { ...lake, clock: { ...lake.clock, now: () => Date.now() + 2 * hour } }
    expect(await removeOrphans(later, name, { safetyAgeMs: hour, dryRun: true })).toEqual([])
  })

  test('a commit whose answer was lost is not made twice', async () => {
    const lake = await lakeOfEvents()
    const catalog = lake.catalog as TestCatalog
    const { swap } = catalog
    let lost = 0
    catalog.swap = async (...args) => {
      const done = await swap.apply(catalog, args)
      if (lost++ === 0) throw new Error('connection reset')
      return done
    }
    await append(lake, [event(1, 1)])
    expect(await allRows(lake, name)).toHaveLength(1)
    expect((await loadTable(lake, name)).metadata.snapshots).toHaveLength(1)
  })

  test('the caller may refuse a commit when the table says that it has been made already', async () => {
    const lake = await lakeOfEvents()
    const check = (metadata: { snapshots: readonly { summary: Readonly<Record<string, string>> }[] }) => {
      if (metadata.snapshots.some(({ summary }) => summary.offset === '7')) throw new CommitRefused('offset 7 is in')
    }
    await appendFiles(lake, name, [], { summary: { offset: '7' }, check })
    await expect(appendFiles(lake, name, [], { summary: { offset: '7' }, check })).rejects.toThrow('offset 7 is in')
  })

  test('many small manifests are merged, and every row stays', async () => {
    const lake = await lakeIn()
    await createTable(lake, name, { schema: events, spec, properties: { 'commit.manifest.min-count-to-merge': '4' } })
    for (let i = 0; i < 9; i++) await append(lake, [event(i, i)])
    const { metadata } = await loadTable(lake, name)
    const manifests = await lake.manifests.list(currentSnapshot(metadata))
    expect(manifests.length).toBeLessThanOrEqual(4)
    expect(manifests.at(-1)?.minSequenceNumber).toBe(1)
    expect((await allRows(lake, name)).map((row) => Number(row.id))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
  })

  test('keys of other engines stay in the metadata', async () => {
    const lake = await lakeOfEvents()
    const { metadataLocation, metadata } = await loadTable(lake, name)
    const other = metadataLocation.replace('00000', '00001')
    const foreign = { ...metadata, 'encryption-keys': [{ id: 9007199254740993n }] }
    const { stringifyJson } = await import('./types/json.ts')
    await lake.files.write(other, Buffer.from(stringifyJson(foreign)))
    await lake.catalog.swap(name, metadataLocation, other)
    const after = await append(lake, [event(1, 1)])
    expect(after.metadata['encryption-keys']).toEqual([{ id: 9007199254740993n }])
    expect((await loadTable(lake, name)).metadata['encryption-keys']).toEqual([{ id: 9007199254740993n }])
  })
})

describe('compaction', () => {
  const six = async () => {
    const lake = await lakeOfEvents()
    for (let i = 0; i < 6; i++) await append(lake, [event(10 - i, 1), event(20 - i, 2)])
    return lake
  }

  test('makes one sorted file of many in each partition, and then has nothing to do', async () => {
    const lake = await six()
    const before = await allRows(lake, name)
    const dry = await compact(lake, name, { dryRun: true })
    expect(dry.groups.map((group) => group.files.length)).toEqual([6, 6])
    expect((await loadTable(lake, name)).metadata.snapshots).toHaveLength(6)
    const done = await compact(lake, name, { sortBy: ['user', 'event_time'] })
    expect(done).toMatchObject({ filesBefore: 12, filesAfter: 2, rows: 12, refused: [] })
    expect(await allRows(lake, name)).toEqual(before)
    expect((await compact(lake, name)).groups).toEqual([])
    const { metadata } = await loadTable(lake, name)
    expect(currentSnapshot(metadata)?.summary).toMatchObject({
      operation: 'replace',
      'total-records': '12',
      'total-data-files': '2',
    })
  })

  test('appends that come meanwhile are kept', async () => {
    const lake = await six()
    ;(lake.catalog as TestCatalog).beforeSwap = async () => {
      await append(lake, [event(99, 1)])
    }
    expect((await compact(lake, name)).refused).toEqual([])
    const ids = (await allRows(lake, name)).map((row) => Number(row.id))
    expect(ids).toHaveLength(13)
    expect(ids).toContain(99)
  })

  test('files that another writer replaced meanwhile are not brought back', async () => {
    const lake = await six()
    const { metadata } = await loadTable(lake, name)
    const files = (await planScan(lake, metadata)).files.map(({ file }) => file)
    ;(lake.catalog as TestCatalog).beforeSwap = async () => {
      await replaceFiles(lake, name, { operation: 'delete', removed: files.slice(0, 1), added: [], plannedAt: 6 })
    }
    const done = await compact(lake, name)
    expect(done.refused).toHaveLength(1)
    expect(done.refused[0]?.why).toMatch(/1 of 6 files of raw.events .* no longer in it/)
    expect(await allRows(lake, name)).toHaveLength(11)
  })
})

describe('maintenance', () => {
  test('expired snapshots go with the files that only they needed; the table reads as before', async () => {
    let now = 1_000
    const lake = await lakeIn({ clock: { now: () => now, sleep: async () => {} } })
    await createTable(lake, name, { schema: events, spec })
    for (let i = 0; i < 5; i++) {
      now += 1_000
      await append(lake, [event(i, 1)])
    }
    now += 1_000
    await compact(lake, name)
    const options = { olderThanMs: now, retainLast: 2 }
    const dry = await expireSnapshots(lake, name, { ...options, dryRun: true })
    expect((await loadTable(lake, name)).metadata.snapshots).toHaveLength(6)
    expect(dry.snapshots).toHaveLength(4)
    expect(await expireSnapshots(lake, name, options)).toEqual(dry)
    const { metadata } = await loadTable(lake, name)
    expect(metadata.snapshots).toHaveLength(2)
    expect(metadata['snapshot-log']).toHaveLength(2)
    for (const { 'snapshot-id': snapshotId } of metadata.snapshots)
      expect(await allRows(lake, name, { snapshotId })).toHaveLength(5)
    const last = await expireSnapshots(lake, name, { olderThanMs: now + 1 })
    expect(last.files.filter((file) => file.endsWith('.parquet'))).toHaveLength(5)
    expect(await allRows(lake, name)).toHaveLength(5)
    for (const file of [...dry.files, ...last.files]) await expect(lake.files.read(file)).rejects.toThrow(/is missing/)
  })

  test('orphans go when they are old enough, and nothing else does', async () => {
    const lake = await lakeOfEvents()
    await append(lake, [event(1, 1)])
    const { metadata } = await loadTable(lake, name)
    const orphan = `${metadata.location}/data/left-behind.parquet`
    await lake.files.write(orphan, Buffer.from('x'))
    expect(await removeOrphans(lake, name)).toEqual([])
    const later: Lake = { ...lake, clock: { ...lake.clock, now: () => Date.now() + 73 * 3_600_000 } }
    expect((await removeOrphans(later, name, { dryRun: true })).map((file) => file.uri)).toEqual([orphan])
    expect((await removeOrphans(later, name)).map((file) => file.uri)).toEqual([orphan])
    expect(await removeOrphans(later, name)).toEqual([])
    expect(await allRows(lake, name)).toHaveLength(1)
    await expect(removeOrphans(lake, name, { safetyAgeMs: 1 })).rejects.toThrow(/at least/)
  })
})

test('missing and damaged files are named', async () => {
  const lake = await lakeOfEvents()
  const { metadata, metadataLocation } = await append(lake, [event(1, 1)])
  const list = currentSnapshot(metadata)!['manifest-list']
  const [data] = (await planScan(lake, metadata)).files
  await lake.files.delete([data!.file.path])
  await expect(allRows(lake, name)).rejects.toThrow(`The lake's file ${data!.file.path} is missing`)
  const body = await lake.files.read(list)
  await lake.files.delete([list])
  await expect(allRows(lake, name)).rejects.toThrow(`The lake's file ${list} is missing`)
  await lake.files.write(list, body.subarray(0, -20))
  await expect(allRows(lake, name)).rejects.toThrow(/manifest file .*snap-.* can't be read: it is cut short/)
  await lake.files.delete([metadataLocation])
  await lake.files.write(metadataLocation, Buffer.from('{'))
  await expect(loadTable(lake, name)).rejects.toThrow(
    `The table metadata ${metadataLocation} is damaged: it is not JSON.`,
  )
})

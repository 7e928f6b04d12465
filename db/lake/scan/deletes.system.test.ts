/** Rows that other engines deleted by equality or by position stay deleted: when reading, travelling in time, and after compaction. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  alterSchema,
  appendFiles,
  CommitRefused,
  compact,
  createTable,
  currentSnapshot,
  type DataFile,
  type Lake,
  loadTable,
  openWriter,
  partitionBy,
  planScan,
  type Row,
  readRows,
  replaceFiles,
  schemaOf,
  tableName,
} from '../index.ts'
import { equalityDeletes, positionDeletes } from '../testing/foreign-deletes.ts'
import { allRows, type TestCatalog, temporaryLakes } from '../testing/temporary-lake.ts'

const lakeIn = temporaryLakes()
const name = tableName('raw.events')
const schema = schemaOf([
  { name: 'id', type: 'long', required: true },
  { name: 'user', type: 'string' },
  { name: 'day', type: 'date' },
  { name: 'score', type: 'double' },
])
const byDay = partitionBy(schema, [{ column: 'day', transform: 'identity' }])

async function append(lake: Lake, rows: Row[]) {
  const writer = await openWriter(lake, (await loadTable(lake, name)).metadata, { memoryMb: 64, threads: 1 })
  await writer.appendRows(rows)
  return appendFiles(lake, name, await writer.finish())
}
async function rowDelta(lake: Lake, added: DataFile[]) {
  const { metadata } = await loadTable(lake, name)
  return replaceFiles(lake, name, {
    operation: 'overwrite',
    removed: [],
    added,
    plannedAt: metadata['last-sequence-number'],
  })
}
async function deleteEqual(lake: Lake, columns: string[], rows: Row[], partition?: DataFile['partition']) {
  const { metadata } = await loadTable(lake, name)
  return rowDelta(lake, [await equalityDeletes(lake, metadata, columns, rows, partition ? { partition } : {})])
}
const idsOf = async (lake: Lake, options = {}) => (await allRows(lake, name, options)).map((row) => Number(row.id))
const row = (id: number, user: string | null = `u${id % 3}`, day = 0, score: number | null = id / 2): Row => ({
  id: BigInt(id),
  user,
  day,
  score,
})
async function lakeOf(spec?: typeof byDay) {
  const lake = await lakeIn()
  await createTable(lake, name, { schema, ...(spec ? { spec } : {}) })
  return lake
}

describe('equality deletes', () => {
  test('remove older rows and leave younger ones, whichever columns are read', async () => {
    const lake = await lakeOf()
    await append(lake, [row(1), row(2), row(3), row(4)])
    const { metadata: then } = await deleteEqual(lake, ['user'], [{ user: 'u1' }])
    await append(lake, [row(7)])
    expect(await idsOf(lake)).toEqual([2, 3, 7])
    expect(await allRows(lake, name, { columns: ['score'] })).toHaveLength(3)
    expect(await idsOf(lake, { where: [{ column: 'score', op: '>=', value: 1.5 }] })).toEqual([3, 7])
    expect(await idsOf(lake, { snapshotId: then.snapshots[0]!['snapshot-id'] })).toEqual([1, 2, 3, 4])
  })

  test('by several columns, nulls and NaN equal to themselves; other columns of the delete file mean nothing', async () => {
    const lake = await lakeOf()
    await append(lake, [row(1, null, 0, Number.NaN), row(2, null, 0, 5), row(3, 'a', 0, null), row(4, 'a', 0, 5)])
    const { metadata } = await loadTable(lake, name)
    const file = await equalityDeletes(
      lake,
      metadata,
      ['user', 'score'],
      [
        { id: 99n, user: null, score: Number.NaN },
        { id: 2n, user: 'a', score: null },
        { id: 2n, user: 'b', score: 5 },
      ],
      { beside: ['id'] },
    )
    await rowDelta(lake, [file])
    expect(await idsOf(lake)).toEqual([2, 4])
  })

  test('of a partition concern it alone, those of an unpartitioned spec all', async () => {
    const lake = await lakeOf(byDay)
    await append(lake, [row(1, 'a', 1), row(2, 'a', 2), row(3, 'b', 1)])
    await deleteEqual(lake, ['user'], [{ user: 'a' }], [1])
    expect(await idsOf(lake)).toEqual([2, 3])

    const flat = await lakeOf()
    await append(flat, [row(1, 'a', 1), row(2, 'a', 2)])
    await deleteEqual(flat, ['user'], [{ user: 'a' }])
    expect(await idsOf(flat)).toEqual([])
  })

  test('go on by columns that were renamed, widened or dropped since', async () => {
    const lake = await lakeIn()
    const old = schemaOf([
      { name: 'id', type: 'int', required: true },
      { name: 'key', type: 'string' },
    ])
    await createTable(lake, name, { schema: old })
    await append(lake, [
      { id: 1, key: 'a' },
      { id: 2, key: 'b' },
      { id: 3, key: 'c' },
    ])
    await deleteEqual(lake, ['id'], [{ id: 1 }])
    await deleteEqual(lake, ['key'], [{ key: 'b' }])
    await alterSchema(lake, name, [
      { change: 'widen', column: 'id', type: 'long' },
      { change: 'rename', column: 'id', to: 'number' },
      { change: 'drop', column: 'key' },
      { change: 'add', column: { name: 'key', type: 'string' } },
    ])
    expect(await allRows(lake, name)).toEqual([{ number: 3n, key: null }])
    expect(await allRows(lake, name, { columns: ['key'] })).toEqual([{ key: null }])
  })

  test('by a column that is nested, or named by no schema, are refused with the file and the snapshot', async () => {
    const lake = await lakeOf()
    await append(lake, [row(1)])
    const { metadata } = await loadTable(lake, name)
    const file = await equalityDeletes(lake, metadata, ['user'], [{ user: 'u1' }])
    const table = await rowDelta(lake, [{ ...file, equalityIds: [77] }])
    const id = currentSnapshot(table.metadata)!['snapshot-id']
    await expect(allRows(lake, name)).rejects.toThrow(
      `The table at ${metadata.location}, snapshot ${id} can't be read: ${file.path} deletes rows by columns that are nested or not in any of its schemas (field ids 77). Have the engine`,
    )
    await expect(compact(lake, name)).rejects.toThrow(/can't be read/)
    expect(await idsOf(lake, { snapshotId: metadata.snapshots[0]!['snapshot-id'] })).toEqual([1])
  })
})

describe('compaction', () => {
  test('applies deletes for good, and drops the delete files that nothing is left for', async () => {
    const lake = await lakeOf()
    await append(lake, [row(1), row(2), row(3)])
    await deleteEqual(lake, ['user'], [{ user: 'u1' }])
    const { metadata } = await append(lake, [row(4), row(5)])
    const [file] = (await planScan(lake, metadata)).files.filter((each) => each.file.recordCount === 2)
    await rowDelta(lake, [await positionDeletes(lake, metadata, [{ path: file!.file.path, position: 1 }])])
    expect(await idsOf(lake)).toEqual([2, 3, 4])
    expect((await compact(lake, name)).refused).toEqual([])
    expect(await idsOf(lake)).toEqual([2, 3, 4])
    const after = await loadTable(lake, name)
    expect(currentSnapshot(after.metadata)?.summary).toMatchObject({
      'total-records': '3',
      'total-delete-files': '0',
      'total-equality-deletes': '0',
      'total-position-deletes': '0',
      'removed-delete-files': '2',
      'removed-equality-deletes': '1',
    })
    const manifests = await lake.manifests.list(currentSnapshot(after.metadata))
    for (const each of manifests.filter(({ content }) => content === 'deletes'))
      expect([each.addedFiles, each.existingFiles]).toEqual([0, 0])
    expect((await compact(lake, name)).groups).toEqual([])
    // What only the snapshots before need is not carried any further.
    await append(lake, [row(9)])
    const last = await lake.manifests.list(currentSnapshot((await loadTable(lake, name)).metadata))
    expect(last.every(({ content }) => content === 'data')).toBe(true)
    expect(await idsOf(lake)).toEqual([2, 3, 4, 9])
  })

  test('of one file keeps the delete files that others still need', async () => {
    const lake = await lakeOf()
    for (let i = 0; i < 3; i++) await append(lake, [row(i), row(i + 10)])
    const { metadata } = await loadTable(lake, name)
    const files = (await planScan(lake, metadata)).files.map(({ file }) => file)
    // One file of position deletes for two data files, and one of equality deletes for all.
    const positions = files.slice(0, 2).map(({ path }) => ({ path, position: 0 }))
    await rowDelta(lake, [await positionDeletes(lake, metadata, positions)])
    const now = (await deleteEqual(lake, ['user'], [{ user: 'none' }])).metadata
    const before = await idsOf(lake)
    expect(before).toHaveLength(4)
    const replace = async (which: number) => {
      const writer = await openWriter(lake, now)
      const file = (await planScan(lake, now)).files.find((each) => each.file.path === files[which]!.path)!
      for await (const rows of readRows(lake, { ...(await planScan(lake, now)), files: [file] }))
        await writer.appendRows(rows)
      const plannedAt = now['last-sequence-number']
      const added = await writer.finish()
      const table = await replaceFiles(lake, name, { operation: 'replace', removed: [file.file], added, plannedAt })
      return currentSnapshot(table.metadata)!.summary['total-delete-files']
    }
    // Which files are meant is in the delete file, not in its manifest: as long as there is one it could be.
    expect([await replace(0), await replace(1), await replace(2)]).toEqual(['2', '2', '0'])
    expect(await idsOf(lake)).toEqual(before)
  })

  test('an equality delete that comes while files are rewritten still deletes', async () => {
    const lake = await lakeOf()
    for (let i = 0; i < 6; i++) await append(lake, [row(i)])
    ;(lake.catalog as TestCatalog).beforeSwap = async () => {
      await deleteEqual(lake, ['user'], [{ user: 'u2' }])
    }
    expect((await compact(lake, name)).refused).toEqual([])
    expect(await idsOf(lake)).toEqual([0, 1, 3, 4])
    await compact(lake, name)
    expect(await idsOf(lake)).toEqual([0, 1, 3, 4])
  })

  test('a position delete that comes while its file is rewritten refuses the rewriting', async () => {
    const lake = await lakeOf()
    for (let i = 0; i < 6; i++) await append(lake, [row(i)])
    const { metadata } = await loadTable(lake, name)
    const [first] = (await planScan(lake, metadata)).files
    ;(lake.catalog as TestCatalog).beforeSwap = async () => {
      await rowDelta(lake, [await positionDeletes(lake, metadata, [{ path: first!.file.path, position: 0 }])])
    }
    expect((await compact(lake, name)).refused[0]?.why).toMatch(/were deleted meanwhile/)
    expect(await idsOf(lake)).toHaveLength(5)
  })

  test('an overwrite on top of rows that were deleted meanwhile is refused: they would come back', async () => {
    const lake = await lakeOf()
    const { metadata } = await append(lake, [row(1), row(2)])
    const [file] = (await planScan(lake, metadata)).files
    await deleteEqual(lake, ['user'], [{ user: 'u1' }])
    const writer = await openWriter(lake, metadata)
    await writer.appendRows([row(1), row(2)])
    const overwrite = replaceFiles(lake, name, {
      operation: 'overwrite',
      removed: [file!.file],
      added: await writer.finish(),
      plannedAt: metadata['last-sequence-number'],
    })
    await expect(overwrite).rejects.toThrow(CommitRefused)
    expect(await idsOf(lake)).toEqual([2])
  })
})

const placed = async (lake: Lake): Promise<string[]> =>
  (await allRows(lake, name)).map((r) => `${r.id}:${r.day}`).sort()

test('any order of appends, deletes and compactions leaves the rows that a list would have', {
  timeout: 120_000,
}, async () => {
  const id = fc.integer({ min: 0, max: 20 })
  const day = fc.integer({ min: 0, max: 2 })
  const step = fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('append' as const),
        ids: fc.array(id, { minLength: 1, maxLength: 6 }),
        day,
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('equal' as const),
        ids: fc.array(id, { minLength: 1, maxLength: 4 }),
        day,
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('position' as const), nth: fc.nat(30) }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('compact' as const), minFiles: fc.integer({ min: 2, max: 4 }) }),
    },
  )
  await fc.assert(
    fc.asyncProperty(fc.boolean(), fc.array(step, { minLength: 3, maxLength: 9 }), async (partitioned, steps) => {
      const lake = await lakeOf(partitioned ? byDay : undefined)
      let model: { id: number; day: number }[] = []
      for (const each of steps) {
        if (each.kind === 'append') {
          await append(
            lake,
            each.ids.map((n) => row(n, `u${n}`, each.day)),
          )
          model.push(...each.ids.map((n) => ({ id: n, day: each.day })))
        } else if (each.kind === 'equal') {
          await deleteEqual(
            lake,
            ['user'],
            each.ids.map((n) => ({ user: `u${n}` })),
            partitioned ? [each.day] : undefined,
          )
          model = model.filter((m) => !(each.ids.includes(m.id) && (!partitioned || m.day === each.day)))
        } else if (each.kind === 'position') {
          const { metadata } = await loadTable(lake, name)
          const { files } = await planScan(lake, metadata)
          const target = files.filter((file) => file.deletes.length === 0)[each.nth % Math.max(1, files.length)]
          if (!target) continue
          const { path, partition, recordCount } = target.file
          const position = each.nth % recordCount
          const before = await placed(lake)
          await rowDelta(lake, [await positionDeletes(lake, metadata, [{ path, position }], { partition })])
          const left = await placed(lake)
          expect(left).toHaveLength(before.length - 1)
          // An id may be there several times, on several days.
          const gone = before.find((row, i) => left[i] !== row)!
          model.splice(
            model.findIndex((m) => `${m.id}:${m.day}` === gone),
            1,
          )
        } else
          expect((await compact(lake, name, { minFiles: each.minFiles, memoryMb: 64, threads: 1 })).refused).toEqual([])
      }
      expect(await placed(lake)).toEqual(model.map((m) => `${m.id}:${m.day}`).sort())
    }),
    { numRuns: 6 },
  )
})

/** What a table has, as people and programs are told it. */
import { expect, test } from 'vitest'
import {
  alterSchema,
  appendFiles,
  createTable,
  filesOfTable,
  type Lake,
  loadTable,
  openWriter,
  partitionBy,
  type Row,
  schemaOf,
  sizeOfTable,
  snapshotsOf,
  tableName,
} from './index.ts'
import { valueText } from './inspect.ts'
import type { TableMetadata } from './metadata/table-metadata.ts'
import { everyRow, everyType } from './testing/every-type.ts'
import { temporaryLakes } from './testing/temporary-lake.ts'

const lakeIn = temporaryLakes()
const name = tableName('raw.orders')

async function append(lake: Lake, rows: Row[]) {
  const writer = await openWriter(lake, (await loadTable(lake, name)).metadata)
  await writer.appendRows(rows)
  return appendFiles(lake, name, await writer.finish())
}

test.each([
  ['decimal(9, 2)', 5n, '0.05'],
  ['decimal(9, 2)', -1234n, '-12.34'],
  ['decimal(9, 0)', 7n, '7'],
  ['date', -1, '1969-12-31'],
  ['time', 86_399_000_000n, '23:59:59'],
  ['timestamp', -1n, '1969-12-31T23:59:59.999999'],
  ['timestamptz', 1_700_000_000_123_000n, '2023-11-14T22:13:20.123Z'],
  ['timestamptz', 2n ** 63n - 1n, '9223372036854775807Z'],
  ['binary', new Uint8Array([0, 255]), '\\x00ff'],
  ['double', -0, '-0'],
  ['boolean', false, 'false'],
])('%s %s is read as %s', (type, value, text) => {
  expect(valueText(type, value)).toBe(text)
})

test('sizes and snapshots come from the summaries, and from the manifests where these say nothing', async () => {
  const lake = await lakeIn()
  const schema = schemaOf([{ name: 'id', type: 'long' }])
  const empty = await createTable(lake, name, { schema })
  expect(await sizeOfTable(lake, empty)).toEqual({ rows: 0, dataFiles: 0, deleteFiles: 0, bytes: 0 })
  expect(snapshotsOf(empty.metadata)).toEqual([])
  await append(lake, [{ id: 1 }, { id: 2 }])
  const table = await append(lake, [{ id: 3 }])
  const size = await sizeOfTable(lake, table)
  expect(size).toMatchObject({ rows: 3, dataFiles: 2, deleteFiles: 0 })
  const [newest, oldest] = snapshotsOf(table.metadata)
  expect(newest).toMatchObject({ operation: 'append', addedRows: 1, deletedRows: 0, isCurrent: true, refs: ['main'] })
  expect(newest!.parentId).toBe(oldest!.snapshotId)
  expect(oldest).toMatchObject({ parentId: null, addedRows: 2, isCurrent: false, refs: [], total: { rows: 2 } })

  const silent: TableMetadata = {
    ...table.metadata,
    snapshots: table.metadata.snapshots.map((each) => ({ ...each, summary: { operation: 'append' } })),
  }
  expect(await sizeOfTable(lake, { ...table, metadata: silent })).toEqual(size)
  expect(snapshotsOf(silent)[0]!.total).toEqual({ rows: null, dataFiles: null, deleteFiles: null, bytes: null })
})

test('files come by partition, with bounds by the names of now', async () => {
  const lake = await lakeIn()
  const spec = partitionBy(everyType, [
    { column: 'event_time', transform: 'day' },
    { column: 'text', transform: 'truncate[2]' },
    { column: 'naive', transform: 'month' },
    { column: 'money', transform: 'identity' },
  ])
  await createTable(lake, name, { schema: everyType, spec })
  await append(lake, everyRow.slice(0, 3))
  const { metadata } = await alterSchema(lake, name, [{ change: 'rename', column: 'text', to: 'words' }])
  const { files, columns, snapshotId } = await filesOfTable(lake, metadata)
  expect(snapshotId).toBe(String(metadata['current-snapshot-id']))
  expect(columns.slice(0, 5)).toEqual(['event_time', 'words', 'naive', 'money', 'id'])
  expect(files.map(({ partition, rows }) => [Object.values(partition), rows])).toEqual([
    [[null, null, null, null], 1],
    [['1969-12-30', '', '1969-12', '-9999999999999999.99'], 1],
    [['2023-11-14', 'éé', '2100-01', '9999999999999999.99'], 1],
  ])
  expect(files[2]).toMatchObject({ content: 'data', format: 'PARQUET', deletes: 0, addedBy: snapshotId })
  expect(files[2]!.lower).toMatchObject({ small: '2147483647', day: '2022-01-08', words: `${'é'.repeat(14)}😀😀` })
  expect(files[2]!.upper.words! > files[2]!.lower.words!).toBe(true)
  expect(files[0]!.nulls).toMatchObject({ id: 0, words: 1 })
  await expect(filesOfTable(lake, metadata, { snapshotId: 5 })).rejects.toThrow(/snapshot 5/)
})

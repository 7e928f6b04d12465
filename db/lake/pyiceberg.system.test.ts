/**
 * PyIceberg as the judge: it opens our tables by the JDBC catalog, reads every row and snapshot, filters, appends; we read what it wrote and go on. With files in a folder and in S3.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { withPyIceberg } from '../../cli/servers/testing/with-pyiceberg.ts'
import { withS3 } from '../../cli/servers/testing/with-s3.ts'
import { openFolderObjects } from '../objects/folder.ts'
import { withPostgres } from '../testing/postgres.ts'
import {
  alterSchema,
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
  planScan,
  type Row,
  tableName,
} from './index.ts'
import { everyRow, everyType } from './testing/every-type.ts'
import { allRows } from './testing/temporary-lake.ts'

const postgres = withPostgres()
const { python } = withPyIceberg()
const folders: string[] = []
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true })
})

const name = tableName('raw.every')
const OPEN = `
import datetime, decimal, uuid, pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog
catalog = SqlCatalog('lake', **args['settings'])
table = catalog.load_table('raw.every')
`
type Settings = Record<string, string>

async function append(lake: Lake, rows: Row[]) {
  const writer = await openWriter(lake, (await loadTable(lake, name)).metadata)
  await writer.appendRows(rows)
  return appendFiles(lake, name, await writer.finish())
}

const ROWS_AS_PYTHON = `
def plain(value):
    if isinstance(value, float) and value != value: return 'nan'
    return str(value) if isinstance(value, (int, float, decimal.Decimal)) and not isinstance(value, bool) else value
rows = sorted(table.scan().to_arrow().to_pylist(), key=lambda row: row['id'])
`

async function judge(lake: Lake, settings: Settings) {
  await createTable(lake, name, {
    schema: everyType,
    spec: partitionBy(everyType, [{ column: 'event_time', transform: 'day' }]),
  })
  const first = await append(lake, everyRow.slice(0, 2))
  await append(lake, everyRow.slice(2))

  const seen = await python<{
    rows: Record<string, unknown>[]
    then: number
    days: number
    filtered: string[]
    planned: number
  }>(
    `${OPEN}${ROWS_AS_PYTHON}
answer({
  'rows': [{key: plain(value) for key, value in row.items()} for row in rows],
  'before': len(table.scan(snapshot_id=int(args['first'])).to_arrow()),
  'days': len(table.inspect.partitions()),
  'filtered': [str(row['id']) for row in table.scan(row_filter="big < 0 and small < 0").to_arrow().to_pylist()],
  'planned': len(list(table.scan(row_filter="event_time < '1970-01-01T00:00:00+00:00'").plan_files())),
})`,
    { settings, first: String(currentSnapshot(first.metadata)!['snapshot-id']) },
  )
  expect(seen).toMatchObject({ before: 2, days: 4, filtered: ['2'], planned: 1 })
  expect(seen.rows.map((row) => row.id)).toEqual(['0', '1', '2', '3'])
  expect(seen.rows[1]).toMatchObject({
    flag: true,
    small: '2147483647',
    big: '9223372036854775807',
    single: '1.5',
    twice: '1.7976931348623157e+308',
    money: '9999999999999999.99',
    huge: '9999999999999999999999999999.9999999999',
    day: '2022-01-08',
    clock: '23:59:59.999999',
    naive: '2100-01-01T00:00:00.000001',
    event_time: '2023-11-14T22:13:20.123456+00:00',
    text: everyRow[1]!.text,
    raw: 'ff'.repeat(40),
  })
  expect(String(seen.rows[1]!.key)).toMatch(/f79c3e09-?677c-?4bbd-?a479-?3f349cb785e7/)
  expect(seen.rows[2]).toMatchObject({
    event_time: '1969-12-30T23:59:59.999999+00:00',
    naive: '1969-12-31T23:59:59.999999',
    day: '1969-12-31',
    text: '',
  })
  expect(seen.rows[3]).toMatchObject({ twice: 'nan', single: 'inf', text: everyRow[3]!.text, big: null })

  // Its append, with ids of 63 bits, among ours.
  await python(
    `${OPEN}
schema = table.schema().as_arrow()
table.append(pa.Table.from_pylist([{'id': 100, 'small': 7, 'text': 'from Python ü', 'event_time': datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc), 'money': decimal.Decimal('12.34')}], schema=schema))
answer('done')`,
    { settings },
  )
  await append(lake, [{ id: 101n, text: 'after it' }])
  const rows = await allRows(lake, name)
  expect(rows.map((row) => row.id)).toEqual([0n, 1n, 2n, 3n, 100n, 101n])
  expect(rows[4]).toMatchObject({ small: 7, text: 'from Python ü', event_time: 1_767_225_600_000_000n, money: 1234n })
  const where = [{ column: 'event_time', op: '>=' as const, value: 1_767_225_600_000_000n }]
  const { metadata } = await loadTable(lake, name)
  expect((await planScan(lake, metadata, { where })).files).toHaveLength(1)
  expect(currentSnapshot(metadata)?.summary['total-records']).toBe('6')

  // Evolved, compacted and expired by us, it still reads everything; then it commits once more.
  await alterSchema(lake, name, [
    { change: 'rename', column: 'text', to: 'words' },
    { change: 'widen', column: 'small', type: 'long' },
    { change: 'add', column: { name: 'extra', type: 'string' } },
  ])
  await append(lake, [{ id: 102n, words: 'evolved', small: 2n ** 40n, extra: 'x' }])
  expect((await compact(lake, name, { minFiles: 2, sortBy: ['id'] })).refused).toEqual([])
  await expireSnapshots(lake, name, { olderThanMs: Date.now() + 1 })
  const after = await python<{ rows: unknown[][]; snapshots: number; deleted: number }>(
    `${OPEN}
rows = sorted(table.scan(selected_fields=('id', 'words', 'small', 'extra')).to_arrow().to_pylist(), key=lambda row: row['id'])
table.append(pa.Table.from_pylist([{'id': 103, 'words': 'again'}], schema=table.schema().as_arrow()))
answer({'rows': [[str(r['id']), r['words'], str(r['small']), r['extra']] for r in rows], 'snapshots': len(table.snapshots())})`,
    { settings },
  )
  expect(after.snapshots).toBe(2)
  expect(after.rows.slice(-3)).toEqual([
    ['100', 'from Python ü', '7', null],
    ['101', 'after it', 'None', null],
    ['102', 'evolved', String(2n ** 40n), 'x'],
  ])
  expect(after.rows).toHaveLength(7)
  expect(await allRows(lake, name)).toHaveLength(8)
}

const catalogOf = async () => {
  const { sql, url } = await postgres.database()
  return { catalog: await openJdbcCatalog(sql), uri: url.replace('postgres://', 'postgresql+psycopg2://') }
}

test('with files in a folder', async () => {
  const { catalog, uri } = await catalogOf()
  const folder = await mkdtemp(join(tmpdir(), 'streamforge-lake-'))
  folders.push(folder)
  const lake = openLake(catalog, openLakeFiles(await openFolderObjects(folder)))
  await judge(lake, { uri, warehouse: lake.files.warehouse })
})

test('its own table, of types that are only read here, with rows it has replaced', async () => {
  const { catalog, uri } = await catalogOf()
  const folder = await mkdtemp(join(tmpdir(), 'streamforge-lake-'))
  folders.push(folder)
  const lake = openLake(catalog, openLakeFiles(await openFolderObjects(folder)))
  const ids = await python<string[]>(
    `
import pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.schema import Schema
from pyiceberg.types import *
catalog = SqlCatalog('lake', **args['settings'])
catalog.create_namespace('raw')
table = catalog.create_table('raw.every', schema=Schema(
  NestedField(1, 'id', LongType(), required=True), NestedField(2, 'hash', FixedType(4)),
  NestedField(3, 'tags', ListType(4, StringType(), element_required=False)),
  NestedField(5, 'place', StructType(NestedField(6, 'x', IntegerType()), NestedField(7, 'y', DoubleType()))),
  NestedField(8, 'counts', MapType(9, StringType(), 10, LongType(), value_required=False))))
def rows(ids): return pa.Table.from_pylist([{'id': i, 'hash': bytes([i, 0, 0, 255]), 'tags': ['a', 'ü'], 'place': {'x': i, 'y': 0.5}, 'counts': [('k', i)]} for i in ids], schema=table.schema().as_arrow())
table.append(rows([1, 2, 3]))
table.delete('id == 2')
table.append(rows([4]))
answer([str(s.snapshot_id) for s in table.snapshots()])`,
    { settings: { uri, warehouse: lake.files.warehouse } },
  )
  const rows = await allRows(lake, name)
  expect(rows.map((row) => row.id)).toEqual([1n, 3n, 4n])
  expect(Buffer.from(rows[2]!.hash as Uint8Array).toString('hex')).toBe('040000ff')
  expect(JSON.stringify(rows[0]!.tags)).toContain('ü')
  const { metadata } = await loadTable(lake, name)
  expect(metadata.snapshots.map((each) => String(each['snapshot-id']))).toEqual(ids)
  const first = metadata.snapshots[0]!['snapshot-id']
  expect(await allRows(lake, name, { snapshotId: first })).toHaveLength(3)
  await expect(openWriter(lake, metadata)).rejects.toThrow(/"hash" is of the type fixed\[4\].* not written/)
})

describe('in S3', () => {
  const s3 = withS3()

  test('with files in a bucket', async () => {
    const { catalog, uri } = await catalogOf()
    const lake = openLake(catalog, openLakeFiles(s3.store()))
    const { endpoint, accessKeyId, secretAccessKey, region } = s3.server
    await judge(lake, {
      uri,
      warehouse: lake.files.warehouse,
      's3.endpoint': endpoint,
      's3.access-key-id': accessKeyId,
      's3.secret-access-key': secretAccessKey,
      's3.region': region,
    })
  })
})

/**
 * PyIceberg by REST as the judge of the edge's Iceberg catalog: with a token and no database it lists, makes, evolves, fills, filters, renames and drops tables, while we write to the
 * same ones; by PostgreSQL's catalog and files in a folder and in S3.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { withPyIceberg } from '../../cli/servers/testing/with-pyiceberg.ts'
import { withS3 } from '../../cli/servers/testing/with-s3.ts'
import {
  alterProperties,
  appendFiles,
  currentSchema,
  type Lake,
  loadTable,
  openJdbcCatalog,
  openLake,
  openLakeFiles,
  openWriter,
  planScan,
  type Row,
  readRows,
  tableName,
} from '../../db/lake/index.ts'
import { type ObjectsSettings, openObjects } from '../../db/objects/open.ts'
import { withPostgres } from '../../db/testing/postgres.ts'
import { hashPassword } from '../auth/password.ts'
import type { Role } from '../ports.ts'
import { type Served, serve } from '../runtime/node.ts'
import { createHarness, memoryUsers } from '../testing/harness.ts'
import { openServedLake } from './open-lake.ts'

const postgres = withPostgres()
const { python } = withPyIceberg()
const folders: string[] = []
const serving: Served[] = []
afterEach(async () => {
  for (const each of serving.splice(0)) await each.close()
})
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true })
})

interface Rest {
  url: string
  token(role: Role): Promise<string>
  /** The same tables, without REST. */
  lake: Lake
}

async function serveLake(settings: ObjectsSettings): Promise<Rest> {
  const { sql } = await postgres.database()
  const harness = await createHarness({
    lake: await openServedLake(sql, settings),
    users: memoryUsers({ username: 'ada', password_hash: await hashPassword('a long horse'), role: 'operator' }),
  })
  const served = await serve({ fetch: harness.app.fetch, host: '127.0.0.1', port: 0 })
  serving.push(served)
  const lake = openLake(await openJdbcCatalog(sql), openLakeFiles(await openObjects(settings)))
  return { url: `${served.url}/iceberg`, token: (role) => harness.tokens.issue({ username: 'ada', role }), lake }
}

async function inFolder(): Promise<Rest> {
  const folder = await mkdtemp(join(tmpdir(), 'streamforge-rest-'))
  folders.push(folder)
  return serveLake({ kind: 'folder', folder })
}

const events = tableName('raw.events')
async function append(lake: Lake, rows: Row[]) {
  const writer = await openWriter(lake, (await loadTable(lake, events)).metadata)
  await writer.appendRows(rows)
  return appendFiles(lake, events, await writer.finish())
}
async function rowsOf(lake: Lake): Promise<Row[]> {
  const rows: Row[] = []
  const { metadata } = await loadTable(lake, events)
  for await (const batch of readRows(lake, await planScan(lake, metadata))) rows.push(...batch)
  return rows.sort((a, b) => (a.id! < b.id! ? -1 : 1))
}

const OPEN = `
import datetime, pyarrow as pa
from pyiceberg.catalog.rest import RestCatalog
from pyiceberg.schema import Schema
from pyiceberg.partitioning import PartitionSpec, PartitionField
from pyiceberg.table.sorting import SortOrder, SortField
from pyiceberg.transforms import DayTransform, IdentityTransform
from pyiceberg.types import *
from pyiceberg.exceptions import *
catalog = RestCatalog('lake', **args['settings'])
def at(day): return datetime.datetime(2026, 1, day, tzinfo=datetime.timezone.utc)
def rows(table, *values): return pa.Table.from_pylist(list(values), schema=table.schema().as_arrow())
def ids(scan): return sorted(str(row['id']) for row in scan.to_arrow().to_pylist())
def raises(kind, call):
    try: call()
    except kind as error: return str(error)
    raise AssertionError('nothing was refused')
`
const CREATE = `
catalog.create_namespace('raw')
table = catalog.create_table('raw.events', schema=Schema(
  NestedField(1, 'id', LongType(), required=True), NestedField(2, 'event_time', TimestamptzType()), NestedField(3, 'text', StringType()), NestedField(4, 'n', IntegerType())),
  partition_spec=PartitionSpec(PartitionField(2, 1000, DayTransform(), 'event_time_day')),
  sort_order=SortOrder(SortField(1, transform=IdentityTransform())), properties={'owner': 'ada'})
`

test('it makes, fills, evolves, filters, renames and drops, and we read what it wrote', async () => {
  const { url, token, lake } = await inFolder()
  const settings = { uri: url, token: await token('admin') }
  const made = await python<{ location: string; ids: string[] }>(
    `${OPEN}${CREATE}
table.append(rows(table, {'id': 1, 'event_time': at(1), 'text': 'ü', 'n': 7}, {'id': 2, 'event_time': at(2)}))
answer({'location': table.location(), 'ids': [str(s.snapshot_id) for s in table.snapshots()]})`,
    { settings },
  )
  expect(made.location).toMatch(new RegExp(`^${lake.files.warehouse}/raw/events-[0-9a-f]{8}$`))
  const { metadata } = await loadTable(lake, events)
  expect(metadata.snapshots.map((each) => String(each['snapshot-id']))).toEqual(made.ids)
  expect(metadata.properties).toMatchObject({ owner: 'ada', 'write.parquet.compression-codec': 'zstd' })
  expect(
    metadata['sort-orders'].find((each) => each['order-id'] === metadata['default-sort-order-id'])?.fields,
  ).toEqual([{ 'source-id': 1, transform: 'identity', direction: 'asc', 'null-order': 'nulls-first' }])
  await append(lake, [{ id: 3n, event_time: 1_767_398_400_000_000n, text: 'ours' }])

  const seen = await python<{
    all: string[]
    filtered: string[]
    planned: number
    earlier: string[]
    after: string[]
    listed: string[][]
    names: string[][][]
    refused: Record<string, string>
    exists: boolean[]
  }>(
    `${OPEN}
table = catalog.load_table('raw.events')
first = table.snapshots()[0].snapshot_id
seen = {'all': ids(table.scan()), 'filtered': ids(table.scan(row_filter="event_time >= '2026-01-02T00:00:00+00:00'")),
  'planned': len(list(table.scan(row_filter="event_time >= '2026-01-02T00:00:00+00:00'").plan_files())), 'earlier': ids(table.scan(snapshot_id=first))}
with table.update_schema() as update:
    update.rename_column('text', 'words'); update.update_column('n', LongType()); update.add_column('extra', StringType())
table.append(rows(table, {'id': 4, 'event_time': at(4), 'words': 'evolved', 'n': 2**40, 'extra': 'x'}))
table.overwrite(rows(table, {'id': 20, 'event_time': at(2), 'words': 'instead'}), overwrite_filter='id == 2')
with table.manage_snapshots() as snapshots: snapshots.create_tag(first, 'begin').create_branch(first, 'try')
with table.transaction() as change: change.set_properties(owner='eve', note='n'); change.remove_properties('note')
with catalog.create_table_transaction('raw.staged', schema=table.schema()) as staged:
    staged.append(rows(table, {'id': 1}))
catalog.create_namespace('raw.deep', {'about': 'x'})
seen['listed'] = [list(map(list, catalog.list_tables('raw'))), list(map(list, catalog.list_namespaces())), list(map(list, catalog.list_namespaces('raw')))]
paged = RestCatalog('paged', **{**args['settings'], 'rest-page-size': '1'})
seen['names'] = [list(map(list, paged.list_tables('raw'))), list(map(list, paged.list_namespaces()))]
catalog.rename_table('raw.staged', 'raw.deep.moved')
seen['after'] = ids(catalog.load_table('raw.deep.moved').scan())
seen['exists'] = [catalog.table_exists('raw.staged'), catalog.table_exists('raw.deep.moved'), catalog.namespace_exists('raw.deep'), catalog.namespace_exists('nope')]
summary = catalog.update_namespace_properties('raw.deep', removals={'about', 'never'}, updates={'owner': 'ada'})
seen['refused'] = {
  'summary': f'{summary.removed} {summary.updated} {summary.missing} {catalog.load_namespace_properties("raw.deep")}',
  'filled': raises(NamespaceNotEmptyError, lambda: catalog.drop_namespace('raw')),
  'again': raises(NamespaceAlreadyExistsError, lambda: catalog.create_namespace('raw')),
  'twice': raises(TableAlreadyExistsError, lambda: catalog.create_table('raw.events', schema=table.schema())),
  'nowhere': raises(NoSuchNamespaceError, lambda: catalog.create_table('nope.events', schema=table.schema())),
  'missing': raises(NoSuchTableError, lambda: catalog.load_table('raw.none')),
  'outside': raises(BadRequestError, lambda: catalog.create_table('raw.out', schema=table.schema(), location='file:///etc/lake')),
}
files = [task.file.file_path for task in catalog.load_table('raw.deep.moved').scan().plan_files()]
catalog.purge_table('raw.deep.moved')
import os
seen['refused']['purged'] = str([os.path.exists(f.replace('file://', '')) for f in files])
catalog.drop_namespace('raw.deep')
answer(seen)`,
    { settings },
  )
  expect(seen).toMatchObject({
    all: ['1', '2', '3'],
    filtered: ['2', '3'],
    planned: 2,
    earlier: ['1', '2'],
    after: ['1'],
    listed: [
      [
        ['raw', 'events'],
        ['raw', 'staged'],
      ],
      [['raw']],
      [['raw', 'deep']],
    ],
    exists: [false, true, true, false],
  })
  expect(seen.names).toEqual(seen.listed.slice(0, 2))
  expect(seen.refused.summary).toBe(
    `['about'] ['owner'] ['never'] {'owner': 'ada', 'location': '${lake.files.warehouse}/raw/deep'}`,
  )
  expect(seen.refused.outside).toContain('outside of the warehouse')
  expect(seen.refused.purged).toBe('[False]')

  const after = await loadTable(lake, events)
  expect(currentSchema(after.metadata).fields.map(({ id, name, type }) => [id, name, type])).toEqual([
    [1, 'id', 'long'],
    [2, 'event_time', 'timestamptz'],
    [3, 'words', 'string'],
    [4, 'n', 'long'],
    [5, 'extra', 'string'],
  ])
  expect(after.metadata.properties).toMatchObject({ owner: 'eve' })
  expect(after.metadata.properties).not.toHaveProperty('note')
  expect(Object.keys(after.metadata.refs).sort()).toEqual(['begin', 'main', 'try'])
  expect((await rowsOf(lake)).map(({ id, words, n }) => [id, words, n])).toEqual([
    [1n, 'ü', 7n],
    [3n, 'ours', null],
    [4n, 'evolved', 2n ** 40n],
    [20n, 'instead', null],
  ])
})

test('appends of ours and of several of its clients at once: each lands once, and who was too late tries again', async () => {
  const { url, token, lake } = await inFolder()
  const settings = { uri: url, token: await token('operator') }
  await python(`${OPEN}${CREATE}\nanswer('made')`, { settings })
  await alterProperties(lake, events, { 'commit.retry.num-retries': '50', 'commit.retry.max-wait-ms': '500' })
  const theirs = python<{ conflicts: number }>(
    `${OPEN}
import logging, threading
conflicts = []
class Count(logging.Handler):
    def emit(self, record):
        if 'concurrent update' in record.getMessage(): conflicts.append(1)
logging.getLogger().addHandler(Count())
start, failed = threading.Barrier(3), []
def write(client):
    try:
        table = catalog.load_table('raw.events')
        start.wait()
        for i in range(5):
            table.append(rows(table, {'id': client * 100 + i, 'text': 'theirs'}))
            table = catalog.load_table('raw.events')
    except Exception as error: failed.append(repr(error))
threads = [threading.Thread(target=write, args=(client,)) for client in (1, 2, 3)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert not failed, failed
answer({'conflicts': len(conflicts)})`,
    { settings },
  )
  // Ours are so quick that without an end nobody else would get through.
  const ours = 20
  for (let i = 0; i < ours; i++) await append(lake, [{ id: BigInt(1_000 + i), text: 'ours' }])
  const { conflicts } = await theirs
  const expected = [
    ...[1, 2, 3].flatMap((client) => Array.from({ length: 5 }, (_, i) => BigInt(client * 100 + i))),
    ...Array.from({ length: ours }, (_, i) => BigInt(1_000 + i)),
  ]
  expect((await rowsOf(lake)).map((row) => row.id)).toEqual(expected)
  // All three began with the same snapshot.
  expect(conflicts).toBeGreaterThanOrEqual(2)
})

test('a token is needed, its role is enough for so much, and user and password give one', async () => {
  const { url, token } = await inFolder()
  const outcomes = await python<Record<string, string>>(
    `${OPEN.replace("catalog = RestCatalog('lake', **args['settings'])", "catalog = RestCatalog('lake', uri=args['url'], credential='ada:a long horse')")}${CREATE}
def opened(**settings): return RestCatalog('lake', uri=args['url'], **settings)
viewer = opened(token=args['viewer'])
reader = opened(credential='ada:a long horse', scope='viewer')
answer({
  'none': raises(UnauthorizedError, lambda: opened()), 'bad': raises(UnauthorizedError, lambda: opened(token='made.up.token')),
  'password': raises(OAuthError, lambda: opened(credential='ada:wrong')),
  'read': str(viewer.list_tables('raw')), 'write': raises(ForbiddenError, lambda: viewer.create_namespace('more')),
  'append': raises(ForbiddenError, lambda: (lambda table: table.append(rows(table, {'id': 1})))(reader.load_table('raw.events'))),
  'drop': raises(ForbiddenError, lambda: catalog.drop_table('raw.events')),
})`,
    { url, viewer: await token('viewer') },
  )
  expect(outcomes.none).toContain('NotAuthorizedException')
  expect(outcomes.bad).toContain('not valid or no longer so')
  expect(outcomes.password).toContain('invalid_client')
  expect(outcomes.read).toBe("[('raw', 'events')]")
  expect(outcomes.write).toContain('takes the role operator or admin; this token has the role viewer')
  expect(outcomes.append).toContain('this token has the role viewer')
  expect(outcomes.drop).toContain('takes the role admin')
})

describe('in S3', () => {
  const s3 = withS3()

  test('it is told where the files are, and brings its own keys', async () => {
    const { endpoint, accessKeyId, secretAccessKey, region } = s3.server
    const { url, token, lake } = await serveLake({ kind: 's3', ...s3.target() })
    const settings = {
      uri: url,
      token: await token('admin'),
      's3.access-key-id': accessKeyId,
      's3.secret-access-key': secretAccessKey,
    }
    const seen = await python<{ ids: string[]; told: Record<string, string> }>(
      `${OPEN}${CREATE}
table.append(rows(table, {'id': 1, 'event_time': at(1), 'text': 'in a bucket'}))
answer({'ids': ids(catalog.load_table('raw.events').scan()), 'told': {k: v for k, v in catalog.properties.items() if k.startswith('s3.') and 'key' not in k}})`,
      { settings },
    )
    expect(seen).toEqual({
      ids: ['1'],
      told: { 's3.endpoint': endpoint, 's3.region': region, 's3.path-style-access': 'true' },
    })
    await append(lake, [{ id: 2n }])
    expect((await rowsOf(lake)).map((row) => row.text)).toEqual(['in a bucket', null])
  })
})

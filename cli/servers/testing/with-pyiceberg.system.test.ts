/** PyIceberg in its environment: made once, talks JSON, tells what went wrong, and knows a SQL catalog in PostgreSQL. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { withPostgres } from '../../../db/testing/postgres.ts'
import { withPyIceberg } from './with-pyiceberg.ts'

const postgres = withPostgres()
const { python } = withPyIceberg()
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'streamforge-pyiceberg-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

test('a script gets its arguments and gives JSON back, whatever it prints beside', async () => {
  const script = `
import datetime, decimal, sys
print('noise'); print('more noise', file=sys.stderr)
answer({'got': args, 'price': decimal.Decimal('1.20'), 'at': datetime.datetime(2026, 11, 20), 'bytes': b'\\x00\\xff'})
print('the end')`
  expect(await python(script, { text: 'ü \'"\n', list: [1, null] })).toEqual({
    got: { text: 'ü \'"\n', list: [1, null] },
    price: '1.20',
    at: '2026-11-20T00:00:00',
    bytes: '00ff',
  })
})

test('a script that fails, answers nothing or does not end is an error that shows why', async () => {
  await expect(python("raise ValueError('on purpose')")).rejects.toThrow(/ended with 1:[\s\S]*ValueError: on purpose/)
  await expect(python('pass')).rejects.toThrow(/ended with 0 and no answer/)
  await expect(python('while True: pass', null, { timeoutMs: 1_000 })).rejects.toThrow(/was ended after 1 s/)
})

test('it makes, fills and reads a partitioned table by a SQL catalog in PostgreSQL', async () => {
  const script = `
import datetime, pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.partitioning import PartitionSpec, PartitionField
from pyiceberg.transforms import DayTransform
catalog = SqlCatalog('lake', uri=args['uri'], warehouse=args['warehouse'])
catalog.create_namespace('raw')
rows = pa.table({'id': pa.array([1, 2], pa.int64()), 'at': pa.array([datetime.datetime(2026, 11, 19), datetime.datetime(2026, 11, 20)], pa.timestamp('us'))})
table = catalog.create_table('raw.t', schema=rows.schema)
with table.update_spec() as spec: spec.add_field('at', DayTransform(), 'at_day')
table.append(rows)
read = catalog.load_table('raw.t')
answer({'rows': read.scan(row_filter="at >= '2026-11-20T00:00:00'").to_arrow().to_pylist(), 'files': [f.file.file_path for f in read.scan().plan_files()]})`
  const uri = (await postgres.emptyDatabase()).replace('postgres://', 'postgresql+psycopg2://')
  const { rows, files } = await python<{ rows: unknown[]; files: string[] }>(script, {
    uri,
    warehouse: `file://${folder}`,
  })
  expect(rows).toEqual([{ id: 2, at: '2026-11-20T00:00:00' }])
  expect(files).toHaveLength(2)
})

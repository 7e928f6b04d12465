/** SQL by DuckDB where the files are in S3: those that are needed are copied, up to a limit, and gone afterwards. */
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { withS3 } from '../../../cli/servers/testing/with-s3.ts'
import { openS3Objects } from '../../objects/s3.ts'
import {
  appendFiles,
  createTable,
  openLake,
  openLakeFiles,
  openWriter,
  partitionBy,
  schemaOf,
  tableName,
} from '../index.ts'
import { queryRows } from '../sql-engine.ts'
import { createMemoryCatalog } from '../testing/temporary-lake.ts'
import { createDuckdbEngine } from './duckdb-engine.ts'

const s3 = withS3()

test('files in S3 are copied as far as a statement needs them', async () => {
  const files = openLakeFiles(openS3Objects(s3.target()))
  const lake = openLake(createMemoryCatalog(), files)
  const schema = schemaOf([
    { name: 'id', type: 'long' },
    { name: 'event_time', type: 'timestamptz' },
  ])
  const spec = partitionBy(schema, [{ column: 'event_time', transform: 'day' }])
  const { metadata, name } = await createTable(lake, tableName('raw.orders'), { schema, spec })
  const writer = await openWriter(lake, metadata)
  await writer.appendRows(Array.from({ length: 20 }, (_, id) => ({ id, event_time: id * 86_400_000_000 })))
  await appendFiles(lake, name, await writer.finish())

  const copied: string[] = []
  const local: typeof files.local = (uri, folder) => {
    copied.push(uri)
    return files.local(uri, folder)
  }
  const watched = { ...lake, files: { ...files, local } }
  const parent = await mkdtemp(join(tmpdir(), 'streamforge-sql-'))
  try {
    const engine = createDuckdbEngine(watched, { parent })
    const oneDay = "SELECT id FROM raw.orders WHERE event_time >= '1970-01-03' AND event_time < '1970-01-04'"
    expect((await queryRows(engine, oneDay)).rows).toEqual([[2n]])
    expect(copied).toHaveLength(2)
    expect((await queryRows(engine, 'SELECT sum(id) FROM raw.orders')).rows).toEqual([[190n]])
    expect(copied).toHaveLength(22)
    const limited = createDuckdbEngine(watched, { parent, copiedBytesMax: 4_000 })
    expect((await queryRows(limited, oneDay)).rows).toEqual([[2n]])
    await expect(queryRows(limited, 'FROM raw.orders')).rejects.toThrow(
      /^raw\.orders has .* GB of files to read.*--engine trino/,
    )
    expect(copied).toHaveLength(24)
    expect(await readdir(parent)).toEqual([])
  } finally {
    await rm(parent, { recursive: true, force: true })
  }
})

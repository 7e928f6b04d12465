/**
 * A lake whose files are named gs://, as BigQuery reads them, written by S3's interface: here versitygw stands where Google's would be, asked for nothing that Google's does not know.
 */
import { expect, test } from 'vitest'
import { withS3 } from '../../cli/servers/testing/with-s3.ts'
import { startFaultyProxy } from '../objects/testing/faulty-proxy.ts'
import {
  appendFiles,
  compact,
  createTable,
  expireSnapshots,
  type Lake,
  loadTable,
  openLake,
  openLakeFiles,
  openWriter,
  planScan,
  removeOrphans,
  schemaOf,
  tableName,
} from './index.ts'
import { filesNaming } from './testing/files-naming.ts'
import { allRows, createMemoryCatalog } from './testing/temporary-lake.ts'

const s3 = withS3()
const small = { memoryMb: 64, threads: 1 }
const name = tableName('raw.events')
const schema = schemaOf([{ name: 'id', type: 'long', required: true }])

async function append(lake: Lake, ids: readonly number[]) {
  const writer = await openWriter(lake, (await loadTable(lake, name)).metadata, small)
  await writer.appendRows(ids.map((id) => ({ id: BigInt(id) })))
  return appendFiles(lake, name, await writer.finish())
}
const idsOf = async (lake: Lake) => (await allRows(lake, name, small)).map((row) => Number(row.id))

test('written, compacted, expired, swept and read again, and nothing in it is named otherwise', async ({
  onTestFinished,
}) => {
  const proxy = await startFaultyProxy(s3.server.endpoint)
  onTestFinished(() => proxy.close())
  const { prefix, bucket } = s3.target()
  const catalog = createMemoryCatalog()
  const inBucket = (scheme: 's3' | 'gs') =>
    openLake(catalog, openLakeFiles(s3.store({ scheme, prefix, endpoint: proxy.endpoint })))
  const lake = inBucket('gs')
  const root = `gs://${bucket}/${prefix}/warehouse`
  const { metadata } = await createTable(lake, name, { schema })
  expect(metadata.location).toMatch(new RegExp(`^${root}/raw/events-`))
  for (const id of [1, 2, 3, 4, 5]) await append(lake, [id])
  expect((await compact(lake, name, { minFiles: 2, ...small })).groups).toHaveLength(1)
  const { files } = await expireSnapshots(lake, name, { olderThanMs: Date.now() + 1 })
  // Five data files, and more than as many lists and manifests.
  expect(files.length).toBeGreaterThan(10)
  await lake.files.write(`${metadata.location}/data/left.parquet`, Buffer.from('x'))
  const later: Lake = { ...lake, clock: { ...lake.clock, now: () => Date.now() + 1e9 } }
  expect((await removeOrphans(later, name)).map(({ uri }) => uri)).toEqual([`${metadata.location}/data/left.parquet`])
  await append(lake, [6])
  expect(await idsOf(lake)).toEqual([1, 2, 3, 4, 5, 6])

  const { metadataLocation, metadata: last } = await loadTable(lake, name)
  const { files: planned } = await planScan(lake, last)
  for (const uri of [metadataLocation, ...planned.map(({ file }) => file.path)]) expect(uri).toContain(`${root}/raw/`)
  expect(await filesNaming(lake, root, ['s3:'])).toEqual([])
  expect(await filesNaming(lake, root, [`${root}/raw/`])).toContain(metadataLocation)
  // Google's interface has no deletion of many.
  expect(proxy.requests.filter((request) => request.includes('?delete'))).toEqual([])

  // The same bucket by its other name: told, rather than half a lake of each.
  await expect(loadTable(inBucket('s3'), name)).rejects.toThrow(
    `is in the lake's store, which is now named s3://${bucket}/${prefix}. A lake keeps the names that it was begun with: set STREAMFORGE_OBJECTS_URL to gs://${bucket}/${prefix} again`,
  )
})

/** Damaged, missing and swapped files of a table: an error that names the file and says what to do, never wrong rows, never a hang; other snapshots stay readable. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readAvro } from './avro/container.ts'
import {
  appendFiles,
  compact,
  createTable,
  currentSnapshot,
  type Lake,
  loadTable,
  MissingFile,
  openLake,
  openWriter,
  partitionBy,
  planScan,
  removeOrphans,
  schemaOf,
  tableName,
} from './index.ts'
import { openDuck } from './parquet/duck.ts'
import { parseFooter } from './parquet/footer.ts'
import { positionDeletes } from './testing/foreign-deletes.ts'
import { allRows, temporaryLakes } from './testing/temporary-lake.ts'

const lakeIn = temporaryLakes()
/** What takes longer would not have ended: the others take milliseconds. */
const ENDLESS_MS = 20_000
const name = tableName('raw.events')
const schema = schemaOf([
  { name: 'id', type: 'long', required: true },
  { name: 'day', type: 'date' },
  { name: 'text', type: 'string' },
])
const spec = partitionBy(schema, [{ column: 'day', transform: 'identity' }])
const small = { memoryMb: 64, threads: 1 }

/** As one that has read nothing yet. */
const fresh = (lake: Lake): Lake => openLake(lake.catalog, lake.files)
const idsOf = async (lake: Lake, options = {}) =>
  (await allRows(fresh(lake), name, { ...small, ...options })).map((row) => Number(row.id))
const failure = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    (value) => expect.fail(`it gave ${JSON.stringify(value)}`),
    (error: Error) => error,
  )

/** Two snapshots: the first one's rows are 0 to 99. */
async function table() {
  const lake = await lakeIn()
  await createTable(lake, name, { schema, spec })
  const append = async (from: number) => {
    const writer = await openWriter(lake, (await loadTable(lake, name)).metadata, small)
    const rows = Array.from({ length: 100 }, (_, i) => ({
      id: BigInt(from + i),
      day: 1,
      text: `text ${from + i}`.repeat(5),
    }))
    await writer.appendRows(rows)
    return appendFiles(lake, name, await writer.finish())
  }
  const first = await append(0)
  const { metadata, metadataLocation } = await append(100)
  const { files } = await planScan(lake, metadata)
  const [manifest] = await lake.manifests.list(currentSnapshot(metadata))
  return {
    lake,
    metadata,
    metadataLocation,
    snapshotId: currentSnapshot(metadata)!['snapshot-id'],
    before: { snapshotId: currentSnapshot(first.metadata)!['snapshot-id'] },
    list: currentSnapshot(metadata)!['manifest-list'],
    manifest: manifest!.path,
    data: files[0]!.file,
    firstData: files[1]!.file,
  }
}

async function overwrite(lake: Lake, uri: string, change: (body: Buffer) => Buffer): Promise<void> {
  const body = await lake.files.read(uri)
  await lake.files.delete([uri])
  await lake.files.write(uri, change(Buffer.from(body)))
}

const DAMAGE: [string, (body: Buffer) => Buffer][] = [
  ['empty', () => Buffer.alloc(0)],
  ['cut in half', (body) => body.subarray(0, body.length / 2)],
  ['cut by a byte', (body) => body.subarray(0, -1)],
  ['longer', (body) => Buffer.concat([body, Buffer.from('x')])],
  ['another kind of file', () => Buffer.from('<Error><Code>NoSuchKey</Code></Error>')],
  ['zeros', (body) => Buffer.alloc(body.length)],
]

describe.each([...DAMAGE, ['missing', null]] as const)('%s', (_, damage) => {
  const hurt = (lake: Lake, uri: string) => (damage ? overwrite(lake, uri, damage) : lake.files.delete([uri]))

  test.each(['list', 'manifest'] as const)(
    'a manifest or list of them (%s) is named, other snapshots are read',
    async (which) => {
      const { lake, before, ...files } = await table()
      await hurt(lake, files[which])
      const error = await failure(idsOf(lake))
      expect(error.message).toContain(files[which])
      expect(error.message).toMatch(
        damage ? /can't be read: .*\. Bring it back from a copy/ : /is missing: .*Bring it back/,
      )
      expect(await idsOf(lake, before)).toHaveLength(100)
      // What can't be read can't be said to need nothing.
      const later: Lake = { ...fresh(lake), clock: { ...lake.clock, now: () => Date.now() + 1e9 } }
      expect((await failure(removeOrphans(later, name))).message).toContain(files[which])
      expect(await idsOf(lake, before)).toHaveLength(100)
    },
  )

  test('a data file is named, with table and snapshot; compaction leaves the table as it is', async () => {
    const { lake, before, data, metadata, snapshotId } = await table()
    await hurt(lake, data.path)
    for (const error of [
      await failure(idsOf(lake)),
      await failure(compact(fresh(lake), name, { minFiles: 2, ...small })),
    ]) {
      expect(error.message).toContain(data.path)
      if (damage)
        expect(error.message).toMatch(
          new RegExp(
            `^The table at ${metadata.location}, snapshot ${snapshotId} can't be read: .* is damaged: .*Bring it back`,
          ),
        )
      else expect(error).toBeInstanceOf(MissingFile)
    }
    expect((await loadTable(lake, name)).metadata.snapshots).toHaveLength(2)
    expect(await idsOf(lake, before)).toHaveLength(100)
    expect(await idsOf(lake, { where: [{ column: 'id', op: '<=', value: 99n }] })).toHaveLength(100)
  })

  test('the metadata is named, and so is the way back', async () => {
    const { lake, metadataLocation } = await table()
    // JSON of another table would be whole; these bytes after it are none.
    await hurt(lake, metadataLocation)
    const error = await failure(loadTable(fresh(lake), name))
    expect(error.message).toContain(metadataLocation)
    expect(error.message).toMatch(/previous_metadata_location/)
    expect((await failure(appendFiles(fresh(lake), name, []))).message).toContain(metadataLocation)
  })
})

test('a data file that another one took the place of is not read as if it were the one', async () => {
  const { lake, data, firstData } = await table()
  const other = await lake.files.read(firstData.path)
  // As long as the one it replaces, a whole Parquet file, of fewer rows.
  const duck = await openDuck(small)
  await duck.connection.run(
    `COPY (SELECT 1::BIGINT AS id) TO '${duck.folder}/one.parquet' (FORMAT parquet, FIELD_IDS {id: 1})`,
  )
  await lake.files.delete([data.path])
  await lake.files.writeFile(data.path, `${duck.folder}/one.parquet`)
  await duck.close()
  expect((await failure(idsOf(lake))).message).toMatch(/has \d+ bytes where the manifest says \d+/)
  await overwrite(lake, data.path, () => other)
  const error = await idsOf(lake).catch((error: Error) => error)
  if (other.length !== data.bytes) expect(String(error)).toMatch(/bytes where the manifest says/)
})

test('a data file that is damaged within is named', async () => {
  const { lake, before, data } = await table()
  await overwrite(lake, data.path, (body) => body.fill(0xff, 4, 60))
  const error = await failure(idsOf(lake))
  expect(error.message).toContain(`the file ${data.path} is damaged: `)
  expect(error.message).toMatch(/Bring it back from a copy, or read a snapshot that does not need it/)
  expect((await failure(compact(fresh(lake), name, { minFiles: 2, ...small }))).message).toContain(data.path)
  expect(await idsOf(lake, before)).toHaveLength(100)
})

test('a delete file that is damaged is an error: the rows it deletes are not given', async () => {
  const { lake, metadata, data, before } = await table()
  const { replaceFiles } = await import('./index.ts')
  const deletes = await positionDeletes(lake, metadata, [{ path: data.path, position: 0 }], { partition: [1] })
  await replaceFiles(lake, name, {
    operation: 'overwrite',
    removed: [],
    added: [deletes],
    plannedAt: metadata['last-sequence-number'],
  })
  expect(await idsOf(lake)).toHaveLength(199)
  for (const [, damage] of DAMAGE) {
    const whole = await lake.files.read(deletes.path)
    await overwrite(lake, deletes.path, damage)
    expect((await failure(idsOf(lake))).message).toContain(deletes.path)
    await overwrite(lake, deletes.path, () => whole)
  }
  await lake.files.delete([deletes.path])
  expect((await failure(idsOf(lake))).message).toContain(deletes.path)
  expect(await idsOf(lake, before)).toHaveLength(100)
})

test('a file without field ids is refused: every value of it would be null', async () => {
  const { lake, data } = await table()
  const duck = await openDuck(small)
  const path = `${duck.folder}/plain.parquet`
  await duck.connection.run(`COPY (SELECT i AS id, 'x' AS text FROM range(100) AS r(i)) TO '${path}' (FORMAT parquet)`)
  const foreign = `${data.path}-foreign.parquet`
  await lake.files.writeFile(foreign, path)
  await duck.close()
  const { length: bytes } = await lake.files.read(foreign)
  await appendFiles(lake, name, [{ ...data, path: foreign, bytes, recordCount: 100 }])
  expect((await failure(idsOf(lake))).message).toMatch(
    /the file .*-foreign\.parquet has no field ids, by which columns are found here/,
  )
})

test('a manifest list that ends between its blocks is not taken for an empty table', async () => {
  const { lake, list } = await table()
  const body = await lake.files.read(list)
  const sync = body.subarray(-16)
  await overwrite(lake, list, (whole) => whole.subarray(0, whole.indexOf(sync) + 16))
  expect((await failure(idsOf(lake))).message).toMatch(/it is empty, and the snapshot has 2 data files/)
})

describe('any damage', () => {
  test('of an Avro file ends in an error or in records, at once', async () => {
    const { lake, manifest, list } = await table()
    const bodies = [await lake.files.read(manifest), await lake.files.read(list)]
    const change = fc.record({ at: fc.nat(), bytes: fc.uint8Array({ minLength: 1, maxLength: 12 }) })
    fc.assert(
      fc.property(fc.constantFrom(...bodies), fc.array(change, { minLength: 1, maxLength: 3 }), (body, changes) => {
        const damaged = Buffer.from(body)
        for (const { at, bytes } of changes)
          damaged.set(bytes.subarray(0, damaged.length - (at % damaged.length)), at % damaged.length)
        const start = performance.now()
        try {
          readAvro(damaged)
        } catch (error) {
          expect(error).toBeInstanceOf(Error)
        }
        expect(performance.now() - start).toBeLessThan(ENDLESS_MS)
      }),
      { numRuns: 300 },
    )
  })

  test('of what is in its blocks as well, where no checksum would tell', async () => {
    const { deflateRawSync, inflateRawSync } = await import('node:zlib')
    const { lake, manifest } = await table()
    const body = await lake.files.read(manifest)
    const sync = body.subarray(-16)
    const headEnd = body.indexOf(sync) + 16
    // One block of one record: a byte for the count, two for the length.
    const data = inflateRawSync(body.subarray(headEnd + 3, -16))
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(fc.nat(data.length - 1), bytes, (at, changed) => {
        const hurt = Buffer.from(data)
        hurt.set(changed.subarray(0, hurt.length - at), at)
        const packed = deflateRawSync(hurt)
        const length = Buffer.from([((packed.length * 2) & 0x7f) | 0x80, (packed.length * 2) >> 7])
        const file = Buffer.concat([body.subarray(0, headEnd), Buffer.from([2]), length, packed, sync])
        const start = performance.now()
        try {
          expect(readAvro(file).records).toHaveLength(1)
        } catch (error) {
          expect(error).toBeInstanceOf(Error)
        }
        expect(performance.now() - start).toBeLessThan(ENDLESS_MS)
      }),
      { numRuns: 500 },
    )
  })

  test("of a Parquet file's footer ends in an error or in figures", async () => {
    const { lake, data } = await table()
    const body = await lake.files.read(data.path)
    const length = body.readUInt32LE(body.length - 8)
    const footer = body.subarray(body.length - 8 - length, body.length - 8)
    expect(parseFooter(footer)).toEqual({ rows: 100, fieldIds: new Set([1, 2, 3]) })
    fc.assert(
      fc.property(fc.nat(footer.length - 1), fc.uint8Array({ minLength: 1, maxLength: 9 }), (at, changed) => {
        const hurt = Buffer.from(footer)
        hurt.set(changed.subarray(0, hurt.length - at), at)
        const start = performance.now()
        try {
          parseFooter(hurt)
        } catch (error) {
          expect((error as Error).message).toBe('its footer is damaged')
        }
        expect(performance.now() - start).toBeLessThan(ENDLESS_MS)
      }),
      { numRuns: 500 },
    )
  })
})

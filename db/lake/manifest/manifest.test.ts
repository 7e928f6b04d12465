/** Manifests and manifest lists: what is written is read, field ids are in the header, files of other engines and older versions are understood, damage is told. */
import { deflateRawSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { type AvroSchema, readAvro, typeOf, writeAvro } from '../avro/container.ts'
import { partitionBy, partitionTypes } from '../types/partition-spec.ts'
import { schemaOf } from '../types/schema.ts'
import { ADDED, type DataFile, EXISTING, type ManifestEntry } from './data-file.ts'
import { readManifest, writeManifest } from './manifest.ts'
import { type ManifestFile, readManifestList, writeManifestList } from './manifest-list.ts'
import { avroName } from './manifest-schema.ts'
import { describeManifest, inherit } from './summarise.ts'

const schema = schemaOf([
  { name: 'event-time', type: 'timestamptz' },
  { name: 'key', type: 'uuid' },
  { name: 'price', type: 'decimal(20, 2)' },
  { name: 'n', type: 'long' },
])
const spec = partitionBy(schema, [
  { column: 'event-time', transform: 'day' },
  { column: 'key', transform: 'identity' },
  { column: 'price', transform: 'identity' },
  { column: 'n', transform: 'identity' },
])
const by = { spec, types: partitionTypes(spec, [schema]) }
const file: DataFile = {
  content: 0,
  path: 's3://b/ü.parquet',
  format: 'PARQUET',
  specId: 0,
  partition: [-1, 'f79c3e09-677c-4bbd-a479-3f349cb785e7', -(10n ** 19n), 2n ** 62n],
  recordCount: 3,
  bytes: 5_000_000_000,
  columnSizes: new Map([[1, 7]]),
  valueCounts: new Map([[1, 3]]),
  nullCounts: new Map([[1, 0]]),
  nanCounts: new Map(),
  lowerBounds: new Map([[1, Buffer.from([1, 2])]]),
  upperBounds: new Map([[1, Buffer.from([255])]]),
  splitOffsets: [4, 5_000_000_000],
  equalityIds: null,
  sortOrderId: 0,
  keyMetadata: null,
  referencedDataFile: null,
}
const entry: ManifestEntry = {
  status: ADDED,
  snapshotId: 9007199254740993n,
  sequenceNumber: null,
  fileSequenceNumber: null,
  file,
}
const nulls: DataFile = { ...file, path: 'x', partition: [null, null, null, null] }

describe('manifests', () => {
  test('come back as they were, ids of 63 bits and partitions of every kind included', () => {
    const entries: ManifestEntry[] = [
      entry,
      { ...entry, status: EXISTING, sequenceNumber: 7, fileSequenceNumber: 2n ** 62n, file: nulls },
    ]
    expect(readManifest(writeManifest(entries, by, schema, 'data'), by)).toEqual(entries)
  })

  test('carry schema, spec and field ids in their header', () => {
    const { metadata, schema: avro } = readAvro(writeManifest([entry], by, schema, 'deletes'))
    expect(JSON.parse(metadata.get('schema')!)).toEqual(schema)
    expect(JSON.parse(metadata.get('partition-spec')!)).toEqual(spec.fields)
    expect([metadata.get('format-version'), metadata.get('content')]).toEqual(['2', 'deletes'])
    const text = JSON.stringify(avro)
    for (const id of [0, 1, 3, 4, 2, 134, 100, 102, 1000, 1003, 117, 118, 133, 143])
      expect(text).toMatch(new RegExp(`(field|element)-id":${id}[,}]`))
    expect(text).toContain('"iceberg-field-name":"event-time_day"')
    expect(avroName('9 a')).toBe('_9_x20a')
  })

  test('inherit the sequence number of their list, and are summed up with the range of their partitions', () => {
    const place = { path: 'm', bytes: 9, content: 'data' as const, snapshotId: 5, sequenceNumber: 12 }
    const line = describeManifest([entry, { ...entry, status: EXISTING, sequenceNumber: 3, file: nulls }], by, place)
    expect(line).toMatchObject({
      addedFiles: 1,
      existingFiles: 1,
      addedRows: 3,
      minSequenceNumber: 3,
      sequenceNumber: 12,
    })
    expect(line.partitions?.[0]).toMatchObject({ containsNull: true, lower: Buffer.from('ffffffff', 'hex') })
    expect(inherit([entry], line)[0]).toMatchObject({
      sequenceNumber: 12,
      fileSequenceNumber: 12,
      snapshotId: 9007199254740993n,
    })
    const list = writeManifestList([line], { snapshotId: 5, parentId: null, sequenceNumber: 12 })
    expect(readManifestList(list)).toEqual([line])
  })

  test('damage is told for what it is', () => {
    const body = writeManifest(
      Array.from({ length: 50 }, () => entry),
      by,
      schema,
      'data',
    )
    expect(() => readManifest(Buffer.from('PAR1'), by)).toThrow('it is not an Avro file')
    expect(() => readManifest(body.subarray(0, 100), by)).toThrow(/cut short/)
    expect(() => readManifest(body.subarray(0, -1), by)).toThrow(/cut short or damaged/)
    const changed = Buffer.from(body)
    changed[changed.length - 1]! ^= 1
    expect(() => readManifest(changed, by)).toThrow(/damaged/)
  })
})

test('a list with the names of older versions is read by its field ids', () => {
  const old: AvroSchema = {
    type: 'record',
    name: 'manifest_file',
    fields: [
      { name: 'manifest_path', type: 'string', 'field-id': 500 },
      { name: 'manifest_length', type: 'long', 'field-id': 501 },
      { name: 'added_data_files_count', type: ['null', 'int'], 'field-id': 504 },
      { name: 'added_snapshot_id', type: ['null', 'long'], 'field-id': 503 },
      { name: 'unknown', type: 'string', 'field-id': 9999 },
    ],
  }
  const record = {
    manifest_path: 'p',
    manifest_length: 1,
    added_data_files_count: 3,
    added_snapshot_id: 2n ** 61n,
    unknown: '?',
  }
  const [read] = readManifestList(writeAvro(old, typeOf(old), [record], {}))
  expect(read).toMatchObject({
    path: 'p',
    addedFiles: 3,
    addedSnapshotId: 2n ** 61n,
    partitions: null,
    content: 'data',
  } satisfies Partial<ManifestFile>)
})

test.each(['null', 'snappy'])('the codec %s of other engines is read', async (codec) => {
  const { createRequire } = await import('node:module')
  const { compress } = createRequire(import.meta.url)('snappyjs') as { compress(bytes: Uint8Array): Uint8Array }
  const avro: AvroSchema = { type: 'record', name: 'r', fields: [{ name: 'a', type: 'long', 'field-id': 500 }] }
  const type = typeOf(avro)
  const data = Buffer.concat([1, 2n ** 60n].map((a) => type.toBuffer({ a })))
  const plain = writeAvro(
    avro,
    type,
    [1, 2n ** 60n].map((a) => ({ a })),
    {},
  )
  const packed = codec === 'null' ? data : Buffer.concat([compress(data), Buffer.alloc(4)])
  // The same file with its one block packed otherwise: the header's codec, the block's length and bytes differ.
  const deflated = deflateRawSync(data)
  const at = plain.indexOf(deflated)
  const sync = plain.subarray(-16)
  const head = Buffer.from(plain.subarray(0, at - 2))
  const name = head.indexOf('deflate')
  const header = Buffer.concat([
    head.subarray(0, name - 1),
    Buffer.from([codec.length * 2]),
    Buffer.from(codec),
    head.subarray(name + 7),
  ])
  const renamed = Buffer.concat([header, Buffer.from([4, packed.length * 2]), packed, sync])
  expect(readAvro(renamed).records).toEqual([{ a: 1 }, { a: 2n ** 60n }])
})

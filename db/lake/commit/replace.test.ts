/** What a replacement does to manifests: those that it touches are written together, and what it removed is not carried on. */
import { expect, test } from 'vitest'
import {
  appendFiles,
  createTable,
  loadTable,
  openWriter,
  partitionBy,
  planScan,
  replaceFiles,
  schemaOf,
  tableName,
} from '../index.ts'
import { currentSnapshot } from '../metadata/table-metadata.ts'
import { allRows, temporaryLakes } from '../testing/temporary-lake.ts'

const lakeIn = temporaryLakes()
const name = tableName('raw.events')
const schema = schemaOf([
  { name: 'id', type: 'long', required: true },
  { name: 'part', type: 'string' },
])
const spec = partitionBy(schema, [{ column: 'part', transform: 'identity' }])

test('many touched manifests become two: of what stays, and of what is gone', async () => {
  const lake = await lakeIn()
  const { metadata } = await createTable(lake, name, { schema, spec })
  const APPENDS = 12
  const write = async (rows: { id: number; part: string }[]) => {
    const writer = await openWriter(lake, metadata, { threads: 1 })
    await writer.appendRows(rows)
    return writer.finish()
  }
  for (let i = 0; i < APPENDS; i++)
    await appendFiles(
      lake,
      name,
      await write([
        { id: i, part: 'a' },
        { id: 100 + i, part: 'b' },
      ]),
    )
  const before = await loadTable(lake, name)
  const removed = (await planScan(lake, before.metadata)).files.filter(({ file }) => file.partition[0] === 'a')
  expect(removed).toHaveLength(APPENDS)
  const { metadata: after } = await replaceFiles(lake, name, {
    operation: 'replace',
    removed: removed.map(({ file }) => file),
    added: await write(Array.from({ length: APPENDS }, (_, i) => ({ id: i, part: 'a' }))),
    plannedAt: before.metadata['last-sequence-number'],
  })
  const manifests = await lake.manifests.list(currentSnapshot(after))
  const counts = manifests.map(({ addedFiles, existingFiles, deletedFiles }) => [
    addedFiles,
    existingFiles,
    deletedFiles,
  ])
  expect(counts.sort()).toEqual([
    [0, 0, APPENDS],
    [0, APPENDS, 0],
    [1, 0, 0],
  ])
  // Rows that stay are as old as they were: deletes of between would still find them.
  const sequences = (await planScan(lake, after)).files.filter(({ file }) => file.partition[0] === 'b')
  expect(sequences.map((each) => Number(each.sequenceNumber)).sort((a, b) => a - b)).toEqual(
    Array.from({ length: APPENDS }, (_, i) => i + 1),
  )
  const { metadata: next } = await appendFiles(lake, name, await write([{ id: 99, part: 'a' }]))
  expect((await lake.manifests.list(currentSnapshot(next))).map((each) => each.deletedFiles)).toEqual([0, 0, 0])
  expect((await allRows(lake, name)).map((row) => Number(row.id))).toEqual([
    ...Array.from({ length: APPENDS }, (_, i) => i),
    99,
    ...Array.from({ length: APPENDS }, (_, i) => 100 + i),
  ])
})

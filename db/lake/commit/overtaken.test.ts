/** What is read of a table may be removed by others in that very moment: who reads or commits does so on what the table is by then. */
import { expect, test } from 'vitest'
import {
  alterProperties,
  appendFiles,
  createTable,
  expireSnapshots,
  type Lake,
  loadTable,
  MissingFile,
  openWriter,
  schemaOf,
  tableName,
} from '../index.ts'
import { allRows, temporaryLakes } from '../testing/temporary-lake.ts'

const lakeIn = temporaryLakes()
const name = tableName('raw.events')
const schema = schemaOf([{ name: 'id', type: 'long', required: true }])

async function filesOf(lake: Lake, id: number) {
  const writer = await openWriter(lake, (await loadTable(lake, name)).metadata, { threads: 1 })
  await writer.appendRows([{ id }])
  return writer.finish()
}
const append = async (lake: Lake, id: number) => appendFiles(lake, name, await filesOf(lake, id))
const idsOf = async (lake: Lake) => (await allRows(lake, name)).map((row) => Number(row.id))

/** The same, where others come between the catalog's answer to that question and what follows. */
function overtaken(lake: Lake, question: number, others: () => Promise<unknown>): Lake {
  let asked = 0
  return {
    ...lake,
    catalog: {
      ...lake.catalog,
      async metadataLocation(table) {
        const location = await lake.catalog.metadataLocation(table)
        if (++asked === question) await others()
        return location
      },
    },
  }
}

test('a commit on top of a snapshot that others have expired meanwhile is made on top of theirs', async () => {
  const lake = await lakeIn()
  await createTable(lake, name, { schema })
  await append(lake, 1)
  const files = await filesOf(lake, 3)
  // The first is the append's own, the second its commit's.
  const slow = overtaken(lake, 2, async () => {
    await append(lake, 2)
    expect((await expireSnapshots(lake, name, { olderThanMs: Date.now() + 1 })).snapshots).toHaveLength(1)
  })
  await appendFiles(slow, name, files)
  expect(await idsOf(lake)).toEqual([1, 2, 3])
})

test('a table whose metadata others have replaced and removed meanwhile is theirs; where nobody has, it is missing', async () => {
  const lake = await lakeIn()
  await createTable(lake, name, { schema })
  await alterProperties(lake, name, {
    'write.metadata.delete-after-commit.enabled': 'true',
    'write.metadata.previous-versions-max': '1',
  })
  const slow = overtaken(lake, 1, async () => {
    for (const id of [1, 2, 3]) await append(lake, id)
  })
  const { metadata, metadataLocation } = await loadTable(slow, name)
  expect(metadata.snapshots).toHaveLength(3)
  await lake.files.delete([metadataLocation])
  await expect(loadTable(lake, name)).rejects.toThrow(MissingFile)
})

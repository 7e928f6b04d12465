/** How far an import has come, as tables tell it: after commits of others, rollbacks, expiry. */
import { expect, it } from 'vitest'
import { appendFiles, createTable, expireSnapshots, loadTable, schemaOf, tableName } from '../../db/lake/index.ts'
import { temporaryLakes } from '../../db/lake/testing/temporary-lake.ts'
import { commitOnce } from '../../streams/lake-tables/commit-once.ts'
import { type Mark, markOf, NOTHING, stepOf } from './mark.ts'

const newLake = temporaryLakes()
const name = tableName('raw.orders')

async function newTable() {
  const lake = await newLake()
  const { metadata } = await createTable(lake, name, { schema: schemaOf([{ name: 'id', type: 'long' }]) })
  const metadataNow = async () => (await loadTable(lake, name)).metadata
  return {
    lake,
    metadataNow,
    mark: async (id: number) => markOf(await metadataNow(), id),
    step: (id: number, from: Mark, to: Mark) =>
      commitOnce({ lake, table: 'raw.orders', uuid: metadata['table-uuid'] }, [], stepOf('raw.orders', id, from, to)),
    other: () => appendFiles(lake, name, []),
  }
}
const at = (next: number, done = false): Mark => ({
  next,
  imported: next,
  rejected: 0,
  byte: next * 10,
  line: next + 1,
  done,
})

it('is what the import committed last, whatever others have committed since', async () => {
  const { step, mark, other } = await newTable()
  expect(await mark(1)).toEqual(NOTHING)
  await step(1, NOTHING, at(5))
  await other()
  await step(2, NOTHING, at(3))
  await step(1, at(5), at(8))
  await other()
  expect([await mark(1), await mark(2), await mark(3)]).toEqual([at(8), at(3), NOTHING])
})

it('lets a stretch be committed once: again is found to be done, another one is refused', async () => {
  const { step, mark, metadataNow } = await newTable()
  await step(1, NOTHING, at(5))
  await step(1, NOTHING, at(5))
  expect((await metadataNow()).snapshots).toHaveLength(1)
  await expect(step(1, NOTHING, at(4))).rejects.toThrow(
    'raw.orders has come to row 5 of import 1, and these rows begin at 0: another worker has written meanwhile. Nothing was committed.',
  )
  await step(1, at(5), at(5, true))
  await expect(step(1, at(5), at(9))).rejects.toMatchObject({ name: 'CommitRefused' })
  expect(await mark(1)).toEqual(at(5, true))
})

it('is kept when the snapshots of the import have expired', async () => {
  const { lake, step, mark, other, metadataNow } = await newTable()
  await step(1, NOTHING, at(5))
  await other()
  await expireSnapshots(lake, name, { olderThanMs: Date.now() + 1_000 })
  expect((await metadataNow()).snapshots).toHaveLength(1)
  expect(await mark(1)).toEqual(at(5))
})

it('goes back with a table that is rolled back to before the import: its rows are not there', async () => {
  const { step, other, metadataNow } = await newTable()
  await other()
  const before = (await metadataNow())['current-snapshot-id']
  await step(1, NOTHING, at(5))
  expect(markOf({ ...(await metadataNow()), 'current-snapshot-id': before ?? null }, 1)).toEqual(NOTHING)
})

/** Upkeep of the lake by real workflows: on a Temporal server, a PostgreSQL and files, as operators run it. */
import { expect, test } from 'vitest'
import {
  appendFiles,
  createTable,
  loadTable,
  openWriter,
  planScan,
  schemaOf,
  snapshotsOf,
  tableName,
} from '../../db/lake/index.ts'
import { withPostgres } from '../../db/testing/postgres.ts'
import { type BatchWorld, openBatchWorld } from '../testing/batch-world.ts'
import { failureOf } from '../testing/failure-of.ts'
import { withTemporal } from '../testing/with-temporal.ts'

const temporal = withTemporal()
const postgres = withPostgres()

/** A table with as many small files as asked for. */
async function tableOf({ lake }: BatchWorld, name: string, files: number): Promise<void> {
  const table = await createTable(lake, tableName(name), { schema: schemaOf([{ name: 'id', type: 'long' }]) })
  for (let i = 0; i < files; i++) {
    const writer = await openWriter(lake, table.metadata)
    await writer.append({ id: [BigInt(i)] }, 1)
    await appendFiles(lake, table.name, await writer.finish())
  }
}
const filesOf = async ({ lake }: BatchWorld, name: string) =>
  (await planScan(lake, (await loadTable(lake, tableName(name))).metadata)).files.length

test('one table, or all of them: small files become one, old snapshots go, a second run finds nothing to do', async () => {
  const world = await openBatchWorld(temporal, postgres)
  await world.worker()
  await tableOf(world, 'a.one', 5)
  await tableOf(world, 'a.two', 6)
  const one = await world.start('compactTable', { table: 'a.one' })
  expect(await one.result()).toEqual([
    { table: 'a.one', groups: 1, filesBefore: 5, filesAfter: 1, rows: 5, refused: 0 },
  ])
  expect((await one.describe()).memo).toMatchObject({ table: 'a.one' })
  expect(await filesOf(world, 'a.two')).toBe(6)

  const all = await world.start('compactTable')
  expect(await all.result()).toMatchObject([
    { table: 'a.one', groups: 0 },
    { table: 'a.two', groups: 1, filesAfter: 1 },
  ])
  expect(await all.query('progress')).toEqual({ table: null, done: ['a.one', 'a.two'], failed: [], left: [] })

  const expired = await world.start('expireSnapshots', { older_than_hours: 1e-6, keep: 2 })
  expect(await expired.result()).toMatchObject([{ snapshots: 4 }, { snapshots: 5 }])
  expect(snapshotsOf((await loadTable(world.lake, tableName('a.one'))).metadata)).toHaveLength(2)
  const orphans = await world.start('removeOrphans')
  expect(await orphans.result()).toMatchObject([{ files: 0 }, { files: 0 }])
})

test('input that can not be meant fails at once with a sentence, a missing table too', async () => {
  const world = await openBatchWorld(temporal, postgres)
  await world.worker()
  const typo = await failureOf((await world.start('compactTable', { tabel: 'raw.orders' })).result())
  expect(typo).toMatchObject({ type: 'BadInput', nonRetryable: true })
  expect(typo.message).toBe('The input can\'t be used: Unrecognized key: "tabel". An example: {"table":"raw.orders"}')
  const keep = await failureOf((await world.start('expireSnapshots', { keep: 0 })).result())
  expect(keep.message).toMatch(/^The input can't be used: keep: /)
  const run = await world.start('compactTable', { table: 'no.such' })
  await expect(run.result()).rejects.toMatchObject({ cause: { cause: { type: 'NoSuchTable', message: /no\.such/ } } })
})

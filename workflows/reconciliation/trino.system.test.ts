/** A reconciliation whose SQL a real Trino answers: the same report as with DuckDB. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { withTrino } from '../../cli/servers/testing/with-trino.ts'
import { icebergCatalog } from '../../cli/servers/trino.ts'
import {
  createDuckdbEngine,
  createTrinoEngine,
  type Lake,
  openJdbcCatalog,
  openLake,
  openLakeFiles,
  type SqlEngine,
} from '../../db/lake/index.ts'
import { openFolderObjects } from '../../db/objects/folder.ts'
import { type TestDatabase, withPostgres } from '../../db/testing/postgres.ts'
import { START_MS, troubledHours, workOff } from '../../streams/shadow/testing/shadow-world.ts'
import { reconcile } from './reconcile.ts'

let folder: string
let database: TestDatabase
let lake: Lake
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'streamforge-reconcile-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const postgres = withPostgres()
const trino = withTrino(async () => {
  database = await postgres.database()
  lake = openLake(await openJdbcCatalog(database.sql), openLakeFiles(await openFolderObjects(folder)))
  return { lake: icebergCatalog({ postgresUrl: database.url, catalogName: 'lake', warehouse: lake.files.warehouse }) }
})

test('Trino and DuckDB give the same report', { timeout: 300_000 }, async () => {
  const HOUR_MS = 3_600_000
  await workOff(database, lake, folder, troubledHours(3, 5))
  const sort = { memoryMb: 256, threads: 1, parent: folder }
  const by = (engine: SqlEngine) =>
    reconcile(
      { database, databaseUrl: database.url, lake, engine, sort, now: Date.now },
      { fromMs: START_MS + HOUR_MS, toMs: START_MS + 3 * HOUR_MS, schema: 'shadow_test_1' },
    )
  const report = await by(createTrinoEngine(trino.client({ catalog: 'lake' })))
  expect(report).toMatchObject({
    outcome: 'passed',
    explained: { late: expect.anything(), duplicate: expect.anything() },
  })
  expect(report).toEqual(await by(createDuckdbEngine(lake, sort)))
})

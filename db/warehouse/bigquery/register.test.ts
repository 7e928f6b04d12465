/** Registrations against a double of BigQuery's API: what it stands for, and what not, says `testing/bigquery-double.ts`. The lake is a real one, in a folder, whose files are named gs://. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import type { Clock } from '../../../streams/time/clock.ts'
import { alterSchema, type Lake, openLake, openLakeFiles, tableName } from '../../lake/index.ts'
import { createMemoryCatalog } from '../../lake/testing/temporary-lake.ts'
import { ensureModelTable } from '../../models/build.ts'
import { modelNamed } from '../../models/models.ts'
import { putRows } from '../../models/testing/put-rows.ts'
import { openFolderObjects } from '../../objects/folder.ts'
import { type BigQueryDouble, startBigQueryDouble } from '../testing/bigquery-double.ts'
import { bigQueryStatus, registerStarSchema } from './register.ts'
import { workloadToken } from './workload-token.ts'

const DAY = '2026-11-10'
const FACTS = tableName('analytics.fact_events')

let lake: Lake
let bigQuery: BigQueryDouble
let clock: Clock & { ms: number }

beforeEach(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'streamforge-bigquery-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const files = openLakeFiles({ ...(await openFolderObjects(folder)), location: 'gs://shop/live' })
  lake = openLake(createMemoryCatalog(), files)
  clock = {
    ms: 1_800_000_000_000,
    now: () => clock.ms,
    // Pauses take no time here.
    async sleep(ms) {
      clock.ms += ms
    },
  }
  bigQuery = await startBigQueryDouble(files, () => clock.ms)
  onTestFinished(() => bigQuery.close())
})

const options = () => ({ lake, clock, token: workloadToken(bigQuery.settings.metadataHost) })
const register = () => registerStarSchema(bigQuery.settings, options())
const current = () => lake.catalog.metadataLocation(FACTS) as Promise<string>
const facts = () => bigQuery.tables.get('fact_events')
/** Of `fact_events`, the others being read alone. */
const changes = () => bigQuery.calls.filter((call) => /^(POST|PATCH) /.test(call))
const commit = (rows: object[] = [{ event_id: 'a' }]) => putRows(lake, 'fact_events', DAY, rows as never)
/** A commit that writes no data file. */
const addColumn = (name: string) => alterSchema(lake, FACTS, [{ change: 'add', column: { name, type: 'string' } }])

test('a table is created, follows each commit with its schema, and is left alone where it is current', async () => {
  await ensureModelTable(lake, modelNamed('dim_users'))
  await commit()
  const first = await current()
  expect(await register()).toEqual([
    {
      table: 'analytics.dim_users',
      was: 'no rows yet',
      metadata: null,
      inLake: await lake.catalog.metadataLocation(tableName('analytics.dim_users')),
    },
    { table: 'analytics.fact_events', was: 'not registered', metadata: first, inLake: first },
  ])
  expect(facts()).toMatchObject({ metadata: first, connectionId: bigQuery.settings.connection })

  await addColumn('channel')
  const second = await current()
  expect(await bigQueryStatus(bigQuery.settings, options())).toMatchObject([{}, { was: 'behind', metadata: first }])
  expect(await register()).toMatchObject([{}, { was: 'behind', metadata: second }])
  expect(facts()).toMatchObject({ metadata: second, schemaOf: second, connectionId: bigQuery.settings.connection })

  bigQuery.calls.length = 0
  expect(await register()).toMatchObject([{}, { was: 'current', metadata: second }])
  expect(changes()).toEqual([])
  // One token for all of it.
  expect(bigQuery.calls.filter((call) => call === 'token')).toHaveLength(1)
})

test('a slow registrar does not undo what a faster one has done', async () => {
  await commit()
  await register()
  await addColumn('one')
  const slow = await current()
  let isFirst = true
  bigQuery.plan = async (call) => {
    if (call === 'PATCH fact_events' && isFirst) {
      isFirst = false
      // While the first one's change is on its way, there is another commit, and somebody else registers it.
      await addColumn('two')
      await register()
    }
    return null
  }
  expect(await register()).toMatchObject([{ metadata: await current() }])
  expect(facts()?.metadata).toBe(await current())
  expect(facts()?.metadata).not.toBe(slow)
  // The first, the other's, and none behind that: it found the table current.
  expect(changes()).toEqual(['POST fact_events', 'PATCH fact_events', 'PATCH fact_events'])
})

test('a commit that removes the file of which BigQuery is being told is followed at once', async () => {
  await commit()
  await register()
  await addColumn('one')
  const gone = await current()
  bigQuery.plan = async (call) => {
    if (call === 'PATCH fact_events' && (await current()) === gone) {
      await addColumn('two')
      await lake.files.delete([gone])
    }
    return null
  }
  expect(await register()).toMatchObject([{ was: 'behind', metadata: await current() }])
  expect(facts()?.metadata).toBe(await current())
})

test('two that find no table make one, and both end well', async () => {
  await commit()
  let other: Promise<unknown> | null = null
  bigQuery.plan = async (call) => {
    // While the first one's table is on its way, somebody else makes it.
    if (call === 'POST fact_events' && other === null) {
      other = register()
      await other
    }
    return null
  }
  expect(await register()).toMatchObject([{ was: 'current', metadata: await current() }])
  expect(await other).toMatchObject([{ was: 'not registered', metadata: await current() }])
  expect(changes()).toEqual(['POST fact_events', 'POST fact_events'])
})

test('somebody who changes the table again and again is given way to, in the end with an error that passes', async () => {
  await commit()
  await register()
  await addColumn('one')
  bigQuery.plan = (call) => {
    if (call === 'PATCH fact_events') bigQuery.touch('fact_events')
    return null
  }
  await expect(register()).rejects.toMatchObject({
    name: 'GoogleUnavailable',
    message: expect.stringContaining('was registered by others 5 times meanwhile'),
  })
  bigQuery.plan = () => null
  await register()
  expect(facts()?.metadata).toBe(await current())
})

test('BigQuery is not set back by a catalog that is older, and tables that are not ours are left', async () => {
  await commit()
  const old = await current()
  await addColumn('one')
  await register()
  const newer = facts()!.metadata
  await lake.catalog.swap(FACTS, newer, old)
  await expect(register()).rejects.toThrow(/the catalog is at .* which is older: was the database brought back/)
  expect(facts()?.metadata).toBe(newer)

  const foreign = { ...facts()!, metadata: 'gs://other/warehouse/t/metadata/00001-a.metadata.json' }
  bigQuery.tables.set('fact_events', foreign)
  await expect(register()).rejects.toThrow(/a table fact_events that is of another lake \(gs:\/\/other/)
  expect(facts()).toBe(foreign)
})

test('a table that the lake has no more stays, and is told', async () => {
  await commit()
  await register()
  const { metadata } = facts()!
  await lake.catalog.drop(FACTS)
  expect(await register()).toEqual([{ table: 'analytics.fact_events', was: 'gone', metadata, inLake: null }])
  expect(facts()?.metadata).toBe(metadata)
})

test('a token is asked for again when its end is near, and when it is taken back', async () => {
  await commit()
  const { token } = options()
  const again = () => registerStarSchema(bigQuery.settings, { lake, clock, token })
  await again()
  clock.ms += 3_600_000 - 226_000
  await again()
  expect(bigQuery.calls.filter((call) => call === 'token')).toHaveLength(1)
  clock.ms += 2_000
  await again()
  expect(bigQuery.calls.filter((call) => call === 'token')).toHaveLength(2)
  bigQuery.revokeTokens()
  await again()
  expect(bigQuery.calls.filter((call) => call === 'token')).toHaveLength(3)
})

test.each([
  [
    { status: 403, reason: 'accessDenied' },
    'CannotRegister',
    /fact_events.*needs bigquery\.tables\.get, \.create and \.update.*bigquery\.connections\.delegate.*storage\.objectViewer/s,
  ],
  [{ status: 403, reason: 'quotaExceeded' }, 'GoogleUnavailable', /at the moment/],
  [{ status: 400, reason: 'invalid' }, 'CannotRegister', /BigQuery says: As the test has planned/],
])('%j when a table is made', async (refusal, name, message) => {
  await commit()
  bigQuery.plan = (call) => (call === 'POST fact_events' ? refusal : null)
  await expect(register()).rejects.toMatchObject({ name, message: expect.stringMatching(message) })
})

test('a metadata file that is not there, or is not to be seen, is told, and the table stays as it was', async () => {
  await commit()
  await register()
  const before = facts()
  await addColumn('one')
  await lake.files.delete([await current()])
  await expect(register()).rejects.toMatchObject({
    name: 'CannotRegister',
    message: expect.stringContaining(`BigQuery says: Not found: URI ${await current()}`),
  })
  expect(facts()).toBe(before)
})

test('a dataset that is not there is named, and so is a lake that BigQuery can not read; no error holds a token', async () => {
  await commit()
  bigQuery.hasDataset = false
  const error = await register().catch((thrown: Error) => thrown)
  expect(error).toMatchObject({
    name: 'CannotRegister',
    message: expect.stringContaining('the dataset shop-123.lake (BIGQUERY_DATASET)'),
  })
  expect(`${(error as Error).stack}${(error as Error).cause}`).not.toContain('ya29')
  const elsewhere = { ...lake, files: { ...lake.files, warehouse: 's3://shop/live/warehouse' } }
  await expect(registerStarSchema(bigQuery.settings, { ...options(), lake: elsewhere })).rejects.toThrow(
    "the lake's are below s3://shop/live/warehouse. STREAMFORGE_OBJECTS_URL=gs://BUCKET/PREFIX",
  )
})

test('an API that is away: a few tries, an error that passes, and later all is caught up with', async () => {
  await commit()
  await register()
  await addColumn('one')
  await addColumn('two')
  bigQuery.plan = (call) => (call.startsWith('PATCH') ? { status: 503 } : null)
  bigQuery.calls.length = 0
  await expect(register()).rejects.toMatchObject({ name: 'GoogleUnavailable', message: expect.stringContaining('503') })
  expect(changes()).toHaveLength(4)
  let fails = 2
  bigQuery.plan = (call) => (call.startsWith('PATCH') && fails-- > 0 ? { status: 429 } : null)
  await register()
  expect(facts()?.metadata).toBe(await current())
})

test('no metadata server: it is said what it is for', async () => {
  await commit()
  const nobody = { ...options(), token: workloadToken('127.0.0.1:1') }
  await expect(registerStarSchema(bigQuery.settings, nobody)).rejects.toThrow(
    /Google's metadata server.* does not answer.*Workload Identity/s,
  )
  bigQuery.plan = (call) => (call === 'token' ? { status: 404, reason: 'notFound' } : null)
  await expect(register()).rejects.toThrow(/gives no token \(404\).*Workload Identity/s)
})

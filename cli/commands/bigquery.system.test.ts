/**
 * BigQuery as an operator has it: a worker that registers by itself, and `streamforge warehouse`. Temporal, PostgreSQL and the S3 server are real; BigQuery and Google's metadata server are a double
 * (db/warehouse/testing/bigquery-double.ts says what that shows, and what not).
 */
import { expect, test } from 'vitest'
import { alterSchema, type Lake, openJdbcCatalog, openLake, openLakeFiles, tableName } from '../../db/lake/index.ts'
import { putRows } from '../../db/models/testing/put-rows.ts'
import { openS3Objects } from '../../db/objects/s3.ts'
import { eraseFromLake } from '../../db/privacy/erase-from-lake.ts'
import { withPostgres } from '../../db/testing/postgres.ts'
import { type BigQueryDouble, startBigQueryDouble } from '../../db/warehouse/testing/bigquery-double.ts'
import { openBatchWorld } from '../../workflows/testing/batch-world.ts'
import { withTemporal } from '../../workflows/testing/with-temporal.ts'
import { withS3 } from '../servers/testing/with-s3.ts'
import { runCommand } from '../testing/run-command.ts'
import { warehouse as command } from './warehouse.ts'

const temporal = withTemporal()
const postgres = withPostgres()
const s3 = withS3()
const SOON = { timeout: 60_000, interval: 100 }
const FACTS = tableName('analytics.fact_events')

const addColumn = (lake: Lake, name: string) =>
  alterSchema(lake, FACTS, [{ change: 'add', column: { name, type: 'string' } }])

test('commits and an erasure are registered by the worker, through a time without the API; the command tells, and does it at once', async ({
  onTestFinished,
}) => {
  const world = await openBatchWorld(temporal, postgres)
  const google = { kind: 's3', scheme: 'gs', ...s3.target() } as const
  const files = openLakeFiles(openS3Objects(google))
  const lake = openLake(await openJdbcCatalog(world.database.sql), files)
  const double: BigQueryDouble = await startBigQueryDouble(files, Date.now)
  onTestFinished(() => double.close())
  const current = () => lake.catalog.metadataLocation(FACTS)
  const reads = () => double.tables.get('fact_events')?.metadata ?? null
  const caughtUp = () => expect.poll(async () => reads() === (await current()), SOON).toBe(true)
  await putRows(lake, 'fact_events', '2026-11-10', [{ event_id: 'a', user_id: 'ada' }])

  const settings = { objects: google, bigQuery: double.settings, registerMs: 100 }
  const running = await world.worker(settings)
  await caughtUp()
  await addColumn(lake, 'one')
  await caughtUp()
  // An erasure removes every older metadata file, so BigQuery could read nothing until it is told.
  const old = reads()!
  await eraseFromLake(lake, { pseudonyms: new Map([['ada', 'erased-1']]), told: null }, { memoryMb: 128 })
  await expect(files.read(old)).rejects.toThrow(/is missing/)
  await caughtUp()
  const again = await world.start('registerTables')
  expect(await again.result()).toEqual([
    { table: 'analytics.fact_events', was: 'current', metadata: reads(), inLake: reads() },
  ])

  double.plan = (call) => (call.startsWith('PATCH') ? { status: 503 } : null)
  double.calls.length = 0
  await addColumn(lake, 'two')
  // All of one attempt, and the first of another: the activity is tried again.
  await expect.poll(() => double.calls.filter((call) => call.startsWith('PATCH')).length, SOON).toBeGreaterThan(4)
  expect(reads()).not.toBe(await current())
  double.plan = () => null
  await caughtUp()
  await running.stop()

  const { endpoint, region, accessKeyId, secretAccessKey, bucket, prefix } = google
  const env = {
    ...world.env,
    STREAMFORGE_OBJECTS_URL: `gs://${bucket}/${prefix}`,
    S3_ENDPOINT: endpoint!,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    BIGQUERY_DATASET: 'shop-123.lake',
    BIGQUERY_CONNECTION: 'shop-123.eu.lake',
    BIGQUERY_ENDPOINT: double.settings.endpoint,
    GCE_METADATA_HOST: double.settings.metadataHost,
  }
  const warehouse = (...args: string[]) => runCommand(command, args, { env })
  expect(await warehouse('status')).toMatchObject({
    code: 0,
    out: expect.stringMatching(/TABLE +BIGQUERY shop-123\.lake\nanalytics\.fact_events +current\n/),
  })
  await addColumn(lake, 'three')
  expect(await warehouse('status')).toMatchObject({ code: 1, out: expect.stringMatching(/fact_events +behind/) })
  const before = reads()
  const published = await warehouse('publish', '--json')
  expect([published.code, published.err]).toEqual([0, ''])
  expect(JSON.parse(published.out)).toEqual([
    {
      warehouse: 'bigquery',
      table: 'analytics.fact_events',
      state: 'updated',
      metadata: await current(),
      lake_metadata: await current(),
    },
  ])
  expect(reads()).not.toBe(before)

  await addColumn(lake, 'four')
  double.plan = (call) => (call.startsWith('PATCH') ? { status: 403, reason: 'accessDenied' } : null)
  const refused = await warehouse('publish')
  expect(refused.code).toBe(1)
  expect(refused.err).toMatch(
    /^1 table is not in BigQuery as the lake has them \(fact_events\).*needs bigquery\.tables\.get/,
  )
  expect(refused.err).not.toContain('ya29')
  // What no repetition mends ends the run at once.
  await world.worker({ ...settings, registerMs: 60_000 })
  const run = await world.start('registerTables')
  // The run's failure, the activity's, and what the activity has thrown.
  await expect(run.result()).rejects.toMatchObject({ cause: { cause: { type: 'CannotRegister', nonRetryable: true } } })
})

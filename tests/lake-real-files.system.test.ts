/**
 * Real files through the whole path, command line → edge → log → lake-writer → Iceberg: what the tables hold is, row by row, what a naive reading of the files gives (with
 * `naive/csv.ts`, which knows nothing of the product). Of each file its first thousands of rows: `real-files.system.test.ts` has all of them, on the way to the live results.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Row } from '../db/lake/index.ts'
import { type CsvRow, csvRows, unique } from './naive/csv.ts'
import { clickIn, clickOf, isConversion, isOrder, isTrip, orderIn, orderOf, tripIn, tripOf } from './naive/lake-rows.ts'
import { eventually } from './support/eventually.ts'
import { openTestLake, type TestLake } from './support/lake.ts'
import { newDataDir, runCli, startPlatform, type TestPlatform } from './support/platform.ts'
import { describeWithFiles } from './support/real-data.ts'

const FILES = ['rees46-2019-10-01.csv', 'online-retail-2010-12.csv', 'nyc-tlc-yellow-2019-q1.csv'] as const
const ROWS = 6_000
const DEADLINE_MS = 60_000

describeWithFiles('the real files in the lake', FILES, (paths) => {
  let platform: TestPlatform
  let lake: TestLake
  let files: CsvRow[][]

  beforeAll(async () => {
    const folder = await newDataDir()
    platform = await startPlatform({ env: { STREAMFORGE_LAKE_COMMIT_SECONDS: '1' } })
    const slices = paths.map((path) => join(folder, basename(path)))
    for (const [i, slice] of slices.entries()) {
      const lines = (await readFile(paths[i]!, 'utf8')).split('\n').slice(0, ROWS + 1)
      await writeFile(slice, `${lines.join('\n')}\n`)
      const preset = ['rees46', 'online-retail', 'nyc-tlc'][i]!
      const how = ['--mapping', preset, '--keep-time', '--speed', 'max', '--data', platform.dataDir]
      const { code, err } = await runCli(['replay', slice, ...how])
      expect(code, err).toBe(0)
    }
    files = slices.map((slice) => csvRows(slice))
    const running = JSON.parse(await readFile(join(platform.dataDir, 'running.json'), 'utf8')) as Record<string, string>
    lake = await openTestLake(running.postgres_url!, { kind: 'folder', folder: join(platform.dataDir, 'objects') })
  })
  afterAll(() => lake?.close())

  /** All rows of the table, when it has as many. */
  async function rowsOf(table: string, count: number): Promise<Row[]> {
    await eventually(`${table} has ${count} rows`, DEADLINE_MS, async () => (await lake.totalRecords(table)) >= count)
    return lake.rows(table)
  }

  it('are there click by click', async () => {
    const expected = unique(files[0]!).rows.map(clickOf)
    const rows = await rowsOf('raw.clickstream_events', expected.length)
    expect(rows.map(clickIn).sort()).toEqual(expected.sort())
    expect(new Set(rows.map((r) => r.event_id)).size).toBe(rows.length)
  })

  it('are there order by order, with their conversions', async () => {
    const expected = unique(files[1]!.filter(isOrder)).rows
    const rows = await rowsOf('raw.orders', expected.length)
    expect(rows.map(orderIn).sort()).toEqual(expected.map(orderOf).sort())
    const converted = expected.filter(isConversion)
    expect(converted.length).toBeGreaterThan(100)
    const conversions = await rowsOf('marketing_events.processed_conversions', converted.length)
    const asOrders = conversions.map((r) => orderIn({ ...r, amount_minor: r.revenue_minor ?? null, status: 'success' }))
    expect(asOrders.sort()).toEqual(converted.map(orderOf).sort())
  })

  it('are there trip by trip', async () => {
    const expected = unique(files[2]!.filter(isTrip)).rows.map(tripOf)
    const rows = await rowsOf('raw.trips', expected.length)
    expect(rows.map(tripIn).sort()).toEqual(expected.sort())
  })
})

/**
 * Real files through the whole path, command line → edge → log → lake-writer → Iceberg: what the tables hold is, row by row, what a naive reading of the files gives (with
 * `naive/csv.ts`, which knows nothing of the product). Of each file its first thousands of rows: `real-files.system.test.ts` has all of them, on the way to the live results.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Row } from '../db/lake/index.ts'
import { type CsvRow, csvRows, hundredths, unique, utc } from './naive/csv.ts'
import { eventually } from './support/eventually.ts'
import { openTestLake, type TestLake } from './support/lake.ts'
import { newDataDir, runCli, startPlatform, type TestPlatform } from './support/platform.ts'
import { describeWithFiles } from './support/real-data.ts'

const FILES = ['rees46-2019-10-01.csv', 'online-retail-2010-12.csv', 'nyc-tlc-yellow-2019-q1.csv'] as const
const ROWS = 6_000
const DEADLINE_MS = 60_000
const TYPES: Record<string, string> = { view: 'product_view', cart: 'add_to_cart', purchase: 'purchase' }

const ms = (value: Row[string] | undefined): number => Number(value) / 1000
const text = (...values: unknown[]): string => values.map((value) => (value === '' ? null : value)).join('|')

function clickOf(row: CsvRow): string {
  const isPurchase = row.get('event_type') === 'purchase'
  const times = utc(row.get('event_time'))
  const rest = ['product_id', 'category_code', 'user_id', 'user_session'].map((name) => row.get(name) || null)
  return text(times, TYPES[row.get('event_type')], ...rest, isPurchase ? hundredths(row.get('price')) : null)
}

function orderOf(row: CsvRow): string {
  const invoice = row.get('InvoiceNo')
  const customer = row.get('CustomerID')
  const user = customer === '' ? `guest-${invoice}` : customer.replace('.0', '')
  const quantity = Math.abs(Number(row.get('Quantity')))
  const status = invoice.startsWith('C') ? 'refunded' : 'success'
  const amount = quantity * hundredths(row.get('UnitPrice'))
  const times = utc(row.get('InvoiceDate'))
  return text(times, user, row.get('StockCode'), quantity, amount, 'GBP', row.get('Country'), status)
}

const isOrder = (row: CsvRow): boolean =>
  (row.get('InvoiceNo').startsWith('C') || Number(row.get('Quantity')) > 0) && !row.get('UnitPrice').startsWith('-')
const isConversion = (row: CsvRow): boolean =>
  isOrder(row) &&
  !row.get('InvoiceNo').startsWith('C') &&
  Number(row.get('Quantity')) * hundredths(row.get('UnitPrice')) > 5_000

function tripOf(row: CsvRow): string {
  const [from, to] = [utc(row.get('pickup_datetime')), utc(row.get('dropoff_datetime'))]
  const metres = Math.round((hundredths(row.get('trip_distance')) * 1_609_344) / 100_000)
  return text(from, row.get('pickup_location_id'), hundredths(row.get('fare_amount')), (to - from) / 1000, metres)
}
const isTrip = (row: CsvRow): boolean =>
  hundredths(row.get('fare_amount')) >= 0 && utc(row.get('dropoff_datetime')) >= utc(row.get('pickup_datetime'))

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
    const got = rows.map((r) =>
      text(ms(r.event_time), r.event_type, r.product_id, r.category, r.user_id, r.session_id, r.revenue_minor),
    )
    expect(got.sort()).toEqual(expected.sort())
    expect(new Set(rows.map((r) => r.event_id)).size).toBe(rows.length)
  })

  it('are there order by order, with their conversions', async () => {
    const expected = unique(files[1]!.filter(isOrder)).rows
    const rows = await rowsOf('raw.orders', expected.length)
    const textOf = (r: Row) =>
      text(ms(r.event_time), r.user_id, r.product_id, r.quantity, r.amount_minor, r.currency, r.region, r.status)
    expect(rows.map(textOf).sort()).toEqual(expected.map(orderOf).sort())
    const converted = expected.filter(isConversion)
    expect(converted.length).toBeGreaterThan(100)
    const conversions = await rowsOf('marketing_events.processed_conversions', converted.length)
    const asOrders = conversions.map((r) => textOf({ ...r, amount_minor: r.revenue_minor ?? null, status: 'success' }))
    expect(asOrders.sort()).toEqual(converted.map(orderOf).sort())
  })

  it('are there trip by trip', async () => {
    const expected = unique(files[2]!.filter(isTrip)).rows.map(tripOf)
    const rows = await rowsOf('raw.trips', expected.length)
    const got = rows.map((r) => text(ms(r.event_time), r.region_id, r.fare_minor, r.duration_s, r.distance_m))
    expect(got.sort()).toEqual(expected.sort())
  })
})

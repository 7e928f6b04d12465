/** Bounds and counts of files that DuckDB wrote: they cover every value, are there where they should be, and are left out where they would be uncertain. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createTable, openWriter, type Row, type Schema, schemaOf, tableName } from '../index.ts'
import type { DataFile } from '../manifest/data-file.ts'
import { everyRow, everyType } from '../testing/every-type.ts'
import { temporaryLakes } from '../testing/temporary-lake.ts'
import { compareValues } from '../types/bounds.ts'
import { fromBytes } from '../types/single-value.ts'
import { metricsOf } from './metrics.ts'

const lakeIn = temporaryLakes()

async function fileOf(schema: Schema, rows: Row[]): Promise<DataFile> {
  const lake = await lakeIn()
  const { metadata } = await createTable(lake, tableName('a.b'), { schema })
  const writer = await openWriter(lake, metadata)
  await writer.appendRows(rows)
  const [file] = await writer.finish()
  return file!
}

function expectCovered(schema: Schema, file: DataFile, rows: Row[]) {
  for (const { id, name, type } of schema.fields) {
    const values = rows.map((row) => row[name] ?? null)
    expect([name, file.valueCounts.get(id)]).toEqual([name, rows.length])
    expect([name, file.nullCounts.get(id)]).toEqual([name, values.filter((value) => value === null).length])
    const [lower, upper] = [file.lowerBounds.get(id), file.upperBounds.get(id)]
    for (const value of values) {
      if (value === null || Number.isNaN(value)) continue
      if (lower) expect(compareValues(type as string, fromBytes(type as string, lower), value)).toBeLessThanOrEqual(0)
      if (upper)
        expect(compareValues(type as string, fromBytes(type as string, upper), value)).toBeGreaterThanOrEqual(0)
    }
  }
}

test('every type has counts and bounds; a column with NaN has none, nor has one that no short bound covers', async () => {
  const file = await fileOf(everyType, everyRow)
  expectCovered(everyType, file, everyRow)
  const named = (bounds: ReadonlyMap<number, unknown>) =>
    everyType.fields.filter(({ id }) => bounds.has(id)).map(({ name }) => name)
  const all = everyType.fields.map(({ name }) => name)
  expect(named(file.lowerBounds)).toEqual(all.filter((name) => name !== 'twice'))
  expect(named(file.upperBounds)).toEqual(all.filter((name) => name !== 'twice' && name !== 'raw'))
  expect(file.splitOffsets).toEqual([4])
  expect([...file.columnSizes.values()].every((bytes) => Number(bytes) > 0)).toBe(true)
})

test('arbitrary text, bytes, numbers and times are covered, however long or old', async () => {
  const schema = schemaOf([
    { name: 'text', type: 'string' },
    { name: 'raw', type: 'binary' },
    { name: 'at', type: 'timestamptz' },
    { name: 'day', type: 'date' },
    { name: 'x', type: 'double' },
    { name: 'y', type: 'float' },
    { name: 'm', type: 'decimal(9, 4)' },
  ])
  const row = fc.record({
    text: fc.option(
      fc.string({ unit: 'binary', maxLength: 400 }).map((text) => text.toWellFormed().replaceAll('\0', '')),
    ),
    raw: fc.option(fc.uint8Array({ maxLength: 300 })),
    at: fc.option(fc.bigInt({ min: -(2n ** 57n), max: 2n ** 60n })),
    day: fc.option(fc.integer({ min: -1_000_000, max: 2_900_000 })),
    x: fc.option(fc.double()),
    y: fc.option(fc.float()),
    m: fc.option(fc.bigInt({ min: -999_999_999n, max: 999_999_999n })),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 20 }), async (rows) => {
      expectCovered(schema, await fileOf(schema, rows), rows)
    }),
    { numRuns: 8 },
  )
})

test('figures that are not understood give no bound', () => {
  const schema = schemaOf([
    { name: 'at', type: 'timestamp' },
    { name: 'day', type: 'date' },
    { name: 'x', type: 'double' },
  ])
  const of = (min: string) =>
    new Map([
      ['min', min],
      ['max', min],
      ['null_count', '0'],
    ])
  const { lowerBounds, upperBounds, nullCounts } = metricsOf(
    schema,
    1,
    new Map([
      ['at', of('0044-03-15 (BC) 00:00:00')],
      ['day', of('infinity')],
      ['x', of('nan')],
    ]),
  )
  expect([lowerBounds.size, upperBounds.size, nullCounts.size]).toEqual([0, 0, 3])
})

/** What is put into chunks in bulk is what DuckDB then has: for every type, at the limits, with nulls, and when columns and chunks are used again. */
import { DuckDBDataChunk, type DuckDBValue } from '@duckdb/node-api'
import duckdb from '@duckdb/node-bindings'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Value } from '../types/types.ts'
import { columnForm } from './columns.ts'
import { type Duck, openDuck } from './duck.ts'
import { CHUNK_ROWS, stagedColumn } from './staging.ts'

let duck: Duck
beforeAll(async () => {
  duck = await openDuck({ memoryMb: 256, threads: 1 })
})
afterAll(() => duck.close())

/** One column filled once per batch, all through the same chunk. @returns what DuckDB has of each */
async function staged(type: string, batches: readonly (Value | null)[][]): Promise<(Value | null)[][]> {
  const column = stagedColumn(type)
  const form = columnForm(type)
  const chunk = DuckDBDataChunk.create([column.type])
  const result: (Value | null)[][] = []
  for (const batch of batches) {
    await duck.connection.run(`CREATE OR REPLACE TABLE staged (c ${column.type})`)
    const appender = await duck.connection.createAppender('staged')
    chunk.reset()
    chunk.rowCount = batch.length
    expect(column.fill(duckdb.data_chunk_get_vector(chunk.chunk, 0), batch, 0, batch.length)).toBe(-1)
    appender.appendDataChunk(chunk)
    appender.closeSync()
    const sql = `SELECT ${form.toResult('parquet')} FROM (SELECT ${form.toParquet('c')} AS parquet FROM staged)`
    const values: readonly DuckDBValue[] = (await duck.connection.runAndReadAll(sql)).getColumns()[0] ?? []
    result.push(values.map((value) => (value === null ? null : form.fromResult(value))))
  }
  return result
}

const long = () => fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
const unscaled = (digits: number) => fc.bigInt({ min: 1n - 10n ** BigInt(digits), max: 10n ** BigInt(digits) - 1n })
const text = fc.oneof(
  fc.string({ maxLength: 14 }),
  fc.string({ unit: 'binary', maxLength: 14 }),
  fc.string({ minLength: 30, maxLength: 60 }),
  fc.constantFrom('', 'exactly twelv', 'exactly twel', 'a\0b', 'ééééééé', '\0'.repeat(12)),
)
/** Years that DuckDB's timestamps reach. */
const micros = fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n })

const types: Record<string, fc.Arbitrary<Value>> = {
  boolean: fc.boolean(),
  int: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  long: long(),
  float: fc.float(),
  double: fc.double(),
  date: fc.integer({ min: -700_000, max: 2_000_000 }),
  time: fc.bigInt({ min: 0n, max: 86_399_999_999n }),
  timestamp: micros,
  timestamptz: micros,
  string: text,
  uuid: fc.uuid(),
  binary: fc.uint8Array({ maxLength: 40 }),
  'decimal(4, 1)': unscaled(4),
  'decimal(9, 2)': unscaled(9),
  'decimal(18, 2)': unscaled(18),
  'decimal(38, 10)': unscaled(38),
}

/** As it comes back: -0 is 0 in whole numbers, bytes compare as such. */
const plain = (value: Value | null) => (value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value)

describe('values of every type come out as they went in', () => {
  test.each(Object.entries(types))('%s', async (type, values) => {
    const batch = fc.array(fc.option(values, { freq: 4 }), { minLength: 1, maxLength: 200 })
    await fc.assert(
      fc.asyncProperty(fc.array(batch, { minLength: 1, maxLength: 3 }), async (batches) => {
        expect((await staged(type, batches)).map((each) => each.map(plain))).toEqual(
          batches.map((each) => each.map(plain)),
        )
      }),
      { numRuns: 15 },
    )
  })

  test('a full chunk, after one with nulls', async () => {
    const full = Array.from({ length: CHUNK_ROWS }, (_, i) => `${i}`.repeat(1 + (i % 9)))
    const holes = full.map((each, i) => (i % 3 === 0 ? null : each))
    expect(await staged('string', [holes, full, holes])).toEqual([holes, full, holes])
  })

  test('safe numbers stand for bigints', async () => {
    const numbers = [
      0,
      -1,
      1,
      2 ** 31,
      -(2 ** 31) - 1,
      2 ** 32,
      -(2 ** 32),
      Number.MAX_SAFE_INTEGER,
      -Number.MAX_SAFE_INTEGER,
    ]
    expect(await staged('long', [numbers])).toEqual([numbers.map(BigInt)])
    expect(await staged('decimal(18, 2)', [numbers])).toEqual([numbers.map(BigInt)])
    expect(await staged('decimal(38, 2)', [numbers])).toEqual([numbers.map(BigInt)])
  })
})

test.each<[string, unknown]>([
  ['boolean', 1],
  ['int', 2 ** 31],
  ['int', 1.5],
  ['int', 1n],
  ['int', '1'],
  ['int', Number.NaN],
  ['date', -(2 ** 31) - 1],
  ['long', 2n ** 63n],
  ['long', -(2n ** 63n) - 1n],
  ['long', 2 ** 53],
  ['long', 0.5],
  ['long', '1'],
  ['time', -1],
  ['time', 86_400_000_000n],
  ['float', 1n],
  ['double', '1'],
  ['decimal(4, 2)', 10_000],
  ['decimal(9, 2)', -1_000_000_000n],
  ['decimal(18, 2)', 10n ** 18n],
  ['decimal(38, 0)', -(10n ** 38n)],
  ['decimal(18, 2)', 0.5],
  ['string', 5],
  ['uuid', 'f79c3e09-677c-4bbd-a479-3f349cb785eg'],
  ['uuid', 'f79c3e09-677c-4bbd-a479-3f349cb785e'],
  ['uuid', 'f79c3e09_677c-4bbd-a479-3f349cb785e7'],
  ['uuid', 'é79c3e09-677c-4bbd-a479-3f349cb785e7'],
  ['binary', 'text'],
])('a column of the type %s refuses %s, and goes on with what fits', (type, wrong) => {
  const column = stagedColumn(type)
  const chunk = DuckDBDataChunk.create([column.type])
  chunk.rowCount = 3
  const vector = duckdb.data_chunk_get_vector(chunk.chunk, 0)
  expect(column.fill(vector, [null, wrong as Value, null], 0, 3)).toBe(1)
  expect(column.fill(vector, [null, null, null], 0, 3)).toBe(-1)
})

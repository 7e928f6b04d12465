/** What is sent to Trino and what is not; Trino itself has its own tests (trino.system.test.ts). */
import { expect, test } from 'vitest'
import type { Trino, TrinoPage } from '../../trino/client.ts'
import { TrinoError, TrinoUnavailable } from '../../trino/client.ts'
import { queryRows } from '../sql-engine.ts'
import { createTrinoEngine, readingStatement } from './trino-engine.ts'

test.each([
  ['SELECT 1', 'SELECT 1'],
  [' select 1 ; ;\n', ' select 1'],
  ['-- why\n/* how */ WITH x AS (SELECT 1) TABLE x', '-- why\n/* how */ WITH x AS (SELECT 1) TABLE x'],
  ['(SELECT 1)', '(SELECT 1)'],
  ['SHOW TABLES FROM raw', 'SHOW TABLES FROM raw'],
  ['DESC raw.orders', 'DESC raw.orders'],
  ['EXPLAIN ANALYZE VERBOSE SELECT 1', 'EXPLAIN ANALYZE VERBOSE SELECT 1'],
  ['EXPLAIN (TYPE LOGICAL, FORMAT JSON) SELECT 1', 'EXPLAIN (TYPE LOGICAL, FORMAT JSON) SELECT 1'],
])('%s is sent', (sql, sent) => {
  expect(readingStatement(sql)).toBe(sent)
})

test.each([
  '',
  ' -- nothing',
  'INSERT INTO raw.orders VALUES (1)',
  'EXPLAIN ANALYZE DELETE FROM raw.orders',
  'EXPLAIN (TYPE VALIDATE) INSERT INTO raw.orders VALUES (1)',
  'explain /* x */ analyze /* y */ insert into raw.orders values (1)',
  'CALL lake.system.rollback_to_snapshot(1)',
  'ALTER TABLE raw.orders EXECUTE optimize',
  'DROP TABLE raw.orders',
  'selection',
])('%s is not', (sql) => {
  expect(() => readingStatement(sql)).toThrow(expect.objectContaining({ name: 'SqlError', code: 'NOT_A_QUERY' }))
})

const answering = (answer: () => AsyncGenerator<TrinoPage>): Pick<Trino, 'stream'> => ({ stream: answer })
const failing = (error: Error) =>
  createTrinoEngine(
    // biome-ignore lint/correctness/useYield: it fails before there is anything to yield
    answering(async function* () {
      throw error
    }),
  )

test("Trino's errors keep what it says", async () => {
  const about = { type: 'USER_ERROR', queryId: null }
  const missing = new TrinoError("line 1:15: Table 'lake.raw.nope' does not exist", {
    code: 'TABLE_NOT_FOUND',
    ...about,
  })
  await expect(queryRows(failing(missing), 'SELECT 1')).rejects.toMatchObject({
    code: 'UNKNOWN_TABLE',
    message: missing.message,
  })
  const odd = new TrinoError('Division by zero', { code: 'DIVISION_BY_ZERO', ...about })
  await expect(queryRows(failing(odd), 'SELECT 1')).rejects.toMatchObject({ code: 'FAILED', message: odd.message })
  const away = new TrinoUnavailable('gone')
  await expect(queryRows(failing(away), 'SELECT 1')).rejects.toMatchObject({ code: 'UNAVAILABLE', message: 'gone' })
})

test('a snapshot or a time is refused, with the words that Trino has for it', async () => {
  const engine = failing(new Error('must not be asked'))
  await expect(queryRows(engine, 'TABLE raw.orders', { snapshotId: 2n ** 62n })).rejects.toThrow(
    'FROM raw.orders FOR VERSION AS OF 4611686018427387904.',
  )
  await expect(queryRows(engine, 'TABLE raw.orders', { asOfMs: 0 })).rejects.toThrow(
    "FOR TIMESTAMP AS OF TIMESTAMP '1970-01-01 00:00:00.000 UTC'.",
  )
})

/** The client against a real Trino: every basic type, results of many pages, errors, cancellation, time-outs; and catalogs over PostgreSQL with local files and with S3. */
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connectionTo } from '../../cli/commands/lake/connection.ts'
import { sql as sqlCommand } from '../../cli/commands/sql.ts'
import { freePorts } from '../../cli/servers/process.ts'
import { withS3 } from '../../cli/servers/testing/with-s3.ts'
import { withTrino } from '../../cli/servers/testing/with-trino.ts'
import { icebergCatalog } from '../../cli/servers/trino.ts'
import { runCommand } from '../../cli/testing/run-command.ts'
import { eventually } from '../../tests/support/eventually.ts'
import {
  appendFiles,
  createTable,
  openJdbcCatalog,
  openLake,
  openLakeFiles,
  openWriter,
  tableName,
} from '../lake/index.ts'
import { everyRow, everyType } from '../lake/testing/every-type.ts'
import { openFolderObjects } from '../objects/folder.ts'
import { connect } from '../postgres/connect.ts'
import { isAlive } from '../process.ts'
import { withPostgres } from '../testing/postgres.ts'
import { createTrino, type TrinoError } from './client.ts'

/** As Iceberg's own JdbcCatalog makes them, schema V1. */
const CATALOG_TABLES = [
  `CREATE TABLE iceberg_tables (catalog_name varchar(255) NOT NULL, table_namespace varchar(255) NOT NULL, table_name varchar(255) NOT NULL,
   metadata_location varchar(1000), previous_metadata_location varchar(1000), iceberg_type varchar(5), PRIMARY KEY (catalog_name, table_namespace, table_name))`,
  `CREATE TABLE iceberg_namespace_properties (catalog_name varchar(255) NOT NULL, namespace varchar(255) NOT NULL, property_key varchar(255),
   property_value varchar(1000), PRIMARY KEY (catalog_name, namespace, property_key))`,
]

let folder: string
let databaseUrl = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'streamforge-trino-files-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const postgres = withPostgres()
const s3 = withS3()
const trino = withTrino(async () => {
  const postgresUrl = await postgres.emptyDatabase()
  const database = connect(postgresUrl, { max: 1 })
  for (const table of CATALOG_TABLES) await database.sql.unsafe(table)
  await database.close()
  const { prefix, ...target } = s3.target()
  databaseUrl = postgresUrl
  return {
    // As "streamforge lake connect" prints it.
    lake: connectionTo({
      databaseUrl,
      isOwnDatabase: true,
      warehouse: `file://${folder}`,
      catalogName: 'lake',
      edgeUrl: null,
      objects: { kind: 'folder', folder },
    }).trino,
    bucket: icebergCatalog({
      postgresUrl,
      catalogName: 'bucket',
      warehouse: `s3://${target.bucket}/${prefix}`,
      s3: target,
    }),
  }
})

const one = async (expression: string) => {
  const { columns, rows } = await trino.client().query(`SELECT ${expression}`)
  return { type: columns[0]?.type, value: rows[0]?.[0] }
}

describe('values', () => {
  test.each([
    ['TRUE', 'boolean', true],
    ['CAST(-128 AS tinyint)', 'tinyint', -128],
    ['CAST(32767 AS smallint)', 'smallint', 32_767],
    ['-2147483648', 'integer', -2_147_483_648],
    ['9223372036854775807', 'bigint', 9_223_372_036_854_775_807n],
    ["BIGINT '-9223372036854775808'", 'bigint', -(2n ** 63n)],
    ["REAL '1.5'", 'real', 1.5],
    ["DOUBLE '1.7976931348623157E308'", 'double', Number.MAX_VALUE],
    ["DOUBLE '5E-324'", 'double', Number.MIN_VALUE],
    ['nan()', 'double', Number.NaN],
    ['-infinity()', 'double', Number.NEGATIVE_INFINITY],
    ["DECIMAL '-99999999999999999999999999999999999999'", 'decimal(38, 0)', `-${'9'.repeat(38)}`],
    ["DECIMAL '0.10'", 'decimal(2, 2)', '0.10'],
    ["'ü 日本 😀 ''\n'", 'varchar(9)', "ü 日本 😀 '\n"],
    ["CAST('a' AS char(3))", 'char(3)', 'a  '],
    ["X'00FF10'", 'varbinary', Buffer.from([0, 255, 16])],
    ['JSON \'{"a":[1,null]}\'', 'json', '{"a":[1,null]}'],
    ["UUID '12151fd2-7586-11e9-8f9e-2a86e4085a59'", 'uuid', '12151fd2-7586-11e9-8f9e-2a86e4085a59'],
    ["IPADDRESS '10.0.0.1'", 'ipaddress', '10.0.0.1'],
    ["DATE '1969-07-20'", 'date', '1969-07-20'],
    ["TIME '01:02:03.123456'", 'time(6)', '01:02:03.123456'],
    ["TIMESTAMP '1969-12-31 23:59:59.999999'", 'timestamp(6)', '1969-12-31T23:59:59.999999'],
    ["TIMESTAMP '2026-11-20 01:02:03'", 'timestamp(0)', '2026-11-20T01:02:03'],
    ["TIMESTAMP '2026-11-20 01:02:03.123456 UTC'", 'timestamp(6) with time zone', '2026-11-20T01:02:03.123456Z'],
    ["TIMESTAMP '2026-11-20 01:02:03.5 +03:00'", 'timestamp(1) with time zone', '2026-11-20T01:02:03.5+03:00'],
    [
      "TIMESTAMP '2026-11-20 01:02:03.5 Europe/Istanbul'",
      'timestamp(1) with time zone',
      '2026-11-20T01:02:03.5[Europe/Istanbul]',
    ],
    ["INTERVAL '2' DAY", 'INTERVAL DAY TO SECOND', '2 00:00:00.000'],
    ['ARRAY[9007199254740993, NULL]', 'array(bigint)', [9_007_199_254_740_993n, null]],
    [
      "MAP(ARRAY[1, 2], ARRAY['a', NULL])",
      'map(integer, varchar(1))',
      new Map([
        [1, 'a'],
        [2, null],
      ]),
    ],
    [
      "CAST(ROW(1, ARRAY[DECIMAL '1.20']) AS ROW(n integer, list array(decimal(3,2))))",
      'row(n integer, list array(decimal(3, 2)))',
      { n: 1, list: ['1.20'] },
    ],
    ['CAST(NULL AS bigint)', 'bigint', null],
  ])('%s', async (expression, type, value) => {
    const got = await one(expression)
    expect(got.value).toEqual(value)
    expect(got.type).toBe(type)
  })
})

describe('queries', () => {
  const SOME = 'FROM UNNEST(sequence(1, 10000)) AS a(x) CROSS JOIN UNNEST(sequence(1, 6)) AS b(y)'
  /** It would take hours. */
  const ENDLESS = `SELECT count(*) ${SOME} CROSS JOIN UNNEST(sequence(1, 10000)) AS c(z) CROSS JOIN UNNEST(sequence(1, 10000)) AS d(w) WHERE sin(x * y + z) > w`

  test('a result of many pages comes whole, and as a stream page by page', async () => {
    const sql = `SELECT x, y, CAST(x AS varchar) || repeat('.', 50) ${SOME}`
    let pages = 0
    let rows = 0
    let sum = 0
    for await (const page of trino.client().stream(sql)) {
      expect(page.columns.map(({ name }) => name)).toEqual(['x', 'y', '_col2'])
      pages++
      rows += page.rows.length
      for (const [x] of page.rows) sum += Number(x)
    }
    expect(rows).toBe(60_000)
    expect(sum).toBe(6 * 50_005_000)
    expect(pages).toBeGreaterThan(1)
    expect((await trino.client().query(sql, { rowsMax: 60_000 })).rows).toHaveLength(60_000)
    await expect(trino.client().query(sql, { rowsMax: 1_000 })).rejects.toThrow(/more than 1000 rows.*LIMIT/)
  })

  test('no rows are an empty result with its columns', async () => {
    expect(await trino.client().query('SELECT 1 AS n WHERE FALSE')).toMatchObject({
      columns: [{ name: 'n', type: 'integer' }],
      rows: [],
    })
  })

  test.each([
    ['SELECT nothing', 'COLUMN_NOT_FOUND', /line 1:8: Column 'nothing' cannot be resolved/],
    ['SELEC 1', 'SYNTAX_ERROR', /line 1:1: mismatched input 'SELEC'/],
    ['SELECT 1/0', 'DIVISION_BY_ZERO', /Division by zero/],
    ['SELECT * FROM nowhere.at.all', 'CATALOG_NOT_FOUND', /Catalog 'nowhere' not found/],
  ])("%s is an error with its name and Trino's own message", async (sql, code, message) => {
    const error: TrinoError = await trino
      .client()
      .query(sql)
      .then(
        () => expect.fail('it worked'),
        (e) => e,
      )
    expect(error.message).toMatch(message)
    expect(error).toMatchObject({ name: 'TrinoError', code, type: 'USER_ERROR' })
    expect(error.queryId).toMatch(/^\d{8}_/)
  })

  const stateOf = async (needle: string): Promise<unknown[]> =>
    (
      await trino
        .client()
        .query(`SELECT state FROM system.runtime.queries WHERE query LIKE '%${needle}%' AND query NOT LIKE '%runtime%'`)
    ).rows.flat()
  const untilEnded = async (needle: string): Promise<unknown[]> => {
    for (const deadline = performance.now() + 30_000; ; ) {
      const states = await stateOf(needle)
      if (states.length > 0 && states.every((state) => state === 'FAILED' || state === 'FINISHED')) return states
      if (performance.now() > deadline) expect.fail(`still ${states.join() || 'unknown'}`)
    }
  }

  test('one that takes too long is cancelled, here and at the server', async () => {
    // Long enough for it to begin: one that is given up before its first page is asked for is none that the server lists.
    const query = trino.client().query(`${ENDLESS} AND 'too long' <> ''`, { timeoutMs: 5_000 })
    await expect(query).rejects.toMatchObject({ code: 'TIMED_OUT', message: expect.stringContaining('5 s') })
    expect(await untilEnded('too long')).toEqual(['FAILED'])
  })

  test('one that the caller gives up is cancelled', async () => {
    const giveUp = new AbortController()
    const query = trino.client().query(`${ENDLESS} AND 'given up' <> ''`, { signal: giveUp.signal })
    const refused = expect(query).rejects.toMatchObject({ code: 'CANCELLED' })
    await eventually('the server has it', 30_000, async () => (await stateOf('given up')).length > 0)
    giveUp.abort()
    await refused
    expect(await untilEnded('given up')).toEqual(['FAILED'])
  })

  test('one that the caller has given up before it was sent is not sent', async () => {
    const query = trino.client().query("SELECT 'never sent'", { signal: AbortSignal.abort() })
    await expect(query).rejects.toMatchObject({ code: 'CANCELLED' })
    expect(await stateOf('never sent')).toEqual([])
  })

  test('a stream that is broken off is cancelled', async () => {
    for await (const page of trino.client().stream(`SELECT x, 'broken off', repeat('x', 1000) ${SOME}`)) {
      expect(page.rows.length).toBeGreaterThan(0)
      break
    }
    expect(await untilEnded('broken off')).toHaveLength(1)
  })
})

test('nobody there: an error that names the address, and no password', async () => {
  const [port] = await freePorts(1)
  const client = createTrino({ url: `https://127.0.0.1:${port}`, user: 'u', password: 'hunter2' })
  const error: Error = await client.query('SELECT 1').then(
    () => expect.fail('it worked'),
    (e) => e,
  )
  expect(error.message).toMatch(/Trino at https:\/\/127\.0\.0\.1:\d+ can't be reached: .*ECONNREFUSED/)
  expect(error.message).not.toContain('hunter2')
  expect(() => createTrino({ url: 'http://127.0.0.1:1', user: 'u', password: 'p' })).toThrow(/https only/)
})

describe.each(['lake', 'bucket'])('the catalog %s', (catalog) => {
  test('makes, fills and reads a table', async () => {
    const client = trino.client({ catalog, schema: 'raw' })
    expect(await client.query('CREATE SCHEMA raw')).toMatchObject({ updateType: 'CREATE SCHEMA' })
    await client.query('CREATE TABLE t (id bigint, at timestamp(6) with time zone, price decimal(18,2))')
    const inserted = await client.query(
      "INSERT INTO t VALUES (9007199254740993, TIMESTAMP '2026-11-20 01:02:03.123456 UTC', 19.99), (2, NULL, NULL)",
    )
    expect(inserted).toMatchObject({ updateType: 'INSERT', updateCount: 2 })
    expect((await client.query('SELECT * FROM t ORDER BY id')).rows).toEqual([
      [2n, null, null],
      [9_007_199_254_740_993n, '2026-11-20T01:02:03.123456Z', '19.99'],
    ])
    const files = (await client.query('SELECT file_path FROM "t$files"')).rows.flat()
    expect(files).not.toEqual([])
    for (const file of files) expect(file).toMatch(catalog === 'lake' ? /^file:\/\/\// : /^s3:\/\/test-bucket\//)
  })
})

test('"streamforge sql" answers the same by Trino as by DuckDB, whoever made the table', async () => {
  const database = connect(databaseUrl, { max: 1 })
  try {
    const lake = openLake(await openJdbcCatalog(database.sql), openLakeFiles(await openFolderObjects(folder)))
    const table = await createTable(lake, tableName('shop.every'), { schema: everyType })
    const writer = await openWriter(lake, table.metadata)
    await writer.appendRows(everyRow)
    await appendFiles(lake, table.name, await writer.finish())
  } finally {
    await database.close()
  }
  await trino.client({ catalog: 'lake' }).query("CREATE TABLE shop.made AS SELECT 1 AS id, 'ü' AS name")
  const env = {
    TRINO_URL: trino.server.url,
    DATABASE_URL: databaseUrl,
    STREAMFORGE_OBJECTS_URL: `file://${folder}`,
  }
  const ask = (statement: string, ...options: string[]) => runCommand(sqlCommand, [statement, ...options], { env })
  const columns = everyType.fields.map(({ name }) => name).join(', ')
  for (const statement of [`SELECT ${columns} FROM lake.shop.every ORDER BY id`, 'SELECT * FROM shop.made']) {
    for (const format of ['table', 'csv', 'json']) {
      const byTrino = await ask(statement, '--engine', 'trino', '--format', format)
      expect(byTrino.code, byTrino.err).toBe(0)
      expect(byTrino.out).not.toBe('')
      expect((await ask(statement, '--format', format)).out).toBe(byTrino.out)
    }
  }
  const tables = await ask('SHOW TABLES FROM shop;', '--engine', 'trino', '--format', 'csv')
  expect(tables.out).toBe('Table\nevery\nmade\n')
  const many = await ask('SELECT * FROM UNNEST(sequence(1, 5000))', '--engine', 'trino')
  expect(many.out).toMatch(/\n +1000\n$/)
  expect(many.err).toMatch(/^1,000 rows, .*\nThere are more rows/)
  const refused = await ask('SELECT * FROM shop.nope', '--engine', 'trino')
  expect(refused).toMatchObject({
    code: 1,
    out: '',
    err: expect.stringMatching(/'lake\.shop\.nope' does not exist\n$/),
  })
})

// The last one: nothing runs after it.
test('it shows no password on its command line, and stops in order', async () => {
  const { server } = trino
  const { password } = new URL(postgres.server.url)
  const commandLine = await readFile(`/proc/${server.pid}/cmdline`, 'utf8')
  expect(commandLine).toContain('io.trino.server.TrinoServer')
  expect(commandLine).not.toContain(password)
  const secret = join(server.folder, 'catalog', 'lake.properties')
  expect(await readFile(secret, 'utf8')).toContain(`connection-password=${password}`)
  expect((await stat(secret)).mode & 0o777).toBe(0o600)
  await server.stop()
  expect(isAlive(server.pid)).toBe(false)
})

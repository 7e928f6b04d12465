import { describe, expect, it, onTestFinished } from 'vitest'
import { RESULT_KEYS, type ResultRows, type ResultTable } from '../../streams/contract/results.ts'
import { withPostgres } from '../testing/postgres.ts'
import { resultRow } from '../testing/result-rows.ts'
import { resultStoreSuite } from '../testing/result-store-suite.ts'
import { connect, type Sql } from './connect.ts'
import { createManifestStore } from './manifest-store.ts'
import { claimLog, claimSchemaIds, LogMismatch, SchemaIdMismatch } from './platform.ts'
import { createResultStore, isTransient, pruneOutbox } from './result-store.ts'
import { compareKeys, keyOf } from './result-version.ts'

const postgres = withPostgres()

async function rowsOf<T extends ResultTable>(sql: Sql, table: T): Promise<ResultRows[T][]> {
  const rows = await sql<ResultRows[T][]>`SELECT * FROM ${sql(table as string)}`
  return rows.map((row) => ({ ...row })).sort((a, b) => compareKeys(keyOf(table, a), keyOf(table, b)))
}

// One database for the suite, emptied for each test: quicker than a new one for every run of a property.
let shared: Awaited<ReturnType<typeof postgres.database>> | undefined
async function emptied() {
  shared ??= await postgres.database({ max: 8 })
  const { sql } = shared
  await sql`TRUNCATE ${sql(Object.keys(RESULT_KEYS))}, outbox, tasks, checkpoints`
  return sql
}

resultStoreSuite(
  'in PostgreSQL',
  async () => {
    const sql = await emptied()
    return {
      results: createResultStore(sql),
      manifests: createManifestStore(sql),
      rows: (table) => rowsOf(sql, table),
    }
  },
  { runs: 25 },
)

describe('the stores in PostgreSQL', () => {
  it('write a flush of 25,000 rows whole or not at all', async () => {
    const sql = await emptied()
    const store = createResultStore(sql)
    const sessions = Array.from({ length: 25_000 }, (_, i) => resultRow('sessions', { session_id: `s${i}` }))
    // Beyond the range of the type: the last statement of the transaction fails.
    const bad = resultRow('trips_by_region', { fare_minor: 1e20 })
    const failing = store.apply({ rows: { sessions, trips_by_region: [bad] }, outbox: [], progress: [] })
    await expect(failing).rejects.toSatisfy((error) => !isTransient(error))
    expect(await rowsOf(sql, 'sessions')).toEqual([])
    await store.apply({ rows: { sessions }, outbox: [], progress: [] })
    expect(await sql`SELECT count(*) AS n, sum(events)::bigint AS events FROM sessions`).toMatchObject([
      { n: 25_000, events: 225_000 },
    ])
  })

  it('make a task that takes over wait for the flush in progress, and refuse the next one of the old task', async () => {
    const sql = await emptied()
    const at = { topic: 'transactions.orders', partition: 0 }
    const manifests = createManifestStore(sql)
    const epoch = await manifests.beginEpoch(at, 'old')
    let taken: Promise<number> | undefined
    await sql.begin(async (tx) => {
      await tx`UPDATE tasks SET next_offset = 5 WHERE topic = ${at.topic} AND partition = 0 AND epoch <= ${epoch}`
      taken = manifests.beginEpoch(at, 'new')
      // The lock is waited for, which pg_locks shows, before this transaction ends.
      const waiting = () => sql`SELECT 1 FROM pg_locks WHERE NOT granted`.then((rows) => rows.length)
      await expect.poll(waiting, { timeout: 30_000 }).toBe(1)
    })
    expect(await taken).toBe(epoch + 1)
    await expect(manifests.save(at, epoch, { nextOffset: 5, files: [] })).rejects.toThrow(/belongs to epoch 2/)
  })

  it('do not touch a row that is there already', async () => {
    const sql = await emptied()
    const store = createResultStore(sql)
    const flush = { rows: { sessions: [resultRow('sessions')] }, outbox: [], progress: [] }
    const version = () => sql`SELECT xmin::text, ctid::text FROM sessions`.then((rows) => ({ ...rows[0] }))
    await store.apply(flush)
    const first = await version()
    await store.apply(flush)
    expect(await version()).toMatchObject({ ctid: first.ctid })
  })

  it('empty a published record but know it again, and forget it on request', async () => {
    const sql = await emptied()
    const store = createResultStore(sql)
    const record = { id: 'a', topic: 't', key: null, value: Buffer.from('x') }
    await store.apply({ rows: {}, outbox: [record], progress: [] })
    expect(await pruneOutbox(sql, 8.64e14)).toBe(0)
    await store.markPublished(['a'])
    expect(await sql`SELECT length(value) AS bytes FROM outbox`).toMatchObject([{ bytes: 0 }])
    expect(await store.apply({ rows: {}, outbox: [record], progress: [] })).toEqual([])
    expect(await pruneOutbox(sql, 0)).toBe(0)
    expect(await pruneOutbox(sql, 8.64e14)).toBe(1)
  })

  it('tell failures that pass from those that do not', async () => {
    const sql = await emptied()
    const away = connect('postgres://u:p@127.0.0.1:1/none', { max: 1 })
    onTestFinished(() => away.close())
    await expect(createResultStore(away.sql).unpublished(0)).rejects.toSatisfy(isTransient)
    await expect(sql`SELECT 1/0`).rejects.toSatisfy((error) => !isTransient(error))
    await expect(sql`SELECT pg_terminate_backend(pg_backend_pid())`).rejects.toSatisfy(isTransient)
    const slow = connect(shared!.url, { max: 1, statementTimeoutMs: 50 })
    onTestFinished(() => slow.close())
    await expect(slow.sql`SELECT pg_sleep(10)`).rejects.toSatisfy(isTransient)
    expect(isTransient(new Error('x', { cause: Object.assign(new Error('y'), { code: '40P01' }) }))).toBe(true)
    expect(isTransient('text')).toBe(false)
  })

  it('belong to one log', async () => {
    const { sql } = await postgres.database()
    await claimLog(sql, 'log-a')
    await claimLog(sql, 'log-a')
    await expect(claimLog(sql, 'log-b')).rejects.toThrow(LogMismatch)
    await expect(claimLog(sql, 'log-b')).rejects.toThrow(/another, empty database/)
  })

  it('hold all processes to one meaning of a schema id, also those that begin at once', async () => {
    const { sql } = await postgres.database({ max: 4 })
    const claims = [1, 2, 3, 4].map((id) => claimSchemaIds(sql, new Map([[id, `schema-${id}`]])))
    await Promise.all(claims)
    expect(await claimSchemaIds(sql, new Map([[2, 'schema-2']]))).toEqual(
      new Map([1, 2, 3, 4].map((id) => [id, `schema-${id}`])),
    )
    await expect(claimSchemaIds(sql, new Map([[3, 'schema-1']]))).rejects.toThrow(SchemaIdMismatch)
    expect((await claimSchemaIds(sql, new Map())).get(3)).toBe('schema-3')
  })
})

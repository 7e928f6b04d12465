/**
 * SQL over pinned snapshots by DuckDB: each table that a statement names becomes a view over the files of one of its snapshots, and nothing else can be seen.
 *
 * Invariants: a DuckDB of its own for every statement, which reads those files alone (no other paths, no extensions, no change of settings); memory and threads are bounded, and what does not
 * fit is spilled into a folder that goes with it. Files that are not local are copied there first, up to a limit.
 */
import { mkdtemp } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { type TableName, tableText } from '../catalog/catalog.ts'
import { type Lake, loadTable, type Table } from '../commit/lake.ts'
import { currentSchema } from '../metadata/table-metadata.ts'
import { duckType } from '../parquet/columns.ts'
import { type DuckOptions, identifier, interruptedBy, literalPath, openDuck, quote } from '../parquet/duck.ts'
import { planScan, type ScanPlan } from '../scan/plan.ts'
import { relationOf } from '../scan/relation.ts'
import { chooseSnapshot, schemaOfSnapshot } from '../scan/snapshot.ts'
import {
  type PinnedTable,
  SQL_TIMEOUT_MS,
  type SqlEngine,
  SqlError,
  type SqlOptions,
  type SqlPage,
  stopped,
} from '../sql-engine.ts'
import { converterOf } from './duck-values.ts'
import { filtersOf } from './filters.ts'
import { allTables, type NamedTable, pinTables, resolveTables } from './names.ts'
import { type Listing, readStatement } from './statement.ts'

export interface DuckdbEngineOptions extends DuckOptions {
  /** Of files that are not local and are copied for one statement. Default: 20 GB. */
  copiedBytesMax?: number
}

const COPIED_BYTES_MAX = 20e9
/** What `raw.orders` is a short form of: the same catalog as Trino's. */
const CATALOG = 'lake'

export function createDuckdbEngine(lake: Lake, options: DuckdbEngineOptions = {}): SqlEngine {
  const { copiedBytesMax = COPIED_BYTES_MAX, ...duckOptions } = options
  return {
    name: 'duckdb',
    async *stream(sql, query = {}) {
      const timeoutMs = query.timeoutMs ?? SQL_TIMEOUT_MS
      const timeout = AbortSignal.timeout(timeoutMs)
      const signal = query.signal ? AbortSignal.any([query.signal, timeout]) : timeout
      const duck = await openDuck({ memoryMb: 1_024, threads: Math.min(4, availableParallelism()), ...duckOptions })
      const calledOff = interruptedBy(signal, duck)
      try {
        signal.throwIfAborted()
        const copies = await mkdtemp(join(duck.folder, 'copies-'))
        const prepared = await prepare(lake, duck.connection, sql, query, { copies, copiedBytesMax })
        signal.throwIfAborted()
        for await (const page of pagesOf(duck.connection, prepared.sql)) {
          yield { ...page, pinned: prepared.pinned }
          signal.throwIfAborted()
        }
      } catch (error) {
        if (signal.aborted) throw stopped(query.signal, timeoutMs, error)
        throw asSqlError(error)
      } finally {
        calledOff()
        await duck.close()
      }
    },
  }
}

interface Prepared {
  /** To be run, once everything it names is there. */
  sql: string
  pinned: PinnedTable[]
}

/** Nothing of the user's statement has run when it returns, and only its tables' files can be read from then on. */
async function prepare(
  lake: Lake,
  connection: DuckDBConnection,
  sql: string,
  options: SqlOptions,
  files: { copies: string; copiedBytesMax: number },
): Promise<Prepared> {
  const statement = await readStatement(connection, sql)
  if (statement.listing) {
    const rows = await listing(lake, statement.listing)
    await lock(connection, [], files.copies)
    return { sql: rows, pinned: [] }
  }
  const named = await resolveTables(lake, statement.tables)
  const tables = await pinTables(lake, named, options)
  await connection.run(`ATTACH ':memory:' AS ${CATALOG}`)
  await connection.run(`USE ${CATALOG}`)
  // One transaction, so that now() is the same moment for the choice of files and for the statement.
  await connection.run('BEGIN TRANSACTION')
  const { snapshotId, asOfMs } = options
  const choice = { ...(snapshotId !== undefined && { snapshotId }), ...(asOfMs !== undefined && { asOfMs }) }
  const readable: string[] = []
  const pinned: PinnedTable[] = []
  for (const [text, table] of tables) {
    const { metadata } = table
    const schema = schemaOfSnapshot(metadata, chooseSnapshot(metadata, choice))
    const where = await filtersOf(connection, statement.tree, { name: table.name.name, schema })
    const plan = await planScan(lake, metadata, { ...choice, where })
    readable.push(...localPaths(lake, plan, files.copiedBytesMax, text))
    // The statement has its conditions itself; here they have only served to leave out files.
    const relation = await relationOf(lake, { ...plan, predicates: [] }, plan.schema.fields, files.copies)
    await createView(connection, named, table, relation)
    pinned.push({
      table: text,
      snapshotId: plan.snapshot?.['snapshot-id'] ?? null,
      committedMs: plan.snapshot?.['timestamp-ms'] ?? null,
    })
  }
  if (statement.wantsEveryTable) await createOthers(lake, connection, tables)
  await lock(connection, readable, files.copies)
  return { sql, pinned }
}

async function createView(
  connection: DuckDBConnection,
  named: readonly NamedTable[],
  { name }: Table,
  relation: string,
): Promise<void> {
  await connection.run(`CREATE SCHEMA IF NOT EXISTS ${schemaOf(name)}`)
  await connection.run(`CREATE VIEW ${schemaOf(name)}.${identifier(name.name)} AS ${relation}`)
  const asIs = (each: NamedTable) => each.unqualified && tableText(each.table) === tableText(name)
  if (named.some(asIs) && name.namespace.toLowerCase() !== 'main')
    await connection.run(`CREATE VIEW ${CATALOG}.main.${identifier(name.name)} AS ${relation}`)
}

const schemaOf = ({ namespace }: TableName): string => `${CATALOG}.${identifier(namespace)}`

/** Tables that the statement does not name, for those who look into DuckDB's own catalog: names and columns, no rows. */
async function createOthers(
  lake: Lake,
  connection: DuckDBConnection,
  there: ReadonlyMap<string, Table>,
): Promise<void> {
  for (const name of await allTables(lake)) {
    if (there.has(tableText(name))) continue
    const { metadata } = await loadTable(lake, name)
    const columns = currentSchema(metadata).fields.map((field) => `${identifier(field.name)} ${duckType(field.type)}`)
    await connection.run(`CREATE SCHEMA IF NOT EXISTS ${schemaOf(name)}`)
    await connection.run(`CREATE TABLE ${schemaOf(name)}.${identifier(name.name)} (${columns.join(', ')})`)
  }
}

/** SHOW TABLES and SHOW SCHEMAS: the catalog's names, without reading any table. */
async function listing(lake: Lake, what: Listing): Promise<string> {
  if (what.of === 'schemas')
    return valuesOf(
      ['schema'],
      (await lake.catalog.namespaces()).map((name) => [name]),
    )
  const tables = await allTables(lake)
  const { schema } = what
  const shown = tables.filter(({ namespace }) => schema === null || namespace.toLowerCase() === schema.toLowerCase())
  return valuesOf(
    ['schema', 'table'],
    shown.map(({ namespace, name }) => [namespace, name]),
  )
}

function valuesOf(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const names = columns.map(identifier)
  if (rows.length === 0) return `SELECT ${names.map((name) => `'' AS ${name}`).join(', ')} WHERE false`
  const values = rows.map((row) => `(${row.map(quote).join(', ')})`)
  return `SELECT * FROM (VALUES ${values.join(', ')}) AS listing(${names.join(', ')})`
}

/** The plan's files under the paths that the relation reads them by; copies lie in a folder that is allowed as a whole. */
function localPaths(lake: Lake, { files }: ScanPlan, copiedBytesMax: number, table: string): string[] {
  const all = files.flatMap(({ file, deletes }) => [file, ...deletes])
  if (lake.files.warehouse.startsWith('file://'))
    return all.map(({ path }) => lake.files.normalise(path).slice('file://'.length))
  const bytes = [...new Map(all.map((file) => [file.path, file.bytes])).values()].reduce((sum, each) => sum + each, 0)
  if (bytes > copiedBytesMax)
    throw new SqlError(
      'UNSUPPORTED',
      `${table} has ${(bytes / 1e9).toFixed(1)} GB of files to read, and DuckDB here would copy all of them from ${lake.files.warehouse}. Ask Trino (--engine trino), or read less of it: a condition on a partition column leaves files out.`,
    )
  return []
}

/** From here on the statement's own: no files but these, no extensions, and no way back. */
async function lock(connection: DuckDBConnection, paths: readonly string[], copies: string): Promise<void> {
  const allowed = new Set(paths.flatMap((path) => [quote(path), literalPath(path)]))
  await connection.run(`SET allowed_paths = [${[...allowed].join(', ')}]`)
  await connection.run(`SET allowed_directories = [${quote(copies)}]`)
  await connection.run('SET enable_external_access = false')
  await connection.run('SET lock_configuration = true')
}

async function* pagesOf(connection: DuckDBConnection, sql: string): AsyncGenerator<Omit<SqlPage, 'pinned'>> {
  const statements = await connection.extractStatements(sql)
  const prepared = await statements.prepare(0)
  try {
    if (prepared.parameterCount > 0)
      throw new SqlError('UNSUPPORTED', 'The statement has parameters ($1 or ?), and there are no values for them.')
    const result = await prepared.stream()
    const types = result.columnTypes()
    const columns = result.columnNames().map((name, i) => ({ name, type: String(types[i]) }))
    const converters = types.map(converterOf)
    for (let first = true; ; first = false) {
      const chunk = await result.fetchChunk()
      const count = chunk?.rowCount ?? 0
      if (count === 0 && !first) return
      const values = chunk?.getColumns() ?? []
      yield {
        columns,
        rows: Array.from({ length: count }, (_, row) => converters.map((convert, i) => convert(values[i]![row]!))),
      }
      if (count === 0) return
    }
  } finally {
    prepared.destroySync()
  }
}

/** DuckDB's own errors begin with their kind; all others are the lake's. */
function asSqlError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof SqlError) return error
  const [, kind] = /^(?:Failed to \w+ \w+: )?([A-Z][A-Za-z ]+) Error: /.exec(error.message) ?? []
  if (kind === undefined) return error
  const message = error.message.replace(/^Failed to \w+ \w+: /, '').replace(/\n\n+LINE /, '\nLINE ')
  return new SqlError(kind === 'Permission' ? 'UNSUPPORTED' : 'FAILED', message, { cause: error })
}

/**
 * The standard JDBC catalog of Iceberg, schema V1, in PostgreSQL: Trino, Spark, Flink and PyIceberg read and commit through the same two tables.
 *
 * Invariant: a commit is one UPDATE that names the metadata it replaces; of two at once one changes a row.
 */
import type { Sql } from '../../postgres/connect.ts'
import type { Catalog, Swap, TableName } from './catalog.ts'

/** Iceberg's own statements (JdbcUtil). A V0 catalog gets the column it lacks. */
const TABLES = [
  `CREATE TABLE IF NOT EXISTS iceberg_tables (
    catalog_name VARCHAR(255) NOT NULL, table_namespace VARCHAR(255) NOT NULL, table_name VARCHAR(255) NOT NULL,
    metadata_location VARCHAR(1000), previous_metadata_location VARCHAR(1000), iceberg_type VARCHAR(5),
    PRIMARY KEY (catalog_name, table_namespace, table_name))`,
  'ALTER TABLE iceberg_tables ADD COLUMN IF NOT EXISTS iceberg_type VARCHAR(5)',
  `CREATE TABLE IF NOT EXISTS iceberg_namespace_properties (
    catalog_name VARCHAR(255) NOT NULL, namespace VARCHAR(255) NOT NULL, property_key VARCHAR(255), property_value VARCHAR(1000),
    PRIMARY KEY (catalog_name, namespace, property_key))`,
]
/** Concurrent CREATE TABLE IF NOT EXISTS collide in PostgreSQL's own catalog. The number is arbitrary, and ours. */
const LOCK = 7_305_801
const UNIQUE_VIOLATION = '23505'

const ANSWER_MS = 15_000

export interface JdbcCatalogOptions {
  /** Tables are looked up and committed within it, or the attempt fails. Default: 15 s. */
  answerMs?: number
}

const makeTables = (sql: Sql): Promise<unknown> =>
  sql.begin(async (transaction) => {
    await transaction`SELECT pg_advisory_xact_lock(${LOCK})`
    for (const statement of TABLES) await transaction.unsafe(statement)
  })

/** Makes the catalog's tables if they are missing. @param name `catalog_name` of the rows: one database may hold several catalogs */
export async function openJdbcCatalog(
  sql: Sql,
  name = 'lake',
  { answerMs = ANSWER_MS }: JdbcCatalogOptions = {},
): Promise<Catalog> {
  // Looked at first: making what is there takes locks that writers wait for, and rights that who only reads may not have.
  const [found] = await sql<{ complete: boolean }[]>`
    SELECT to_regclass('iceberg_namespace_properties') IS NOT NULL AND EXISTS (
      SELECT FROM pg_attribute
      WHERE attrelid = to_regclass('iceberg_tables') AND attname = 'iceberg_type' AND NOT attisdropped) AS complete`
  if (!found?.complete) await makeTables(sql)
  const isTable = sql`(iceberg_type = 'TABLE' OR iceberg_type IS NULL)`
  const row = (table: TableName) =>
    sql`catalog_name = ${name} AND table_namespace = ${table.namespace} AND table_name = ${table.name} AND ${isTable}`

  /** What is in a namespace, or below it. */
  const within = (column: string, namespace: string) =>
    sql`catalog_name = ${name} AND (${sql(column)} = ${namespace} OR starts_with(${sql(column)}, ${`${namespace}.`}))`

  const namespaces = async (): Promise<string[]> => {
    const rows = await sql<{ namespace: string }[]>`
        SELECT namespace FROM iceberg_namespace_properties WHERE catalog_name = ${name}
        UNION SELECT table_namespace FROM iceberg_tables WHERE catalog_name = ${name} ORDER BY 1`
    return rows.map((each) => each.namespace)
  }

  return {
    name,
    async createNamespace(namespace, properties = {}) {
      // Iceberg's engines know a namespace without properties by this one.
      const entries = Object.entries({ exists: 'true', ...properties })
      return sql.begin(async (transaction) => {
        // Of two at once one makes it: a namespace is any number of rows, and PyIceberg's may lack `exists`.
        await transaction`SELECT pg_advisory_xact_lock(${LOCK}, hashtext(${`${name}.${namespace}`}))`
        const [found] = await transaction`
          SELECT 1 FROM iceberg_namespace_properties WHERE catalog_name = ${name} AND namespace = ${namespace} LIMIT 1`
        if (found) return false
        for (const [key, value] of entries)
          await transaction`
            INSERT INTO iceberg_namespace_properties (catalog_name, namespace, property_key, property_value)
            VALUES (${name}, ${namespace}, ${key}, ${value})`
        return true
      })
    },
    async alterNamespace(namespace, changes) {
      const entries = Object.entries({ ...changes, exists: 'true' }).sort(([a], [b]) => (a < b ? -1 : 1))
      await sql.begin(async (transaction) => {
        for (const [key, value] of entries)
          if (value === null)
            await transaction`
              DELETE FROM iceberg_namespace_properties
              WHERE catalog_name = ${name} AND namespace = ${namespace} AND property_key = ${key}`
          else
            await transaction`
              INSERT INTO iceberg_namespace_properties (catalog_name, namespace, property_key, property_value)
              VALUES (${name}, ${namespace}, ${key}, ${value})
              ON CONFLICT (catalog_name, namespace, property_key) DO UPDATE SET property_value = excluded.property_value`
      })
    },
    async dropNamespace(namespace) {
      // One statement, so that what it looks at and what it removes are of one moment.
      const [found] = await sql<{ filled: boolean; gone: number }[]>`
        WITH content AS (
          SELECT EXISTS (SELECT 1 FROM iceberg_tables WHERE ${within('table_namespace', namespace)})
              OR EXISTS (SELECT 1 FROM iceberg_namespace_properties
                         WHERE catalog_name = ${name} AND starts_with(namespace, ${`${namespace}.`})) AS filled),
        removed AS (
          DELETE FROM iceberg_namespace_properties
          WHERE catalog_name = ${name} AND namespace = ${namespace} AND NOT (SELECT filled FROM content) RETURNING 1)
        SELECT (SELECT filled FROM content) AS filled, (SELECT count(*)::int FROM removed) AS gone`
      if (found!.filled) return 'not-empty'
      return found!.gone > 0 ? 'dropped' : 'missing'
    },
    namespaces,
    async namespaceProperties(namespace) {
      const rows = await sql<{ property_key: string; property_value: string }[]>`
        SELECT property_key, property_value FROM iceberg_namespace_properties
        WHERE catalog_name = ${name} AND namespace = ${namespace}`
      if (rows.length === 0 && !(await namespaces()).includes(namespace)) return null
      return Object.fromEntries(rows.map((each) => [each.property_key, each.property_value]))
    },
    async tables(namespace) {
      const rows = await sql<{ table_name: string }[]>`
        SELECT table_name FROM iceberg_tables
        WHERE catalog_name = ${name} AND table_namespace = ${namespace} AND ${isTable} ORDER BY table_name`
      return rows.map((each) => ({ namespace, name: each.table_name }))
    },
    async metadataLocation(table) {
      const [found] = await answered(
        sql<{ metadata_location: string | null }[]>`
          SELECT metadata_location FROM iceberg_tables WHERE ${row(table)}`,
        answerMs,
      )
      return found?.metadata_location ?? null
    },
    async create(table, metadataLocation) {
      const { count } = await sql`
        INSERT INTO iceberg_tables (catalog_name, table_namespace, table_name, metadata_location, iceberg_type)
        VALUES (${name}, ${table.namespace}, ${table.name}, ${metadataLocation}, 'TABLE') ON CONFLICT DO NOTHING`
      return count === 1
    },
    async swap(table, from, to) {
      const { count } = await answered(
        sql`
          UPDATE iceberg_tables SET metadata_location = ${to}, previous_metadata_location = ${from}
          WHERE ${row(table)} AND metadata_location = ${from}`,
        answerMs,
      )
      return count === 1
    },
    async swapAll(changes) {
      // In one order, so that two of them never wait for each other.
      const ordered = [...changes].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
      try {
        await sql.begin(async (transaction) => {
          for (const { table, from, to } of ordered) {
            const { count } =
              from === null
                ? await transaction`
                    INSERT INTO iceberg_tables (catalog_name, table_namespace, table_name, metadata_location, iceberg_type)
                    VALUES (${name}, ${table.namespace}, ${table.name}, ${to}, 'TABLE') ON CONFLICT DO NOTHING`
                : await transaction`
                    UPDATE iceberg_tables SET metadata_location = ${to}, previous_metadata_location = ${from}
                    WHERE ${row(table)} AND metadata_location = ${from}`
            if (count !== 1) throw new Lost()
          }
        })
        return true
      } catch (error) {
        if (error instanceof Lost) return false
        throw error
      }
    },
    async rename(from, to) {
      try {
        const { count } = await sql`
          UPDATE iceberg_tables SET table_namespace = ${to.namespace}, table_name = ${to.name} WHERE ${row(from)}`
        return count === 1 ? 'renamed' : 'missing'
      } catch (error) {
        if ((error as { code?: unknown }).code === UNIQUE_VIOLATION) return 'taken'
        throw error
      }
    },
    async drop(table, at) {
      const { count } = await sql`
        DELETE FROM iceberg_tables WHERE ${row(table)} ${at === undefined ? sql`` : sql`AND metadata_location = ${at}`}`
      return count === 1
    },
    async metadataLocations() {
      const rows = await sql<{ table_namespace: string; table_name: string; metadata_location: string }[]>`
        SELECT table_namespace, table_name, metadata_location FROM iceberg_tables
        WHERE catalog_name = ${name} AND ${isTable} AND metadata_location IS NOT NULL`
      return rows.map((each) => ({
        table: { namespace: each.table_namespace, name: each.table_name },
        metadataLocation: each.metadata_location,
      }))
    },
  }
}

/** postgres.js asks on for ever where a connection ends before it has begun, and a server that is silent is waited for. */
async function answered<T>(query: Promise<T> & { cancel(): void }, answerMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      query.cancel()
      reject(
        new Error(
          `The lake's catalog did not answer within ${answerMs / 1_000} s. Is PostgreSQL running, and does anything hold a lock on iceberg_tables?`,
        ),
      )
    }, answerMs)
  })
  try {
    return await Promise.race([query, late])
  } finally {
    clearTimeout(timer)
  }
}

/** One of several tables was changed meanwhile: nothing of the transaction may stay. */
class Lost extends Error {}

const keyOf = ({ table }: Swap): string => `${table.namespace}\0${table.name}`

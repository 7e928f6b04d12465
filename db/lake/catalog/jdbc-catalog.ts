/**
 * The standard JDBC catalog of Iceberg, schema V1, in PostgreSQL: Trino, Spark, Flink and PyIceberg read and commit through the same two tables.
 *
 * Invariant: a commit is one UPDATE that names the metadata it replaces; of two at once one changes a row.
 */
import type { Sql } from '../../postgres/connect.ts'
import type { Catalog, TableName } from './catalog.ts'

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

/** Makes the catalog's tables if they are missing. @param name `catalog_name` of the rows: one database may hold several catalogs */
export async function openJdbcCatalog(sql: Sql, name = 'lake'): Promise<Catalog> {
  await sql.begin(async (transaction) => {
    await transaction`SELECT pg_advisory_xact_lock(${LOCK})`
    for (const statement of TABLES) await transaction.unsafe(statement)
  })
  const isTable = sql`(iceberg_type = 'TABLE' OR iceberg_type IS NULL)`
  const row = (table: TableName) =>
    sql`catalog_name = ${name} AND table_namespace = ${table.namespace} AND table_name = ${table.name} AND ${isTable}`

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
      const made = await sql.begin(async (transaction) => {
        let count = 0
        for (const [key, value] of entries) {
          const { count: added } = await transaction`
            INSERT INTO iceberg_namespace_properties (catalog_name, namespace, property_key, property_value)
            VALUES (${name}, ${namespace}, ${key}, ${value}) ON CONFLICT DO NOTHING`
          count += added
        }
        return count
      })
      return made > 0
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
      const [found] = await sql<{ metadata_location: string | null }[]>`
        SELECT metadata_location FROM iceberg_tables WHERE ${row(table)}`
      return found?.metadata_location ?? null
    },
    async create(table, metadataLocation) {
      const { count } = await sql`
        INSERT INTO iceberg_tables (catalog_name, table_namespace, table_name, metadata_location, iceberg_type)
        VALUES (${name}, ${table.namespace}, ${table.name}, ${metadataLocation}, 'TABLE') ON CONFLICT DO NOTHING`
      return count === 1
    },
    async swap(table, from, to) {
      const { count } = await sql`
        UPDATE iceberg_tables SET metadata_location = ${to}, previous_metadata_location = ${from}
        WHERE ${row(table)} AND metadata_location = ${from}`
      return count === 1
    },
    async drop(table) {
      const { count } = await sql`DELETE FROM iceberg_tables WHERE ${row(table)}`
      return count === 1
    },
  }
}

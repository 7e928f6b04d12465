/**
 * What the source has to know of the database beside the stream: whether it can be followed at all, its publication, its tables' primary keys, and what types are made of.
 * Invariant: what can't work is told before a slot is made, each with the statement that helps; names reach SQL as parameters, or quoted where SQL takes none.
 */
import type { Sql } from '../../../db/postgres/connect.ts'
import type { TableFacts } from './envelope.ts'
import type { Column, Relation } from './pgoutput.ts'
import type { CdcSettings } from './settings.ts'
import type { TypeInfo } from './values.ts'

/** The database is not set up for it; trying again helps only when somebody has changed that. */
export class CannotFollow extends Error {
  override readonly name = 'CannotFollow'
}

/** `pg_publication_tables.attnames` came with it. */
const OLDEST_VERSION = 150_000

export const quoteName = (name: string): string => `"${name.replaceAll('"', '""')}"`
export const quoteText = (text: string): string => `'${text.replaceAll("'", "''")}'`

/** Of `schema.table`, as people write it. @throws Error when it is not so */
export function splitTable(table: string): { schema: string; name: string } {
  const [schema, name, more] = table.split('.')
  if (!schema || !name || more !== undefined)
    throw new Error(`"${table}" is no table with its schema, e.g. public.products.`)
  return { schema, name }
}
const quoteTable = (table: string): string => {
  const { schema, name } = splitTable(table)
  return `${quoteName(schema)}.${quoteName(name)}`
}

/** Makes the publication where there is none. @throws CannotFollow */
export async function prepareDatabase(sql: Sql, { publication, tables }: CdcSettings): Promise<void> {
  const [server] = await sql<{ version: string; level: string }[]>`
    SELECT current_setting('server_version_num') AS version, current_setting('wal_level') AS level`
  if (Number(server!.version) < OLDEST_VERSION)
    throw new CannotFollow('Changes are read from PostgreSQL 15 or newer; this server is older. Upgrade it.')
  if (server!.level !== 'logical') {
    throw new CannotFollow(
      `The server's wal_level is "${server!.level}", so it keeps no changes to read. Run ALTER SYSTEM SET wal_level = 'logical' and restart it.`,
    )
  }
  await checkTables(sql, tables)
  const [found] = await sql`SELECT 1 FROM pg_publication WHERE pubname = ${publication}`
  if (!found) {
    const statement = `CREATE PUBLICATION ${quoteName(publication)} FOR TABLE ${tables.map(quoteTable).join(', ')}`
    try {
      await sql.unsafe(statement)
    } catch (error) {
      throw new CannotFollow(
        `There is no publication "${publication}", and it could not be made: ${(error as Error).message}. Let the tables' owner run: ${statement}`,
      )
    }
  }
  const published = new Set((await publishedTables(sql, publication)).map(({ table }) => table))
  const missing = tables.filter((table) => !published.has(table))
  if (missing.length > 0) {
    throw new CannotFollow(
      `The publication "${publication}" does not have ${missing.join(', ')}. Run ALTER PUBLICATION ${quoteName(publication)} ADD TABLE ` +
        `${missing.map(quoteTable).join(', ')}; and then "streamforge cdc resnapshot", which brings the rows that are there already.`,
    )
  }
}

async function checkTables(sql: Sql, tables: readonly string[]): Promise<void> {
  for (const table of tables) {
    const { schema, name } = splitTable(table)
    const [found] = await sql<{ has_key: boolean }[]>`
      SELECT EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary) AS has_key
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = ${schema} AND c.relname = ${name} AND c.relkind IN ('r', 'p')`
    if (!found) throw new CannotFollow(`The database has no table ${table}. Make it, or change STREAMFORGE_CDC_TABLES.`)
    if (!found.has_key)
      throw new CannotFollow(
        `${table} has no primary key, so its changes would name no row. Give it one, or leave it out of STREAMFORGE_CDC_TABLES.`,
      )
  }
}

export interface PublishedTable {
  readonly table: string
  readonly columns: readonly string[]
  /** SQL, where the publication has only some of the rows. */
  readonly filter: string | null
}

/** As the publication has them: it may leave out columns and rows. */
export async function publishedTables(sql: Sql, publication: string): Promise<PublishedTable[]> {
  // Names as JSON: arrays of names have no parser here.
  const rows = await sql<{ schemaname: string; tablename: string; columns: string; rowfilter: string | null }[]>`
    SELECT schemaname, tablename, to_json(attnames)::text AS columns, rowfilter
    FROM pg_publication_tables WHERE pubname = ${publication} ORDER BY 1, 2`
  return rows.map(({ schemaname, tablename, columns, rowfilter }) => ({
    table: `${schemaname}.${tablename}`,
    columns: JSON.parse(columns) as string[],
    filter: rowfilter,
  }))
}

/** A table as a Relation message would describe it, for a snapshot. */
export async function relationOf(sql: Sql, { table, columns }: PublishedTable): Promise<Relation> {
  const { schema, name } = splitTable(table)
  const found = await sql<(Column & { oid: number })[]>`
    SELECT c.oid::int8 AS oid, a.attname AS name, a.atttypid::int8 AS type, a.atttypmod AS modifier
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = ${schema} AND c.relname = ${name} AND a.attnum > 0 AND NOT a.attisdropped
      AND a.attname IN (SELECT json_array_elements_text(${JSON.stringify(columns)}::text::json))
    ORDER BY a.attnum`
  return {
    oid: found[0]?.oid ?? 0,
    schema,
    name,
    columns: found.map(({ name: column, type, modifier }) => ({ name: column, type, modifier })),
  }
}

/** What the stream itself does not tell of a table: with REPLICA IDENTITY FULL it marks all columns as key. */
export async function factsOf(sql: Sql, relation: Relation, partitions: number): Promise<TableFacts> {
  const key = await sql<{ name: string }[]>`
    SELECT a.attname AS name
    FROM pg_index i
      JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, nth) ON true
      JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
    WHERE i.indrelid = ${relation.oid}::int8::oid AND i.indisprimary
    ORDER BY k.nth`
  const names = key.map(({ name }) => name)
  const missing = names.find((name) => !relation.columns.some((column) => column.name === name))
  if (names.length === 0 || missing !== undefined) {
    throw new CannotFollow(
      `${relation.schema}.${relation.name} ${names.length === 0 ? 'has no primary key' : `is published without "${missing}" of its primary key`}, so its changes name no row. Change that.`,
    )
  }
  return {
    relation,
    key: names,
    types: await typesOf(sql, new Set(relation.columns.map(({ type }) => type))),
    partitions,
  }
}

/** Domains and arrays among the types, and among what those are made of. */
async function typesOf(sql: Sql, oids: ReadonlySet<number>): Promise<Map<number, TypeInfo>> {
  const rows = await sql<{ oid: number; base: number | null; element: number | null }[]>`
    WITH RECURSIVE wanted AS (
      SELECT oid FROM pg_type WHERE oid::int8 IN (SELECT json_array_elements_text(${JSON.stringify([...oids])}::text::json)::int8)
      UNION
      SELECT CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.typelem END
      FROM pg_type t JOIN wanted w ON w.oid = t.oid WHERE t.typtype = 'd' OR t.typcategory = 'A'
    )
    SELECT t.oid::int8 AS oid,
      CASE WHEN t.typtype = 'd' THEN t.typbasetype::int8 END AS base,
      CASE WHEN t.typtype <> 'd' AND t.typcategory = 'A' THEN t.typelem::int8 END AS element
    FROM pg_type t JOIN wanted w ON w.oid = t.oid WHERE t.typtype = 'd' OR t.typcategory = 'A'`
  return new Map(
    rows.map(({ oid, base, element }) => [
      oid,
      { ...(base !== null && { base }), ...(element !== null && { element }) },
    ]),
  )
}

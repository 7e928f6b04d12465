/**
 * A warehouse: a schema in a database that speaks PostgreSQL, with the tables that are copied there and one of our own that notes what each was made of.
 *
 * Invariant: a note is changed in the transaction that changes its table's rows; whoever holds a table's note is the only one who publishes it.
 */
import { toIso } from '../../streams/contract/time-text.ts'
import type { Config } from '../config.ts'
import { connect, type Sql, type Transaction } from '../postgres/connect.ts'
import { quoted } from './columns.ts'
import type { Parts } from './parts.ts'

export interface WarehouseSettings {
  /** A secret. */
  url: string
  schema: string
}

export interface Warehouse {
  readonly sql: Sql
  readonly schema: string
  close(): Promise<void>
}

export interface Publication {
  table: string
  /** Of the lake's table; null: it had no rows. */
  snapshotId: string | null
  /** Days whose rows are not those of the snapshot yet. */
  waiting: string[]
  publishedMs: number
}

/** null: none is named. */
export const warehouseSettings = ({ warehouseUrl, warehouseSchema }: Config): WarehouseSettings | null =>
  warehouseUrl && { url: warehouseUrl.reveal(), schema: warehouseSchema }

const NOTES = 'streamforge_publications'
/** A publisher that is frozen must not hold its table for ever; reading files from far away takes its time. */
const SILENCE_MAX_MS = 30 * 60_000

export function openWarehouse({ url, schema }: WarehouseSettings): Warehouse {
  const { sql, close } = connect(url, {
    max: 1,
    name: 'streamforge-warehouse',
    idleInTransactionTimeoutMs: SILENCE_MAX_MS,
  })
  return { sql, schema, close }
}

export const inSchema = ({ schema }: Pick<Warehouse, 'schema'>, name: string): string =>
  `${quoted(schema)}.${quoted(name)}`

/** Makes what is not there: whoever has prepared the schema needs no right to make one. */
export async function prepareWarehouse(warehouse: Warehouse): Promise<void> {
  const { sql, schema } = warehouse
  const [there] = await sql`SELECT 1 FROM pg_namespace WHERE nspname = ${schema}`
  if (!there) await sql.unsafe(`CREATE SCHEMA IF NOT EXISTS ${quoted(schema)}`)
  await sql.unsafe(`CREATE TABLE IF NOT EXISTS ${inSchema(warehouse, NOTES)} (
    table_name text PRIMARY KEY,
    snapshot_id text,
    parts jsonb NOT NULL DEFAULT '{}',
    waiting jsonb NOT NULL DEFAULT '[]',
    published_at timestamptz
  )`)
}

/** Waits for whoever publishes the table now. */
export async function holdNote(tx: Transaction, warehouse: Warehouse, table: string): Promise<Parts> {
  const notes = inSchema(warehouse, NOTES)
  await tx.unsafe(`INSERT INTO ${notes} (table_name) VALUES ($1) ON CONFLICT DO NOTHING`, [table])
  const [note] = await tx.unsafe<{ parts: Parts }[]>(`SELECT parts FROM ${notes} WHERE table_name = $1 FOR UPDATE`, [
    table,
  ])
  return note?.parts ?? {}
}

export async function notePublication(
  tx: Transaction,
  warehouse: Warehouse,
  { table, snapshotId, waiting, parts, publishedMs }: Publication & { parts: Parts },
): Promise<void> {
  await tx.unsafe(
    `UPDATE ${inSchema(warehouse, NOTES)} SET snapshot_id = $2, parts = $3::text::jsonb, waiting = $4::text::jsonb, published_at = $5::text::timestamptz
    WHERE table_name = $1`,
    [table, snapshotId, JSON.stringify(parts), JSON.stringify(waiting), toIso(publishedMs)],
  )
}

/** What is there, by table; empty where nothing was ever published. */
export async function publications(warehouse: Warehouse): Promise<Map<string, Publication>> {
  const { sql, schema } = warehouse
  const [there] = await sql`SELECT 1 FROM pg_tables WHERE schemaname = ${schema} AND tablename = ${NOTES}`
  if (!there) return new Map()
  const rows = await sql.unsafe<{ table: string; snapshot: string | null; waiting: string[]; at: number }[]>(
    `SELECT table_name AS table, snapshot_id AS snapshot, waiting, published_at AS at FROM ${inSchema(warehouse, NOTES)}
    WHERE published_at IS NOT NULL`,
  )
  return new Map(
    rows.map(({ table, snapshot, waiting, at }) => [
      table,
      { table, snapshotId: snapshot, waiting, publishedMs: Number(at) },
    ]),
  )
}

/**
 * Where the projection of change data capture keeps its rows: the statements of one transaction.
 *
 * Invariant: the row of `cdc_positions` is locked before anything else is read or written, and moves with what it stands for. So whatever reads a partition twice (after a crash, a process that
 * was thought dead) finds what it has already written behind that position, and leaves it out.
 */
import { getTableColumns } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'
import type { TopicPartition } from '../../streams/log/event-log.ts'
import { textArray } from './arrays.ts'
import { type BulkInsert, bulkInsert, onConflictUpdate } from './bulk-insert.ts'
import { CURRENT_TABLES, type CurrentTable, HISTORY_TABLES, type HistoryTable } from './cdc-schema.ts'
import type { Sql, Transaction } from './connect.ts'
import { cleaned } from './result-version.ts'

/** By columns; which there are the compiler has checked where they are made (streams/cdc). */
type Row = Readonly<Record<string, unknown>>

/** Waits for whoever is at this partition now. @returns the offset from which on nothing has been applied; 0 where nothing ever was */
export async function lockPosition(tx: Transaction, { topic, partition }: TopicPartition): Promise<number> {
  const [row] = await tx<{ next_offset: number }[]>`
    INSERT INTO cdc_positions AS p (topic, partition, next_offset) VALUES (${topic}, ${partition}, 0)
    ON CONFLICT (topic, partition) DO UPDATE SET next_offset = p.next_offset RETURNING next_offset`
  return row!.next_offset
}

export async function movePosition(
  tx: Transaction,
  { topic, partition }: TopicPartition,
  nextOffset: number,
): Promise<void> {
  await tx`UPDATE cdc_positions SET next_offset = ${nextOffset} WHERE topic = ${topic} AND partition = ${partition}`
}

/** Where to go on; null where nothing was read yet. */
export async function positionOf(sql: Sql, { topic, partition }: TopicPartition): Promise<number | null> {
  const [row] = await sql<{ next_offset: number }[]>`
    SELECT next_offset FROM cdc_positions WHERE topic = ${topic} AND partition = ${partition}`
  return row?.next_offset ?? null
}

/** The topic was made anew: its records are newer than all that the old one gave, whatever their offsets. */
export async function beginAnew(sql: Sql, at: TopicPartition, table: CurrentTable, nextOffset: number): Promise<void> {
  await sql.begin(async (tx) => {
    await lockPosition(tx, at)
    await tx`UPDATE ${tx(table)} SET position = -1 WHERE partition = ${at.partition}`
    await movePosition(tx, at, nextOffset)
  })
}

export async function readRows<R extends Row>(
  tx: Transaction,
  table: CurrentTable,
  key: string,
  ids: readonly string[],
): Promise<R[]> {
  if (ids.length === 0) return []
  const rows = await tx<R[]>`SELECT * FROM ${tx(table)} WHERE ${tx(key)} = ANY (${textArray(ids)}::text::text[])`
  return rows.map((row) => ({ ...row }))
}

/** @param rows of different keys */
export async function writeRows(tx: Transaction, table: CurrentTable, rows: readonly Row[]): Promise<void> {
  await insert(tx, UPSERTS[table], rows)
}

export async function addEntries(tx: Transaction, table: HistoryTable, entries: readonly Row[]): Promise<void> {
  await insert(tx, HISTORIES[table], entries)
}

/** Marks all rows that a partition's records have made. */
export async function markAllDeleted(
  tx: Transaction,
  table: CurrentTable,
  by: { partition: number; position: number; changedAtMs: number },
): Promise<void> {
  await tx`
    UPDATE ${tx(table)} SET deleted = true, position = ${by.position}, changed_at = to_timestamp(${by.changedAtMs}::float8 / 1000)
    WHERE partition = ${by.partition} AND position < ${by.position} AND NOT deleted`
}

async function insert(tx: Transaction, into: Pick<BulkInsert<Row>, 'statement' | 'parameters'>, rows: readonly Row[]) {
  if (rows.length === 0) return
  await tx.unsafe(into.statement, into.parameters(rows.map(cleaned)), { prepare: true })
}

function upsert(table: CurrentTable): Pick<BulkInsert<Row>, 'statement' | 'parameters'> {
  const definition = CURRENT_TABLES[table]
  const { statement, columns, parameters } = bulkInsert<Row>(definition)
  const keys = columns.filter((name) => getTableColumns<PgTable>(definition)[name]!.primary)
  return { statement: `${statement} ${onConflictUpdate(keys, columns)}`, parameters }
}

const UPSERTS = {
  cdc_products: upsert('cdc_products'),
  cdc_orders: upsert('cdc_orders'),
  cdc_order_items: upsert('cdc_order_items'),
} satisfies Record<CurrentTable, unknown>
const HISTORIES = {
  price_changes: bulkInsert<Row>(HISTORY_TABLES.price_changes),
  stock_changes: bulkInsert<Row>(HISTORY_TABLES.stock_changes),
  order_status_changes: bulkInsert<Row>(HISTORY_TABLES.order_status_changes),
} satisfies Record<HistoryTable, unknown>

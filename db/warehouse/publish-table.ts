/**
 * One table of the lake into the warehouse: the days that differ from what is there are replaced by those of the current snapshot, in one transaction.
 *
 * Invariants: readers of the warehouse see the table as it was or as the snapshot has it, never between; publishing again what is there changes nothing, and whatever dies leaves the table as it
 * was; no older snapshot replaces a newer one, since it is chosen while the table's note is held. Memory is a page of rows, and what DuckDB is given.
 */
import {
  currentSnapshot,
  type Lake,
  loadTable,
  planScan,
  type SqlEngine,
  SqlError,
  type SqlValue,
  sqlName,
  type Table,
  tableText,
} from '../lake/index.ts'
import { tableOf } from '../models/build.ts'
import { DAY, type Model } from '../models/models.ts'
import { textArray } from '../postgres/arrays.ts'
import type { Transaction } from '../postgres/connect.ts'
import { alterations, quoted, textOf, type WarehouseColumn, warehouseColumns } from './columns.ts'
import { changesOf, partsOf, WHOLE } from './parts.ts'
import { holdNote, inSchema, notePublication, type Warehouse } from './warehouse.ts'

export interface Published {
  /** As in the lake: `analytics.fact_events`. */
  table: string
  snapshotId: string | null
  /** null: it was there already. */
  rows: number | null
  /** Days that differ and were to be left as they are. */
  waiting: string[]
}

export interface PublishTools {
  lake: Lake
  /** DuckDB over the lake. */
  engine: SqlEngine
  /** Days to be left as they are in the warehouse. */
  hold: ReadonlySet<string>
  signal?: AbortSignal | undefined
}

/** @throws NoSuchTable where the lake has none; Error in a sentence */
export async function publishTable(
  warehouse: Warehouse,
  model: Model,
  { lake, engine, hold, signal }: PublishTools,
): Promise<Published> {
  const name = tableOf(model)
  const target = inSchema(warehouse, model.name)
  return warehouse.sql.begin(async (tx) => {
    const noted = await holdNote(tx, warehouse, model.name)
    const { metadata } = await loadTable(lake, name)
    const snapshot = currentSnapshot(metadata)
    const plan = await planScan(lake, metadata)
    const columns = warehouseColumns(tableText(name), plan.schema)
    const there = await columnsThere(tx, warehouse, model.name)
    for (const statement of alterations(target, columns, there)) await tx.unsafe(statement)
    if (there === null && model.scope === 'day') await tx.unsafe(`CREATE INDEX ON ${target} (${quoted(DAY.name)})`)
    // A table that somebody has dropped there is made of everything again.
    const changes = changesOf(there === null ? {} : noted, partsOf(plan, model.scope), hold)
    await removeParts(tx, target, changes.remove)
    let rows = 0
    if (snapshot)
      for (const condition of conditionsOf(changes.copy)) {
        const select = `SELECT ${columns.map((column) => quoted(column.name)).join(', ')} FROM ${sqlName(name)}${condition}`
        const pages = pagesOf(engine, select, { lake, table: { name, metadata }, signal })
        for await (const page of pages) rows += await insertRows(tx, target, columns, page)
      }
    signal?.throwIfAborted()
    const { waiting, after: parts } = changes
    const snapshotId = snapshot ? String(snapshot['snapshot-id']) : null
    await notePublication(tx, warehouse, {
      table: model.name,
      snapshotId,
      waiting,
      parts,
      publishedMs: lake.clock.now(),
    })
    return { table: tableText(name), snapshotId, rows: changes.remove.length > 0 ? rows : null, waiting }
  }) as Promise<Published>
}

/** @returns null where there is no such table */
export async function columnsThere(
  tx: Transaction,
  { schema }: Warehouse,
  table: string,
): Promise<WarehouseColumn[] | null> {
  const columns = await tx<WarehouseColumn[]>`
    SELECT attname AS name, format_type(atttypid, atttypmod) AS type FROM pg_attribute
    JOIN pg_class ON pg_class.oid = attrelid JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE nspname = ${schema} AND relname = ${table} AND attnum > 0 AND NOT attisdropped`
  return columns.length === 0 ? null : [...columns]
}

async function removeParts(tx: Transaction, target: string, parts: readonly string[]): Promise<void> {
  if (parts.length === 0) return
  if (parts.includes(WHOLE)) await tx.unsafe(`DELETE FROM ${target}`)
  else await tx.unsafe(`DELETE FROM ${target} WHERE ${quoted(DAY.name)} = ANY($1::text::date[])`, [textArray(parts)])
}

/** Of one statement, so that files that are copied from far away take no more room than those of a month. */
const DAYS_AT_ONCE = 31

function conditionsOf(parts: readonly string[]): string[] {
  if (parts.includes(WHOLE)) return ['']
  const conditions: string[] = []
  for (let at = 0; at < parts.length; at += DAYS_AT_ONCE) {
    const days = parts.slice(at, at + DAYS_AT_ONCE).map((day) => `DATE '${day}'`)
    conditions.push(` WHERE ${quoted(DAY.name)} IN (${days.join(', ')})`)
  }
  return conditions
}

/** A statement of one activity has the time that the activity has. */
const TIMEOUT_MS = 6 * 3_600_000

async function* pagesOf(
  engine: SqlEngine,
  select: string,
  { lake, table, signal }: { lake: Lake; table: Pick<Table, 'name' | 'metadata'>; signal: AbortSignal | undefined },
): AsyncGenerator<SqlValue[][]> {
  const snapshotId = currentSnapshot(table.metadata)!['snapshot-id']
  try {
    const options = { snapshotId, signal, timeoutMs: TIMEOUT_MS, name: 'copy to warehouse' }
    for await (const { rows } of engine.stream(select, options)) if (rows.length > 0) yield rows
  } catch (error) {
    const isGone = error instanceof SqlError ? error.code === 'NO_SNAPSHOT' : (error as Error).name === 'MissingFile'
    const now = isGone && currentSnapshot((await loadTable(lake, table.name)).metadata)
    if (now && now['snapshot-id'] !== snapshotId)
      throw new Error(`${tableText(table.name)} was written and cleaned up while it was copied. Publish again.`, {
        cause: error,
      })
    throw error
  }
}

/** By arrays, one per column. (COPY would be: but where the server refuses it, postgres.js 3.4.9 never tells.) */
async function insertRows(
  tx: Transaction,
  target: string,
  columns: readonly WarehouseColumn[],
  rows: readonly SqlValue[][],
): Promise<number> {
  const names = columns.map(({ name }) => quoted(name)).join(', ')
  const values = columns.map(({ name, type }) => `v.${quoted(name)}::${type}`).join(', ')
  const arrays = columns.map((_, i) => `$${i + 1}::text::text[]`).join(', ')
  await tx.unsafe(
    `INSERT INTO ${target} (${names}) SELECT ${values} FROM unnest(${arrays}) AS v (${names})`,
    columns.map((_, i) => textArray(rows.map((row) => textOf(row[i] ?? null)))),
  )
  return rows.length
}

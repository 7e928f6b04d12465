/**
 * One batch of a partition into PostgreSQL: current rows, histories and the offset behind them in one transaction.
 *
 * Invariant: of any number of processes that apply any overlapping batches of a partition, each change is applied once and in order.
 */

import type { HistoryTable } from '../../db/postgres/cdc-schema.ts'
import type { Sql, Transaction } from '../../db/postgres/connect.ts'
import {
  addEntries,
  lockPosition,
  markAllDeleted,
  movePosition,
  readRows,
  writeRows,
} from '../../db/postgres/projection.ts'
import type { TopicPartition } from '../log/event-log.ts'
import { fold } from './fold.ts'
import type { AllGone, RowChange, RowGone, ShopChange } from './read-change.ts'
import type { CapturedRow, ShopTable } from './tables.ts'

/**
 * @param nextOffset behind the batch's last record, whether that was a change or not
 * @returns how many changes were new
 */
export function applyBatch(
  sql: Sql,
  table: ShopTable,
  at: TopicPartition,
  changes: readonly ShopChange[],
  nextOffset: number,
): Promise<number> {
  return sql.begin(async (tx) => {
    const from = await lockPosition(tx, at)
    if (from >= nextOffset) return 0
    const due = changes.filter(({ position }) => position >= from)
    for (const piece of pieces(due)) {
      if (Array.isArray(piece)) await applyRows(tx, table, at.partition, piece)
      else await markAllDeleted(tx, table.table, { ...piece, partition: at.partition })
    }
    await movePosition(tx, at, nextOffset)
    return due.length
  })
}

async function applyRows(
  tx: Transaction,
  table: ShopTable,
  partition: number,
  changes: readonly (RowChange | RowGone)[],
): Promise<void> {
  const ids = [...new Set(changes.map(({ id }) => id))]
  const kept = await readRows<CapturedRow>(tx, table.table, table.key, ids)
  const { rows, entries } = fold(table, partition, kept, changes)
  await writeRows(tx, table.table, rows)
  for (const [history, list] of Object.entries(entries)) await addEntries(tx, history as HistoryTable, list)
}

/** Changes of rows that follow one another, and between them what concerns all rows. */
function pieces(changes: readonly ShopChange[]): ((RowChange | RowGone)[] | AllGone)[] {
  const found: ((RowChange | RowGone)[] | AllGone)[] = []
  for (const change of changes) {
    const last = found.at(-1)
    if (change.kind === 'all_gone') found.push(change)
    else if (Array.isArray(last)) last.push(change)
    else found.push([change])
  }
  return found
}

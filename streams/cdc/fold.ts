/**
 * The projection's kernel: rows as they are kept, and changes in the order of the log, become rows as they are now and entries of histories. Pure.
 *
 * Invariants: a change that is no newer than its row does nothing, so changes may come again; how they were cut into batches can't be seen in what comes out. A history tells of differences from
 * the row that is kept, not from what a record calls `before`: a snapshot that is taken again adds nothing to it.
 */
import type { HistoryTable } from '../../db/postgres/cdc-schema.ts'
import type { Cell, RowChange, RowGone } from './read-change.ts'
import type { CapturedRow, ColumnKind, ShopTable } from './tables.ts'

/** Its table's columns by name, but for the number that the database gives it. */
export type HistoryEntry = Readonly<Record<string, Cell>>

export interface Folded {
  /** Those that are other than they were, each once. */
  rows: CapturedRow[]
  entries: Partial<Record<HistoryTable, HistoryEntry[]>>
}

/** @param kept the rows of these ids, as they are in the database */
export function fold(
  table: ShopTable,
  partition: number,
  kept: readonly CapturedRow[],
  changes: readonly (RowChange | RowGone)[],
): Folded {
  const rows = new Map(kept.map((row) => [row[table.key] as string, row]))
  const changed = new Set<string>()
  const entries: Folded['entries'] = {}
  for (const change of changes) {
    const before = rows.get(change.id)
    // A row's key decides its partition; where it lies in another, its topic was made anew with more of them.
    if (before?.partition === partition && before.position >= change.position) continue
    if (change.kind === 'gone' && (!before || before.deleted)) continue
    const after = next(table, partition, before, change)
    for (const { table: history, of } of table.histories) {
      if (of.every((name) => isSame(table.columns[name]!, before?.[name], after[name]))) continue
      entries[history] ??= []
      entries[history].push(entryOf(table, of, before, after))
    }
    rows.set(change.id, after)
    changed.add(change.id)
  }
  return { rows: [...changed].map((id) => rows.get(id)!), entries }
}

function next(
  table: ShopTable,
  partition: number,
  before: CapturedRow | undefined,
  change: RowChange | RowGone,
): CapturedRow {
  const own = { changed_at: change.changedAtMs, partition, position: change.position }
  if (change.kind === 'gone') return { ...before!, ...own, deleted: true }
  const { id, values, extra, unchanged } = change
  const row: CapturedRow = { [table.key]: id, ...values, ...own, extra: { ...extra }, deleted: false }
  for (const name of unchanged) {
    if (Object.hasOwn(table.columns, name)) row[name] = before?.[name] ?? null
    else if (before && Object.hasOwn(before.extra, name)) row.extra[name] = before.extra[name]
  }
  return row
}

const entryOf = (
  { key }: ShopTable,
  of: readonly string[],
  before: CapturedRow | undefined,
  after: CapturedRow,
): HistoryEntry =>
  Object.fromEntries<Cell>([
    ...[key, 'changed_at', 'partition', 'position', ...of].map((name): [string, Cell] => [name, after[name] as Cell]),
    ...of.map((name): [string, Cell] => [`${name}_before`, (before?.[name] ?? null) as Cell]),
  ])

/** 12.5 is 12.50: a column that gets more decimals changes no price. */
const isSame = (kind: ColumnKind, a: unknown, b: unknown): boolean =>
  kind === 'amount' && typeof a === 'string' && typeof b === 'string' ? shortest(a) === shortest(b) : (a ?? null) === b

const shortest = (amount: string): string => (amount.includes('.') ? amount.replace(/\.?0+$/, '') : amount)

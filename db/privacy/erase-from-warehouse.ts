/**
 * A person is erased from the warehouse, in place: what was published keeps its rows, under the pseudonyms that the lake has for them.
 *
 * A publication would do it for days that are as they were built, and leave one that is open as it was published, with the person in it. So rows are changed here, and a later publication brings the same.
 * Invariants: once the lake is without the person no publication brings them back, since one that began before holds the table's note, which is waited for; doing it again changes nothing.
 */
import type { Later, PersonalColumns } from '../lake/index.ts'
import { NAMESPACE } from '../models/models.ts'
import { textArray } from '../postgres/arrays.ts'
import type { Transaction } from '../postgres/connect.ts'
import { quoted } from '../warehouse/columns.ts'
import { PUBLISHED } from '../warehouse/publish.ts'
import { columnsThere } from '../warehouse/publish-table.ts'
import {
  holdNote,
  inSchema,
  openWarehouse,
  prepareWarehouse,
  type Warehouse,
  type WarehouseSettings,
} from '../warehouse/warehouse.ts'
import type { ErasedSubject } from './erase-from-lake.ts'
import { personsIn } from './lake-tables.ts'
import { laterIn } from './later.ts'

/** Rows that told of the person, by table. */
export type WarehouseErasure = Record<string, number>

export async function eraseFromWarehouse(
  settings: WarehouseSettings,
  { pseudonyms, told }: ErasedSubject,
  { signal, onTable }: { signal?: AbortSignal; onTable?: (table: string) => void } = {},
): Promise<WarehouseErasure> {
  const warehouse = openWarehouse(settings)
  const done: WarehouseErasure = {}
  try {
    await prepareWarehouse(warehouse)
    for (const { name } of PUBLISHED) {
      const table = `${NAMESPACE}.${name}`
      const persons = personsIn(table)
      if (persons === undefined || typeof persons === 'string') continue
      signal?.throwIfAborted()
      onTable?.(name)
      const erasing = { name, persons, later: laterIn(table, told), pseudonyms }
      const rows = (await warehouse.sql.begin((tx) => eraseFromTable(tx, warehouse, erasing))) as number | null
      if (rows === null) continue
      done[name] = rows
      // Pages keep what was there until they are vacuumed.
      await warehouse.sql.unsafe(`VACUUM ${inSchema(warehouse, name)}`)
    }
  } finally {
    await warehouse.close()
  }
  return done
}

interface ErasingTable extends Pick<ErasedSubject, 'pseudonyms'> {
  name: string
  persons: PersonalColumns
  later: Later | undefined
}

/** @returns null where the warehouse has no such table */
async function eraseFromTable(
  tx: Transaction,
  warehouse: Warehouse,
  { name, persons: { ids, telling }, later, pseudonyms }: ErasingTable,
): Promise<number | null> {
  await holdNote(tx, warehouse, name)
  const there = await columnsThere(tx, warehouse, name)
  if (there === null) return null
  const have = (columns: readonly string[]) =>
    columns.filter((column) => there.some((each) => each.name === column)).map(quoted)
  const naming = have(ids)
  if (naming.length === 0) return 0
  const isTheirs = `coalesce(${naming.join(', ')}) = ANY ($1::text::text[])`
  const named = naming.map((column) => `${column} = ANY ($1::text::text[])`).join(' OR ')
  const pseudonymOf = (column: string) =>
    `coalesce((SELECT pseudonym FROM unnest($1::text::text[], $2::text::text[]) AS of (id, pseudonym) WHERE id = ${column}), ${column})`
  const changes = [
    ...have(telling).map((column) => `${column} = CASE WHEN ${isTheirs} THEN NULL ELSE ${column} END`),
    ...naming.map((column) => `${column} = ${pseudonymOf(column)}`),
  ]
  // What is published has no place in the log: its time tells.
  const isBefore =
    later === undefined ? 'true' : `coalesce(${quoted(later.column)} < to_timestamp(${later.fromMs} / 1000.0), true)`
  const { count } = await tx.unsafe(
    `UPDATE ${inSchema(warehouse, name)} SET ${changes.join(', ')} WHERE (${named}) AND ${isBefore}`,
    [textArray([...pseudonyms.keys()]), textArray([...pseudonyms.values()])],
  )
  return count
}

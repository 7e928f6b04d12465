/**
 * The star schema into the warehouse, table by table, and how far it is there. Dimensions, facts and metrics go; what they are made of stays in the lake.
 *
 * Invariant: days that are open (built never, or not of what is there now) stay as they are in the warehouse, as they do for the API: what a gate has refused is in the lake's tables, and goes nowhere.
 */
import { currentSnapshot, type Lake, loadTable, NoSuchTable, type SqlEngine } from '../lake/index.ts'
import { tableOf } from '../models/build.ts'
import { modelsOf, NAMESPACE } from '../models/models.ts'
import { rawDays } from '../models/raw-days.ts'
import { openDays } from '../postgres/batch-days.ts'
import type { Sql } from '../postgres/connect.ts'
import { postgresSpan } from '../spans.ts'
import { CannotCopy } from './columns.ts'
import { type Published, publishTable } from './publish-table.ts'
import { openWarehouse, prepareWarehouse, publications, type WarehouseSettings } from './warehouse.ts'

/** What goes to a warehouse. */
export const PUBLISHED = modelsOf('dimensions', 'facts', 'marts')

export interface PublishOptions {
  lake: Lake
  /** DuckDB over the lake. */
  engine: SqlEngine
  /** The platform's own database. */
  sql: Sql
  signal?: AbortSignal | undefined
  onTable?: ((table: string) => void) | undefined
}

/** Tables that the lake does not have yet are left out. @throws Error that names each table that did not go, CannotCopy where trying again helps none of them; the others are there */
export async function publishStarSchema(
  settings: WarehouseSettings,
  { lake, engine, sql, signal, onTable }: PublishOptions,
): Promise<Published[]> {
  const hold = new Set((await openDays(sql, await rawDays(lake))).map(({ day }) => day))
  const warehouse = openWarehouse(settings)
  const done: Published[] = []
  const failed: { table: string; error: unknown }[] = []
  try {
    await prepareWarehouse(warehouse)
    for (const model of PUBLISHED) {
      signal?.throwIfAborted()
      onTable?.(model.name)
      try {
        done.push(
          await postgresSpan('write', 'publish to warehouse', () =>
            publishTable(warehouse, model, { lake, engine, hold, signal }),
          ),
        )
      } catch (error) {
        signal?.throwIfAborted()
        if (!(error instanceof NoSuchTable)) failed.push({ table: model.name, error })
      }
    }
  } finally {
    await warehouse.close()
  }
  if (failed.length > 0) {
    const whys = failed.map(({ table, error }) => `${table}: ${(error as Error).message}`)
    const isHopeless = failed.every(({ error }) => error instanceof CannotCopy)
    throw new (isHopeless ? CannotCopy : Error)(
      `${failed.length} of ${failed.length + done.length} tables did not go to the warehouse. ${whys.join('; ')}`,
      { cause: failed[0]?.error },
    )
  }
  return done
}

export interface WarehouseTable {
  table: string
  state: 'current' | 'behind' | 'not published'
  /** That of the lake; null: the table has no rows. */
  snapshotId: string | null
  publishedSnapshotId: string | null
  publishedMs: number | null
  /** Days that are not as the lake has them, since they are to be built first. */
  waiting: readonly string[]
}

export async function warehouseStatus(settings: WarehouseSettings, lake: Lake): Promise<WarehouseTable[]> {
  const warehouse = openWarehouse(settings)
  const there = await publications(warehouse).finally(() => warehouse.close())
  const tables: WarehouseTable[] = []
  for (const model of PUBLISHED) {
    const table = await loadTable(lake, tableOf(model)).catch((error) => {
      if (error instanceof NoSuchTable) return null
      throw error
    })
    if (table === null) continue
    const snapshot = currentSnapshot(table.metadata)
    const snapshotId = snapshot ? String(snapshot['snapshot-id']) : null
    const published = there.get(model.name)
    const isCurrent = published?.snapshotId === snapshotId && published.waiting.length === 0
    tables.push({
      table: `${NAMESPACE}.${model.name}`,
      state: published === undefined ? 'not published' : isCurrent ? 'current' : 'behind',
      snapshotId,
      publishedSnapshotId: published?.snapshotId ?? null,
      publishedMs: published?.publishedMs ?? null,
      waiting: published?.waiting ?? [],
    })
  }
  return tables
}

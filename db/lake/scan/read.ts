/** Rows of a plan, batch by batch: any number of rows in bounded memory. */
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { DuckDBValue } from '@duckdb/node-api'
import type { Lake } from '../commit/lake.ts'
import { columnForm } from '../parquet/columns.ts'
import { type DuckOptions, identifier, openDuck } from '../parquet/duck.ts'
import type { Value } from '../types/types.ts'
import { whichIsDamaged } from './check-files.ts'
import { projected, type ScanPlan } from './plan.ts'
import { relationOf } from './relation.ts'

export type Row = Record<string, Value | null>

export interface ReadOptions extends DuckOptions {
  /** By the names of the plan's schema; default: all. */
  columns?: readonly string[]
}

/** Nested columns come as DuckDB gives them. Without order, as the files have the rows. @throws MissingFile, Error */
export async function* readRows(lake: Lake, plan: ScanPlan, options: ReadOptions = {}): AsyncGenerator<Row[]> {
  const fields = projected(plan.schema, options.columns)
  const forms = fields.map(({ type }) => (typeof type === 'string' ? columnForm(type) : null))
  const duck = await openDuck(options)
  try {
    const copies = await mkdtemp(join(duck.folder, 'copies-'))
    const relation = await relationOf(lake, plan, fields, copies)
    const select = fields.map(({ name }, i) => forms[i]?.toResult(identifier(name)) ?? identifier(name))
    try {
      const result = await duck.connection.stream(`SELECT ${select.join(', ') || '1'} FROM (${relation})`)
      for (;;) {
        const chunk = await result.fetchChunk()
        if (!chunk || chunk.rowCount === 0) break
        const columns = chunk.getColumns()
        yield Array.from({ length: chunk.rowCount }, (_, row) =>
          Object.fromEntries(fields.map(({ name }, i) => [name, resultValue(forms[i]!, columns[i]![row])])),
        )
      }
    } catch (error) {
      throw await whichIsDamaged(lake, duck, plan, { folder: copies, error })
    }
    await rm(copies, { recursive: true, force: true })
  } finally {
    await duck.close()
  }
}

function resultValue(form: ReturnType<typeof columnForm> | null, value: DuckDBValue | undefined): Value | null {
  if (value === null || value === undefined) return null
  return form ? form.fromResult(value) : (value as Value) // nested: as it is, documented above
}

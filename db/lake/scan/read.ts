/** Rows of a plan, batch by batch: any number of rows in bounded memory. */
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { DuckDBValue } from '@duckdb/node-api'
import { inPagesSpan } from '../../spans.ts'
import type { TableName } from '../catalog/catalog.ts'
import type { Lake } from '../commit/lake.ts'
import { columnForm } from '../parquet/columns.ts'
import { type DuckOptions, identifier, interruptedBy, openDuck } from '../parquet/duck.ts'
import { lakeSpanOf } from '../spans.ts'
import type { Value } from '../types/types.ts'
import { whichIsDamaged } from './check-files.ts'
import { projected, type ScanPlan } from './plan.ts'
import { relationOf } from './relation.ts'

export type Row = Record<string, Value | null>

export interface ReadOptions extends DuckOptions {
  /** By the names of the plan's schema; default: all. */
  columns?: readonly string[]
  /** Ascending by these of the columns; what does not fit into memory while it is sorted is spilled. Default: no order. */
  orderBy?: readonly string[]
  /** Whose rows they are, for traces: a plan does not know. */
  table?: TableName
  /** Ends the reading, also while it sorts. */
  signal?: AbortSignal
}

/** Nested columns come as DuckDB gives them. Without `orderBy` in no order, as the files have the rows. @throws MissingFile, Error */
export const readRows = (lake: Lake, plan: ScanPlan, options: ReadOptions = {}): AsyncGenerator<Row[]> =>
  inPagesSpan(lakeSpanOf('scan', options.table), () => rowsOf(lake, plan, options))

async function* rowsOf(lake: Lake, plan: ScanPlan, options: ReadOptions): AsyncGenerator<Row[]> {
  const fields = projected(plan.schema, options.columns)
  const forms = fields.map(({ type }) => (typeof type === 'string' ? columnForm(type) : null))
  const { orderBy = [], signal } = options
  const duck = await openDuck(options)
  const calledOff = interruptedBy(signal, duck)
  try {
    signal?.throwIfAborted()
    const copies = await mkdtemp(join(duck.folder, 'copies-'))
    const relation = await relationOf(lake, plan, fields, copies)
    const select = fields.map(({ name }, i) => forms[i]?.toResult(identifier(name)) ?? identifier(name))
    try {
      const order = orderBy.length > 0 ? ` ORDER BY ${orderBy.map(identifier).join(', ')}` : ''
      const result = await duck.connection.stream(`SELECT ${select.join(', ') || '1'} FROM (${relation})${order}`)
      for (;;) {
        signal?.throwIfAborted()
        const chunk = await result.fetchChunk()
        if (!chunk || chunk.rowCount === 0) break
        const columns = chunk.getColumns()
        yield Array.from({ length: chunk.rowCount }, (_, row) =>
          Object.fromEntries(fields.map(({ name }, i) => [name, resultValue(forms[i]!, columns[i]![row])])),
        )
      }
    } catch (error) {
      signal?.throwIfAborted()
      throw await whichIsDamaged(lake, duck, plan, { folder: copies, error })
    }
    await rm(copies, { recursive: true, force: true })
  } finally {
    calledOff()
    await duck.close()
  }
}

function resultValue(form: ReturnType<typeof columnForm> | null, value: DuckDBValue | undefined): Value | null {
  if (value === null || value === undefined) return null
  return form ? form.fromResult(value) : (value as Value) // nested: as it is, documented above
}

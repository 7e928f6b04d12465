/**
 * A query's rows put in the place of a table's, all of them or one partition's: inputs are read at pinned snapshots, the rows are computed and written by DuckDB, and one commit puts them there.
 *
 * Invariants: until the commit the table is as it was, whatever fails; rows come from the snapshots that the result names and from nothing else; where others changed the scope meanwhile nothing is
 * committed (`CommitRefused`). Memory is DuckDB's limit, it spills into its folder.
 */
import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import { tableText } from '../catalog/catalog.ts'
import { forgetFailed } from '../commit/commit.ts'
import type { Lake, Table } from '../commit/lake.ts'
import { planScope, replaceScope, type Scope } from '../commit/scope.ts'
import type { DataFile } from '../manifest/data-file.ts'
import { currentSchema, currentSnapshot, defaultSpec, type TableMetadata } from '../metadata/table-metadata.ts'
import { duckType } from '../parquet/columns.ts'
import { copyToDataFiles } from '../parquet/copy.ts'
import {
  type Duck,
  type DuckOptions,
  identifier,
  interruptedBy,
  openDuck,
  returnMemorySooner,
  withLessMemory,
} from '../parquet/duck.ts'
import { checkWritable } from '../parquet/writer.ts'
import { filesOf, whichIsDamaged } from '../scan/check-files.ts'
import { planScan, type ScanPlan } from '../scan/plan.ts'
import type { Predicate } from '../scan/predicate.ts'
import { relationOf } from '../scan/relation.ts'
import type { Long } from '../types/json.ts'
import type { Column } from '../types/schema.ts'

export interface QueryInput {
  /** What the query calls it. */
  as: string
  /** null: there is no such table yet, which is one without rows. */
  table: Table | null
  /** Default: the current one. */
  snapshotId?: Long
  /** What the query may name; null in every row where the table lacks one. */
  columns: readonly Column[]
  /** Which rows: those that meet all conditions of one of these. No row may meet two. Default: all rows. */
  where?: readonly (readonly Predicate[])[]
}

export interface QueryReplacement extends DuckOptions {
  /** Gives columns of the target by name; types are cast to the target's. */
  query: string
  /** Which those are; what the target has beside them is null. Default: all of them. */
  columns?: readonly string[]
  inputs: readonly QueryInput[]
  scope: Scope
  /** Keys of the caller's own in the snapshot's summary. */
  summary?: Readonly<Record<string, string>>
  targetBytes?: number
  /** Ends it: at once while it computes, and never in the middle of the commit. */
  signal?: AbortSignal | undefined
  onProgress?: ((step: 'computing' | 'committing') => void) | undefined
  /** Of inputs that are not local and are copied for the query. Default: 50 GB. */
  copiedBytesMax?: number
}

export interface ReplacedByQuery {
  rows: number
  files: number
  /** Of the target; null: it had no rows, and has none. */
  snapshotId: Long | null
}

const DEFAULT_TARGET_BYTES = 128 * 1024 * 1024
const COPIED_BYTES_MAX = 50e9

/** @throws CommitRefused when the table was changed meanwhile: do it again; what the signal was aborted with; Error for what can't be computed or read */
export async function replaceByQuery(lake: Lake, target: Table, options: QueryReplacement): Promise<ReplacedByQuery> {
  const { query, inputs, scope, summary, signal, onProgress } = options
  const { name, metadata } = target
  const { fields } = currentSchema(metadata)
  for (const field of fields) checkWritable(field.name, field.type)
  const plan = await planScope(lake, target, scope)
  const planned = await planInputs(lake, inputs, options.copiedBytesMax ?? COPIED_BYTES_MAX)
  signal?.throwIfAborted()
  const duck = await openDuck(options)
  const calledOff = interruptedBy(signal, duck)
  let added: DataFile[] = []
  try {
    await returnMemorySooner(duck)
    // Rows of a table have no order, and keeping one costs memory.
    await duck.connection.run('SET preserve_insertion_order = false')
    const copies = await mkdtemp(join(duck.folder, 'copies-'))
    for (const input of planned) await createView(lake, duck, input, copies)
    signal?.throwIfAborted()
    onProgress?.('computing')
    const given = options.columns && new Set(options.columns)
    const select = fields.map(({ name, type }) => {
      const value = !given || given.has(name) ? identifier(name) : 'NULL'
      return `CAST(${value} AS ${duckType(type)}) AS ${identifier(name)}`
    })
    const rows = `SELECT ${select.join(', ')} FROM (${query}) AS computed`
    const partition = scope ?? []
    const copy = () =>
      copyToDataFiles(lake, duck, metadata, rows, {
        partition,
        specId: defaultSpec(metadata)['spec-id'],
        targetBytes: options.targetBytes ?? targetBytesOf(metadata),
      })
    added = await withLessMemory(duck, copy).catch(async (error) => {
      if (signal?.aborted) throw error
      throw await damageOf(lake, duck, planned, { folder: copies, error })
    })
  } catch (error) {
    throw signal?.aborted ? signal.reason : error
  } finally {
    calledOff()
    await duck.close()
  }
  try {
    signal?.throwIfAborted()
    onProgress?.('committing')
    const after = await replaceScope(lake, name, plan, { added, ...(summary && { summary }) })
    return {
      rows: added.reduce((sum, file) => sum + file.recordCount, 0),
      files: added.length,
      snapshotId: currentSnapshot(after.metadata)?.['snapshot-id'] ?? null,
    }
  } catch (error) {
    await forgetFailed(lake, error, added)
    throw error
  }
}

const targetBytesOf = (metadata: TableMetadata): number =>
  Number(metadata.properties['write.target-file-size-bytes']) || DEFAULT_TARGET_BYTES

interface PlannedInput extends QueryInput {
  plans: readonly ScanPlan[]
}

async function planInputs(lake: Lake, inputs: readonly QueryInput[], copiedBytesMax: number): Promise<PlannedInput[]> {
  const planned: PlannedInput[] = []
  for (const input of inputs) {
    const { table, snapshotId, where = [[]] } = input
    const plans: ScanPlan[] = []
    if (table)
      for (const conditions of where)
        plans.push(
          await planScan(lake, table.metadata, {
            where: conditions,
            ...(snapshotId !== undefined && { snapshotId }),
          }),
        )
    planned.push({ ...input, plans })
  }
  if (lake.files.warehouse.startsWith('file://')) return planned
  const files = new Map(
    planned.flatMap(({ plans }) => plans.flatMap((plan) => filesOf(plan).map((file) => [file.path, file.bytes]))),
  )
  const bytes = [...files.values()].reduce((sum, each) => sum + each, 0)
  if (bytes > copiedBytesMax)
    throw new Error(
      `${inputs.map(({ table, as }) => (table ? tableText(table.name) : as)).join(', ')} have ${(bytes / 1e9).toFixed(1)} GB of files to read, and DuckDB here would copy all of them from ${lake.files.warehouse}. Have Trino compute it.`,
    )
  return planned
}

async function createView(lake: Lake, duck: Duck, { as, columns, plans }: PlannedInput, copies: string) {
  const parts: string[] = []
  for (const plan of plans) {
    const known = new Map(plan.schema.fields.map((field) => [field.name, field]))
    const fields = columns.flatMap(({ name }) => known.get(name) ?? [])
    const relation = await relationOf(lake, plan, fields, copies)
    const select = columns.map(({ name, type }) => {
      const value = known.has(name) ? `part.${identifier(name)}` : 'NULL'
      return `CAST(${value} AS ${duckType(type)}) AS ${identifier(name)}`
    })
    parts.push(`SELECT ${select.join(', ')} FROM (${relation}) AS part`)
  }
  const nothing = columns.map(({ name, type }) => `CAST(NULL AS ${duckType(type)}) AS ${identifier(name)}`)
  if (parts.length === 0) parts.push(`SELECT ${nothing.join(', ')} WHERE false`)
  await duck.connection.run(`CREATE VIEW ${identifier(as)} AS ${parts.join(' UNION ALL ')}`)
}

/** Only what the input files themselves can be blamed for is looked for in them. */
async function damageOf(
  lake: Lake,
  duck: Duck,
  planned: readonly PlannedInput[],
  { folder, error }: { folder: string; error: unknown },
): Promise<unknown> {
  const { message } = error as Error
  if (!/\b(Invalid|IO|Serialization|Corrupt\w*) (Input )?Error\b|parquet/i.test(message)) return error
  for (const plan of planned.flatMap(({ plans }) => plans)) {
    const found = await whichIsDamaged(lake, duck, plan, { folder, error })
    if (found !== error) return found
  }
  return error
}

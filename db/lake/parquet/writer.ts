/**
 * Rows become data files: rows are put into a staging table of DuckDB, and written out per partition, into files of about the target size.
 *
 * Memory is bounded by DuckDB's limit (it spills into its folder) and by `maxStagedRows`, at which what is staged is written. Invariant: a row given to `append` is in exactly
 * one of the files that `finish` returns; after an error none of them is to be committed, and `abandon` removes them.
 */
import { type DuckDBAppender, DuckDBDataChunk } from '@duckdb/node-api'
import duckdb from '@duckdb/node-bindings'
import type { Lake } from '../commit/lake.ts'
import type { DataFile } from '../manifest/data-file.ts'
import { currentSchema, defaultSpec, type TableMetadata } from '../metadata/table-metadata.ts'
import { type IcebergType, primitiveOf, type Value } from '../types/types.ts'
import { columnForm } from './columns.ts'
import { copyToDataFiles } from './copy.ts'
import { type DuckOptions, identifier, openDuck, withLessMemory } from './duck.ts'
import { trackPartitions } from './partitions.ts'
import { CHUNK_ROWS, stagedColumn, type Values } from './staging.ts'

export interface WriterOptions extends DuckOptions {
  /** Of a data file, about. Default: the table's `write.target-file-size-bytes`, else 128 MB. */
  targetBytes?: number
  /** What is staged is written at so many rows. Default: 2,000,000. */
  maxStagedRows?: number
}

/** Columns by name; absent ones are null. All of one length. */
export type Columns = Readonly<Record<string, ArrayLike<Value | null | undefined>>>

export interface DataWriter {
  /** @throws Error that names the column when a value is not of its type, or a required one is missing; nothing of this batch is kept then */
  append(columns: Columns, rows: number): Promise<void>
  appendRows(rows: readonly Readonly<Record<string, Value | null | undefined>>[]): Promise<void>
  /** Rows since the beginning. */
  readonly rows: number
  /** Writes what is staged; the writer can't be used any more. */
  finish(): Promise<DataFile[]>
  /** Removes what was written. */
  abandon(): Promise<void>
}

/** Chunks that are kept for the next batch. */
const MAX_SPARE_CHUNKS = 64
const DEFAULT_TARGET_BYTES = 128 * 1024 * 1024

export async function openWriter(
  lake: Lake,
  metadata: TableMetadata,
  options: WriterOptions = {},
): Promise<DataWriter> {
  const schema = currentSchema(metadata)
  const spec = defaultSpec(metadata)
  for (const { name, type } of schema.fields) checkWritable(name, type)
  const columns = schema.fields.map((field) => ({
    field,
    form: columnForm(field.type),
    staged: stagedColumn(field.type),
  }))
  const targetBytes =
    options.targetBytes ?? (Number(metadata.properties['write.target-file-size-bytes']) || DEFAULT_TARGET_BYTES)
  const maxStagedRows = options.maxStagedRows ?? 2_000_000
  const partitions = trackPartitions(spec, schema)

  const duck = await openDuck(options)
  // The number of the row's partition rides along, so that one pass over the rows finds the partitions.
  const partitionColumn = stagedColumn('int')
  const types = [...columns.map(({ staged }) => staged.type), partitionColumn.type]
  const definition = [...columns.map(({ staged }, i) => `c${i} ${staged.type}`), 'p INTEGER'].join(', ')
  const files: DataFile[] = []
  const spare: DuckDBDataChunk[] = []
  let appender: DuckDBAppender
  let staged = 0
  let rows = 0
  const stage = async (): Promise<void> => {
    await duck.connection.run(`CREATE OR REPLACE TABLE staged (${definition})`)
    appender = await duck.connection.createAppender('staged')
    partitions.clear()
    staged = 0
  }
  await stage()

  const fillChunk = (values: readonly Values[], from: number, count: number): DuckDBDataChunk => {
    const chunk = spare.pop() ?? DuckDBDataChunk.create(types)
    chunk.reset()
    chunk.rowCount = count
    for (const [i, { field, staged }] of columns.entries()) {
      const wrong = staged.fill(duckdb.data_chunk_get_vector(chunk.chunk, i), values[i]!, from, count)
      if (wrong >= 0) throw refusal(field.name, field.type, values[i]![wrong], wrong)
    }
    const numbers = partitions.numbersOf(values, from, count)
    partitionColumn.fill(duckdb.data_chunk_get_vector(chunk.chunk, columns.length), numbers, 0, count)
    return chunk
  }

  const flush = async (): Promise<void> => {
    appender.closeSync()
    const select = columns
      .map(({ field, form }, i) => `${form.toParquet(`c${i}`)} AS ${identifier(field.name)}`)
      .join(', ')
    for (const [number, values] of partitions.seen.entries()) {
      const where = partitions.seen.length === 1 ? '' : ` WHERE p = ${number}`
      const query = `SELECT ${select} FROM staged${where}`
      const options = { partition: values, specId: spec['spec-id'], targetBytes }
      files.push(...(await withLessMemory(duck, () => copyToDataFiles(lake, duck, metadata, query, options))))
    }
  }

  const append = async (batch: Columns, count: number): Promise<void> => {
    for (const name of Object.keys(batch))
      if (!columns.some(({ field }) => field.name === name)) throw new Error(`The table has no column "${name}".`)
    const values = columns.map(({ field }): Values => batch[field.name] ?? [])
    for (const [i, { field }] of columns.entries()) if (field.required) checkPresent(field.name, values[i]!, count)
    const chunks: DuckDBDataChunk[] = []
    for (let from = 0; from < count; from += CHUNK_ROWS)
      chunks.push(fillChunk(values, from, Math.min(count - from, CHUNK_ROWS)))
    for (const chunk of chunks) {
      appender.appendDataChunk(chunk)
      if (spare.length < MAX_SPARE_CHUNKS) spare.push(chunk)
    }
    staged += count
    rows += count
    if (staged < maxStagedRows) return
    await flush()
    await stage()
  }

  return {
    append,
    async appendRows(objects) {
      const batch: Record<string, (Value | null)[]> = {}
      for (const { field } of columns) batch[field.name] = objects.map((row) => row[field.name] ?? null)
      for (const row of objects)
        for (const name of Object.keys(row)) if (!(name in batch)) throw new Error(`The table has no column "${name}".`)
      await append(batch, objects.length)
    },
    get rows() {
      return rows
    },
    async finish() {
      try {
        await flush()
        return files
      } finally {
        await duck.close()
      }
    },
    async abandon() {
      await duck.close()
      await lake.files.delete(files.map((file) => file.path))
    },
  }
}

/** DuckDB has no Parquet type for fixed, and readers refuse a fixed column that is stored as binary. */
export function checkWritable(name: string, type: IcebergType): void {
  if (typeof type === 'string' && primitiveOf(type).kind !== 'fixed') return
  const text = typeof type === 'string' ? type : type.type
  throw new Error(
    `The column "${name}" is of the type ${text}: such columns are read here, not written. Use another type (binary for fixed), or another engine for this table.`,
  )
}

function checkPresent(name: string, values: Values, count: number): void {
  for (let i = 0; i < count; i++)
    if (values[i] === null || values[i] === undefined)
      throw new Error(`The column "${name}" is required, and row ${i} of the batch has no value for it.`)
}

function refusal(name: string, type: IcebergType, value: unknown, row: number): Error {
  const text = typeof value === 'bigint' ? String(value) : JSON.stringify(value)
  return new Error(
    `Column "${name}", row ${row} of the batch: ${text} can't be stored in a column of the type ${type}.`,
  )
}

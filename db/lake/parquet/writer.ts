/**
 * Rows become data files: rows are put into a staging table of DuckDB, and written out per partition, into files of about the target size.
 *
 * Memory is bounded by DuckDB's limit (it spills into its folder) and by `maxStagedRows`, at which what is staged is written. Invariant: a row given to `append` is in exactly
 * one of the files that `finish` returns; after an error none of them is to be committed, and `abandon` removes them.
 */
import { type DuckDBAppender, DuckDBDataChunk, type DuckDBValue } from '@duckdb/node-api'
import type { Lake } from '../commit/lake.ts'
import type { DataFile } from '../manifest/data-file.ts'
import { currentSchema, defaultSpec, type TableMetadata } from '../metadata/table-metadata.ts'
import { partitionKey, partitionOf } from '../types/partition-spec.ts'
import { type Field, type IcebergType, primitiveOf, type Value } from '../types/types.ts'
import { columnForm } from './columns.ts'
import { copyToDataFiles } from './copy.ts'
import { type DuckOptions, identifier, openDuck } from './duck.ts'

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

const CHUNK_ROWS = 2_048
const DEFAULT_TARGET_BYTES = 128 * 1024 * 1024

export async function openWriter(
  lake: Lake,
  metadata: TableMetadata,
  options: WriterOptions = {},
): Promise<DataWriter> {
  const schema = currentSchema(metadata)
  const spec = defaultSpec(metadata)
  for (const { name, type } of schema.fields) checkWritable(name, type)
  const columns = schema.fields.map((field) => ({ field, form: columnForm(field.type) }))
  const targetBytes =
    options.targetBytes ?? (Number(metadata.properties['write.target-file-size-bytes']) || DEFAULT_TARGET_BYTES)
  const maxStagedRows = options.maxStagedRows ?? 2_000_000
  const sources = spec.fields.map((field) => columns.findIndex((column) => column.field.id === field['source-id']))
  if (sources.includes(-1)) throw new Error('The table is partitioned by a column that its schema lacks.')

  const duck = await openDuck(options)
  // The number of the row's partition rides along, so that one pass over the rows finds the partitions.
  const types = [...columns.map(({ form }) => form.staged), columnForm('int').staged]
  const definition = columns.map(({ form }, i) => `c${i} ${form.staged}`).join(', ')
  const files: DataFile[] = []
  const partitions = new Map<string, { number: number; values: (Value | null)[] }>()
  let appender: DuckDBAppender
  let staged = 0
  let rows = 0
  const stage = async (): Promise<void> => {
    await duck.connection.run(
      `CREATE OR REPLACE TABLE staged (${[definition, 'p INTEGER'].filter(Boolean).join(', ')})`,
    )
    appender = await duck.connection.createAppender('staged')
    partitions.clear()
    staged = 0
  }
  await stage()

  const partitionNumber = (valueAt: (column: number) => Value | null): number => {
    const values = partitionOf(spec, schema, (id) => valueAt(columns.findIndex((column) => column.field.id === id)))
    const key = partitionKey(0, values)
    const known = partitions.get(key)
    if (known) return known.number
    partitions.set(key, { number: partitions.size, values: [...values] })
    return partitions.size - 1
  }
  /** Most rows of a batch share the partition of the row before: looked up by the source values alone. */
  const numbersOf = (batch: ArrayLike<Value | null | undefined>[], from: number, to: number): number[] => {
    const memo = new Map<Value | null, number>()
    return Array.from({ length: to - from }, (_, i) => {
      const valueAt = (column: number) => batch[column]?.[from + i] ?? null
      if (sources.length !== 1) return partitionNumber(valueAt)
      const value = memoKey(spec.fields[0]!.transform, columns[sources[0]!]!.field.type, valueAt(sources[0]!))
      const known = memo.get(value)
      if (known !== undefined) return known
      const number = partitionNumber(valueAt)
      memo.set(value, number)
      return number
    })
  }

  const flush = async (): Promise<void> => {
    appender.closeSync()
    const select = columns
      .map(({ field, form }, i) => `${form.toParquet(`c${i}`)} AS ${identifier(field.name)}`)
      .join(', ')
    for (const { number, values } of partitions.values()) {
      const where = partitions.size === 1 ? '' : ` WHERE p = ${number}`
      const query = `SELECT ${select} FROM staged${where}`
      files.push(
        ...(await copyToDataFiles(lake, duck, metadata, query, {
          partition: values,
          specId: spec['spec-id'],
          targetBytes,
        })),
      )
    }
  }

  const append = async (batch: Columns, count: number): Promise<void> => {
    for (const name of Object.keys(batch))
      if (!columns.some(({ field }) => field.name === name)) throw new Error(`The table has no column "${name}".`)
    const values = columns.map(({ field }) => batch[field.name] ?? [])
    const staging = columns.map(({ field, form }, i) => convert(field, values[i]!, count, form.toStaged))
    for (let from = 0; from < count; from += CHUNK_ROWS) {
      const to = Math.min(count, from + CHUNK_ROWS)
      const numbers: DuckDBValue[] =
        spec.fields.length === 0 ? new Array(to - from).fill(partitionNumber(() => null)) : numbersOf(values, from, to)
      const chunk = DuckDBDataChunk.create(types, to - from)
      chunk.setColumns([...staging.map((column) => column.slice(from, to)), numbers])
      appender.appendDataChunk(chunk)
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

/** Equal only for values of one partition, and cheap: of a timestamp its hour, which lies in one hour, day, month and year. */
function memoKey(transform: string, type: IcebergType, value: Value | null): Value | null {
  if (value === null || !/^(hour|day|month|year)$/.test(transform) || type === 'date') return value
  const micros = Number(value)
  return Number.isSafeInteger(micros) ? Math.floor(micros / 3_600_000_000) : value
}

function convert(
  { name, required }: Field,
  values: ArrayLike<Value | null | undefined>,
  count: number,
  toStaged: (value: Value) => DuckDBValue,
): DuckDBValue[] {
  const result = new Array<DuckDBValue>(count)
  for (let i = 0; i < count; i++) {
    const value = values[i] ?? null
    if (value === null && required)
      throw new Error(`The column "${name}" is required, and row ${i} of the batch has no value for it.`)
    try {
      result[i] = value === null ? null : toStaged(value)
    } catch (error) {
      throw new Error(`Column "${name}", row ${i} of the batch: ${(error as Error).message}`, { cause: error })
    }
  }
  return result
}

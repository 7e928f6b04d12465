/** Delete files as other engines write them: rows deleted by equality (Flink), or by their position in a data file (Trino, Spark). To be committed by `replaceFiles` as `overwrite`. */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Lake, Row, TableMetadata } from '../index.ts'
import { type DataFile, EQUALITY_DELETES, POSITION_DELETES } from '../manifest/data-file.ts'
import { currentSchema, defaultSpec } from '../metadata/table-metadata.ts'
import { duckType, sqlLiteral } from '../parquet/columns.ts'
import { identifier, openDuck, quote } from '../parquet/duck.ts'
import type { Partition } from '../types/partition-spec.ts'
import { fieldNamed } from '../types/schema.ts'

interface Place {
  partition?: Partition
  specId?: number
}

/** @param rows values of the columns whose equal rows are deleted; columns beside them are written, and mean nothing */
export function equalityDeletes(
  lake: Lake,
  metadata: TableMetadata,
  columns: readonly string[],
  rows: readonly Row[],
  { beside = [], ...place }: Place & { beside?: readonly string[] } = {},
): Promise<DataFile> {
  const fields = [...beside, ...columns].map((column) => fieldNamed(currentSchema(metadata), column))
  const select = rows.map((row) => {
    const values = fields.map(({ name, type }) => {
      const value = row[name] ?? null
      return `${value === null ? `NULL::${duckType(type)}` : sqlLiteral(type, value)} AS ${identifier(name)}`
    })
    return `SELECT ${values.join(', ')}`
  })
  const equalityIds = columns.map((column) => fieldNamed(currentSchema(metadata), column).id)
  const ids = new Map(fields.map((field) => [field.name, field.id]))
  return put(lake, metadata, { query: select.join(' UNION ALL '), ids, rows: rows.length, equalityIds, ...place })
}

export function positionDeletes(
  lake: Lake,
  metadata: TableMetadata,
  positions: readonly { path: string; position: number }[],
  place: Place = {},
): Promise<DataFile> {
  const values = positions.map(({ path, position }) => `(${quote(path)}, ${position}::BIGINT)`)
  const ids = new Map([
    ['file_path', 2147483546],
    ['pos', 2147483545],
  ])
  const query = `SELECT * FROM (VALUES ${values.join(', ')}) AS deleted(file_path, pos)`
  return put(lake, metadata, { query, ids, rows: positions.length, equalityIds: null, ...place })
}

interface Written extends Place {
  query: string
  ids: ReadonlyMap<string, number>
  rows: number
  equalityIds: number[] | null
}

async function put(lake: Lake, metadata: TableMetadata, { query, ids, rows, equalityIds, ...place }: Written) {
  const duck = await openDuck({ memoryMb: 64, threads: 1 })
  try {
    const local = join(duck.folder, 'deletes.parquet')
    const fieldIds = [...ids].map(([name, id]) => `${identifier(name)}: ${id}`).join(', ')
    await duck.connection.run(`COPY (${query}) TO ${quote(local)} (FORMAT parquet, FIELD_IDS {${fieldIds}})`)
    const path = `${metadata.location}/data/${lake.ids.uuid()}-deletes.parquet`
    await lake.files.writeFile(path, local)
    const none = new Map<number, never>()
    const file: DataFile = {
      content: equalityIds ? EQUALITY_DELETES : POSITION_DELETES,
      path,
      format: 'PARQUET',
      specId: place.specId ?? defaultSpec(metadata)['spec-id'],
      partition: place.partition ?? [],
      recordCount: rows,
      bytes: (await stat(local)).size,
      columnSizes: none,
      valueCounts: none,
      nullCounts: none,
      nanCounts: none,
      lowerBounds: none,
      upperBounds: none,
      splitOffsets: null,
      equalityIds,
      sortOrderId: null,
      keyMetadata: null,
      referencedDataFile: null,
    }
    return file
  } finally {
    await duck.close()
  }
}

/**
 * A query's rows as Parquet data files of a table: DuckDB writes them beside, they are put into the lake, and described for a manifest.
 *
 * Invariant: files carry the table's field ids, timestamps in microseconds, uuids as such; what the description says about a file comes from its own writer.
 */
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Lake } from '../commit/lake.ts'
import { DATA, type DataFile } from '../manifest/data-file.ts'
import { partitionedBy } from '../manifest/manifest-reader.ts'
import { currentSchema, type TableMetadata } from '../metadata/table-metadata.ts'
import { type Partition, partitionPath } from '../types/partition-spec.ts'
import { type Duck, identifier, queryObjects, quote } from './duck.ts'
import { metricsOf } from './metrics.ts'

export interface CopyOptions {
  /** Of every row that the query gives. */
  partition: Partition
  specId: number
  /** About: files end with the row group that reaches it. Default: one file. */
  targetBytes?: number
  rowGroupRows?: number
}

const ROW_GROUP_ROWS = 122_880

/**
 * @param query gives the columns of the current schema, by its names, in the types of `duckType`
 * @returns no file when the query gives no row
 */
export async function copyToDataFiles(
  lake: Lake,
  duck: Duck,
  metadata: TableMetadata,
  query: string,
  { partition, specId, targetBytes, rowGroupRows = ROW_GROUP_ROWS }: CopyOptions,
): Promise<DataFile[]> {
  const schema = currentSchema(metadata)
  const folder = await mkdtemp(join(duck.folder, 'files-'))
  try {
    const ids = schema.fields.map((field) => `${identifier(field.name)}: ${field.id}`).join(', ')
    const target = targetBytes === undefined ? join(folder, 'data_0.parquet') : join(folder, 'split')
    const split = targetBytes === undefined ? '' : `, FILE_SIZE_BYTES ${Math.max(1, Math.floor(targetBytes))}`
    const returned = await queryObjects(
      duck.connection,
      `COPY (${query}) TO ${quote(target)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${rowGroupRows}, FIELD_IDS {${ids}}, RETURN_STATS${split})`,
    )
    const by = partitionedBy(metadata, specId)
    const place = [`${dataFolder(metadata)}`, partitionPath(by.spec, by.types, partition)]
      .filter((part) => part !== '')
      .join('/')
    const files: DataFile[] = []
    for (const row of returned) {
      const written = row as unknown as Written
      if (written.count === 0n) continue
      const path = `${place}/${lake.ids.uuid()}.parquet`
      const splitOffsets = await rowGroupOffsets(duck, written.filename)
      const certain = statistics(written)
      for (const column of await markedColumns(duck, written.filename))
        for (const bound of ['min', 'max']) certain.get(column)?.delete(bound)
      await lake.files.writeFile(path, written.filename)
      files.push({
        ...metricsOf(schema, Number(written.count), certain),
        content: DATA,
        path,
        format: 'PARQUET',
        specId,
        partition,
        bytes: (await stat(written.filename)).size,
        splitOffsets,
        equalityIds: null,
        sortOrderId: 0,
        keyMetadata: null,
        referencedDataFile: null,
      })
      await rm(written.filename)
    }
    return files
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

export const dataFolder = (metadata: TableMetadata): string =>
  (metadata.properties['write.data.path'] ?? `${metadata.location}/data`).replace(/\/+$/, '')

interface Pair<T> {
  key: string
  value: T
}

interface Written {
  filename: string
  count: bigint
  column_statistics: Pair<Pair<string>[]>[]
}

/** DuckDB names columns as identifiers, in quotes. */
const statistics = ({ column_statistics }: Written) =>
  new Map(
    column_statistics.map(({ key, value }) => [
      key.replace(/^"(.*)"$/s, '$1').replaceAll('""', '"'),
      new Map(value.map((each) => [each.key, each.value])),
    ]),
  )

/** DuckDB's client leaves out a byte order mark (U+FEFF) that a text begins with: a bound that had one would be another text's, and rows would be lost by it. */
async function markedColumns(duck: Duck, path: string): Promise<string[]> {
  const isMarked = (column: string) => `starts_with(${column}, chr(65279))`
  const rows = await queryObjects(
    duck.connection,
    `SELECT DISTINCT path_in_schema AS name FROM parquet_metadata(${quote(path)}) WHERE type = 'BYTE_ARRAY' AND (${isMarked('stats_min_value')} OR ${isMarked('stats_max_value')})`,
  )
  return rows.map((row) => String(row.name))
}

/** Where row groups begin: engines split the reading of a file there. */
async function rowGroupOffsets(duck: Duck, path: string): Promise<number[]> {
  const rows = await queryObjects(
    duck.connection,
    `SELECT min(coalesce(nullif(dictionary_page_offset, 0), data_page_offset))::DOUBLE AS start FROM parquet_metadata(${quote(path)}) GROUP BY row_group_id ORDER BY start`,
  )
  return rows.map((row) => Number(row.start)).filter((start) => start > 0)
}

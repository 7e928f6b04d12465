/**
 * A plan's files as a relation that DuckDB can select from: columns found by field id, rows deleted by position left out, conditions applied.
 *
 * Invariant: it gives exactly the rows that the snapshot has, also of files written before columns were added, renamed or widened.
 */
import type { Lake } from '../commit/lake.ts'
import { inBatches } from '../files/in-batches.ts'
import { EQUALITY_DELETES } from '../manifest/data-file.ts'
import { duckType, sqlLiteral } from '../parquet/columns.ts'
import { identifier, literalPath, quote } from '../parquet/duck.ts'
import { fieldNamed } from '../types/schema.ts'
import { type Field, primitiveOf } from '../types/types.ts'
import type { ScanFile, ScanPlan } from './plan.ts'
import type { Predicate } from './predicate.ts'

/** Names that no column of a user's is likely to have; a column of such a name is refused. */
const [FILE, POSITION] = ['filename', 'file_row_number']

/**
 * @param folder for copies of files that are not local; the caller removes it
 * @returns `SELECT …`, columns named and typed as the schema says
 * @throws MissingFile, and Error for what can't be read: other formats than Parquet, equality deletes
 */
export async function relationOf(
  lake: Lake,
  plan: Pick<ScanPlan, 'files' | 'schema' | 'predicates'>,
  fields: readonly Field[],
  folder: string,
): Promise<string> {
  const { files, schema, predicates } = plan
  if (files.length === 0) {
    const nothing = fields.map((field) => `NULL::${duckType(field.type)} AS ${identifier(field.name)}`)
    return `SELECT ${nothing.join(', ') || '1'} WHERE false`
  }
  checkReadable(files)
  const paths = [...new Set(files.flatMap(({ file, deletes }) => [file.path, ...deletes.map((each) => each.path)]))]
  const copies = await inBatches(paths, (path) => lake.files.local(path, folder))
  const local = new Map(paths.map((path, i) => [path, copies[i]!]))
  const filtered = predicates.map((predicate) => fieldNamed(schema, predicate.column))
  const needed = [...new Map([...fields, ...filtered].map((field) => [field.id, field])).values()]
  // A file without any of the columns has rows all the same.
  const read = needed.length > 0 ? needed : schema.fields.slice(0, 1)
  const deletes = [...new Set(files.flatMap((file) => file.deletes.map((each) => each.path)))]
  const source = readParquet(
    files.map(({ file }) => local.get(file.path)!),
    read,
    deletes.length > 0,
  )
  const columns = fields.map((field) => identifier(field.name)).join(', ') || '1'
  const conditions = predicates.map((predicate, i) => condition(predicate, filtered[i]!))
  if (deletes.length === 0)
    return `SELECT ${columns} FROM ${source}${conditions.length > 0 ? ` WHERE ${conditions.join(' AND ')}` : ''}`

  const named = files.map(({ file }) => `(${quote(local.get(file.path)!)}, ${quote(file.path)})`).join(', ')
  const removed = deletes.map((path) => literalPath(local.get(path)!)).join(', ')
  conditions.push(`NOT EXISTS (
    SELECT 1 FROM (VALUES ${named}) AS named(local_path, lake_path)
    JOIN read_parquet([${removed}], hive_partitioning = false, union_by_name = true) AS gone ON gone.file_path = named.lake_path
    WHERE named.local_path = source.${FILE} AND gone.pos = source.${POSITION})`)
  return `SELECT ${columns} FROM ${source} AS source WHERE ${conditions.join(' AND ')}`
}

function checkReadable(files: readonly ScanFile[]): void {
  for (const { file, deletes } of files) {
    for (const each of [file, ...deletes])
      if (each.format !== 'PARQUET')
        throw new Error(`The file ${each.path} is of the format ${each.format}; only Parquet is read here.`)
    const equality = deletes.find((each) => each.content === EQUALITY_DELETES)
    if (equality)
      throw new Error(
        `Rows of ${file.path} are deleted by equality (${equality.path}), which is not read here. Have the engine that wrote it rewrite the table's data files.`,
      )
  }
}

/** By field id: the file's own names and types may be older ones. */
function readParquet(paths: readonly string[], fields: readonly Field[], positions: boolean): string {
  for (const { name } of fields)
    if (name === FILE || name === POSITION) throw new Error(`A column can't be read under the name "${name}" here.`)
  const schema = fields.map(
    ({ id, name, type }) => `${id}: {name: ${quote(name)}, type: ${quote(duckType(type))}, default_value: NULL}`,
  )
  const extra = positions ? `, ${FILE} = true, ${POSITION} = true` : ''
  return `read_parquet([${paths.map(literalPath).join(', ')}], schema = MAP {${schema.join(', ')}}, hive_partitioning = false${extra})`
}

function condition(predicate: Predicate, { name, type }: Field): string {
  const column = identifier(name)
  if (predicate.op === 'is-null') return `${column} IS NULL`
  if (predicate.op === 'not-null') return `${column} IS NOT NULL`
  if (predicate.op === 'in')
    return predicate.values.length === 0
      ? 'false'
      : `${column} IN (${predicate.values.map((value) => sqlLiteral(type, value)).join(', ')})`
  const { kind } = primitiveOf(type)
  // DuckDB has NaN above every number; Iceberg's conditions are true of no NaN.
  const nan = kind === 'float' || kind === 'double' ? ` AND NOT isnan(${column})` : ''
  return `(${column} ${predicate.op} ${sqlLiteral(type, predicate.value)}${nan})`
}

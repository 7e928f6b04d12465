/**
 * A plan's files as a relation that DuckDB can select from: columns found by field id, deleted rows left out, conditions applied.
 *
 * Invariant: it gives exactly the rows that the snapshot has, also of files written before columns were added, renamed or widened, and of files whose rows were deleted by
 * position or by equality; what can't be read so is refused.
 */
import type { Lake } from '../commit/lake.ts'
import { inBatches } from '../files/in-batches.ts'
import { EQUALITY_DELETES } from '../manifest/data-file.ts'
import { duckType, sqlLiteral } from '../parquet/columns.ts'
import { identifier, literalPath, quote } from '../parquet/duck.ts'
import { partitionKey } from '../types/partition-spec.ts'
import { fieldNamed } from '../types/schema.ts'
import { type Field, primitiveOf } from '../types/types.ts'
import { checkFiles, filesOf, unreadable } from './check-files.ts'
import type { DeleteFile } from './deletes.ts'
import type { PlannedFiles, ScanFile } from './plan.ts'
import type { Predicate } from './predicate.ts'

/** Names that no column of a user's is likely to have; a column of such a name is refused where they are needed. */
const [FILE, POSITION] = ['filename', 'file_row_number']
/** Columns that rows are deleted by and that are not selected themselves, by field id: the schema may have another one of their name by now. */
const EQUALITY = 'deleted_by_'

/**
 * @param folder for copies of files that are not local; the caller removes it
 * @returns `SELECT …`, columns named and typed as the schema says
 * @throws MissingFile, and Error for what can't be read, by the file's name: damaged files, other formats than Parquet, files without field ids
 */
export async function relationOf(
  lake: Lake,
  plan: PlannedFiles,
  fields: readonly Field[],
  folder: string,
): Promise<string> {
  const { files, schema, predicates } = plan
  if (files.length === 0) {
    const nothing = fields.map((field) => `NULL::${duckType(field.type)} AS ${identifier(field.name)}`)
    return `SELECT ${nothing.join(', ') || '1'} WHERE false`
  }
  const all = filesOf(plan)
  const deletes = [...new Map(files.flatMap((file) => file.deletes.map((each) => [each.path, each]))).values()]
  const copies = await inBatches(all, async (file) => {
    if (file.format !== 'PARQUET')
      throw unreadable(plan, `the file ${file.path} is of the format ${file.format}; only Parquet is read here.`)
    return lake.files.local(file.path, folder)
  })
  const local = new Map(all.map((file, i) => [file.path, copies[i]!]))
  await checkFiles(plan, all, local)

  const filtered = predicates.map((predicate) => fieldNamed(schema, predicate.column))
  const groups = equalityGroups(plan, deletes)
  const selected = new Map([...fields, ...filtered].map((field) => [field.id, field]))
  const hidden = new Map(groups.flatMap(({ fields }) => fields.map((field) => [field.id, field])))
  for (const id of selected.keys()) hidden.delete(id)
  const aliased = [...hidden.values()].map((field) => ({ ...field, name: `${EQUALITY}${field.id}` }))
  const needed = [...selected.values(), ...aliased]
  // A file without any of the columns has rows all the same.
  const read = needed.length > 0 ? needed : schema.fields.slice(0, 1)
  if (deletes.length > 0)
    for (const { name } of selected.values())
      if (name === FILE || name === POSITION || name.startsWith(EQUALITY))
        throw unreadable(plan, `rows are deleted by delete files, and with them no column "${name}" can be read here.`)

  const paths = files.map(({ file }) => local.get(file.path)!)
  const columns = fields.map((field) => `source.${identifier(field.name)}`).join(', ') || '1'
  const conditions = predicates.map((predicate, i) => condition(predicate, filtered[i]!))
  const where = conditions.length > 0 ? ` WHERE ${conditions.join(' AND ')}` : ''
  if (deletes.length === 0) return `SELECT ${columns} FROM ${readParquet(paths, read)} AS source${where}`

  const scopes = scopesOf(files, deletes)
  const named = files.map(({ file, sequenceNumber }) =>
    row(quote(local.get(file.path)!), quote(file.path), sequenceNumber, scopes(file)),
  )
  const joins = [
    `JOIN ${rows(named)} AS named(local_path, lake_path, sequence, scope) ON named.local_path = source.${FILE}`,
  ]
  const byPosition = deletes.filter((each) => each.content !== EQUALITY_DELETES).map((each) => local.get(each.path)!)
  if (byPosition.length > 0)
    joins.push(
      `ANTI JOIN read_parquet([${byPosition.map(literalPath).join(', ')}], hive_partitioning = false, union_by_name = true) AS placed ON placed.file_path = named.lake_path AND placed.pos = source.${POSITION}`,
    )
  for (const [i, group] of groups.entries())
    joins.push(
      equalityJoin(`equal${i}`, group, { local, scopes, nameOf: (id) => needed.find((f) => f.id === id)!.name }),
    )
  const source = readParquet(paths, read, `${FILE} = true, ${POSITION} = true`)
  return `SELECT ${columns} FROM ${source} AS source ${joins.join(' ')}${where}`
}

interface EqualityGroup {
  fields: readonly Field[]
  files: DeleteFile[]
}

/** Delete files with the same columns are read together. */
function equalityGroups(plan: PlannedFiles, deletes: readonly DeleteFile[]): EqualityGroup[] {
  const groups = new Map<string, EqualityGroup>()
  for (const each of deletes) {
    if (each.content !== EQUALITY_DELETES) continue
    if (each.equalityFields === null)
      throw unreadable(
        plan,
        `${each.path} deletes rows by columns that are nested or not in any of its schemas (field ids ${each.equalityIds?.join(', ') || 'none'}). Have the engine that wrote it rewrite the table's data files.`,
      )
    const key = each.equalityFields.map((field) => field.id).join()
    const group = groups.get(key)
    if (group) group.files.push(each)
    else groups.set(key, { fields: each.equalityFields, files: [each] })
  }
  return [...groups.values()]
}

/** Where an equality delete applies: older files of its partition, or of all. Nulls are equal to nulls here. */
function equalityJoin(
  alias: string,
  { fields, files }: EqualityGroup,
  context: { local: ReadonlyMap<string, string>; scopes: Scopes; nameOf: (id: number) => string },
): string {
  const { local, scopes, nameOf } = context
  const keys = fields.map((field) => ({ ...field, name: `key_${field.id}` }))
  const paths = files.map((file) => local.get(file.path)!)
  const placed = files.map((file) =>
    row(quote(local.get(file.path)!), file.sequenceNumber, file.everywhere ? 'NULL::INTEGER' : scopes(file)),
  )
  const gone = `SELECT ${keys.map((key) => key.name).join(', ')}, placed.sequence, placed.scope FROM ${readParquet(paths, keys, `${FILE} = true`)} AS file JOIN ${rows(placed)} AS placed(local_path, sequence, scope) ON placed.local_path = file.${FILE}`
  const equal = keys.map((key) => `source.${identifier(nameOf(key.id))} IS NOT DISTINCT FROM ${alias}.${key.name}`)
  return `ANTI JOIN (${gone}) AS ${alias} ON ${equal.join(' AND ')} AND ${alias}.sequence > named.sequence AND (${alias}.scope IS NULL OR ${alias}.scope = named.scope)`
}

type Scopes = (file: Pick<DeleteFile, 'specId' | 'partition'>) => number

/** A number for each partition of each spec. */
function scopesOf(files: readonly ScanFile[], deletes: readonly DeleteFile[]): Scopes {
  const numbers = new Map<string, number>()
  for (const file of [...files.map(({ file }) => file), ...deletes]) {
    const key = partitionKey(file.specId, file.partition)
    if (!numbers.has(key)) numbers.set(key, numbers.size)
  }
  return (file) => numbers.get(partitionKey(file.specId, file.partition))!
}

const row = (...values: (string | number | bigint)[]): string => `(${values.join(', ')})`
const rows = (list: readonly string[]): string => `(VALUES ${list.join(', ')})`

/** By field id: the file's own names and types may be older ones. */
export function readParquet(paths: readonly string[], fields: readonly Field[], extra = ''): string {
  const schema = fields.map(
    ({ id, name, type }) => `${id}: {name: ${quote(name)}, type: ${quote(duckType(type))}, default_value: NULL}`,
  )
  return `read_parquet([${paths.map(literalPath).join(', ')}], schema = MAP {${schema.join(', ')}}, hive_partitioning = false${extra && `, ${extra}`})`
}

function condition(predicate: Predicate, { name, type }: Field): string {
  const column = `source.${identifier(name)}`
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

/**
 * Conditions of a statement that can leave out whole files: `column op constant` in the WHERE of a SELECT from one table, where the statement names that table only once.
 *
 * Invariant: a file is left out only where none of its rows could pass the statement's own WHERE, which is applied all the same; what isn't understood for certain is no condition. Constants are
 * computed by DuckDB in the statement's transaction, so `now()` is the same moment in both.
 */
import type { DuckDBConnection } from '@duckdb/node-api'
import { columnForm, duckType } from '../parquet/columns.ts'
import { quote } from '../parquet/duck.ts'
import type { Predicate } from '../scan/predicate.ts'
import { stringifyJson } from '../types/json.ts'
import type { Schema } from '../types/schema.ts'
import { type Field, primitiveOf, type Value } from '../types/types.ts'

interface Node {
  readonly [key: string]: unknown
}

/** A table under the last part of its name, as the statement's tree has it. */
export interface FilteredTable {
  name: string
  /** Of the snapshot that is read. */
  schema: Schema
}

/** @param tree the statement, from `readStatement` */
export async function filtersOf(
  connection: DuckDBConnection,
  tree: unknown,
  { name, schema }: FilteredTable,
): Promise<Predicate[]> {
  const select = onlySelectFrom(tree, name)
  if (!select) return []
  const predicates: Predicate[] = []
  for (const condition of conjuncts(select.where_clause)) {
    for (const { column, op, constants } of comparisonsIn(condition)) {
      const field = fieldOf(column, select.from_table as Node, schema)
      if (!field) continue
      if (op === 'is-null' || op === 'not-null') {
        predicates.push({ column: field.name, op })
        continue
      }
      const values: Value[] = []
      for (const constant of constants) {
        const value = await constantOf(connection, constant, field, schema)
        if (value === null) break
        values.push(value)
      }
      if (values.length < constants.length) continue
      predicates.push(op === 'in' ? { column: field.name, op, values } : { column: field.name, op, value: values[0]! })
    }
  }
  return predicates
}

/** The SELECT whose FROM is nothing but the table; null where the table is named more than once, or in a join. */
function onlySelectFrom(tree: unknown, table: string): Node | null {
  const isTable = (value: unknown): boolean =>
    (value as Node | null)?.type === 'BASE_TABLE' &&
    String((value as Node).table_name).toLowerCase() === table.toLowerCase()
  let times = 0
  let select: Node | null = null
  const walk = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    const node = value as Node
    if (isTable(node)) times++
    if (node.type === 'SELECT_NODE' && isTable(node.from_table)) select = node
    for (const each of Object.values(node)) walk(each)
  }
  walk(tree)
  const from = (select as Node | null)?.from_table as Node | undefined
  // A sample is taken before the conditions apply, and given names are not the table's.
  const isPlain = from !== undefined && from.sample === null && (from.column_name_alias as unknown[]).length === 0
  return times === 1 && isPlain ? select : null
}

function conjuncts(where: unknown): Node[] {
  if (typeof where !== 'object' || where === null) return []
  const node = where as Node
  return node.type === 'CONJUNCTION_AND' ? (node.children as unknown[]).flatMap(conjuncts) : [node]
}

type Operator = Predicate['op']
interface Comparison {
  column: readonly string[]
  op: Operator
  constants: readonly Node[]
}

const OPERATORS: Readonly<Record<string, { op: Operator; turned: Operator }>> = {
  COMPARE_EQUAL: { op: '=', turned: '=' },
  COMPARE_LESSTHAN: { op: '<', turned: '>' },
  COMPARE_LESSTHANOREQUALTO: { op: '<=', turned: '>=' },
  COMPARE_GREATERTHAN: { op: '>', turned: '<' },
  COMPARE_GREATERTHANOREQUALTO: { op: '>=', turned: '<=' },
}

function comparisonsIn(node: Node): Comparison[] {
  const type = String(node.type)
  const operator = OPERATORS[type]
  if (operator) {
    const [left, right] = [node.left as Node, node.right as Node]
    const [leftColumn, rightColumn] = [columnOf(left), columnOf(right)]
    // Whichever side is no column of the table is found to be a constant or not where it is computed.
    return [
      ...(leftColumn ? [{ column: leftColumn, op: operator.op, constants: [right] }] : []),
      ...(rightColumn ? [{ column: rightColumn, op: operator.turned, constants: [left] }] : []),
    ]
  }
  if (type === 'COMPARE_BETWEEN') {
    const column = columnOf(node.input as Node)
    if (!column) return []
    return [
      { column, op: '>=', constants: [node.lower as Node] },
      { column, op: '<=', constants: [node.upper as Node] },
    ]
  }
  const [first, ...rest] = (node.children as Node[] | undefined) ?? []
  const column = first && columnOf(first)
  if (!column) return []
  if (type === 'COMPARE_IN') return [{ column, op: 'in', constants: rest }]
  if (type === 'OPERATOR_IS_NULL') return [{ column, op: 'is-null', constants: [] }]
  if (type === 'OPERATOR_IS_NOT_NULL') return [{ column, op: 'not-null', constants: [] }]
  return []
}

const columnOf = (node: Node): readonly string[] | null =>
  node.type === 'COLUMN_REF' ? (node.column_names as string[]) : null

/** `column`, or `table.column` by the name that the statement has for the table. */
function fieldOf(names: readonly string[], from: Node, schema: Schema): Field | null {
  const called = String(from.alias === '' ? from.table_name : from.alias).toLowerCase()
  if (names.length > 2 || (names.length === 2 && names[0]!.toLowerCase() !== called)) return null
  const name = names.at(-1)!.toLowerCase()
  return schema.fields.find((field) => field.name.toLowerCase() === name) ?? null
}

/** What DuckDB compares a column with as if it were cast to the column's type. Other constants would have the column cast instead. */
const COMPARED: Readonly<Record<string, readonly string[]>> = {
  int: ['TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT'],
  long: ['TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT'],
  date: ['DATE'],
  timestamp: ['DATE', 'TIMESTAMP'],
  timestamptz: ['DATE', 'TIMESTAMP', 'TIMESTAMP WITH TIME ZONE'],
  string: ['VARCHAR'],
}

/** null: not a constant, or one that DuckDB would compare in another way. */
async function constantOf(
  connection: DuckDBConnection,
  constant: Node,
  { type }: Field,
  schema: Schema,
): Promise<Value | null> {
  if (typeof type !== 'string') return null
  const compared = COMPARED[primitiveOf(type).kind]
  if (!compared || !isConstant(constant, schema)) return null
  const select = { error: false, statements: [{ node: { ...SELECT, select_list: [constant] }, named_param_map: [] }] }
  const form = columnForm(type)
  const sql = `(json_deserialize_sql(${quote(stringifyJson(select))}))`
  const text = await first(connection, `SELECT ${sql}`)
  const computed = `SELECT typeof(x), ${form.toResult('y')} FROM (SELECT x, TRY_CAST(x AS ${duckType(type)}) AS y FROM (SELECT (${text}) AS x))`
  // A cast that fails here fails in the statement too, which then says so.
  const [row] = await connection.runAndReadAll(computed).then(
    (result) => result.getRows(),
    () => [],
  )
  const [typeName, value] = row ?? []
  if (value === null || value === undefined) return null
  const isText = constant.type === 'VALUE_CONSTANT' && typeName === 'VARCHAR'
  return isText || compared.includes(String(typeName)) ? form.fromResult(value) : null
}

async function first(connection: DuckDBConnection, sql: string): Promise<string> {
  return String((await connection.runAndReadAll(sql)).getRows()[0]![0])
}

/** Their answers are the same whenever they are asked within one transaction. */
const STABLE = new Set(
  '+ - now get_current_timestamp today current_date date_trunc trunc make_date make_timestamp make_timestamptz to_years to_months to_weeks to_days to_hours to_minutes to_seconds'.split(
    ' ',
  ),
)
const MOMENTS = new Set(['current_timestamp', 'current_date', 'localtimestamp'])

function isConstant(node: Node, schema: Schema): boolean {
  const all = (parts: readonly Node[]): boolean => parts.every((each) => isConstant(each, schema))
  switch (node.type) {
    case 'VALUE_CONSTANT':
      return true
    case 'OPERATOR_CAST':
      return all([node.child as Node])
    case 'FUNCTION':
      return STABLE.has(String(node.function_name)) && node.filter === null && all(node.children as Node[])
    case 'COLUMN_REF': {
      const [name = '', ...more] = node.column_names as string[]
      return more.length === 0 && MOMENTS.has(name) && !schema.fields.some((field) => field.name.toLowerCase() === name)
    }
    default:
      return false
  }
}

/** The tree of `SELECT …` without a table, as DuckDB serialises it. */
const SELECT = {
  type: 'SELECT_NODE',
  modifiers: [],
  cte_map: { map: [] },
  from_table: { type: 'EMPTY', alias: '', sample: null, query_location: 0 },
  where_clause: null,
  group_expressions: [],
  group_sets: [],
  aggregate_handling: 'STANDARD_HANDLING',
  having: null,
  sample: null,
  qualify: null,
}

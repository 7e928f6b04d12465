/**
 * What a statement is and which tables it names, by DuckDB's own parser: nothing is guessed from the text.
 *
 * Invariant: only what reads passes. DuckDB gives the syntax tree of queries alone (SELECT, WITH, FROM, VALUES, TABLE, DESCRIBE, SUMMARIZE, SHOW …), and EXPLAIN is let through where what it explains is one.
 */
import type { DuckDBConnection } from '@duckdb/node-api'
import { quote } from '../parquet/duck.ts'
import { SqlError } from '../sql-engine.ts'
import { parseJson } from '../types/json.ts'

/** A table as the statement names it; '' for parts it leaves out. */
export interface TableReference {
  catalog: string
  schema: string
  table: string
}

/** Whether the statement asks what tables or schemas there are. */
export type Listing = { of: 'tables'; schema: string | null } | { of: 'schemas' }

export interface Statement {
  /** Without repetitions, and without the names of WITH. */
  tables: readonly TableReference[]
  listing: Listing | null
  /** Whether it reads DuckDB's own catalog, which then has to know all tables. */
  wantsEveryTable: boolean
  /** The tree, for `filters.ts`. */
  tree: unknown
}

interface Node {
  readonly [key: string]: unknown
}

/** @throws SqlError when it is no query, or more than one, or has a mistake */
export async function readStatement(connection: DuckDBConnection, text: string): Promise<Statement> {
  const prefix = explainPrefix(text)
  const answer = await serialized(connection, text.slice(prefix))
  if (answer.error === true) throw refused(text, [...text.slice(0, prefix)].length, answer)
  const statements = answer.statements as { node: Node }[]
  if (statements.length === 0) throw new SqlError('NOT_A_QUERY', 'There is no statement.')
  if (statements.length > 1)
    throw new SqlError('NOT_A_QUERY', `One statement at a time, please; there are ${statements.length}.`)
  const tree = statements[0]!.node
  const found = collect(tree)
  const isCommon = ({ catalog, schema, table }: TableReference): boolean =>
    catalog === '' && schema === '' && found.common.has(table.toLowerCase())
  const named = found.tables.filter((each) => !isCommon(each))
  const unique = [...new Map(named.map((each) => [JSON.stringify(each), each])).values()]
  return {
    tables: unique.filter((each) => !isBuiltIn(each)),
    listing: prefix === 0 ? found.listing : null,
    wantsEveryTable: found.expanded || unique.some(isBuiltIn),
    tree,
  }
}

/** DuckDB serialises what is explained, not the EXPLAIN. Comments may stand before it. */
function explainPrefix(text: string): number {
  const [prefix] =
    /^(?:\s|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)*explain\b(?:\s+analyze\b)?(?:\s*\(\s*\w+(?:\s+\w+)?(?:\s*,\s*\w+(?:\s+\w+)?)*\s*\)(?!\s*$))?/i.exec(
      text,
    ) ?? []
  return prefix?.length ?? 0
}

async function serialized(connection: DuckDBConnection, text: string): Promise<Node> {
  // The text must be a constant there: it is given as a quoted one.
  if (text.includes('\0')) throw new SqlError('SYNTAX', 'The statement has a character of the code 0 in it.')
  const result = await connection.runAndReadAll(`SELECT json_serialize_sql(${quote(text)})`)
  // Its "no place" is a number of 64 bits, which DuckDB wants back as it was.
  return parseJson(String(result.getRowsJS()[0]![0])) as Node
}

/** @param skipped code points before the part that was parsed */
function refused(text: string, skipped: number, answer: Node): SqlError {
  const message = String(answer.error_message)
  if (answer.error_type !== 'parser') {
    const pivot = /\bpivot\b/i.test(text) ? ' A PIVOT needs the values of its column: PIVOT t ON c IN (…).' : ''
    return new SqlError(
      'NOT_A_QUERY',
      `Only queries are run here: SELECT, WITH, VALUES, SHOW, DESCRIBE, SUMMARIZE, EXPLAIN.${pivot}`,
    )
  }
  const at = Number(answer.position)
  const place = Number.isSafeInteger(at) ? placeOf(text, skipped + at) : null
  const said = message.replace(/\.$/, '')
  return new SqlError(
    'SYNTAX',
    place
      ? `${said.charAt(0).toUpperCase()}${said.slice(1)}, in line ${place.line}, column ${place.column}.\n${place.excerpt}`
      : `${said}.`,
  )
}

const EXCERPT = 100

/** @param at code points from the start */
function placeOf(text: string, at: number): { line: number; column: number; excerpt: string } {
  const before = [...text].slice(0, at).join('')
  const line = before.split('\n').length
  const start = before.lastIndexOf('\n') + 1
  const column = [...before.slice(start)].length + 1
  const whole = [...(text.split('\n')[line - 1] ?? '')]
  const from = Math.max(0, column - 1 - EXCERPT / 2)
  const shown = whole
    .slice(from, from + EXCERPT)
    .join('')
    .replaceAll('\t', ' ')
  return { line, column, excerpt: `  ${shown}\n  ${' '.repeat(column - 1 - from)}^` }
}

interface Found {
  tables: TableReference[]
  /** Names given by WITH, in lower case. */
  common: Set<string>
  listing: Listing | null
  expanded: boolean
}

function collect(tree: unknown): Found {
  const found: Found = { tables: [], common: new Set(), listing: null, expanded: false }
  const walk = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    if (Array.isArray(value)) {
      for (const each of value) walk(each)
      return
    }
    const node = value as Node
    if (node.type === 'BASE_TABLE') visitTable(node, found)
    else if (node.type === 'SHOW_REF') visitShow(node, found)
    else if (node.type === 'TABLE_FUNCTION' && isBuiltIn(calledIn(node))) found.expanded = true
    const map = (node.cte_map as { map?: { key: string }[] } | undefined)?.map
    for (const { key } of map ?? []) found.common.add(key.toLowerCase())
    for (const each of Object.values(node)) walk(each)
  }
  walk(tree)
  return found
}

function visitTable(node: Node, found: Found): void {
  if (node.at_clause)
    throw new SqlError(
      'UNSUPPORTED',
      'AT (…) is not understood here: name a snapshot with --snapshot, or a time with --as-of, for the whole statement.',
    )
  const [catalog, schema, table] = [node.catalog_name, node.schema_name, node.table_name].map(String)
  found.tables.push({ catalog: catalog!, schema: schema!, table: table! })
}

function visitShow(node: Node, found: Found): void {
  const name = String(node.table_name).replaceAll('"', '').toLowerCase()
  if (node.show_type === 'SHOW_FROM') found.listing = { of: 'tables', schema: String(node.schema_name) }
  else if (node.show_type !== 'SHOW_UNQUALIFIED') return
  else if (name === 'tables') found.listing = { of: 'tables', schema: null }
  else if (name === 'schemas') found.listing = { of: 'schemas' }
  else if (name === '__show_tables_expanded') found.expanded = true
}

/** `duckdb_tables()` is the table of that name. */
const calledIn = (node: Node): TableReference => ({
  catalog: '',
  schema: '',
  table: String((node.function as Node | undefined)?.function_name),
})

function isBuiltIn({ schema, table }: TableReference): boolean {
  if (schema !== '') return /^(information_schema|pg_catalog)$/i.test(schema)
  return /^(duckdb_(columns|constraints|databases|indexes|schemas|tables|types|views)|pg_\w+|sqlite_(master|schema))$/i.test(
    table,
  )
}

/**
 * From the names of a statement to tables of the catalog, and from there to one snapshot of each.
 *
 * Invariants: a name that could mean two tables is refused, never guessed; an error about a name says which names there are.
 */
import { type TableName, tableText } from '../catalog/catalog.ts'
import { type Lake, loadTable, type Table } from '../commit/lake.ts'
import { identifier } from '../parquet/duck.ts'
import { chooseSnapshot } from '../scan/snapshot.ts'
import { SqlError, type SqlOptions } from '../sql-engine.ts'
import type { TableReference } from './statement.ts'

/** A table under the name that the statement has for it. */
export interface NamedTable {
  table: TableName
  /** The statement says `orders` for `raw.orders`. */
  unqualified: boolean
}

const LISTED = 30
const CATALOG = 'lake'

export async function allTables({ catalog }: Lake): Promise<TableName[]> {
  const tables: TableName[] = []
  for (const namespace of await catalog.namespaces()) tables.push(...(await catalog.tables(namespace)))
  return tables
}

/** @throws SqlError naming the tables there are */
export async function resolveTables(lake: Lake, references: readonly TableReference[]): Promise<NamedTable[]> {
  if (references.length === 0) return []
  const known = await allTables(lake)
  const named = references.map((reference) => resolve(reference, known))
  const byLowerCase = new Map<string, string>()
  for (const { table } of named) {
    const text = tableText(table)
    const other = byLowerCase.get(text.toLowerCase())
    if (other !== undefined && other !== text)
      throw new SqlError('UNSUPPORTED', `${other} and ${text} differ by case alone and can't be read in one statement.`)
    byLowerCase.set(text.toLowerCase(), text)
  }
  return named
}

function resolve({ catalog, schema, table }: TableReference, known: readonly TableName[]): NamedTable {
  const written = [catalog, schema, table].filter((part) => part !== '').join('.')
  if (catalog !== '' && catalog.toLowerCase() !== CATALOG) throw unknown(written, known)
  const found = pick(known, (each) => (schema === '' || same(each.namespace, schema)) && same(each.name, table), {
    exact: (each) => (schema === '' || each.namespace === schema) && each.name === table,
  })
  if (found.length === 1) return { table: found[0]!, unqualified: schema === '' }
  if (found.length === 0) throw unknown(written, known)
  throw new SqlError(
    'UNKNOWN_TABLE',
    `"${written}" could be any of ${found.map(sqlName).join(', ')}. Write the one that is meant.`,
  )
}

/** SQL takes no notice of case; where two names differ by nothing else, the one that is spelt so is meant. */
function pick<T>(all: readonly T[], matches: (each: T) => boolean, { exact }: { exact: (each: T) => boolean }): T[] {
  const found = all.filter(matches)
  const exactly = found.filter(exact)
  return exactly.length > 0 ? exactly : found
}

const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase()

function unknown(written: string, known: readonly TableName[]): SqlError {
  if (known.length === 0)
    return new SqlError('UNKNOWN_TABLE', `There is no table ${written}: the lake has no tables yet.`)
  const names = known.slice(0, LISTED).map(sqlName).join(', ')
  const more = known.length > LISTED ? ` and ${known.length - LISTED} more` : ''
  return new SqlError(
    'UNKNOWN_TABLE',
    `There is no table ${written} in the lake. There ${known.length === 1 ? 'is' : 'are'} ${names}${more}.`,
  )
}

/** As it is written in a statement: quoted where it must be. */
export const sqlName = ({ namespace, name }: TableName): string => `${quoted(namespace)}.${quoted(name)}`
const quoted = (name: string): string => (/^[a-z_][a-z0-9_]*$/.test(name) ? name : identifier(name))

/**
 * The tables with the snapshot to read noted in the options of each.
 * @throws SqlError where a table has no such snapshot
 */
export async function pinTables(
  lake: Lake,
  named: readonly NamedTable[],
  { snapshotId, asOfMs }: Pick<SqlOptions, 'snapshotId' | 'asOfMs'>,
): Promise<Map<string, Table>> {
  const tables = new Map<string, Table>()
  for (const { table } of named) {
    const text = tableText(table)
    if (!tables.has(text)) tables.set(text, await loadTable(lake, table))
  }
  if (snapshotId !== undefined && tables.size !== 1) {
    const names = [...tables.keys()].join(' and ')
    throw new SqlError(
      'UNSUPPORTED',
      `A snapshot is one of a single table, and the statement names ${names || 'none'}. A time (--as-of) goes for all tables.`,
    )
  }
  for (const [name, { metadata }] of tables) {
    try {
      chooseSnapshot(metadata, {
        ...(snapshotId !== undefined && { snapshotId }),
        ...(asOfMs !== undefined && { asOfMs }),
      })
    } catch (error) {
      throw noSnapshot(name, metadata.snapshots, snapshotId, error as Error)
    }
  }
  return tables
}

function noSnapshot(
  table: string,
  snapshots: Table['metadata']['snapshots'],
  snapshotId: SqlOptions['snapshotId'],
  cause: Error,
): SqlError {
  if (snapshotId === undefined)
    return new SqlError('NO_SNAPSHOT', cause.message.replace(/^The table /, `The table ${table} `), { cause })
  const newest = snapshots
    .slice(-LISTED)
    .map((each) => String(each['snapshot-id']))
    .reverse()
  const more = snapshots.length > LISTED ? ` and ${snapshots.length - LISTED} older ones` : ''
  const there = newest.length === 0 ? 'It has none yet.' : `There are ${newest.join(', ')}${more}.`
  return new SqlError('NO_SNAPSHOT', `The table ${table} has no snapshot ${snapshotId}. ${there}`, { cause })
}

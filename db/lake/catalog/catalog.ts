/** The catalog's port: which metadata file is a table's current one. Everything else about a table is in that file. */

export interface TableName {
  /** Levels joined by dots, `raw` or `a.b`. */
  namespace: string
  name: string
}

export interface Catalog {
  readonly name: string
  /** @returns false, and changes nothing, when it was there */
  createNamespace(namespace: string, properties?: Readonly<Record<string, string>>): Promise<boolean>
  /** null removes a property. The namespace stays, whatever is removed. */
  alterNamespace(namespace: string, changes: Readonly<Record<string, string | null>>): Promise<void>
  /** Only one without tables, views and namespaces below it. */
  dropNamespace(namespace: string): Promise<'dropped' | 'missing' | 'not-empty'>
  namespaces(): Promise<string[]>
  /** @returns null when there is no such namespace */
  namespaceProperties(namespace: string): Promise<Record<string, string> | null>
  tables(namespace: string): Promise<TableName[]>
  /** @returns null when there is no such table */
  metadataLocation(table: TableName): Promise<string | null>
  /** @returns false when the table exists */
  create(table: TableName, metadataLocation: string): Promise<boolean>
  /** The commit: one compare-and-swap. @returns false when `from` is no longer the current one */
  swap(table: TableName, from: string, to: string): Promise<boolean>
  /** Commits of several tables, all or none; `from` null makes the table. @returns false, and changes nothing, when one of them is no longer as it was */
  swapAll(changes: readonly Swap[]): Promise<boolean>
  /** @returns `missing` when there is no such table, `taken` when there is something of the new name */
  rename(from: TableName, to: TableName): Promise<'renamed' | 'missing' | 'taken'>
  /**
   * Forgets the table; its files stay.
   * @param at only if this is its current metadata file
   * @returns false when there was none
   */
  drop(table: TableName, at?: string): Promise<boolean>
  /** Of all tables. */
  metadataLocations(): Promise<{ table: TableName; metadataLocation: string }[]>
}

export interface Swap {
  table: TableName
  from: string | null
  to: string
}

export const tableText = ({ namespace, name }: TableName): string => `${namespace}.${name}`

/** @throws Error unless it is `namespace.table` */
export function tableName(text: string): TableName {
  const dot = text.lastIndexOf('.')
  if (dot < 1 || dot === text.length - 1)
    throw new Error(`"${text}" is no table name; write namespace.table, e.g. raw.orders.`)
  return { namespace: text.slice(0, dot), name: text.slice(dot + 1) }
}

export class NoSuchTable extends Error {
  override readonly name = 'NoSuchTable'

  constructor(table: TableName) {
    super(`There is no table ${tableText(table)} in the catalog.`)
  }
}

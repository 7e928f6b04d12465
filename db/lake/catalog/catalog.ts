/** The catalog's port: which metadata file is a table's current one. Everything else about a table is in that file. */

export interface TableName {
  /** Levels joined by dots, `raw` or `a.b`. */
  namespace: string
  name: string
}

export interface Catalog {
  readonly name: string
  /** @returns false when it was there */
  createNamespace(namespace: string, properties?: Readonly<Record<string, string>>): Promise<boolean>
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
  /** Forgets the table; its files stay. @returns false when there was none */
  drop(table: TableName): Promise<boolean>
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

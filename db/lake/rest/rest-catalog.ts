/**
 * The operations of the Iceberg REST catalog over a lake: what `edge/iceberg` serves, without its HTTP.
 *
 * Invariant: whatever a client sends, the catalog's rows stay such that the JDBC catalogs of other engines read them, and its tables such that we do.
 * Source: https://github.com/apache/iceberg/blob/main/open-api/rest-catalog-open-api.yaml
 */
import { type TableName, tableText } from '../catalog/catalog.ts'
import { forget } from '../commit/commit.ts'
import type { Lake, Table } from '../commit/lake.ts'
import type { TableMetadata } from '../metadata/table-metadata.ts'
import { checkMetadata, checkSnapshotFiles } from './check.ts'
import { commitTables, type TableChange, tableOrNull } from './commit-tables.ts'
import {
  childrenOf,
  folderName,
  hasNamespace,
  levelsOf,
  NAME_LENGTH_MAX,
  namespaceOf,
  newNamespace,
  newTableName,
  type Page,
  pageOf,
  VALUE_LENGTH_MAX,
} from './names.ts'
import { filesToPurge } from './purge.ts'
import { badRequest, CatalogRefused } from './refused.ts'
import type { Bodies, Requirement, Update } from './requests.ts'
import { checkRequirements } from './requirements.ts'
import { withFreshIds } from './shape-updates.ts'
import { unavailableOr } from './unavailable.ts'
import { applyUpdates } from './updates.ts'
import { checkWithin, folderOfMetadata, overlap } from './within.ts'

type Levels = readonly string[]
export interface Identifier {
  namespace: Levels
  name: string
}
export interface LoadedTable {
  /** Absent while a table is staged only. */
  'metadata-location'?: string
  metadata: TableMetadata
}

/** Each throws CatalogRefused. */
export interface RestCatalog {
  /** What clients may call it: its name, and where its tables are. */
  readonly name: string
  readonly warehouse: string
  listNamespaces(
    parent: Levels | null,
    page: Page,
  ): Promise<{ namespaces: string[][]; 'next-page-token': string | null }>
  createNamespace(body: Bodies['createNamespace']): Promise<{ namespace: Levels; properties: Record<string, string> }>
  loadNamespace(namespace: Levels): Promise<{ namespace: Levels; properties: Record<string, string> }>
  dropNamespace(namespace: Levels): Promise<void>
  updateNamespace(
    namespace: Levels,
    body: Bodies['updateNamespace'],
  ): Promise<{ updated: string[]; removed: string[]; missing: string[] }>
  listTables(namespace: Levels, page: Page): Promise<{ identifiers: Identifier[]; 'next-page-token': string | null }>
  createTable(namespace: Levels, body: Bodies['createTable']): Promise<LoadedTable>
  loadTable(table: Identifier, snapshots: 'all' | 'refs'): Promise<LoadedTable>
  hasTable(table: Identifier): Promise<void>
  commitTable(table: Identifier, body: Pick<Bodies['commitTable'], 'requirements' | 'updates'>): Promise<LoadedTable>
  commitTransaction(body: Bodies['commitTransaction']): Promise<void>
  dropTable(table: Identifier, options: { purge: boolean }): Promise<void>
  renameTable(body: Bodies['renameTable']): Promise<void>
}

/** What makes a namespace without properties be there, for Iceberg's engines: nobody's to see or to change. */
const EXISTS = 'exists'

export function openRestCatalog(lake: Lake): RestCatalog {
  const { catalog, files, clock, ids } = lake

  async function known(levels: Levels): Promise<string> {
    const namespace = namespaceOf(levels)
    if (levels.every((level) => level !== '') && hasNamespace(await catalog.namespaces(), namespace)) return namespace
    throw new CatalogRefused('no_such_namespace', `There is no namespace ${namespace || '(empty)'} in the catalog.`)
  }
  const nameOf = ({ namespace, name }: Identifier): TableName => ({ namespace: namespaceOf(namespace), name })
  const noTable = (name: TableName) =>
    new CatalogRefused('no_such_table', `There is no table ${tableText(name)} in the catalog.`)
  const loaded = ({ metadata, metadataLocation }: Table): LoadedTable => ({
    'metadata-location': metadataLocation,
    metadata,
  })
  const visible = (properties: Readonly<Record<string, string>>): Record<string, string> => {
    const { [EXISTS]: _, ...others } = properties
    return others
  }

  function checkProperties(properties: Readonly<Record<string, string>>): void {
    for (const [key, value] of Object.entries(properties)) {
      if (key === EXISTS) throw badRequest(`The property "${EXISTS}" belongs to the catalog.`)
      if (key === '' || key.length > NAME_LENGTH_MAX || value.length > VALUE_LENGTH_MAX || /\0/.test(key + value))
        throw badRequest(
          `The property "${key.slice(0, 100)}" can't be kept: names have 1 to ${NAME_LENGTH_MAX} characters, values up to ${VALUE_LENGTH_MAX}.`,
        )
    }
    if (properties.location !== undefined) checkWithin(files, properties.location.replace(/\/+$/, ''), 'The location')
  }

  /** A new place must be the table's alone: what is removed of one table must not be another's. */
  async function checkAlone(name: TableName, location: string): Promise<void> {
    for (const each of await catalog.metadataLocations())
      if (
        tableText(each.table) !== tableText(name) &&
        overlap(files, location, folderOfMetadata(each.metadataLocation))
      )
        throw badRequest(
          `At ${location} are files of the table ${tableText(each.table)}. Choose another location, or none.`,
        )
  }

  function changeOf(
    { namespace, name }: Identifier,
    { requirements, updates }: { requirements: readonly Requirement[]; updates: readonly Update[] },
  ): TableChange {
    const target = nameOf({ namespace, name })
    let seen = false
    return {
      name: target,
      async change(table) {
        const base = table?.metadata ?? null
        checkRequirements(target, base, requirements)
        if (base === null) {
          await known(namespace)
          newTableName(target.namespace, name)
        }
        const next = applyUpdates(base, updates, clock.now())
        if (next === base) return next
        checkMetadata(files, base, next)
        if (next.location !== base?.location) await checkAlone(target, next.location)
        // What was there at the first attempt is there at the second.
        if (!seen) await checkSnapshotFiles(files, base, next)
        seen = true
        return next
      },
    }
  }

  /** Where a namespace's tables go. */
  const placeOf = (namespace: string, properties: Readonly<Record<string, string>> | null): string =>
    properties?.location?.replace(/\/+$/, '') ?? [files.warehouse, ...levelsOf(namespace).map(folderName)].join('/')

  async function newLocation(name: TableName, uuid: string): Promise<string> {
    const place = placeOf(name.namespace, await catalog.namespaceProperties(name.namespace))
    // A folder of its own: the files of a dropped table of the same name must not mix with this one's.
    return `${place}/${folderName(name.name)}-${uuid.slice(0, 8)}`
  }

  const operations: RestCatalog = {
    name: catalog.name,
    warehouse: files.warehouse,
    async listNamespaces(parent, page) {
      const all = await catalog.namespaces()
      const above = parent === null || parent.length === 0 ? null : await known(parent)
      const { names, next } = pageOf(childrenOf(all, above), page)
      return { namespaces: names.map(levelsOf), 'next-page-token': next }
    },
    async createNamespace({ namespace: levels, properties }) {
      const namespace = newNamespace(levels)
      checkProperties(properties ?? {})
      const isThere = hasNamespace(await catalog.namespaces(), namespace)
      if (isThere || !(await catalog.createNamespace(namespace, properties ?? {})))
        throw new CatalogRefused('namespace_exists', `The namespace ${namespace} exists already.`)
      return { namespace: levels, properties: properties ?? {} }
    },
    async loadNamespace(levels) {
      const namespace = await known(levels)
      const properties = await catalog.namespaceProperties(namespace)
      // Trino chooses the places of its tables by it, and makes none without.
      const location = placeOf(namespace, properties)
      return { namespace: levels, properties: { ...visible(properties ?? {}), location } }
    },
    async dropNamespace(levels) {
      const namespace = await known(levels)
      const outcome = await catalog.dropNamespace(namespace)
      if (outcome === 'not-empty')
        throw new CatalogRefused(
          'namespace_not_empty',
          `The namespace ${namespace} has tables, views or namespaces in it. Drop or rename them first.`,
        )
    },
    async updateNamespace(levels, { removals, updates }) {
      const namespace = await known(levels)
      checkProperties(updates ?? {})
      const removed = [...new Set(removals ?? [])]
      const both = removed.find((key) => Object.hasOwn(updates ?? {}, key))
      if (both !== undefined)
        throw new CatalogRefused('unprocessable', `The property "${both}" can't be set and removed at once.`)
      const before = visible((await catalog.namespaceProperties(namespace)) ?? {})
      const found = removed.filter((key) => Object.hasOwn(before, key))
      await catalog.alterNamespace(namespace, {
        ...updates,
        ...Object.fromEntries(found.map((key) => [key, null])),
      })
      const missing = removed.filter((key) => !found.includes(key))
      return { updated: Object.keys(updates ?? {}), removed: found, missing }
    },
    async listTables(levels, page) {
      const tables = await catalog.tables(await known(levels))
      const { names, next } = pageOf(tables.map(({ name }) => name).sort(), page)
      return { identifiers: names.map((name) => ({ namespace: levels, name })), 'next-page-token': next }
    },
    async createTable(levels, body) {
      const name = newTableName(await known(levels), body.name)
      if ((await catalog.metadataLocation(name)) !== null)
        throw new CatalogRefused('table_exists', `The table ${tableText(name)} exists already.`)
      const uuid = ids.uuid()
      const location = body.location || (await newLocation(name, uuid))
      const { schema, spec, order } = withFreshIds(
        body.schema,
        body['partition-spec'] ?? null,
        body['write-order'] ?? null,
      )
      const updates: Update[] = [
        { action: 'assign-uuid', uuid },
        { action: 'add-schema', schema },
        { action: 'set-current-schema', 'schema-id': -1 },
        { action: 'add-spec', spec },
        { action: 'set-default-spec', 'spec-id': -1 },
        { action: 'add-sort-order', 'sort-order': order },
        { action: 'set-default-sort-order', 'sort-order-id': -1 },
        { action: 'set-location', location },
        { action: 'set-properties', updates: { 'write.parquet.compression-codec': 'zstd', ...body.properties } },
      ]
      const create = changeOf(
        { namespace: levels, name: body.name },
        { requirements: [{ type: 'assert-create' }], updates },
      )
      if (body['stage-create']) return { metadata: await create.change(null) }
      return loaded((await commitTables(lake, [create]))[0]!)
    },
    async loadTable(identifier, snapshots) {
      const name = nameOf(identifier)
      const table = await tableOrNull(lake, name)
      if (table === null) throw noTable(name)
      if (snapshots === 'all') return loaded(table)
      const heads = new Set(Object.values(table.metadata.refs).map((ref) => ref['snapshot-id']))
      const kept = table.metadata.snapshots.filter((each) => heads.has(each['snapshot-id']))
      return loaded({ ...table, metadata: { ...table.metadata, snapshots: kept } })
    },
    async hasTable(identifier) {
      const name = nameOf(identifier)
      if ((await catalog.metadataLocation(name)) === null) throw noTable(name)
    },
    async commitTable(identifier, body) {
      const [table] = await commitTables(lake, [changeOf(identifier, body)])
      return loaded(table!)
    },
    async commitTransaction({ 'table-changes': changes }) {
      const names = changes.map(({ identifier }) => tableText(nameOf(identifier)))
      if (new Set(names).size !== names.length) throw badRequest('A transaction changes each table once.')
      await commitTables(
        lake,
        changes.map((each) => changeOf(each.identifier, each)),
      )
    },
    async dropTable(identifier, { purge }) {
      const name = nameOf(identifier)
      if (!purge) {
        if (!(await catalog.drop(name))) throw noTable(name)
        return
      }
      for (;;) {
        const table = await tableOrNull(lake, name)
        if (table === null) throw noTable(name)
        const gone = await filesToPurge(lake, table)
        // A commit meanwhile has made files that are not among them.
        if (!(await catalog.drop(name, table.metadataLocation))) continue
        await forget(lake, gone)
        return
      }
    },
    async renameTable({ source, destination }) {
      const from = nameOf(source)
      if ((await catalog.metadataLocation(from)) === null) throw noTable(from)
      const to = newTableName(await known(destination.namespace), destination.name)
      if (tableText(from) === tableText(to)) return
      const outcome = await catalog.rename(from, to)
      if (outcome === 'missing') throw noTable(from)
      if (outcome === 'taken')
        throw new CatalogRefused('table_exists', `There is a table or view ${tableText(to)} already.`)
    },
  }
  return unavailableOr(operations)
}

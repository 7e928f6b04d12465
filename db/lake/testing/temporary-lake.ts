/** A lake in a folder of its own, with a catalog in memory or in a real database. The folder goes with the test file. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import type { Clock } from '../../../streams/time/clock.ts'
import { openFolderObjects } from '../../objects/folder.ts'
import type { Catalog, TableName } from '../catalog/catalog.ts'
import { tableName, tableText } from '../catalog/catalog.ts'
import { type Lake, loadTable, openLake } from '../commit/lake.ts'
import { openLakeFiles } from '../files/lake-files.ts'
import { planScan, type ScanOptions } from '../scan/plan.ts'
import { type ReadOptions, type Row, readRows } from '../scan/read.ts'

export interface TestCatalog extends Catalog {
  /** Called before every swap: what another writer does meanwhile. */
  beforeSwap: (() => Promise<void>) | undefined
}

/** The port's contract in plain memory: a swap is atomic between two awaits. */
export function createMemoryCatalog(): TestCatalog {
  const tables = new Map<string, string>()
  const namespaces = new Map<string, Record<string, string>>()
  return {
    name: 'memory',
    beforeSwap: undefined,
    async createNamespace(namespace, properties = {}) {
      if (namespaces.has(namespace)) return false
      namespaces.set(namespace, properties)
      return true
    },
    async alterNamespace(namespace, changes) {
      const all = Object.entries({ ...namespaces.get(namespace), ...changes })
      namespaces.set(namespace, Object.fromEntries(all.filter((each): each is [string, string] => each[1] !== null)))
    },
    async dropNamespace(namespace) {
      const below = [...tables.keys(), ...namespaces.keys()].some((key) => key.startsWith(`${namespace}.`))
      if (below) return 'not-empty'
      return namespaces.delete(namespace) ? 'dropped' : 'missing'
    },
    namespaces: async () => [...namespaces.keys()],
    namespaceProperties: async (namespace) => namespaces.get(namespace) ?? null,
    tables: async (namespace) => [...tables.keys()].map(tableName).filter((table) => table.namespace === namespace),
    metadataLocation: async (table) => tables.get(tableText(table)) ?? null,
    async create(table, location) {
      if (tables.has(tableText(table))) return false
      tables.set(tableText(table), location)
      return true
    },
    async swap(table, from, to) {
      const before = this.beforeSwap
      this.beforeSwap = undefined
      await before?.()
      if (tables.get(tableText(table)) !== from) return false
      tables.set(tableText(table), to)
      return true
    },
    async swapAll(changes) {
      const before = this.beforeSwap
      this.beforeSwap = undefined
      await before?.()
      if (changes.some(({ table, from }) => (tables.get(tableText(table)) ?? null) !== from)) return false
      for (const { table, to } of changes) tables.set(tableText(table), to)
      return true
    },
    async rename(from, to) {
      const location = tables.get(tableText(from))
      if (location === undefined) return 'missing'
      if (tables.has(tableText(to))) return 'taken'
      tables.set(tableText(to), location)
      tables.delete(tableText(from))
      return 'renamed'
    },
    drop: async (table, at) =>
      (at === undefined || tables.get(tableText(table)) === at) && tables.delete(tableText(table)),
    metadataLocations: async () =>
      [...tables].map(([key, metadataLocation]) => ({ table: tableName(key), metadataLocation })),
  }
}

/** Call at the top of a test file. @returns a function that opens a new lake */
export function temporaryLakes(): (options?: { catalog?: Catalog; clock?: Clock }) => Promise<Lake> {
  const folders: string[] = []
  afterAll(async () => {
    for (const folder of folders) await rm(folder, { recursive: true, force: true })
  })
  return async ({ catalog = createMemoryCatalog(), clock } = {}) => {
    const folder = await mkdtemp(join(tmpdir(), 'streamforge-lake-'))
    folders.push(folder)
    return openLake(catalog, openLakeFiles(await openFolderObjects(folder)), clock ? { clock } : {})
  }
}

/** All rows of a table, by `id` if it has one. */
export async function allRows(lake: Lake, name: TableName, options: ScanOptions & ReadOptions = {}): Promise<Row[]> {
  const { metadata } = await loadTable(lake, name)
  const rows: Row[] = []
  for await (const batch of readRows(lake, await planScan(lake, metadata, options), options)) rows.push(...batch)
  return rows.sort((a, b) => ((a.id ?? 0) < (b.id ?? 0) ? -1 : 1))
}

/**
 * The lake: Iceberg tables, format version 2, that any engine reads and writes. This is what the rest of the project may use; the files beside are its inside.
 *
 *   const lake = openLake(await openJdbcCatalog(sql), openLakeFiles(objects))
 *   const table = await createTable(lake, tableName('raw.orders'), { schema, spec })
 *   const writer = await openWriter(lake, table.metadata)
 *   await writer.append(columns, rows)
 *   await appendFiles(lake, table.name, await writer.finish())
 */
export { type Catalog, NoSuchTable, type TableName, tableName, tableText } from './catalog/catalog.ts'
export { openJdbcCatalog } from './catalog/jdbc-catalog.ts'
export { alterProperties, alterSchema } from './commit/alter.ts'
export { type AppendOptions, appendFiles } from './commit/append.ts'
export { CommitConflict, CommitRefused, commit, UnknownOutcome } from './commit/commit.ts'
export { ensureTable, type WantedTable } from './commit/ensure-table.ts'
export { createTable, type Lake, loadTable, openLake, type Table } from './commit/lake.ts'
export { type Replacement, replaceFiles } from './commit/replace.ts'
export { replaceByWriter, type WriterReplacement } from './commit/replace-by-writer.ts'
export { planScope, replaceScope, type Scope, type ScopePlan } from './commit/scope.ts'
export { type ErasePersonOptions, erasePerson, type PersonErased } from './erase/erase-person.ts'
export type { Later, PersonalColumns, Pseudonyms } from './erase/person.ts'
export { type LakeFiles, MissingFile, openLakeFiles } from './files/lake-files.ts'
export {
  type FileInfo,
  type FilesInfo,
  filesOfTable,
  type SnapshotInfo,
  sizeOfTable,
  snapshotsOf,
  type TableSize,
} from './inspect.ts'
export { type Compacted, type CompactOptions, compact } from './maintenance/compact.ts'
export { type Expired, type ExpireOptions, expireSnapshots } from './maintenance/expire.ts'
export { type OrphanOptions, removeOrphans } from './maintenance/orphans.ts'
export type { DataFile } from './manifest/data-file.ts'
export type { NewTable } from './metadata/create.ts'
export {
  ancestors,
  currentSchema,
  currentSnapshot,
  defaultSpec,
  type Snapshot,
  type TableMetadata,
} from './metadata/table-metadata.ts'
export { type Columns, type DataWriter, openWriter, type WriterOptions } from './parquet/writer.ts'
export { knownBounds } from './scan/known-bounds.ts'
export { planScan, type ScanOptions, type ScanPlan } from './scan/plan.ts'
export type { Predicate } from './scan/predicate.ts'
export { type ReadOptions, type Row, readRows } from './scan/read.ts'
export { relationOf } from './scan/relation.ts'
export { chooseSnapshot, schemaOfSnapshot } from './scan/snapshot.ts'
export { createDuckdbEngine, type DuckdbEngineOptions } from './sql/duckdb-engine.ts'
export { allTables, sqlName } from './sql/names.ts'
export {
  type QueryInput,
  type QueryReplacement,
  type ReplacedByQuery,
  replaceByQuery,
} from './sql/replace-by-query.ts'
export { tracedEngine } from './sql/traced-engine.ts'
export { createTrinoEngine } from './sql/trino-engine.ts'
export {
  type PinnedTable,
  queryRows,
  type SqlColumn,
  type SqlEngine,
  SqlError,
  type SqlErrorCode,
  type SqlOptions,
  type SqlPage,
  type SqlValue,
} from './sql-engine.ts'
export type { SchemaChange } from './types/evolution.ts'
export { type Long, parseJson, stringifyJson } from './types/json.ts'
export { partitionBy } from './types/partition-spec.ts'
export { type Column, type Schema, schemaOf } from './types/schema.ts'
export type { Value } from './types/types.ts'

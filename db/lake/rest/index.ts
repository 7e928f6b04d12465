/** What the edge uses of the lake: the REST catalog and JSON with exact integers. Beside `db/lake/index.ts`, since this loads neither DuckDB nor Parquet. */
export { openJdbcCatalog } from '../catalog/jdbc-catalog.ts'
export { openLake } from '../commit/lake.ts'
export { openLakeFiles } from '../files/lake-files.ts'
export { parseJson, stringifyJson } from '../types/json.ts'
export type { Page } from './names.ts'
export { CatalogRefused, type RefusalReason } from './refused.ts'
export { type Bodies, parseBody } from './requests.ts'
export { type Identifier, type LoadedTable, openRestCatalog, type RestCatalog } from './rest-catalog.ts'

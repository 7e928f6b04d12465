/** Changes that make no snapshot: properties and schema. */
import type { TableName } from '../catalog/catalog.ts'
import { changeSchema, setProperties } from '../metadata/changes.ts'
import type { SchemaChange } from '../types/evolution.ts'
import { commit } from './commit.ts'
import type { Lake, Table } from './lake.ts'

/** null removes a property. */
export const alterProperties = (
  lake: Lake,
  name: TableName,
  changes: Readonly<Record<string, string | null>>,
): Promise<Table> =>
  commit(lake, name, ({ metadata }) => ({ metadata: setProperties(metadata, changes, lake.clock.now()) }))

/** @throws Error in a sentence when old rows could not be read any more */
export const alterSchema = (lake: Lake, name: TableName, changes: readonly SchemaChange[]): Promise<Table> =>
  commit(lake, name, ({ metadata }) => ({ metadata: changeSchema(metadata, changes, lake.clock.now()) }))

/** The table of a contract: made when it is missing, and given the columns that it lacks. */
import { ensureTable as ensure, type Lake, type Table, tableName } from '../../db/lake/index.ts'
import type { LakeTable } from '../contract/lake-tables.ts'

const PROPERTIES = {
  // A commit every few seconds: old metadata files would soon be thousands. Time travel is by snapshots, which are in every one of them.
  'write.metadata.delete-after-commit.enabled': 'true',
  'write.metadata.previous-versions-max': '20',
}

/** @throws Error in a sentence when a column has a type that the rows don't fit */
export const ensureTable = (lake: Lake, { name, columns, partitionedBy }: LakeTable): Promise<Table> =>
  ensure(lake, tableName(name), {
    columns,
    partitionedBy: [{ column: partitionedBy, transform: 'day' }],
    properties: PROPERTIES,
  })

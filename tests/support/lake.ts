/** The lake of a platform under test, read by its catalog and its files as any other reader would. */
import {
  currentSnapshot,
  type Lake,
  loadTable,
  openJdbcCatalog,
  openLake,
  openLakeFiles,
  planScan,
  type Row,
  readRows,
  tableName,
} from '../../db/lake/index.ts'
import { type ObjectsSettings, openObjects } from '../../db/objects/open.ts'
import { connect } from '../../db/postgres/connect.ts'
import type { EventLog } from '../../streams/log/event-log.ts'

export interface TestLake {
  readonly lake: Lake
  /** All rows; none while there is no such table. */
  rows(table: string, columns?: readonly string[]): Promise<Row[]>
  /** What its newest snapshot says, without reading it. */
  totalRecords(table: string): Promise<number>
  /** Their places in the log, `partition:offset`, sorted: a row that is there twice shows. */
  positions(table: string): Promise<string[]>
  close(): Promise<void>
}

export async function openTestLake(databaseUrl: string, objects: ObjectsSettings): Promise<TestLake> {
  const { sql, close } = connect(databaseUrl, { max: 1, name: 'streamforge-test-lake' })
  const lake = openLake(await openJdbcCatalog(sql), openLakeFiles(await openObjects(objects)))
  const rows = async (table: string, columns?: readonly string[]): Promise<Row[]> => {
    if ((await lake.catalog.metadataLocation(tableName(table))) === null) return []
    const { metadata } = await loadTable(lake, tableName(table))
    const found: Row[] = []
    const options = columns ? { columns } : {}
    for await (const batch of readRows(lake, await planScan(lake, metadata), options)) found.push(...batch)
    return found
  }
  return {
    lake,
    rows,
    async totalRecords(table) {
      if ((await lake.catalog.metadataLocation(tableName(table))) === null) return 0
      const { metadata } = await loadTable(lake, tableName(table))
      return Number(currentSnapshot(metadata)?.summary['total-records'] ?? 0)
    },
    async positions(table) {
      const found = await rows(table, ['log_partition', 'log_offset'])
      return found.map((row) => `${row.log_partition}:${row.log_offset}`).sort()
    },
    close,
  }
}

/** Everything that a topic of the log holds, in the form of {@link TestLake.positions}. */
export async function logPositions(log: EventLog, topic: string): Promise<string[]> {
  const found: string[] = []
  for (let partition = 0; partition < (await log.partitionCount(topic)); partition++) {
    const { earliest, next } = await log.bounds({ topic, partition })
    for (let offset = earliest; offset < next; offset++) found.push(`${partition}:${offset}`)
  }
  return found.sort()
}

/** The measured process of the append benchmark: rows that are ready in memory become committed data files. Batches come as the lake writer has them. */
import { appendFiles, type Columns, loadTable, openWriter, tableName } from '../../db/lake/index.ts'
import { partSettings, tell } from '../child.ts'
import { ownCpuSeconds, residentMiB } from '../measure.ts'
import { columnsOf, openBenchLake } from './table.ts'

export interface AppendSettings {
  folder: string
  postgresUrl: string
  table: string
  rows: number
  batchRows: number
  days: number
  form: 'columns' | 'rows'
}

export interface AppendFigures {
  seconds: number
  cpuSeconds: number
  /** Until every row was given to the writer. */
  appendSeconds: number
  commitMs: number
  files: number
  bytes: number
  peakMiB: number
}

const { folder, postgresUrl, table, rows, batchRows, days, form } = partSettings<AppendSettings>()
const { lake, close } = await openBenchLake(folder, postgresUrl)
const name = tableName(table)
const batches: Columns[] = []
for (let from = 0; from < rows; from += batchRows)
  batches.push(columnsOf({ from, rows: Math.min(batchRows, rows - from), days }))
const objects = form === 'rows' ? batches.map(rowsOf) : []

const cpuBefore = ownCpuSeconds()
const startedAt = performance.now()
const writer = await openWriter(lake, (await loadTable(lake, name)).metadata)
for (const [i, batch] of batches.entries())
  if (form === 'rows') await writer.appendRows(objects[i]!)
  else await writer.append(batch, batch.event_id!.length)
const appendedAt = performance.now()
const files = await writer.finish()
const writtenAt = performance.now()
await appendFiles(lake, name, files)
const doneAt = performance.now()
const figures: AppendFigures = {
  seconds: (doneAt - startedAt) / 1000,
  cpuSeconds: ownCpuSeconds() - cpuBefore,
  appendSeconds: (appendedAt - startedAt) / 1000,
  commitMs: doneAt - writtenAt,
  files: files.length,
  bytes: files.reduce((sum, file) => sum + file.bytes, 0),
  peakMiB: residentMiB().peak,
}
tell(figures)
await close()

function rowsOf(columns: Columns): Record<string, never>[] {
  const names = Object.keys(columns)
  return Array.from({ length: columns.event_id!.length }, (_, i) =>
    Object.fromEntries(names.map((name) => [name, columns[name]![i] as never])),
  )
}

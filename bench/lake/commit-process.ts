/** The measured process of the commit benchmark: one small data file a commit, copied into place before its commit's time begins. */
import { appendFiles, loadTable, openWriter, tableName } from '../../db/lake/index.ts'
import { partSettings, tell } from '../child.ts'
import { ownCpuSeconds } from '../measure.ts'
import { columnsOf, openBenchLake } from './table.ts'

export interface CommitSettings {
  folder: string
  postgresUrl: string
  table: string
  commits: number
}

export interface CommitFigures {
  /** Of each commit, in their order. */
  ms: number[]
  cpuMs: number[]
  totalRecords: number
}

const { folder, postgresUrl, table, commits } = partSettings<CommitSettings>()
const { lake, close } = await openBenchLake(folder, postgresUrl)
const name = tableName(table)
const { metadata } = await loadTable(lake, name)
const writer = await openWriter(lake, metadata)
await writer.append(columnsOf({ from: 0, rows: 10, days: 1 }), 10)
const [first] = await writer.finish()
const local = await lake.files.local(first!.path, '')
const figures: CommitFigures = { ms: [], cpuMs: [], totalRecords: 0 }
for (let i = 0; i < commits; i++) {
  const file = { ...first!, path: first!.path.replace(/[^/]*$/, `copy-${i}.parquet`) }
  await lake.files.writeFile(file.path, local)
  const cpuBefore = ownCpuSeconds()
  const startedAt = performance.now()
  const done = await appendFiles(lake, name, [file], { summary: { 'bench.commit': String(i) } })
  figures.ms.push(performance.now() - startedAt)
  figures.cpuMs.push((ownCpuSeconds() - cpuBefore) * 1000)
  figures.totalRecords = Number(done.metadata.snapshots.at(-1)!.summary['total-records'])
}
tell(figures)
await close()

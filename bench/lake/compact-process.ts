/** The measured process of the compaction benchmark: it compacts the tables that it is told, and says how long each took. */
import { type CompactOptions, compact, tableName } from '../../db/lake/index.ts'
import { SORTED_BY } from '../../streams/contract/lake-tables.ts'
import { partSettings, tell, told } from '../child.ts'
import { ownCpuSeconds, residentMiB } from '../measure.ts'
import { openBenchLake } from './table.ts'

export interface CompactSettings {
  folder: string
  postgresUrl: string
  /** In the order in which they are asked for. */
  tables: readonly string[]
  options?: CompactOptions
}

export interface CompactFigures {
  seconds: number
  cpuSeconds: number
  filesBefore: number
  filesAfter: number
  rows: number
  groups: number
  /** The most so far. */
  peakMiB: number
}

const { folder, postgresUrl, tables, options } = partSettings<CompactSettings>()
const { lake, close } = await openBenchLake(folder, postgresUrl)
for (const table of tables) {
  const cpuBefore = ownCpuSeconds()
  const startedAt = performance.now()
  const done = await compact(lake, tableName(table), { sortBy: SORTED_BY, ...options })
  const figures: CompactFigures = {
    seconds: (performance.now() - startedAt) / 1000,
    cpuSeconds: ownCpuSeconds() - cpuBefore,
    filesBefore: done.filesBefore,
    filesAfter: done.filesAfter,
    rows: done.rows,
    groups: done.groups.length,
    peakMiB: residentMiB().peak,
  }
  if (done.refused.length > 0) throw new Error(done.refused[0]!.why)
  tell(figures)
  if ((await told()) === 'end') break
}
await close()

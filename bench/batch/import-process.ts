/** The measured process of the import benchmark: a file becomes rows of the lake, stretch by stretch, as the activity does it. */

import { PRESETS } from '../../streams/sources/mappings/presets.ts'
import { systemClock } from '../../streams/time/clock.ts'
import { openImportFile } from '../../workflows/imports/import-file.ts'
import { IMPORT_LIMITS, importRows } from '../../workflows/imports/import-rows.ts'
import { partSettings, tell } from '../child.ts'
import { openBenchLake } from '../lake/table.ts'
import { ownCpuSeconds, residentMiB } from '../measure.ts'

export interface ImportSettings {
  folder: string
  /** Where the file is. */
  importDir: string
  postgresUrl: string
  file: string
  format: 'csv' | 'ndjson'
  /** Of the import: each has rows of its own. */
  id: number
}

export interface ImportFigures {
  seconds: number
  cpuSeconds: number
  commits: number
  imported: number
  rejected: number
  peakMiB: number
}

const { folder, importDir, postgresUrl, file: name, format, id } = partSettings<ImportSettings>()
const { lake, close } = await openBenchLake(folder, postgresUrl)
const file = await openImportFile(
  { folder: importDir, objects: { stat: async () => null, getRange: async () => null } },
  name,
)
const state = await file.state()
const createdAtMs = Date.UTC(2026, 0, 1)
const job = { id, name, mapping: PRESETS.rees46!, format, currency: 'USD', createdAtMs, file, state }
const deps = {
  lake,
  clock: systemClock,
  writer: { memoryMb: 1_024, threads: 2, parent: folder },
  limits: IMPORT_LIMITS,
  signal: new AbortController().signal,
  onProgress: () => {},
}

const cpuBefore = ownCpuSeconds()
const startedAt = performance.now()
let commits = 0
let mark: Awaited<ReturnType<typeof importRows>>
do {
  mark = await importRows(deps, job)
  commits++
} while (!mark.done)
tell({
  seconds: (performance.now() - startedAt) / 1000,
  cpuSeconds: ownCpuSeconds() - cpuBefore,
  commits,
  imported: mark.imported,
  rejected: mark.rejected,
  peakMiB: residentMiB().peak,
} satisfies ImportFigures)
await close()

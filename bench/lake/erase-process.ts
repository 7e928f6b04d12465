/** The measured process of the erasure benchmark: it erases the person twice, and says how long each took. */
import { erasePerson, tableName } from '../../db/lake/index.ts'
import { partSettings, tell } from '../child.ts'
import { ownCpuSeconds, residentMiB } from '../measure.ts'
import { PERSON } from './person-files.ts'
import { openBenchLake } from './table.ts'

export interface EraseSettings {
  folder: string
  postgresUrl: string
  table: string
}

interface Turn {
  seconds: number
  cpuSeconds: number
  rows: number
  files: number
  filesRemoved: number
  snapshotsExpired: number
}

export interface EraseFigures {
  first: Turn
  /** With nothing to do. */
  again: Turn
  peakMiB: number
}

const { folder, postgresUrl, table } = partSettings<EraseSettings>()
const { lake, close } = await openBenchLake(folder, postgresUrl)

async function erase(): Promise<Turn> {
  const cpuBefore = ownCpuSeconds()
  const startedAt = performance.now()
  const columns = { ids: ['user_id'], telling: ['page_url'] }
  const done = await erasePerson(lake, tableName(table), columns, new Map([[PERSON, 'erased-0']]), {
    onProgress: console.error,
  })
  const { rows, files, filesRemoved, snapshotsExpired } = done
  return {
    ...{ seconds: (performance.now() - startedAt) / 1000, cpuSeconds: ownCpuSeconds() - cpuBefore },
    ...{ rows, files, filesRemoved, snapshotsExpired },
  }
}

const first = await erase()
const again = await erase()
tell({ first, again, peakMiB: residentMiB().peak } satisfies EraseFigures)
await close()

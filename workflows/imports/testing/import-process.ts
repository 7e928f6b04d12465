/**
 * A process that imports one file, for tests that kill it and that measure it: `node --import cli/typescript.mjs import-process.ts '<ImportTask as JSON>'`. It prints how far it came after each commit,
 * and in the end its largest resident size.
 */
import { openMortalLake } from '../../../db/lake/testing/mortal-lake.ts'
import { connect } from '../../../db/postgres/connect.ts'
import { systemClock } from '../../../streams/time/clock.ts'
import { openImportFile } from '../import-file.ts'
import { importRows, type Limits } from '../import-rows.ts'
import { mappingOf, type Spec } from './import-job.ts'

export interface ImportTask {
  url: string
  /** Of the object store. */
  objects: string
  /** For temporary files. */
  scratch: string
  folder: string
  file: string
  mapping: Spec
  format: 'csv' | 'json' | 'ndjson'
  id: number
  createdAtMs: number
  limits: Limits
  memoryMb: number
  /** Dies before the call of this number, counted from 1. Default: never. */
  dieAt?: number
}

const task = JSON.parse(process.argv[2]!) as ImportTask
const { id, createdAtMs, format, limits, memoryMb, scratch } = task
const database = connect(task.url, { max: 2 })
const { lake, step, steps } = await openMortalLake(database.sql, task)
const objects = { stat: async () => null, getRange: async () => null }
const file = await openImportFile({ folder: task.folder, objects }, task.file)
const deps = {
  lake,
  clock: systemClock,
  writer: { memoryMb, threads: 1, parent: scratch },
  limits,
  signal: new AbortController().signal,
  onProgress: () => {},
}
const job = { id, name: task.file, mapping: mappingOf(task.mapping), format, currency: 'TRY', createdAtMs, file }
for (let done = false; !done; ) {
  const mark = await importRows(deps, { ...job, state: await file.state() })
  done = mark.done
  process.stdout.write(`at ${mark.next}\n`)
}
// After the last call, before anybody knows.
await step()
process.stdout.write(`done after ${steps()}, ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB\n`)
await database.close()

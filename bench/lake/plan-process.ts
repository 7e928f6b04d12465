/** The measured process of the planning benchmark: a table with many files, planned with nothing known (a new reader of manifests each time) and with all in its cache. */
import {
  appendFiles,
  currentSchema,
  type DataFile,
  loadTable,
  openWriter,
  type Predicate,
  planScan,
  tableName,
} from '../../db/lake/index.ts'
import { partSettings, tell } from '../child.ts'
import { ownCpuSeconds, percentile, residentMiB } from '../measure.ts'
import { columnsOf, createEvents, openBenchLake } from './table.ts'

export interface PlanSettings {
  folder: string
  postgresUrl: string
  files: number
  commits: number
  days: number
  runs: number
}

interface Plan {
  name: string
  /** Medians. */
  coldMs: number
  warmMs: number
  cpuMs: number
  files: number
  manifestsRead: number
}

export interface PlanFigures {
  plans: Plan[]
  manifests: number
  metadataKiB: number
  /** While the plan of all files is held, after a collection. */
  heapMiB: number
  peakMiB: number
}

const DAY_MICROS = 86_400_000_000
const FIRST_MICROS = Date.UTC(2026, 0, 1) * 1_000

const { folder, postgresUrl, files, commits, days, runs } = partSettings<PlanSettings>()
const opened = await openBenchLake(folder, postgresUrl)
const { name, metadata } = await createEvents(opened.lake, 'bench.plans')
const writer = await openWriter(opened.lake, metadata)
await writer.append(columnsOf({ from: 0, rows: 1_000, days: 1 }), 1_000)
const [sample] = await writer.finish()
// Planning opens no data file: the descriptions of one are enough, each with a day and a name of its own.
const partitionDay = Number(sample!.partition[0])
const timeId = currentSchema(metadata).fields.find((field) => field.name === 'event_time')!.id
function described(i: number): DataFile {
  const day = Math.floor((i / files) * days)
  const bound = (of: ReadonlyMap<number, Uint8Array>, micros: number) => {
    const bytes = Buffer.alloc(8)
    bytes.writeBigInt64LE(BigInt(FIRST_MICROS + day * DAY_MICROS + micros))
    return new Map([...of, [timeId, bytes]])
  }
  return {
    ...sample!,
    path: sample!.path.replace(/[^/]*$/, `described-${i}.parquet`),
    partition: [partitionDay + day],
    lowerBounds: bound(sample!.lowerBounds, 0),
    upperBounds: bound(sample!.upperBounds, DAY_MICROS - 1),
  }
}
const perCommit = Math.ceil(files / commits)
for (let from = 0; from < files; from += perCommit) {
  const count = Math.min(perCommit, files - from)
  await appendFiles(
    opened.lake,
    name,
    Array.from({ length: count }, (_, i) => described(from + i)),
  )
}

const dayStart = FIRST_MICROS + Math.floor(days / 2) * DAY_MICROS
const conditions: Record<string, readonly Predicate[]> = {
  'all files': [],
  'one day': [
    { column: 'event_time', op: '>=', value: dayStart },
    { column: 'event_time', op: '<', value: dayStart + DAY_MICROS },
  ],
  'a user of no file': [{ column: 'user_id', op: '=', value: 'nobody' }],
}
const plans: Plan[] = []
for (const [text, where] of Object.entries(conditions)) {
  const [cold, warm, cpu]: [number[], number[], number[]] = [[], [], []]
  let plan: Awaited<ReturnType<typeof planScan>> | undefined
  for (let i = 0; i <= runs; i++) {
    const { lake, close } = await openBenchLake(folder, postgresUrl)
    const once = async () => planScan(lake, (await loadTable(lake, tableName('bench.plans'))).metadata, { where })
    const cpuBefore = ownCpuSeconds()
    const startedAt = performance.now()
    plan = await once()
    const coldAt = performance.now()
    const cpuMs = (ownCpuSeconds() - cpuBefore) * 1000
    await once()
    if (i > 0) {
      cold.push(coldAt - startedAt)
      warm.push(performance.now() - coldAt)
      cpu.push(cpuMs)
    }
    await close()
  }
  plans.push({
    name: text,
    coldMs: percentile(cold, 0.5),
    warmMs: percentile(warm, 0.5),
    cpuMs: percentile(cpu, 0.5),
    files: plan!.files.length,
    manifestsRead: plan!.manifests.read,
  })
}
const loaded = await loadTable(opened.lake, name)
const all = await planScan(opened.lake, loaded.metadata)
globalThis.gc?.()
const figures: PlanFigures = {
  plans,
  manifests: all.manifests.total,
  metadataKiB: (await opened.lake.files.read(loaded.metadataLocation)).length / 1024,
  heapMiB: process.memoryUsage().heapUsed / 2 ** 20,
  peakMiB: residentMiB().peak,
}
if (all.files.length !== files) throw new Error(`${all.files.length} files are planned, not ${files}.`)
tell(figures)
await opened.close()

/** The measured process of the batch benchmark: it builds all models of a day, asks the gates' questions of them, and says what each took. */
import { createDuckdbEngine } from '../../db/lake/index.ts'
import { expectationsOf, runChecks, STAGES } from '../../db/models/checks/index.ts'
import { buildDay } from '../../db/models/day.ts'
import { createDuckdbModels } from '../../db/models/duckdb.ts'
import { MODELS, type Model } from '../../db/models/models.ts'
import { systemClock } from '../../streams/time/clock.ts'
import { partSettings, tell } from '../child.ts'
import { openBenchLake } from '../lake/table.ts'
import { ownCpuSeconds, residentMiB } from '../measure.ts'

export interface DaySettings {
  folder: string
  postgresUrl: string
  day: string
  /** DuckDB's, megabytes. */
  memoryMb: number
  threads: number
  /** Names; default: all. */
  models?: readonly string[]
}

export interface DayFigures {
  seconds: number
  cpuSeconds: number
  peakMiB: number
  models: { model: string; seconds: number; cpuSeconds: number; peakMiB: number; rows: number }[]
}

const { folder, postgresUrl, day, memoryMb, threads, models: names } = partSettings<DaySettings>()
const { lake, close } = await openBenchLake(folder, postgresUrl)
const engine = createDuckdbModels(lake, { memoryMb, threads, parent: folder })
const figures: DayFigures['models'] = []
const measured = {
  ...engine,
  async build(model: Model, options = {}) {
    const cpuBefore = ownCpuSeconds()
    const built = await engine.build(model, options)
    const cpuSeconds = ownCpuSeconds() - cpuBefore
    figures.push({
      model: model.name,
      seconds: built.seconds,
      cpuSeconds,
      peakMiB: residentMiB().peak,
      rows: built.rows,
    })
    if (process.env.BENCH_TRACE) console.error(figures.at(-1))
    return built
  },
}
const engineOfChecks = createDuckdbEngine(lake, { memoryMb, threads, parent: folder })
async function checkStage(stage: (typeof STAGES)[number]): Promise<void> {
  const [cpuBefore, startedAt] = [ownCpuSeconds(), performance.now()]
  const results = await runChecks({ lake, engine: engineOfChecks, clock: systemClock }, expectationsOf(stage), { day })
  const [failed] = results.filter(({ outcome, severity }) => outcome !== 'passed' && severity === 'error')
  if (failed) throw new Error(`The gate "${stage}" does not let the day pass: ${failed.name} ${failed.outcome}.`)
  figures.push({
    model: `gate ${stage}`,
    seconds: (performance.now() - startedAt) / 1_000,
    cpuSeconds: ownCpuSeconds() - cpuBefore,
    peakMiB: residentMiB().peak,
    rows: results.length,
  })
  if (process.env.BENCH_TRACE) {
    const longest = [...results].sort((a, b) => b.durationMs - a.durationMs).slice(0, 4)
    console.error(
      figures.at(-1),
      longest.map(({ name, durationMs }) => [name, durationMs]),
    )
  }
}

const cpuBefore = ownCpuSeconds()
const startedAt = performance.now()
await buildDay(lake, measured, day, { models: MODELS.filter(({ name }) => !names || names.includes(name)) })
if (!names) for (const stage of STAGES) await checkStage(stage)
tell({
  seconds: (performance.now() - startedAt) / 1_000,
  cpuSeconds: ownCpuSeconds() - cpuBefore,
  peakMiB: residentMiB().peak,
  models: figures,
} satisfies DayFigures)
await close()

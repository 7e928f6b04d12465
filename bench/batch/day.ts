/**
 * A day of the star schema, from raw tables to metrics, by DuckDB in a process of its own: its time, its CPU and its memory; and what more history costs, which deduplication over all time has to look
 * through. History is of smaller days, and the day built on it as well.
 */
import type { Lake } from '../../db/lake/index.ts'
import { dayNumber, dayText } from '../../db/models/render.ts'
import { startPart } from '../child.ts'
import { openBenchLake } from '../lake/table.ts'
import { type Benchmark, number } from '../report.ts'
import { startDatabase, withFolder } from '../stores.ts'
import type { DayFigures, DaySettings } from './day-process.ts'
import { clicksOnce, rowsOf, writeRawDay } from './raw-days.ts'

const DAY = '2026-03-02'
const LONGEST = 5

export const batchDay: Benchmark = {
  name: 'batch/day',
  options: {
    clicks: { type: 'string', default: '10000000' },
    /** Days before, in turns; 0: none of it. */
    history: { type: 'string', default: '1,10,30' },
    'history-clicks': { type: 'string', default: '1000000' },
    memory: { type: 'string', default: '1200' },
    threads: { type: 'string', default: '2' },
    /** Passed to the measured process. */
    node: { type: 'string' },
  },
  async run(options, show) {
    const [clicks, perDay] = [Number(options.clicks), Number(options['history-clicks'])]
    const limits = { memoryMb: Number(options.memory), threads: Number(options.threads) }
    const flags = options.node ? [String(options.node)] : []
    if (clicks > 0)
      await inLake(async (lake, place) => {
        await writeRawDay(lake, { day: DAY, clicks })
        const done = await measure({ ...place, ...limits, day: DAY }, flags)
        assertOnce(done, clicksOnce({ day: DAY, clicks }, false))
        const rows = rowsOf({ day: DAY, clicks })
        const longest = [...done.models].sort((a, b) => b.seconds - a.seconds).slice(0, LONGEST)
        show({
          benchmark: `batch/day, ${number(clicks)} clicks, ${number(rows)} rows in all, every model and gate`,
          target: '≤ 2 GB resident',
          result: `**${done.seconds.toFixed(0)} s, peak RSS ${number(done.peakMiB)} MiB**`,
          details: [
            `${done.cpuSeconds.toFixed(0)} CPU s, ${((done.cpuSeconds / rows) * 1e6).toFixed(1)} CPU s/M`,
            `longest: ${longest.map(({ model, seconds }) => `${model} ${seconds.toFixed(1)} s`).join(', ')}`,
            `DuckDB's limit ${limits.memoryMb} MB, ${limits.threads} threads`,
          ],
        })
      })
    const lengths = String(options.history).split(',').map(Number)
    if (perDay > 0 && lengths.some((days) => days > 0))
      await inLake(async (lake, place) => {
        await writeRawDay(lake, { day: DAY, clicks: perDay })
        let there = 0
        for (const days of lengths) {
          for (; there < days; there++) await writeRawDay(lake, { day: daysBefore(there + 1), clicks: perDay })
          const done = await measure({ ...place, ...limits, day: DAY }, flags)
          assertOnce(done, clicksOnce({ day: DAY, clicks: perDay }, days > 0))
          const repeats = done.models.find(({ model }) => model === 'stg_clickstream_repeats')!
          show({
            benchmark: `batch/day, ${number(perDay)} clicks, after ${days} days of as many`,
            target: '',
            result: `**${done.seconds.toFixed(1)} s**, of these **${repeats.seconds.toFixed(1)} s** to find copies among ${number(perDay * (days + 1))} clicks`,
            details: [
              `${done.cpuSeconds.toFixed(1)} CPU s, of these ${repeats.cpuSeconds.toFixed(1)}`,
              `${number(repeats.rows)} copies`,
              `peak RSS ${number(done.peakMiB)} MiB`,
            ],
          })
        }
      })
  },
}

function assertOnce({ models }: DayFigures, wanted: number): void {
  for (const name of ['stg_clickstream_events', 'fact_events']) {
    const rows = models.find(({ model }) => model === name)?.rows
    if (rows !== wanted) throw new Error(`${name} has ${rows} rows of the day; without copies there are ${wanted}.`)
  }
}

const daysBefore = (days: number): string => dayText(dayNumber(DAY) - days)

async function measure(settings: DaySettings, flags: readonly string[]): Promise<DayFigures> {
  const part = startPart<DayFigures>(new URL('./day-process.ts', import.meta.url), settings, flags)
  const figures = await part.next()
  await part.end()
  return figures
}

async function inLake(use: (lake: Lake, place: { folder: string; postgresUrl: string }) => Promise<void>) {
  await withFolder(async (folder) => {
    const server = await startDatabase(folder)
    const { lake, close } = await openBenchLake(folder, server.url)
    try {
      await use(lake, { folder, postgresUrl: server.url })
    } finally {
      await close()
      await server.stop()
    }
  })
}

/**
 * How fast a file becomes rows of the lake: a clickstream of the form of the preset `rees46`, as CSV and as NDJSON, every 200th row no event. Read, mapped, validated, written as Parquet and committed,
 * without Temporal around it. The rows that the table then has, and their revenue, are held to those of the file.
 */
import { createWriteStream } from 'node:fs'
import { mkdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createDuckdbEngine, queryRows } from '../../db/lake/index.ts'
import { startPart } from '../child.ts'
import { openBenchLake } from '../lake/table.ts'
import { percentile } from '../measure.ts'
import { type Benchmark, number } from '../report.ts'
import { startDatabase, withFolder } from '../stores.ts'
import type { ImportFigures, ImportSettings } from './import-process.ts'

const BAD_EVERY = 200
const START_MS = Date.UTC(2025, 10, 1)
const SPAN_MS = 3 * 86_400_000

export const batchImport: Benchmark = {
  name: 'batch/import',
  options: {
    rows: { type: 'string', default: '1000000' },
    runs: { type: 'string', default: '3' },
    formats: { type: 'string', default: 'csv,ndjson' },
    /** Passed to the measured process, e.g. `--cpu-prof`. */
    node: { type: 'string' },
  },
  async run(options, show) {
    const rows = Number(options.rows)
    const formats = String(options.formats).split(',') as ImportSettings['format'][]
    const flags = options.node === undefined ? [] : String(options.node).split(' ')
    await withFolder(async (folder) => {
      const server = await startDatabase(folder)
      const { lake, close } = await openBenchLake(folder, server.url)
      const importDir = join(folder, 'imports')
      await mkdir(importDir)
      let id = 0
      try {
        for (const format of formats) {
          const file = `clicks.${format}`
          await pipeline(linesOf(rows, format), createWriteStream(join(importDir, file)))
          const { size } = await stat(join(importDir, file))
          const runs: ImportFigures[] = []
          for (let run = 0; run < Number(options.runs); run++) {
            const settings: ImportSettings = { folder, importDir, postgresUrl: server.url, file, format, id: ++id }
            const part = startPart<ImportFigures>(new URL('./import-process.ts', import.meta.url), settings, flags)
            runs.push(await part.next())
            await part.end()
            const bad = Math.ceil(rows / BAD_EVERY)
            const {
              columns: _,
              rows: [found],
            } = await queryRows(
              createDuckdbEngine(lake, { memoryMb: 512, threads: 2 }),
              `SELECT count(*), count(DISTINCT log_offset), sum(revenue_minor), (SELECT count(*) FROM raw.dead_letters WHERE log_partition = -${id}) FROM raw.clickstream_events WHERE log_partition = -${id}`,
            )
            const expected = [rows - bad, rows - bad, revenueOf(rows), bad].join(' ')
            if (found?.map(String).join(' ') !== expected)
              throw new Error(
                `Import ${id} has rows, offsets, revenue and dead letters ${found?.map(String).join(' ')}; the file has ${expected}.`,
              )
          }
          const median = (of: (f: ImportFigures) => number) => percentile(runs.map(of), 0.5)
          show({
            benchmark: `batch/import, ${number(rows)} clicks as ${format.toUpperCase()}`,
            target: '',
            result: `**${number(median((f) => rows / f.cpuSeconds))} rows per CPU-second**, ${number(median((f) => rows / f.seconds))} rows/s`,
            details: [
              `${median((f) => (f.cpuSeconds / rows) * 1e6).toFixed(1)} CPU s/M`,
              `${(size / 1e6).toFixed(0)} MB`,
              `${median((f) => f.commits)} commits`,
              `peak RSS ${number(median((f) => f.peakMiB))} MiB`,
              `median of ${runs.length}`,
            ],
          })
        }
      } finally {
        await close()
        await server.stop()
      }
    })
  },
}

const NAMES = 'event_time,event_type,product_id,category_id,category_code,brand,price,user_id,user_session'.split(',')
const isPurchase = (n: number): boolean => n % 50 === 7
const isBad = (n: number): boolean => n % BAD_EVERY === 0
const cents = (n: number): number => 100 + (n % 90_000)

function* linesOf(rows: number, format: ImportSettings['format']): Generator<string> {
  if (format === 'csv') yield `${NAMES.join(',')}\n`
  let block = ''
  for (let n = 0; n < rows; n++) {
    const time = new Date(START_MS + Math.floor((n / rows) * SPAN_MS)).toISOString().slice(0, 19).replace('T', ' ')
    const type = isBad(n) ? 'unknown' : isPurchase(n) ? 'purchase' : n % 20 === 3 ? 'cart' : 'view'
    const user = 500_000_000 + ((n * 7919) % 60_000)
    const values = [
      `${time} UTC`,
      type,
      String(1_000_000 + ((n * 31) % 20_000)),
      `20530135523267709${n % 90}`,
      n % 3 === 0 ? '' : `electronics.part-${n % 40}`,
      n % 7 === 0 ? '' : `brand-${n % 200}`,
      (cents(n) / 100).toFixed(2),
      String(user),
      `72d76fde-8bb3-4e00-8c23-${String(n).padStart(12, '0')}`,
    ]
    block +=
      format === 'csv'
        ? `${values.join(',')}\n`
        : `${JSON.stringify(Object.fromEntries(values.map((value, i) => [NAMES[i], value])))}\n`
    if (n % 1_000 === 999 || n === rows - 1) {
      yield block
      block = ''
    }
  }
}

function revenueOf(rows: number): number {
  let sum = 0
  for (let n = 0; n < rows; n++) if (isPurchase(n) && !isBad(n)) sum += cents(n)
  return sum
}

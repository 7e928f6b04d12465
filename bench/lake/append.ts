/**
 * How fast rows become a committed part of a table: ten columns, in batches of 10,000, one commit at the end. The measured process has its rows in memory; each run starts it
 * anew, on a table of its own. What the files hold is read back and held to what was given.
 */
import { startPart } from '../child.ts'
import { percentile } from '../measure.ts'
import { type Benchmark, number } from '../report.ts'
import { startDatabase, withFolder } from '../stores.ts'
import type { AppendFigures, AppendSettings } from './append-process.ts'
import { assertSame, contentsOf, contentsOfColumns } from './contents.ts'
import { columnsOf, createEvents, openBenchLake } from './table.ts'

const BATCH_ROWS = 10_000

export const lakeAppend: Benchmark = {
  name: 'lake/append',
  options: {
    rows: { type: 'string', default: '1000000' },
    /** Partitions that the rows spread over. */
    days: { type: 'string', default: '2' },
    runs: { type: 'string', default: '3' },
    /** `columns` as the lake writer has them, `rows` as objects. */
    forms: { type: 'string', default: 'columns,rows' },
    /** Passed to the measured process, e.g. `--cpu-prof`. */
    node: { type: 'string' },
  },
  async run(options, show) {
    const [rows, days] = [Number(options.rows), Number(options.days)]
    const forms = String(options.forms).split(',') as AppendSettings['form'][]
    const expected = contentsOfColumns(batchesOf(rows, days))
    await withFolder(async (folder) => {
      const server = await startDatabase(folder)
      const { lake, close } = await openBenchLake(folder, server.url)
      try {
        const runs = forms.map((): AppendFigures[] => [])
        for (let round = 0; round < Number(options.runs); round++)
          for (const [i, form] of forms.entries()) {
            const table = `bench.${form}_${round}`
            await createEvents(lake, table)
            const settings: AppendSettings = {
              ...{ folder, postgresUrl: server.url, table, form },
              ...{ rows, days, batchRows: BATCH_ROWS },
            }
            const flags = options.node ? [String(options.node)] : []
            const part = startPart<AppendFigures>(new URL('./append-process.ts', import.meta.url), settings, flags)
            runs[i]!.push(await part.next())
            await part.end()
            assertSame(table, await contentsOf(lake, table), expected)
          }
        for (const [i, form] of forms.entries()) {
          const median = (of: (f: AppendFigures) => number) => percentile(runs[i]!.map(of), 0.5)
          show({
            benchmark: `lake/append, ${number(rows)} rows of ten columns, as ${form}`,
            target: form === 'columns' ? '≥ 250,000 rows/s' : '',
            result: `**${number(median((f) => rows / f.seconds))} rows/s**, ${number(median((f) => rows / f.cpuSeconds))} rows per CPU-second`,
            details: [
              `${median((f) => (f.cpuSeconds / rows) * 1e6).toFixed(2)} CPU s/M`,
              `${median((f) => f.appendSeconds).toFixed(2)} of ${median((f) => f.seconds).toFixed(2)} s until all rows were given`,
              `commit ${median((f) => f.commitMs).toFixed(0)} ms`,
              `${median((f) => f.files)} files of ${(median((f) => f.bytes) / 2 ** 20).toFixed(1)} MiB in all`,
              `peak RSS ${number(median((f) => f.peakMiB))} MiB with the rows`,
              `median of ${runs[i]!.length}`,
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

function* batchesOf(rows: number, days: number) {
  for (let from = 0; from < rows; from += BATCH_ROWS)
    yield columnsOf({ from, rows: Math.min(BATCH_ROWS, rows - from), days })
}

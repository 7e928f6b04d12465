/**
 * A person erased from a table of many small files, as streams leave them before compaction: in each every user may be, so that bounds leave nothing out and all files are looked through. Once the
 * person is in few of them, once in many. Whoever loses, doubles or changes another's row, or leaves one of the person's, ends it.
 */
import { type Lake, loadTable, planScan, tableName } from '../../db/lake/index.ts'
import { startPart } from '../child.ts'
import { type Benchmark, number } from '../report.ts'
import { startDatabase, withFolder } from '../stores.ts'
import { assertSame, contentsOf } from './contents.ts'
import type { EraseFigures, EraseSettings } from './erase-process.ts'
import { copyDay, PERSON, writeDay } from './person-files.ts'
import { createEvents, openBenchLake } from './table.ts'

export const lakeErase: Benchmark = {
  name: 'lake/erase',
  options: {
    files: { type: 'string', default: '10000' },
    rows: { type: 'string', default: '100' },
    days: { type: 'string', default: '40' },
    /** Files with the person in them, one run for each. */
    in: { type: 'string', default: '20,5000' },
    /** Passed to the measured process, e.g. `--cpu-prof`. */
    node: { type: 'string' },
  },
  async run(options, show) {
    const [files, rows, days] = [Number(options.files), Number(options.rows), Number(options.days)]
    for (const telling of String(options.in).split(',').map(Number))
      await withFolder(async (folder) => {
        const server = await startDatabase(folder)
        const { lake, close } = await openBenchLake(folder, server.url)
        try {
          await fill(lake, { files, rows, days, telling })
          const before = await contentsOf(lake, TABLE)
          const settings: EraseSettings = { folder, postgresUrl: server.url, table: TABLE }
          const flags = options.node ? [String(options.node)] : []
          const part = startPart<EraseFigures>(new URL('./erase-process.ts', import.meta.url), settings, flags)
          const { first, again, peakMiB } = await part.next()
          await part.end()
          // Rows of the person have other texts; all that is counted and summed is the same.
          assertSame(TABLE, await contentsOf(lake, TABLE), { ...before, fingerprint: null })
          if (first.files !== telling) throw new Error(`${first.files} files were rewritten, not ${telling}.`)
          if (again.rows > 0 || again.filesRemoved > 0) throw new Error('The second call found something.')
          show({
            benchmark: `lake/erase, a person in ${number(telling)} of ${number(files)} files`,
            target: '',
            result: `**${first.seconds.toFixed(1)} s**; again, with nothing to do, ${again.seconds.toFixed(1)} s`,
            details: [
              `${number(files * rows)} rows, ${number(first.rows)} of the person's`,
              `${first.cpuSeconds.toFixed(1)} CPU s`,
              `${number(await filesIn(lake))} files afterwards, ${number(first.filesRemoved)} removed with ${first.snapshotsExpired} snapshots`,
              `peak RSS ${number(peakMiB)} MiB`,
            ],
          })
        } finally {
          await close()
          await server.stop()
        }
      })
  },
}

const TABLE = 'bench.persons'

const filesIn = async (lake: Lake): Promise<number> =>
  (await planScan(lake, (await loadTable(lake, tableName(TABLE))).metadata)).files.length

/** A commit a day. The files with the person are spread over the days evenly. */
async function fill(
  lake: Lake,
  { files, rows, days, telling }: { files: number; rows: number; days: number; telling: number },
): Promise<void> {
  const { name } = await createEvents(lake, TABLE)
  const share = (of: number, day: number) => Math.floor(((day + 1) * of) / days) - Math.floor((day * of) / days)
  for (let day = 0; day < days; day++) {
    const count = share(files, day)
    const withPerson = share(telling, day)
    await copyDay(lake, name, await writeDay(lake, name, { day, rows }), { withPerson, without: count - withPerson })
  }
  console.error(`${number(files)} files, ${PERSON} in ${number(telling)} of them`)
}

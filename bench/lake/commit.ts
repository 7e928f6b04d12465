/** How long a commit takes that appends one file: manifest, manifest list and metadata flushed to a folder, then the swap in PostgreSQL. The table's history grows as it goes. */
import { startPart } from '../child.ts'
import { percentile } from '../measure.ts'
import { type Benchmark, number } from '../report.ts'
import { startDatabase, withFolder } from '../stores.ts'
import type { CommitFigures, CommitSettings } from './commit-process.ts'
import { createEvents, openBenchLake } from './table.ts'

const ROWS = 10
const WARM_UP = 10

export const lakeCommit: Benchmark = {
  name: 'lake/commit',
  options: {
    commits: { type: 'string', default: '300' },
    /** Passed to the measured process, e.g. `--cpu-prof`. */
    node: { type: 'string' },
  },
  async run(options, show) {
    const commits = Number(options.commits) + WARM_UP
    await withFolder(async (folder) => {
      const server = await startDatabase(folder)
      const { lake, close } = await openBenchLake(folder, server.url)
      try {
        const table = 'bench.commits'
        await createEvents(lake, table)
        const settings: CommitSettings = { folder, postgresUrl: server.url, table, commits }
        const flags = options.node ? [String(options.node)] : []
        const part = startPart<CommitFigures>(new URL('./commit-process.ts', import.meta.url), settings, flags)
        const { ms, cpuMs, totalRecords } = await part.next()
        await part.end()
        if (totalRecords !== commits * ROWS)
          throw new Error(`The table has ${totalRecords} rows, not ${commits * ROWS}.`)
        const timed = ms.slice(WARM_UP)
        const at = (share: number, of = timed) => percentile(of, share).toFixed(1)
        show({
          benchmark: `lake/commit, ${number(timed.length)} appends in a row, folder and PostgreSQL`,
          target: '≤ 30 ms',
          result: `**p50 ${at(0.5)} ms, p99 ${at(0.99)} ms**`,
          details: [
            `${at(0.5, cpuMs.slice(WARM_UP))} ms of CPU`,
            `the first fifty p50 ${at(0.5, timed.slice(0, 50))}, the last fifty p50 ${at(0.5, timed.slice(-50))} ms`,
            `the longest ${Math.max(...timed).toFixed(0)} ms, where manifests are merged`,
          ],
        })
      } finally {
        await close()
        await server.stop()
      }
    })
  },
}

/** Scan planning on a table of many files: from the catalog to the list of files, by partition and by bounds; with and without manifests in the cache. */
import { startPart } from '../child.ts'
import { type Benchmark, number } from '../report.ts'
import { startDatabase, withFolder } from '../stores.ts'
import type { PlanFigures, PlanSettings } from './plan-process.ts'

export const lakePlan: Benchmark = {
  name: 'lake/plan',
  options: {
    files: { type: 'string', default: '10000' },
    commits: { type: 'string', default: '80' },
    days: { type: 'string', default: '40' },
    runs: { type: 'string', default: '5' },
    /** Passed to the measured process, e.g. `--cpu-prof`. */
    node: { type: 'string' },
  },
  async run(options, show) {
    await withFolder(async (folder) => {
      const server = await startDatabase(folder)
      try {
        const settings: PlanSettings = {
          ...{ folder, postgresUrl: server.url, files: Number(options.files), commits: Number(options.commits) },
          ...{ days: Number(options.days), runs: Number(options.runs) },
        }
        const flags = ['--expose-gc', ...(options.node ? [String(options.node)] : [])]
        const part = startPart<PlanFigures>(new URL('./plan-process.ts', import.meta.url), settings, flags)
        const { plans, manifests, metadataKiB, heapMiB, peakMiB } = await part.next()
        await part.end()
        for (const [i, plan] of plans.entries())
          show({
            benchmark: `lake/plan, ${number(settings.files)} files, ${plan.name}`,
            target: '',
            result: `**${plan.coldMs.toFixed(0)} ms**, ${plan.warmMs.toFixed(1)} ms again`,
            details: [
              `${number(plan.files)} files of ${plan.manifestsRead} of ${manifests} manifests`,
              `${plan.cpuMs.toFixed(0)} ms of CPU`,
              ...(i === 0
                ? [
                    `heap with plan and cache ${heapMiB.toFixed(0)} MiB, peak RSS ${number(peakMiB)} MiB`,
                    `metadata of ${number(metadataKiB)} KiB`,
                  ]
                : []),
              `median of ${settings.runs}`,
            ],
          })
      } finally {
        await server.stop()
      }
    })
  },
}

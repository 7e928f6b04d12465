/** The CDC source in a process of its own: follows until so many changes are in the log, then tells how long that took and what it cost. */
import { createLogger } from '../observability/log.ts'
import { createRegistry } from '../observability/metrics.ts'
import type { CdcSettings } from '../streams/sources/cdc/settings.ts'
import { startCdc } from '../streams/sources/cdc/start.ts'
import { partSettings, tell, told } from './child.ts'
import { ownCpuSeconds, residentMiB } from './measure.ts'

export interface CdcPart {
  folder: string
  settings: CdcSettings
  changes: number
}

export interface CdcFigures {
  seconds: number
  cpuSeconds: number
  peakMiB: number
}

const { folder, settings, changes } = partSettings<CdcPart>()
let seen = 0
let startedMs = 0
let startedCpu = 0
let reached: () => void = () => {}
const done = new Promise<void>((resolve) => {
  reached = resolve
})
const running = await startCdc({
  stores: { dataDir: folder, kafka: null, redis: null },
  settings,
  version: 'bench',
  logger: createLogger({ level: 'warn', component: 'cdc' }),
  metrics: createRegistry({ labels: { component: 'cdc' } }),
  observer: {
    streaming() {
      startedMs = performance.now()
      startedCpu = ownCpuSeconds()
      tell({ streaming: true })
    },
    appended(counts) {
      for (const count of counts.values()) seen += count
      if (seen >= changes) reached()
    },
  },
})
await done
tell({
  seconds: (performance.now() - startedMs) / 1_000,
  cpuSeconds: ownCpuSeconds() - startedCpu,
  peakMiB: residentMiB().peak,
} satisfies CdcFigures)
await told()
await running.stop()

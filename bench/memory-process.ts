/** The measured process of the memory benchmark: the runtime with all jobs, until it holds the state of all users and has published it. */
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { StreamRuntime } from '../streams/runtime/runtime.ts'
import { TOPOLOGY } from '../streams/topology.ts'
import { partSettings, tell } from './child.ts'
import { ownCpuSeconds, residentMiB } from './measure.ts'
import { openStores, type Places } from './stores.ts'

export interface MemoryFigures {
  events: number
  seconds: number
  cpuSeconds: number
  /** Resident when all is written and nothing comes in any more; and the most it ever was. */
  rssMiB: number
  peakMiB: number
  /** Of `rssMiB` what is this process's own: the rest is pages of files mapped (the log, the features), which the system takes back when it wants. */
  ownMiB: number
  /** The most of that, looked at ten times a second. */
  ownPeakMiB: number
  heapMiB: number
  buffersMiB: number
}

const { deps, close } = await openStores(partSettings<Places>())
let idleFlushes = 0
const runtime = new StreamRuntime({
  ...deps,
  topology: TOPOLOGY,
  observer: {
    flushed({ rows, features }) {
      idleFlushes = rows + features === 0 ? idleFlushes + 1 : 0
    },
    retrying: (what, error) => console.error(what, error),
  },
})
const startedAt = performance.now()
const running = runtime.run()
const isBehind = () => runtime.tasks.length === 0 || runtime.tasks.some((t) => t.task.nextOffset < t.endOffset)
// Nothing left to publish: heartbeats only, for some time.
let ownPeakMiB = 0
while (isBehind() || idleFlushes < 8) {
  await Promise.race([delay(100), running])
  ownPeakMiB = Math.max(ownPeakMiB, ownMiB())
}
const events = runtime.tasks.reduce((sum, { task }) => sum + task.counters.events, 0)

const { heapUsed, arrayBuffers } = process.memoryUsage()
const { rss, peak } = residentMiB()
const answer: MemoryFigures = {
  events,
  seconds: (performance.now() - startedAt) / 1000,
  cpuSeconds: ownCpuSeconds(),
  rssMiB: rss,
  peakMiB: peak,
  ownMiB: ownMiB(),
  ownPeakMiB,
  heapMiB: Math.round(heapUsed / 2 ** 20),
  buffersMiB: Math.round(arrayBuffers / 2 ** 20),
}
tell(answer)
await runtime.stop(120_000)
await running
await close()

/** RssAnon of Linux; NaN elsewhere. */
function ownMiB(): number {
  const anonymous = /^RssAnon:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
  return Math.round(Number(anonymous ?? Number.NaN) / 1024)
}

/** The measured process of the streams benchmark: the runtime over a loaded log, until it has read all of it and written all results. */
import { setTimeout as delay } from 'node:timers/promises'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { startSdk } from '../observability/sdk.ts'
import { fraudDetector } from '../streams/jobs/fraud-detector.ts'
import { revenue } from '../streams/jobs/revenue.ts'
import { sessions } from '../streams/jobs/sessions.ts'
import { StreamRuntime } from '../streams/runtime/runtime.ts'
import { TOPOLOGY } from '../streams/topology.ts'
import { createRuntimeTracer } from '../streams/tracing.ts'
import { partSettings, tell } from './child.ts'
import { ownCpuSeconds, residentMiB, treeCpuSeconds } from './measure.ts'
import { openStores, type Places } from './stores.ts'
import { countWritten, type Written } from './written.ts'

export const TOPOLOGIES = { three: [sessions, fraudDetector, revenue], all: TOPOLOGY }

export interface StreamsSettings extends Places {
  jobs: keyof typeof TOPOLOGIES
  postgresPid: number
  /** Missing: tracing is off. */
  traced?: { ratio: number; collectorUrl: string }
}

export interface StreamsFigures {
  events: number
  /** From before the runtime starts until all is written and checkpointed. */
  seconds: number
  cpuSeconds: number
  postgresCpuSeconds: number
  /** Of the whole process: with start-up, and what compiling the code costs. */
  processCpuSeconds: number
  peakMiB: number
  checkpoints: number
  checkpointMiB: number
  flushes: number
}

const settings = partSettings<StreamsSettings>()
const tracing =
  settings.traced &&
  startSdk({
    role: 'streams',
    version: 'bench',
    ratio: settings.traced.ratio,
    exporter: new OTLPTraceExporter({ url: `${settings.traced.collectorUrl}/v1/traces` }),
    onLoss: (loss) => console.error('spans are lost', loss),
  })
const { deps, close } = await openStores(settings)
const figures: Written = { checkpoints: 0, checkpointMiB: 0, flushes: 0 }
const runtime = new StreamRuntime({
  ...deps,
  topology: TOPOLOGIES[settings.jobs],
  observer: countWritten(figures),
  ...(tracing && { tracer: createRuntimeTracer({ clock: deps.clock, logSystem: 'streamforge', featuresIn: 'lmdb' }) }),
})

const startedAt = performance.now()
const cpuAtStart = ownCpuSeconds()
const postgresAtStart = treeCpuSeconds(settings.postgresPid)
const running = runtime.run()
while (runtime.tasks.length === 0 || runtime.tasks.some((t) => t.task.nextOffset < t.endOffset)) {
  await Promise.race([delay(25), running])
}
const events = runtime.tasks.reduce((sum, { task }) => sum + task.counters.events, 0)
await runtime.stop(120_000)
await running

const answer: StreamsFigures = {
  ...figures,
  events,
  seconds: (performance.now() - startedAt) / 1000,
  cpuSeconds: ownCpuSeconds() - cpuAtStart,
  postgresCpuSeconds: treeCpuSeconds(settings.postgresPid) - postgresAtStart,
  processCpuSeconds: ownCpuSeconds(),
  peakMiB: residentMiB().peak,
}
tell(answer)
await tracing?.stop()
await close()

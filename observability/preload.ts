/**
 * Tracing, begun before anything else of a process or a worker thread is loaded: imported first by `cli/streamforge.mjs`, and by `--import` in threads that have a role.
 *
 * It is on where OpenTelemetry's own variables name a collector; else the SDK is not even loaded, and the API's spans do nothing. Invariant: tracing never keeps a process from starting, working
 * or ending: a collector that can't be had is one line with the remedy.
 */
import { readFileSync } from 'node:fs'
import { isMainThread, parentPort } from 'node:worker_threads'
import { createLogger } from './log.ts'
import { collectorUrl, levelOf, ratioOf, roleOf } from './preload-settings.ts'
import { setTracing, tracing } from './tracing.ts'

/** Losses are told so often at most; the metric has all of them. */
const TOLD_EVERY_MS = 60_000

// These are read by OpenTelemetry itself as well, and before the configuration can be: it is what is traced.
const { env } = process
const role = roleOf(process.argv.slice(2))
const collector = collectorUrl(env)
if (role !== null && collector !== null && isNode()) await start(role, collector)

/** Before the process ends: sends what is waiting, for two seconds at most. */
export const stopTracing = async (): Promise<void> => tracing()?.stop()

async function start(role: string, collector: string): Promise<void> {
  const logger = createLogger({ level: levelOf(env), component: role })
  try {
    const [{ checkSdk, startSdk }, { OTLPTraceExporter }] = await Promise.all([
      import('./sdk.ts'),
      import('@opentelemetry/exporter-trace-otlp-proto'),
    ])
    const { ratio, problem } = ratioOf(env)
    if (problem) logger.warn(problem)
    let isQuiet = true
    function quietForAWhile(): void {
      isQuiet = true
      setTimeout(() => (isQuiet = false), TOLD_EVERY_MS).unref()
    }
    const started = startSdk({
      role,
      version: version(),
      ratio,
      exporter: new OTLPTraceExporter(),
      onLoss(loss) {
        if (isQuiet) return
        quietForAWhile()
        logger.warn({ loss, lost: started.lost }, `Spans are lost: the collector at ${collector} is away or too slow`)
      },
    })
    setTracing(started)
    // Nobody waits for it: a collector may well start after what it collects from. Threads send to the same one as the process, which tells of it once.
    void checkSdk(started).then((why) => {
      if (!isMainThread) return
      isQuiet = false
      if (why === null) return
      quietForAWhile()
      logger.warn({ why }, notCollected(collector))
    })
    // A thread closes its port when its work is done. What still hangs on a collector is not to hold it.
    parentPort?.once('close', () => void started.stop().then(() => process.exit()))
  } catch (error) {
    logger.warn({ err: error }, 'Tracing could not be started; everything else works. "npm ci" installs what it needs')
  }
}

const notCollected = (collector: string): string =>
  `Traces are not collected. Start a collector that takes OTLP over HTTP at ${collector}, or correct OTEL_EXPORTER_OTLP_ENDPOINT (its port is 4318 where gRPC's is 4317); everything else works, and later spans are sent there still`

/** The SDK is Node's. */
function isNode(): boolean {
  return process.versions.bun === undefined && !('Deno' in globalThis)
}

function version(): string {
  return (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }).version
}

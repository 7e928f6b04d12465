/**
 * How fast the edge takes events in: validated, encoded and durable in the log before the answer. One process with edge and log, load from another.
 * What counts is events per CPU-second of that process, since load generator and PostgreSQL share the machine; the log's own count is the judge.
 */
import { execFile } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { startPart } from './child.ts'
import type { LoadFigures, LoadSettings } from './ingest-load.ts'
import type { IngestAnswer, IngestSettings } from './ingest-process.ts'
import { percentile } from './measure.ts'
import { type Benchmark, number } from './report.ts'
import { startBroker } from './servers.ts'
import { startDatabase, withFolder } from './stores.ts'

const WRITE_KEY = 'wk_bench'
const CONNECTIONS = 4
const WARM_UP_SECONDS = 3
/** The load generator leaves without waiting for its last answers. */
const SETTLE_MS = 200
const run = promisify(execFile)

const TARGETS: Record<string, string> = {
  embedded: '≥ 50,000 events per CPU-second',
  kafka: '≤ 15 CPU s/M',
}

export const ingest: Benchmark = {
  name: 'ingest',
  options: {
    seconds: { type: 'string', default: '8' },
    batch: { type: 'string', default: '100' },
    runs: { type: 'string', default: '3' },
    log: { type: 'string', default: 'embedded,kafka' },
    /** Passed to the measured process, e.g. `--cpu-prof`. */
    node: { type: 'string' },
  },
  async run(options, show) {
    const [seconds, batch] = [Number(options.seconds), Number(options.batch)]
    for (const log of String(options.log).split(','))
      await withFolder(async (folder) => {
        const kafka = log === 'kafka' ? await startBroker(folder) : null
        const server = await startDatabase(folder)
        try {
          const settings: IngestSettings = {
            folder,
            postgresUrl: server.url,
            writeKey: WRITE_KEY,
            ...(kafka && { brokers: kafka.brokers }),
          }
          const edge = startPart<IngestAnswer>(
            new URL('./ingest-process.ts', import.meta.url),
            settings,
            options.node ? [String(options.node)] : [],
          )
          const { url } = await edge.next()
          const load = { url: `${url}/api/v1/events`, writeKey: WRITE_KEY, batch, connections: CONNECTIONS }
          const rounds: { cpuPerMillion: number; perSecond: number; load: LoadFigures; peakMiB: number }[] = []
          await applyLoad({ ...load, seconds: WARM_UP_SECONDS, round: 0 })
          for (let i = 0; i < Number(options.runs); i++) {
            await delay(SETTLE_MS)
            const before = await edge.ask()
            const figures = await applyLoad({ ...load, seconds, round: i + 1 })
            await delay(SETTLE_MS)
            const after = await edge.ask()
            const events = after.records - before.records
            if (
              figures.refused + figures.errors > 0 ||
              Math.abs(events - figures.requests * batch) > 2 * CONNECTIONS * batch
            ) {
              throw new Error(
                `${figures.requests} requests of ${batch} events were sent, ${figures.refused} refused, ${figures.errors} failed; the log has ${events} events more.`,
              )
            }
            rounds.push({
              cpuPerMillion: ((after.cpuSeconds - before.cpuSeconds) / events) * 1e6,
              perSecond: events / seconds,
              load: figures,
              peakMiB: after.peakMiB,
            })
          }
          await edge.end()
          const median = (of: (r: (typeof rounds)[number]) => number) => percentile(rounds.map(of), 0.5)
          show({
            benchmark: `ingest, log: ${log}, ${batch} events a request, ${CONNECTIONS} connections`,
            target: TARGETS[log] ?? '',
            result: `**${number(1e6 / median((r) => r.cpuPerMillion))} events per CPU-second**, ${number(median((r) => r.perSecond))} events/s`,
            details: [
              `${median((r) => r.cpuPerMillion).toFixed(1)} CPU s/M`,
              `request p50 ${median((r) => r.load.p50Ms).toFixed(1)} ms, p99 ${median((r) => r.load.p99Ms).toFixed(1)} ms`,
              `peak RSS ${number(median((r) => r.peakMiB))} MiB`,
              `median of ${rounds.length}`,
            ],
          })
        } finally {
          await server.stop()
          await kafka?.kill()
        }
      })
  },
}

/** As much as it takes over so many connections, each one request at a time. */
export async function applyLoad(settings: LoadSettings): Promise<LoadFigures> {
  try {
    const { stdout } = await run('wrk', [
      ...['-t1', `-c${settings.connections}`, `-d${settings.seconds}s`],
      ...['-s', fileURLToPath(new URL('./ingest-load.lua', import.meta.url)), settings.url],
      ...['--', settings.writeKey, String(settings.batch), String(settings.round)],
    ])
    return JSON.parse(stdout.trim().split('\n').at(-1)!) as LoadFigures
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  const part = startPart<LoadFigures>(new URL('./ingest-load.ts', import.meta.url), settings)
  const figures = await part.next()
  await part.end()
  return figures
}

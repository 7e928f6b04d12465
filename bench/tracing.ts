/**
 * What tracing costs ingestion: the same edge with tracing off and with some shares of requests recorded, by turns on the same load. The spans go to a collector that takes them,
 * a process of its own.
 *
 * What counts is the CPU that an event costs the edge, compared within a turn: a machine that other work shares is as slow for one as for the other.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Part, startPart, startProgram } from './child.ts'
import { applyLoad } from './ingest.ts'
import type { IngestAnswer, IngestSettings } from './ingest-process.ts'
import { percentile } from './measure.ts'
import type { CollectorAnswer } from './otlp-collector.ts'
import { type Benchmark, number } from './report.ts'
import { startDatabase, withFolder } from './stores.ts'

const WRITE_KEY = 'wk_bench'
const CONNECTIONS = 4
const WARM_UP_SECONDS = 3
/** The load generator leaves without waiting for its last answers. */
const SETTLE_MS = 200
/** Longer than a batch of spans waits. */
const EXPORT_MS = 6_000

interface Variant {
  name: string
  /** Share of requests that are recorded; null: tracing is off. */
  ratio: number | null
  target: string
}
const OFF: Variant = { name: 'tracing off', ratio: null, target: '' }
const recording = (ratio: number): Variant => ({
  name: `${ratio * 100} % of requests recorded`,
  ratio,
  target: ratio === 0.01 ? '≥ 0.97 of the throughput without' : '',
})

interface Target extends Variant {
  edge: Part<IngestAnswer>
  collector: Part<CollectorAnswer>
  url: string
}

export const tracing: Benchmark = {
  name: 'tracing',
  options: {
    seconds: { type: 'string', default: '4' },
    runs: { type: 'string', default: '7' },
    batch: { type: 'string', default: '100,1' },
    ratios: { type: 'string', default: '0.01,1' },
  },
  async run(options, show) {
    const [seconds, runs] = [Number(options.seconds), Number(options.runs)]
    await withFolder(async (folder) => {
      const server = await startDatabase(folder)
      const targets: Target[] = []
      try {
        for (const variant of [OFF, ...String(options.ratios).split(',').map(Number).map(recording)])
          targets.push(await startTarget(variant, folder, server.url))
        let round = 0
        for (const batch of String(options.batch).split(',').map(Number)) {
          for (const target of targets) await costOf(target, { batch, seconds: WARM_UP_SECONDS, round: round++ })
          const costs = new Map(targets.map((target) => [target, [] as number[]]))
          const spansBefore = await spansTaken(targets)
          let requests = 0
          for (let turn = 0; turn < runs; turn++) {
            // Nobody is always the first.
            for (let i = 0; i < targets.length; i++) {
              const target = targets[(turn + i) % targets.length]!
              const cost = await costOf(target, { batch, seconds, round: round++ })
              costs.get(target)!.push(cost.cpuPerMillion)
              requests += cost.requests
            }
          }
          await delay(EXPORT_MS)
          const spans = await spansTaken(targets)
          const off = costs.get(targets[0]!)!
          targets.forEach((target, i) => {
            const own = costs.get(target)!
            const cpu = percentile(own, 0.5)
            const share = percentile(
              own.map((cost, turn) => off[turn]! / cost),
              0.5,
            )
            show({
              benchmark: `ingest, ${target.name}, ${batch} ${batch === 1 ? 'event' : 'events'} a request`,
              target: target.target,
              result: `**${number(1e6 / cpu)} events per CPU-second**${target === targets[0] ? '' : `, **${share.toFixed(3)}** of the throughput without`}`,
              details: [
                `${cpu.toFixed(1)} CPU s/M`,
                ...(target.ratio === null
                  ? []
                  : [`${number(spans[i]! - spansBefore[i]!)} spans taken by the collector`]),
                `median of ${runs} turns of ${seconds} s`,
                `${number(requests)} requests in all`,
              ],
            })
          })
        }
      } finally {
        await Promise.all(targets.flatMap(({ edge, collector }) => [edge.end(), collector.end()]))
        await server.stop()
      }
    })
  },
}

async function startTarget(variant: Variant, folder: string, postgresUrl: string): Promise<Target> {
  const own = join(folder, String(variant.ratio))
  await mkdir(own)
  const settings: IngestSettings = { folder: own, postgresUrl, writeKey: WRITE_KEY }
  const collector = startPart<CollectorAnswer>(new URL('./otlp-collector.ts', import.meta.url), {})
  const { url: collectorUrl } = await collector.next()
  const edge = startProgram<IngestAnswer>(edgeCommand(variant, collectorUrl), settings)
  return { ...variant, edge, collector, url: (await edge.next()).url }
}

const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** As the bin begins: the preload goes by the role that is the first argument. */
const edgeCommand = ({ ratio }: Variant, collectorUrl: string): string[] => [
  'env',
  ...(ratio === null ? [] : [`OTEL_EXPORTER_OTLP_ENDPOINT=${collectorUrl}`, `OTEL_TRACES_SAMPLER_ARG=${ratio}`]),
  process.execPath,
  ...['../cli/typescript.mjs', '../observability/preload.ts'].flatMap((path) => ['--import', file(path)]),
  file('./ingest-process.ts'),
  'edge',
]

/** As much as it takes. @throws Error when it refuses something, or the log has other than what it accepted */
async function costOf(
  { name, edge, url }: Target,
  { batch, seconds, round }: { batch: number; seconds: number; round: number },
): Promise<{ cpuPerMillion: number; requests: number }> {
  const before = await edge.ask()
  const load = { url: `${url}/api/v1/events`, writeKey: WRITE_KEY, batch, connections: CONNECTIONS }
  const { requests, refused, errors } = await applyLoad({ ...load, seconds, round })
  await delay(SETTLE_MS)
  const after = await edge.ask()
  const events = after.records - before.records
  if (refused + errors > 0 || Math.abs(events - requests * batch) > 2 * CONNECTIONS * batch) {
    throw new Error(
      `${name}: ${requests} requests of ${batch} events were sent, ${refused} refused, ${errors} failed; the log has ${events} events more.`,
    )
  }
  return { cpuPerMillion: ((after.cpuSeconds - before.cpuSeconds) / events) * 1e6, requests }
}

const spansTaken = (targets: readonly Target[]): Promise<number[]> =>
  Promise.all(targets.map(async ({ collector }) => (await collector.ask()).spans))

/**
 * What it costs to take events in, by turns on the same load and the same Kafka: the edge on Node, Bun and Deno; a Hono handler that only parses, on each, which is the limit; and what
 * a team would write in an afternoon (`forwarder/`), which looks at nothing. As much as it takes for the CPU per event, then the same rate for all for the latency.
 *
 * Kafka's own count is the judge of those who send to it.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { RUNTIMES, type RuntimeCommand, runtimeCommand } from '../../cli/servers/runtimes.ts'
import { loadConfig } from '../../db/config.ts'
import { CLICKSTREAM, topicNamed } from '../../streams/contract/topics.ts'
import type { EventLog } from '../../streams/log/event-log.ts'
import { openKafkaLog } from '../../streams/log/kafka.ts'
import { type Part, startPart, startProgram } from '../child.ts'
import { applyLoad } from '../ingest.ts'
import type { IngestSettings } from '../ingest-process.ts'
import { percentile, treeCpuSeconds } from '../measure.ts'
import { type Benchmark, number } from '../report.ts'
import { startBroker } from '../servers.ts'
import { startDatabase, withFolder } from '../stores.ts'
import { forwarderProgram } from './forwarder.ts'
import type { OpenFigures, OpenLoad } from './open-load.ts'

const WRITE_KEY = 'wk_bench'
const CONNECTIONS = 4
const WARM_UP_SECONDS = 3
/** The load generator leaves without waiting for its last answers. */
const SETTLE_MS = 200

interface Target {
  name: string
  /** Whether what it accepts must be in Kafka. */
  stores: boolean
  part: Part<{ url: string }>
  url: string
}
interface Round {
  cpuPerMillion: number
  perSecond: number
  p50Ms: number
  p99Ms: number
  /** Of the second part. */
  refused: number
}

export const edgeIngest: Benchmark = {
  name: 'edge/ingest',
  options: {
    seconds: { type: 'string', default: '5' },
    runs: { type: 'string', default: '3' },
    batch: { type: 'string', default: '100' },
    /** Requests a second of the second part. */
    rate: { type: 'string', default: '50' },
    runtimes: { type: 'string', default: RUNTIMES.join(',') },
  },
  async run(options, show) {
    const [seconds, batch, perSecond] = [Number(options.seconds), Number(options.batch), Number(options.rate)]
    const { serversDir } = loadConfig(process.env)
    await withFolder(async (folder) => {
      const kafka = await startBroker(folder)
      const server = await startDatabase(folder)
      const log = await openKafkaLog({ brokers: kafka.brokers, clientId: 'bench judge' })
      const targets: Target[] = []
      try {
        const start = async (name: string, stores: boolean, command: readonly string[], settings: object) => {
          const part = startProgram<{ url: string }>(command, settings)
          targets.push({ name, stores, part, url: (await part.next()).url })
        }
        for (const runtime of RUNTIMES.filter((r) => String(options.runtimes).split(',').includes(r))) {
          const command = await runtimeCommand(runtime, { serversDir, log: console.error })
          const own = join(folder, runtime)
          await mkdir(own)
          const settings: IngestSettings = {
            folder: own,
            postgresUrl: server.url,
            writeKey: WRITE_KEY,
            brokers: kafka.brokers,
          }
          await start(`the edge on ${runtime}`, true, script(command, '../ingest-process.ts'), settings)
          await start(`Hono that only parses, on ${runtime}`, false, script(command, './bare-hono.ts'), {})
        }
        await start(
          'Fastify and @platformatic/kafka, no validation',
          true,
          [process.execPath, await forwarderProgram(serversDir)],
          {
            brokers: kafka.brokers,
            topic: CLICKSTREAM,
          },
        )

        const rounds = new Map(targets.map((target) => [target, [] as Round[]]))
        for (const { url } of targets) {
          await applyLoad({ ...loadOf(url, batch), seconds: WARM_UP_SECONDS, round: 0 })
        }
        for (let round = 1; round <= Number(options.runs); round++) {
          for (const target of targets) {
            const cost = await costOf(target, log, { batch, seconds, round })
            rounds.get(target)!.push({ ...cost, ...(await latencyOf(target, { perSecond, seconds, batch, round })) })
          }
        }
        const best = medianOf(
          rounds.get(targets.find(({ name }) => name.startsWith('Fastify'))!)!,
          (r) => r.cpuPerMillion,
        )
        for (const [{ name }, of] of rounds) {
          const cpu = medianOf(of, (r) => r.cpuPerMillion)
          show({
            benchmark: `${name}, ${batch} events a request`,
            target: '',
            result: `**${number(1e6 / cpu)} events per CPU-second**, ${(best / cpu).toFixed(2)} times the forwarder`,
            details: [
              `${cpu.toFixed(1)} CPU s/M`,
              `${number(medianOf(of, (r) => r.perSecond))} events/s over ${CONNECTIONS} connections`,
              `at ${number(perSecond * batch)} events/s p50 ${medianOf(of, (r) => r.p50Ms).toFixed(1)} ms, p99 ${medianOf(of, (r) => r.p99Ms).toFixed(1)} ms`,
              `${of.reduce((sum, r) => sum + r.refused, 0)} of ${number(of.length * perSecond * seconds)} refused then`,
              `median of ${of.length}, by turns`,
            ],
          })
        }
      } finally {
        await Promise.all(targets.map(({ part }) => part.end()))
        await log.close()
        await server.stop()
        await kafka.kill()
      }
    })
  },
}

const script = ({ program, args }: RuntimeCommand, path: string): string[] => [
  program,
  ...args,
  fileURLToPath(new URL(path, import.meta.url)),
]

const loadOf = (url: string, batch: number) => ({
  url: `${url}/api/v1/events`,
  writeKey: WRITE_KEY,
  batch,
  connections: CONNECTIONS,
})

/** As much as it takes. @throws Error when it refuses something, or Kafka has other than what it accepted */
async function costOf(
  { name, stores, part, url }: Target,
  log: EventLog,
  { batch, seconds, round }: { batch: number; seconds: number; round: number },
): Promise<Pick<Round, 'cpuPerMillion' | 'perSecond'>> {
  const [cpuBefore, recordsBefore] = [treeCpuSeconds(part.pid), await recordsIn(log)]
  const { requests, refused, errors } = await applyLoad({ ...loadOf(url, batch), seconds, round })
  await delay(SETTLE_MS)
  const cpuSeconds = treeCpuSeconds(part.pid) - cpuBefore
  const stored = (await recordsIn(log)) - recordsBefore
  const events = stores ? stored : requests * batch
  if (refused + errors > 0 || Math.abs(events - requests * batch) > 2 * CONNECTIONS * batch) {
    throw new Error(
      `${name}: ${requests} requests of ${batch} events were sent, ${refused} refused, ${errors} failed; Kafka has ${stored} events more.`,
    )
  }
  return { cpuPerMillion: (cpuSeconds / events) * 1e6, perSecond: events / seconds }
}

/** Of rounds of their own: their ids are none of the other part. */
const LATENCY_ROUNDS = 1_000

async function latencyOf(
  { url }: Target,
  { perSecond, seconds, batch, round }: { perSecond: number; seconds: number; batch: number; round: number },
): Promise<Pick<Round, 'p50Ms' | 'p99Ms' | 'refused'>> {
  const load: OpenLoad = {
    url,
    headers: { 'content-type': 'application/json', 'x-write-key': WRITE_KEY },
    perSecond,
    seconds,
    events: { path: '/api/v1/events', batch, round: LATENCY_ROUNDS + round },
  }
  const part = startPart<OpenFigures>(new URL('./open-load.ts', import.meta.url), load)
  const { failed, latencies } = await part.next()
  await part.end()
  return { ...latencies.events!, refused: failed }
}

async function recordsIn(log: EventLog): Promise<number> {
  let sum = 0
  for (let partition = 0; partition < topicNamed(CLICKSTREAM).partitions; partition++) {
    sum += (await log.bounds({ topic: CLICKSTREAM, partition })).next
  }
  return sum
}

const medianOf = (rounds: readonly Round[], figure: (round: Round) => number): number =>
  percentile(rounds.map(figure), 0.5)

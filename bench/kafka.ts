/**
 * The streams against a backlog in Kafka, beside Flink and Kafka Streams: the queries of ../shared/bench from the same topics of the same broker, with checkpoints every
 * 5 s and results in PostgreSQL. As one process and as two of a group; from JSON values, and from Avro in our wire format.
 *
 * Each run prints the line that the peers print (`summary.mjs` there makes a table of them): `cpu_s` from the first record read to the last result written, `jvm_cpu_s`
 * the whole process with its start. The runs are interleaved, so that what else the machine does hits all alike. Counts that are not the reference's end it.
 */
import { randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type Part, startPart } from './child.ts'
import { assertRight, type Counted, count } from './counts.ts'
import { limitCpu } from './cpu-share.ts'
import { AVRO_PREFIX, type LoadedBroker, openBroker, PEER_BROKERS, tool } from './kafka-broker.ts'
import type { KafkaRunFigures, KafkaRunSettings } from './kafka-process.ts'
import { percentile, treeCpuSeconds } from './measure.ts'
import { type Benchmark, number, type Row } from './report.ts'
import { startDatabase, withFolder } from './stores.ts'

type Form = 'json' | 'avro'
interface Variant {
  form: Form
  processes: number
}
interface Run {
  events: number
  /** From the first record to the last result, by the clock on the wall. */
  seconds: number
  eventsPerSecond: number
  cpuSeconds: number
  processCpuSeconds: number
  brokerCpuSeconds: number
  postgresCpuSeconds: number
  /** Of the largest process. */
  peakMiB: number
  flushes: number
  checkpointMiB: number
}

const TARGETS: Record<string, string> = {
  'json 1': '≤ 4.5 CPU s/M, < 400 MiB',
  'avro 1': '≤ 3.5 CPU s/M, < 400 MiB',
  'json 2': '≥ 1.8 times one process',
  'avro 2': '≥ 1.8 times one process',
}
const PEERS: Record<string, readonly string[][]> = {
  flink: [
    ['flink', 'rocksdb', 'windows'],
    ['flink', 'rocksdb', 'process'],
    ['flink', 'heap', 'windows'],
    ['flink', 'heap', 'process'],
  ],
  'flink-best': [['flink', 'heap', 'process']],
  'kafka-streams': [['kstreams'], ['kstreams', '--q1=process']],
  'kafka-streams-best': [['kstreams', '--q1=process']],
}

export const kafka: Benchmark = {
  name: 'kafka',
  options: {
    events: { type: 'string', default: '2000000' },
    users: { type: 'string', default: '50000' },
    'late-per-million': { type: 'string', default: '200' },
    runs: { type: 'string', default: '3' },
    forms: { type: 'string', default: 'json,avro' },
    processes: { type: 'string', default: '1,2' },
    /** `queries`, or `ours`: sessions, fraud-detector and revenue as the platform has them. */
    jobs: { type: 'string', default: 'queries' },
    /** Of flink, kafka-streams (all their variants), flink-best, kafka-streams-best. */
    peers: { type: 'string', default: '' },
    /** Of the peers, in GiB. */
    heap: { type: 'string', default: '1' },
    /** Of one core, for each of our processes: how they scale then does not depend on how many cores there are. */
    'cpu-percent': { type: 'string' },
    /** A folder to keep the generated files in, or to find them in. */
    workload: { type: 'string' },
    /** Passed to the measured process, e.g. `--cpu-prof`. */
    node: { type: 'string' },
  },
  async run(options, show) {
    const list = (text: unknown): string[] => String(text).split(',').filter(Boolean)
    const spec = {
      events: Number(options.events),
      users: Number(options.users),
      latePerMillion: Number(options['late-per-million']),
    }
    const variants = list(options.forms).flatMap((form) =>
      list(options.processes).map((n): Variant => ({ form: form as Form, processes: Number(n) })),
    )
    const peers = list(options.peers).flatMap((name) => PEERS[name] ?? [])
    const jobs = options.jobs as KafkaRunSettings['jobs']
    const flags = options.node ? String(options.node).split(' ') : []
    const cpuPercent = options['cpu-percent'] ? Number(options['cpu-percent']) : null
    const measure = async (folder: string) => {
      const broker = await openBroker(folder, spec, (text) => console.error(text))
      try {
        const runs = variants.map((): Run[] => [])
        for (let round = 0; round < Number(options.runs); round++) {
          for (const [i, variant] of variants.entries()) {
            const { run, counted } = await runOnce(broker, variant, { jobs, flags, cpuPercent })
            const name = `streamforge-${variant.form}${variant.processes > 1 ? `-${variant.processes}` : ''}`
            console.error(line(name, run, counted))
            assertRight(counted, broker.expected, spec.latePerMillion === 0)
            runs[i]!.push(run)
          }
          for (const peer of peers)
            console.error(await tool('bench.sh', peer, { ...process.env, HEAP: `${options.heap}g` }))
        }
        for (const [i, variant] of variants.entries()) {
          const one = runs[variants.findIndex((v) => v.form === variant.form && v.processes === 1)]
          show(row(variant, runs[i]!, jobs, { one: variant.processes > 1 ? one : undefined, cpuPercent }))
        }
      } finally {
        await broker.stop()
      }
    }
    if (!options.workload) return withFolder(measure)
    await mkdir(String(options.workload), { recursive: true })
    await measure(String(options.workload))
  },
}

interface HowToRun {
  jobs: KafkaRunSettings['jobs']
  /** Of Node. */
  flags: readonly string[]
  cpuPercent: number | null
}

async function runOnce(
  broker: LoadedBroker,
  { form, processes }: Variant,
  { jobs, flags, cpuPercent }: HowToRun,
): Promise<{ run: Run; counted: Counted }> {
  return withFolder(async (folder) => {
    const server = await startDatabase(folder)
    try {
      const group = `bench-${randomBytes(6).toString('hex')}`
      const before = { postgres: treeCpuSeconds(server.pid), broker: await broker.cpuSeconds() }
      const parts = Array.from({ length: processes }, (_, i): Part<KafkaRunFigures> => {
        const settings: KafkaRunSettings = {
          brokers: PEER_BROKERS,
          group,
          prefix: form === 'avro' ? AVRO_PREFIX : '',
          registryFolder: broker.registryFolder,
          folder: join(folder, `process-${i}`),
          postgresUrl: server.url,
          jobs,
          owner: `bench-${i}`,
        }
        return startPart<KafkaRunFigures>(new URL('./kafka-process.ts', import.meta.url), settings, flags)
      })
      const limits = cpuPercent === null ? [] : parts.map(({ pid }) => limitCpu(pid, cpuPercent))
      // Nobody leaves before all have read everything: the others would take over what is left behind.
      await Promise.all(parts.map((part) => part.next()))
      const figures = await Promise.all(parts.map((part) => part.ask()))
      const brokerCpuSeconds = (await broker.cpuSeconds()) - before.broker
      await Promise.all(parts.map((part) => part.end()))
      for (const lift of limits) lift()
      return {
        run: together(figures, brokerCpuSeconds, treeCpuSeconds(server.pid) - before.postgres),
        counted: await count(server.url),
      }
    } finally {
      await server.stop()
    }
  })
}

function together(figures: readonly KafkaRunFigures[], brokerCpuSeconds: number, postgresCpuSeconds: number): Run {
  const sum = (of: (f: KafkaRunFigures) => number) => figures.reduce((total, f) => total + of(f), 0)
  const doneMs = Math.max(...figures.map((f) => f.doneMs))
  // The speed of a group counts from when it is complete: before, the first to come reads alone.
  const startMs = figures.length === 1 ? figures[0]!.firstMs : Math.max(...figures.map((f) => f.settledMs))
  const counted = figures.length === 1 ? figures[0]!.events : sum((f) => f.eventsSinceSettled)
  return {
    events: sum((f) => f.events),
    seconds: (doneMs - Math.min(...figures.map((f) => f.firstMs))) / 1000,
    eventsPerSecond: counted / ((doneMs - startMs) / 1000),
    cpuSeconds: sum((f) => f.cpuSeconds),
    processCpuSeconds: sum((f) => f.processCpuSeconds),
    brokerCpuSeconds,
    postgresCpuSeconds,
    peakMiB: Math.max(...figures.map((f) => f.peakMiB)),
    flushes: sum((f) => f.flushes),
    checkpointMiB: sum((f) => f.checkpointMiB),
  }
}

/** In the form of the peers. */
function line(name: string, run: Run, counted: Counted): string {
  const late = counted.late_sessions + counted.late_alerts + counted.late_revenue
  const fields: [string, string | number][] = [
    ['events', run.events],
    ['seconds', run.seconds.toFixed(2)],
    ['eps', run.eventsPerSecond.toFixed(0)],
    ['sessions', counted.sessions],
    ['alerts', counted.alerts],
    ['revenue_windows', counted.revenue_windows],
    ['late', late],
    ['late_sessions', counted.late_sessions],
    ['late_alerts', counted.late_alerts],
    ['late_revenue', counted.late_revenue],
    ['session_events', counted.session_events],
    ['revenue_orders', counted.revenue_orders],
    ['revenue_cents', counted.revenue_cents],
    ['cpu_s', run.cpuSeconds.toFixed(1)],
    ['jvm_cpu_s', run.processCpuSeconds.toFixed(1)],
    ['peak_rss_mib', run.peakMiB],
    ['broker_cpu_s', run.brokerCpuSeconds.toFixed(1)],
    ['postgres_cpu_s', run.postgresCpuSeconds.toFixed(1)],
    ['cpu_s_per_million', ((run.cpuSeconds / run.events) * 1e6).toFixed(2)],
  ]
  return `${name} ${fields.map(([key, value]) => `${key}=${value}`).join(' ')}`
}

function row(
  { form, processes }: Variant,
  runs: readonly Run[],
  jobs: string,
  { one, cpuPercent }: { one: readonly Run[] | undefined; cpuPercent: number | null },
): Row {
  const median = (of: (r: Run) => number, from = runs) => percentile(from.map(of), 0.5)
  const perMillion = (of: (r: Run) => number) => median((r) => (of(r) / r.events) * 1e6).toFixed(2)
  const speed = median((r) => r.eventsPerSecond)
  const ratio = one ? `, ${(speed / median((r) => r.eventsPerSecond, one)).toFixed(2)} times one process` : ''
  return {
    benchmark: `kafka, ${form === 'json' ? 'JSON' : 'Avro'}, ${processes === 1 ? 'one process' : `${processes} processes`}${jobs === 'queries' ? '' : `, jobs: ${jobs}`}${cpuPercent === null ? '' : `, each ${cpuPercent} % of a core`}`,
    target: TARGETS[`${form} ${processes}`] ?? '',
    result: `**${perMillion((r) => r.cpuSeconds)} CPU s/M**, ${number(speed)} events/s${ratio}`,
    details: [
      `${perMillion((r) => r.processCpuSeconds)} CPU s/M with start-up`,
      `broker ${perMillion((r) => r.brokerCpuSeconds)}, PostgreSQL ${perMillion((r) => r.postgresCpuSeconds)} CPU s/M`,
      `peak RSS ${number(median((r) => r.peakMiB))} MiB${processes > 1 ? ' for the larger' : ''}`,
      `${number(median((r) => r.flushes))} flushes, checkpoints of ${number(median((r) => r.checkpointMiB))} MiB in all`,
      `median of ${runs.length}, the best ${Math.min(...runs.map((r) => (r.cpuSeconds / r.events) * 1e6)).toFixed(2)} CPU s/M`,
    ],
  }
}

/**
 * How fast the streams catch up: the deterministic workload from the embedded log through the real runtime into real stores, with the counts
 * checked against the reference.
 *
 * One process reads, computes and writes; PostgreSQL is measured apart. Counts: what is late depends on how events fall into partitions, so with
 * late events the identity is checked (applied + late = all); without any, every figure must be the reference's.
 *
 * With `--trace 0.01` the same by turns with tracing off and with it on, that share of requests being recorded: then what the log holds differs as well, since an edge that traces gives
 * every order its trace.
 */
import { join } from 'node:path'
import { startPart } from './child.ts'
import { assertRight, type Counted, count } from './counts.ts'
import { percentile } from './measure.ts'
import type { CollectorAnswer } from './otlp-collector.ts'
import { type Benchmark, number } from './report.ts'
import { startDatabase, withFolder } from './stores.ts'
import type { StreamsFigures, StreamsSettings } from './streams-process.ts'
import { prepareWorkload, type WorkloadSpec } from './workload.ts'

export const streams: Benchmark = {
  name: 'streams',
  options: {
    events: { type: 'string', default: '2000000' },
    users: { type: 'string', default: '50000' },
    'late-per-million': { type: 'string', default: '200' },
    runs: { type: 'string', default: '3' },
    jobs: { type: 'string', default: 'three,all' },
    /** A folder to keep the loaded log in, or to find it in. */
    workload: { type: 'string' },
    /** Share of requests that are recorded, e.g. `0.01`. */
    trace: { type: 'string' },
    /** Passed to the measured process, e.g. `--cpu-prof`. */
    node: { type: 'string' },
  },
  async run(options, show) {
    const spec = {
      events: Number(options.events),
      users: Number(options.users),
      latePerMillion: Number(options['late-per-million']),
    }
    const measure = (folder: string) =>
      options.trace === undefined
        ? measurePlain(folder, spec, options, show)
        : measureTraced(folder, { ...spec, tracedRatio: Number(options.trace) }, options, show)
    await (options.workload ? measure(String(options.workload)) : withFolder(measure))
  },
}

type Options = Parameters<Benchmark['run']>[0]
type Show = Parameters<Benchmark['run']>[1]

const jobsOf = (options: Options) => String(options.jobs).split(',') as StreamsSettings['jobs'][]
const nameOf = (jobs: StreamsSettings['jobs']) =>
  `streams, ${jobs === 'all' ? 'all jobs' : 'sessions + fraud + revenue'}`

async function measurePlain(folder: string, spec: WorkloadSpec, options: Options, show: Show): Promise<void> {
  const expected = await prepareWorkload(folder, spec)
  for (const jobs of jobsOf(options)) {
    const runs: StreamsFigures[] = []
    for (let i = 0; i < Number(options.runs); i++) {
      const { figures, counted } = await runOnce(folder, { jobs }, options.node ? [String(options.node)] : [])
      assertRight(counted, expected, spec.latePerMillion === 0)
      runs.push(figures)
    }
    show({ ...row(jobs, runs), benchmark: nameOf(jobs) })
  }
}

async function measureTraced(
  folder: string,
  { tracedRatio = 1, ...spec }: WorkloadSpec,
  options: Options,
  show: Show,
): Promise<void> {
  const [plain, traced] = [join(folder, 'plain'), join(folder, `traced-${tracedRatio}`)]
  const expected = await prepareWorkload(plain, spec)
  await prepareWorkload(traced, { ...spec, tracedRatio })
  const collector = startPart<CollectorAnswer>(new URL('./otlp-collector.ts', import.meta.url), {})
  const { url: collectorUrl } = await collector.next()
  try {
    for (const jobs of jobsOf(options)) {
      const runs: Record<'off' | 'on', StreamsFigures[]> = { off: [], on: [] }
      for (let i = 0; i < Number(options.runs); i++) {
        // Nobody is always the first.
        for (const tracing of i % 2 === 0 ? (['off', 'on'] as const) : (['on', 'off'] as const)) {
          const given = tracing === 'on' ? { jobs, traced: { ratio: tracedRatio, collectorUrl } } : { jobs }
          const { figures, counted } = await runOnce(tracing === 'on' ? traced : plain, given)
          assertRight(counted, expected, spec.latePerMillion === 0)
          runs[tracing].push(figures)
        }
      }
      const { spans } = await collector.ask()
      const cost = percentile(
        runs.off.map((off, i) => runs.on[i]!.cpuSeconds / off.cpuSeconds - 1),
        0.5,
      )
      const name = `${nameOf(jobs)}, tracing`
      show({ ...row(jobs, runs.off), benchmark: `${name} off`, target: '' })
      const on = row(jobs, runs.on)
      const recorded = `${tracedRatio * 100} % of requests recorded`
      const details = [...on.details, `${number(spans)} spans taken by the collector`]
      const result = `${on.result}; **${(cost * 100).toFixed(1)} %** more CPU than without`
      show({ benchmark: `${name} on, ${recorded}`, target: '≤ 3 % more', result, details })
    }
  } finally {
    await collector.end()
  }
}

async function runOnce(
  logFolder: string,
  given: Pick<StreamsSettings, 'jobs' | 'traced'>,
  nodeFlags: readonly string[] = [],
): Promise<{ figures: StreamsFigures; counted: Counted }> {
  return withFolder(async (folder) => {
    const server = await startDatabase(folder)
    try {
      const settings: StreamsSettings = {
        logFolder,
        folder,
        postgresUrl: server.url,
        postgresPid: server.pid,
        ...given,
      }
      const part = startPart<StreamsFigures>(new URL('./streams-process.ts', import.meta.url), settings, nodeFlags)
      const figures = await part.next()
      await part.end()
      return { figures, counted: await count(server.url) }
    } finally {
      await server.stop()
    }
  })
}

function row(jobs: StreamsSettings['jobs'], runs: readonly StreamsFigures[]) {
  const median = (of: (f: StreamsFigures) => number) => percentile(runs.map(of), 0.5)
  const perMillion = (seconds: (f: StreamsFigures) => number) => median((f) => (seconds(f) / f.events) * 1e6)
  return {
    target: jobs === 'three' ? '≥ 250,000 events per CPU-second' : '',
    result: `**${number(median((f) => f.events / f.processCpuSeconds))} events per CPU-second**, ${number(median((f) => f.events / f.seconds))} events/s`,
    details: [
      `${perMillion((f) => f.processCpuSeconds).toFixed(2)} CPU s/M whole process`,
      `${perMillion((f) => f.cpuSeconds).toFixed(2)} after start-up`,
      `PostgreSQL ${perMillion((f) => f.postgresCpuSeconds).toFixed(2)} CPU s/M`,
      `peak RSS ${number(median((f) => f.peakMiB))} MiB`,
      `${median((f) => f.flushes)} flushes, ${median((f) => f.checkpoints)} checkpoints of ${number(median((f) => f.checkpointMiB))} MiB in all`,
      `median of ${runs.length}, the best ${number(Math.max(...runs.map((f) => f.events / f.processCpuSeconds)))} per CPU-second`,
    ],
  }
}
